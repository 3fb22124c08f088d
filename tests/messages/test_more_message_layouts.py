"""More layouts of messages as readers paste them: chats and text messages, mail programs in the nine
languages of the portal, quotes, wrapped lines, footers, and redirects of other services.
"""
# ruff: noqa: E501 (a line of a layout stays one line here)

import re
from urllib.parse import quote

import pytest

from scams import message_check
from scams.message_check import MessageVerdict as Verdict

pytest_plugins = ["tests.messages.sent_notice"]
PORTAL = "http://127.0.0.1:8000"
EVIL = "https://refund.evil.example.com/pay"
MIMECAST = "https://url.us.m.mimecastprotect.com/s/abc?domain=portal.example"

# {text} is our message; forms_of names its other forms.
LAYOUTS = {
    "kakaotalk_share": (Verdict.SENT, "[한빛마켓] [오후 8:30] {text}"),
    "kakaotalk_chat_export": (
        Verdict.SENT,
        "--------------- 2025년 11월 18일 화요일 ---------------\n[엄마] [오후 8:31] 이거 진짜니?\n[엄마] [오후 8:31] {text}",
    ),
    "kakaotalk_pc_copy": (Verdict.SENT, "2025년 11월 18일 오후 8:31, 엄마 : {text}"),
    "sms_web": (Verdict.SENT, "[Web발신]\n{text}"),
    "sms_web_number": (Verdict.ALTERED, "[Web발신]\n{text}\n문의 070-8888-1234"),
    "sms_samsung": (Verdict.SENT, "[국외발신]\n[Web발신]\n{text}\n\n오후 8:30"),
    "rcs": (
        Verdict.SENT,
        "(광고 아님)\n한빛마켓\n확인된 발신번호\n{text}\n수신 2025. 11. 18. 오후 8:30",
    ),
    "sms_forward_android": (Verdict.SENT, "전달:\n[Web발신]\n{text}"),
    "naver_app": (
        Verdict.SENT,
        "개인정보 유출 안내\n보낸 사람  한빛마켓 notice@portal.example\n받는 사람  나 minji@naver.com\n2025년 11월 18일 (화) 오후 8:30\n번역\n{text}",
    ),
    "naver_app_detail": (
        Verdict.SENT,
        "보낸사람한빛마켓<notice@portal.example>\n받는사람김민지<minji@naver.com>\n2025년 11월 18일 (화) 20:30\n\n{text}",
    ),
    "daum_app": (
        Verdict.SENT,
        "보낸사람\t한빛마켓 <notice@portal.example>\n받는사람\tminji@daum.net\n보낸날짜\t2025년 11월 18일 (화) 20:30\n\n{text}",
    ),
    "nate_app": (
        Verdict.SENT,
        '보낸사람 : "한빛마켓" <notice@portal.example>\n받는사람 : "김민지" <minji@nate.com>\n참조 : \n보낸시간 : 2025-11-18 20:30:11\n제   목 : 개인정보 유출 안내\n\n{text}',
    ),
    "samsung_mail_detail": (
        Verdict.SENT,
        "개인정보 유출 안내\n한빛마켓\nnotice@portal.example\n받는 사람: minji@samsung.example\n11월 18일 오후 8:30\n{text}",
    ),
    "outlook_app_ko": (
        Verdict.SENT,
        "개인정보 유출 안내\n한빛마켓<notice@portal.example>\n받는 사람: 사용자\n화 2025-11-18 오후 8:30\n\n{text}",
    ),
    "outlook_web_en": (
        Verdict.SENT,
        "About your data\nHanbit<notice@portal.example>\nTo: You\nTue 11/18/2025 8:30 PM\n\n{text}",
    ),
    "outlook_web_reply_all": (
        Verdict.SENT,
        "HM\nHanbit Market<notice@portal.example>\nTo:\u2009Minji Kim\n\nTue 2025-11-18 20:30\n\n{text}\n\nReply\nReply all\nForward",
    ),
    "apple_iphone_ko": (
        Verdict.SENT,
        "보낸 사람: 한빛마켓 notice@portal.example\n제목: 개인정보 유출 안내\n날짜: 2025년 11월 18일 오후 8:30\n받는 사람: minji@icloud.com\n\n{text}",
    ),
    "apple_mail_mac_copy": (
        Verdict.SENT,
        "From: Hanbit notice@portal.example\nSubject: About your data\nDate: 18 November 2025 at 20:30\nTo: minji@icloud.com\n\n{text}",
    ),
    "gmail_app_ko": (
        Verdict.SENT,
        "개인정보 유출 안내 받은편지함\n\n한빛마켓 <notice@portal.example>\n오후 8:30 (1시간 전)\n나에게\n\n{text}",
    ),
    "gmail_web_en": (
        Verdict.SENT,
        "About your data\nInbox\n\nHanbit <notice@portal.example>\nTue, Nov 18, 8:30 PM (2 days ago)\nto me\n\n{text}",
    ),
    "gmail_translate": (
        Verdict.SENT,
        "보낸사람: 한빛마켓 <notice@portal.example>\n받는사람: minji@gmail.com\n영어로 번역\n메일 번역\n\n{text}",
    ),
    "full_source_headers": (
        Verdict.SENT,
        "Return-Path: <notice@portal.example>\nDelivered-To: minji@naver.com\nFrom: Hanbit <notice@portal.example>\nTo: minji@naver.com\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain\n\n{text}",
    ),
    "ja_outlook": (
        Verdict.SENT,
        "差出人: Hanbit <notice@portal.example>\n送信日時: 2025年11月18日 20:30\n宛先: minji@example.com\n件名: お知らせ\n\n{text}",
    ),
    "ja_apple": (
        Verdict.SENT,
        "差出人: Hanbit <notice@portal.example>\n件名: お知らせ\n日付: 2025年11月18日 20:30:11 JST\n宛先: minji@icloud.com\n\n{text}",
    ),
    "zh_outlook": (
        Verdict.SENT,
        "发件人: Hanbit <notice@portal.example>\n发送时间: 2025年11月18日 20:30\n收件人: minji@example.com\n主题: 通知\n\n{text}",
    ),
    "zh_qq": (
        Verdict.SENT,
        '------------------ 原始邮件 ------------------\n发件人: "Hanbit" <notice@portal.example>;\n发送时间: 2025年11月18日(星期二) 晚上8:30\n收件人: "minji"<minji@qq.com>;\n主题: 通知\n\n{text}',
    ),
    "zh_hant_gmail": (
        Verdict.SENT,
        "---------- Forwarded message ---------\n寄件者： Hanbit <notice@portal.example>\nDate: 2025年11月18日 週二 下午8:30\nSubject: 通知\nTo: <minji@gmail.com>\n\n{text}",
    ),
    "zh_hant_outlook": (
        Verdict.SENT,
        "寄件者: Hanbit <notice@portal.example>\n寄件日期: 2025年11月18日 下午 08:30\n收件者: minji@example.com\n主旨: 通知\n\n{text}",
    ),
    "de_outlook": (
        Verdict.SENT,
        "Von: Hanbit <notice@portal.example>\nGesendet: Dienstag, 18. November 2025 20:30\nAn: minji@example.com\nBetreff: Ihre Daten\n\n{text}",
    ),
    "de_gmx": (
        Verdict.SENT,
        'Gesendet: Dienstag, 18. November 2025 um 20:30 Uhr\nVon: "Hanbit" <notice@portal.example>\nAn: minji@gmx.net\nBetreff: Ihre Daten\n\n{text}',
    ),
    "de_gmail_reply": (
        Verdict.SENT,
        "Am Di., 18. Nov. 2025 um 20:30 Uhr schrieb Hanbit <notice@portal.example>:\n\n{quoted}",
    ),
    "fr_outlook": (
        Verdict.SENT,
        "De : Hanbit <notice@portal.example>\nEnvoyé : mardi 18 novembre 2025 20:30\nÀ : minji@example.com\nObjet : Vos données\n\n{text}",
    ),
    "fr_reply": (
        Verdict.SENT,
        "Le mar. 18 nov. 2025 à 20:30, Hanbit <notice@portal.example> a écrit :\n\n{quoted}",
    ),
    "es_gmail": (
        Verdict.SENT,
        "---------- Forwarded message ---------\nDe: Hanbit <notice@portal.example>\nDate: mar, 18 nov 2025 a las 20:30\nSubject: Sus datos\nTo: <minji@gmail.com>\n\n{text}",
    ),
    "es_reply": (
        Verdict.SENT,
        "El mar, 18 nov 2025 a las 20:30, Hanbit (<notice@portal.example>) escribió:\n\n{quoted}",
    ),
    "vi_gmail": (
        Verdict.SENT,
        "---------- Forwarded message ---------\nTừ: Hanbit <notice@portal.example>\nDate: 20:30, Th 3, 18 thg 11, 2025\nSubject: Thông báo\nTo: <minji@gmail.com>\n\n{text}",
    ),
    "vi_outlook": (
        Verdict.SENT,
        "Từ: Hanbit <notice@portal.example>\nĐã gửi: Thứ Ba, 18 Tháng Mười Một 2025 20:30\nĐến: minji@example.com\nChủ đề: Thông báo\n\n{text}",
    ),
    "ja_gmail_reply": (
        Verdict.SENT,
        "2025年11月18日(火) 20:30 Hanbit <notice@portal.example>:\n\n{quoted}",
    ),
    "zh_gmail_reply": (
        Verdict.SENT,
        "Hanbit <notice@portal.example> 于2025年11月18日周二 20:30写道：\n\n{quoted}",
    ),
    "deep_quotes": (Verdict.SENT, "> > > {quoted}"),
    "wrapped72": (Verdict.SENT, "{wrapped}"),
    "wrapped_quoted": (Verdict.SENT, "{wquoted}"),
    "html_copied_spaces": (Verdict.SENT, "{nbsp}"),
    "footer_samsung_ko": (Verdict.SENT, "{text}\n\n\n갤럭시에서 보냄"),
    "footer_naver_app": (Verdict.SENT, "{text}\n\n네이버 메일앱에서 보냈습니다."),
    "footer_kakao": (Verdict.SENT, "{text}\n\n카카오메일 앱에서 보냄"),
    "footer_legal_ko": (
        Verdict.SENT,
        "{text}\n\n본 메일은 지정된 수신인만을 위한 것이며 법적으로 보호되는 정보를 포함할 수 있습니다.",
    ),
    "footer_security_ko": (
        Verdict.SENT,
        "※ 주의: 외부에서 수신된 메일입니다. 발신자를 확인하시기 바랍니다.\n{text}",
    ),
    "footer_bluemail": (Verdict.SENT, "{text}\n\nGet BlueMail for Android"),
    "footer_yahoo_iphone": (Verdict.SENT, "{text}\n\nYahoo Mail: Search, Organize, Conquer"),
    "footer_gmail_mobile": (Verdict.SENT, "{text}\n\nSent from Gmail Mobile"),
    "footer_outlook_new": (
        Verdict.SENT,
        "{text}\n\nSent from Outlook for iOS<https://aka.ms/o0ukef>",
    ),
    "footer_outlook_kr_new": (
        Verdict.SENT,
        "{text}\n\niOS용 Outlook에서 보냄<https://aka.ms/o0ukef>",
    ),
    "attachment_list": (Verdict.SENT, "첨부파일 0개\n일반 첨부파일 (0KB)\n{text}"),
    "read_confirm_naver": (
        Verdict.ASK,
        "읽음\n[한빛마켓] 개인정보 유출 안내\n보낸사람\nVIP\n한빛마켓<notice@portal.example>\n주소추가\n수신차단\n받는사람\n<minji@naver.com>\n2025년 11월 18일 (화) 20:30\n{text}",
    ),
    "naver_reply_quote": (
        Verdict.SENT,
        '-----Original Message-----\nFrom:  "한빛마켓" <notice@portal.example>\nTo:    <minji@naver.com>; \nCc:    \nSent:  2025-11-18 (화) 20:30:11 (GMT+09:00)\nSubject: [한빛마켓] 안내\n \n{text}',
    ),
    "fwd_de": (
        Verdict.ASK,
        "Am Mi., 19. Nov. 2025 um 09:00 Uhr schrieb Minji Kim <minji@gmx.net>:\n\n> Von: Hanbit <notice@portal.example>\n> Gesendet: Dienstag, 18. November 2025 20:30\n> An: minji@gmx.net\n> Betreff: x\n\n{quoted}",
    ),
    "fwd_fr": (
        Verdict.ASK,
        "Le mer. 19 nov. 2025 à 09:00, Minji Kim <minji@orange.fr> a écrit :\n\nDe : Hanbit <notice@portal.example>\nEnvoyé : mardi 18 novembre 2025 20:30\nÀ : minji@orange.fr\nObjet : x\n\n{text}",
    ),
    "fwd_es": (
        Verdict.ASK,
        "De: Minji <minji@correo.example>\nEnviado el: miércoles, 19 de noviembre de 2025 9:00\nPara: Seojun <seojun@correo.example>\nAsunto: RV: x\n\nDe: Hanbit <notice@portal.example>\nEnviado el: martes\nPara: minji@correo.example\nAsunto: x\n\n{text}",
    ),
    "fwd_ja": (
        Verdict.ASK,
        "2025年11月19日(水) 9:00 Minji <minji@gmail.com>:\n\n差出人: Hanbit <notice@portal.example>\n宛先: minji@gmail.com\n件名: x\n\n{text}",
    ),
    "fwd_zh": (
        Verdict.ASK,
        "Minji <minji@qq.com> 于2025年11月19日周三 09:00写道：\n\n发件人: Hanbit <notice@portal.example>\n收件人: minji@qq.com\n主题: x\n\n{text}",
    ),
    "fwd_vi": (
        Verdict.ASK,
        "Vào Th 4, 19 thg 11, 2025 Minji <minji@gmail.com> đã viết:\n\nTừ: Hanbit <notice@portal.example>\nĐến: minji@gmail.com\nChủ đề: x\n\n{text}",
    ),
    "footer_outlook_de": (Verdict.SENT, "{text}\nOutlook für iOS beziehen<https://aka.ms/o0ukef>"),
    "footer_outlook_ja": (Verdict.SENT, "{text}\niOS 版 Outlook を入手する<https://aka.ms/o0ukef>"),
    "footer_outlook_fr": (
        Verdict.SENT,
        "{text}\nTéléchargez Outlook pour iOS<https://aka.ms/o0ukef>",
    ),
    "foreign_schrieb": (
        Verdict.ALTERED,
        "Am Mi., 19. Nov. 2025 schrieb Hanbit <help@evil.example.com>:\n\n{text}",
    ),
    "foreign_facebook": (
        Verdict.ALTERED,
        "{text}\nhttps://l.facebook.com/l.php?u=" + quote(EVIL, safe="") + "&h=AT0",
    ),
    "foreign_an_line": (Verdict.ALTERED, "{text}\nAn: help@evil.example.com"),
    "foreign_para_line": (
        Verdict.ALTERED,
        "{text}\nPara: recuperar su dinero, help@evil.example.com",
    ),
    "foreign_link": (Verdict.ALTERED, "{text}\n" + EVIL),
    "foreign_in_head": (
        Verdict.ALTERED,
        "보낸사람: 한빛 <help@evil.example.com>\n받는사람: minji@naver.com\n\n{text}",
    ),
    "foreign_de_head": (
        Verdict.ALTERED,
        "Von: Hanbit <help@evil.example.com>\nGesendet: Dienstag, 18. November 2025 20:30\nAn: minji@example.com\nBetreff: x\n\n{text}",
    ),
    "foreign_zh_head": (
        Verdict.ALTERED,
        "发件人: Hanbit <help@evil.example.com>\n收件人: minji@example.com\n主题: x\n\n{text}",
    ),
    "foreign_fr_write_to": (
        Verdict.ALTERED,
        "De : Hanbit <notice@portal.example>\nÀ : minji@example.com\nObjet : x\n\n{text}\nÀ : écrivez votre numéro de carte à help@evil.example.com maintenant s'il vous plaît",
    ),
    "foreign_footer": (
        Verdict.ALTERED,
        "{text}\nSent from Outlook for iOS<https://evil.example.com/o0ukef>",
    ),
    "kakao_channel": (Verdict.ALTERED, "{text}\n상담 pf.kakao.com/_evil"),
    "open_chat": (Verdict.ALTERED, "{text}\nhttps://open.kakao.com/o/abc"),
    "phone_beside_web": (Verdict.ALTERED, "[Web발신]\n{text}\n무료상담 0808889999"),
    "facebook_wrapper": (Verdict.SENT, "{fb}"),
    "slack_wrapper": (Verdict.SENT, "{slack}"),
    "yahoo_no_scheme": (Verdict.SENT, "{noscheme}"),
    "markdown_link": (Verdict.SENT, "{md}"),
    "mimecast": (Verdict.ASK, "{mime}"),
}


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def wrapped(text: str, width: int = 72) -> str:
    """Returns the text with lines broken as mail programs break them."""
    lines = []
    for line in text.splitlines():
        rest = line
        while len(rest) > width:
            space = rest.rfind(" ", 0, width)
            end = space if space > 20 else width
            lines.append(rest[:end])
            rest = rest[end:].lstrip(" ")
        lines.append(rest)
    return "\n".join(lines)


def redirected(text: str, start: str, end: str = "") -> str:
    """Returns the text with our link in one of another service."""
    return text.replace(PORTAL, f"{start}{quote(PORTAL, safe='')}{end}")


def forms_of(text: str) -> dict[str, str]:
    return {
        "text": text,
        "quoted": quoted(text),
        "wrapped": wrapped(text),
        "wquoted": quoted(wrapped(text, 60)),
        "nbsp": text.replace(" ", "\u00a0 "),
        "fb": redirected(text, "https://l.facebook.com/l.php?u=", "&h=AT0"),
        "slack": redirected(text, "https://slack-redir.net/link?url="),
        "noscheme": text.replace("http://", ""),
        "md": re.sub(r"(http://127\S*)", r"[\1](\1)", text),
        "mime": text.replace(PORTAL, MIMECAST),
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_our_message_in_a_layout_is_recognised_and_a_change_is_called_out(texts, layout):
    verdict, form = LAYOUTS[layout]
    assert len(texts) == 2
    for text in texts:
        answer = message_check.answer_for(form.format(**forms_of(text)))
        assert answer.verdict == verdict, [one.shown for one in answer.strange]
