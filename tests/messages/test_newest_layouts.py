"""Layouts of new Outlook, of the apps of Gmail, Naver, Daum and Kakao, and of Apple Mail, forwarded
messages, and links of mail filters, each with our message and with a foreign link beside it.
"""
# ruff: noqa: E501 (a line of a layout stays one line here)

import re
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from scams import message_check
from scams.message_check import MessageVerdict as Verdict

pytest_plugins = ["tests.messages.sent_notice"]
PORTAL = "http://127.0.0.1:8000"
EVIL = "https://refund.evil.example.com/pay?id=1"

LAYOUTS = {
    "outlook_new_en": "HM\n\u200bHanbit Market<notice@portal.example>\n\u200bYou\u200b\n\nAbout your data\nTue 11/18/2025 8:30 PM\n\n{text}\n\nReply\nForward",
    "outlook_new_ko": "한\n한빛마켓<notice@portal.example>\n나\u200b\n2025-11-18 (화) 오후 8:30\n\n{text}\n\n회신\n전달",
    "outlook_new_unusual": "Some people who received this message don't often get email from notice@portal.example. Learn why this is important<https://aka.ms/LearnAboutSenderIdentification>\n\n{text}",
    "outlook_new_unusual_ko": "notice@portal.example에서 전자 메일을 자주 받지 않습니다. 이 문제가 중요한 이유 알아보기<https://aka.ms/LearnAboutSenderIdentification>\n\n{text}",
    "outlook_new_unusual_de": "Sie erhalten nicht häufig E-Mails von notice@portal.example. Erfahren Sie, warum dies wichtig ist<https://aka.ms/LearnAboutSenderIdentification>\n\n{text}",
    "outlook_new_unusual_ja": "notice@portal.example からメールを受け取る頻度は高くありません。これが重要である理由<https://aka.ms/LearnAboutSenderIdentification>\n\n{text}",
    "outlook_new_junk": "If there are problems with how this message is displayed, click here to view it in a web browser.\n{text}",
    "gmail_app_en": "About your data\nInbox\n\nH\nHanbit Market\n8:30 PM\nto me\n\nFrom\tHanbit Market • notice@portal.example\nTo\tminji@gmail.com\nDate\tNov 18, 2025, 8:30 PM\nStandard encryption (TLS). Learn more\n\n{text}",
    "gmail_app_ko": "개인정보 유출 안내\n받은편지함\n\n한빛마켓\n오후 8:30\n나에게\n\n보낸사람\t한빛마켓 • notice@portal.example\n받는사람\tminji@gmail.com\n날짜\t2025년 11월 18일 오후 8:30\n표준 암호화(TLS)\n보안 세부정보 보기\n\n{text}",
    "gmail_app_summary": "이 이메일 요약\n\n한빛마켓 <notice@portal.example>\n11월 18일 (화) 오후 8:30\n나에게\n\n{text}\n\n답장\n전달",
    "gmail_forward_ko": "---------- Forwarded message ---------\n보낸사람: 한빛마켓 <notice@portal.example>\nDate: 2025년 11월 18일 (화) 오후 8:30\nSubject: 개인정보 유출 안내\nTo: <minji@gmail.com>\n\n\n{text}",
    "gmail_clipped": "{text}\n\n...\n\n[Message clipped]  View entire message",
    "gmail_show_original": "Message ID\t<{id}@portal.example>\nCreated at:\tTue, Nov 18, 2025 at 8:30 PM (Delivered after 2 seconds)\nFrom:\tHanbit <notice@portal.example>\nTo:\tminji@gmail.com\nSubject:\tAbout your data\nSPF:\tPASS with IP 192.0.2.1 Learn more\nDKIM:\t'PASS' with domain portal.example Learn more\nDMARC:\t'PASS' Learn more\n\n{text}",
    "naver_mobile": "개인정보 유출 안내\n한빛마켓\n보낸사람 한빛마켓 notice@portal.example\n받는사람 minji@naver.com\n2025. 11. 18. 오후 8:30\n\n{text}\n\n답장 전체답장 전달 삭제",
    "naver_mobile_new": "[한빛마켓] 개인정보 유출 안내\n\n한빛마켓<notice@portal.example>\n받는사람 : <minji@naver.com>\n2025년 11월 18일 (화) 오후 8:30\n메일 상세보기\n\n{text}",
    "daum_mobile": "[한빛마켓] 안내\n한빛마켓\n25.11.18 20:30\n보낸사람 한빛마켓<notice@portal.example>\n받는사람 <minji@daum.net>\n\n{text}\n\n목록 답장 전달",
    "kakao_mail": "개인정보 유출 안내\n한빛마켓\nnotice@portal.example\n받는사람 나<minji@kakao.com>\n2025.11.18 (화) 20:30\n\n{text}",
    "kakao_mail_forward": '---------- 전달된 메일 ----------\n보낸사람: "한빛마켓" <notice@portal.example>\n받는사람: <minji@kakao.com>\n날짜: 2025년 11월 18일 (화) 오후 8:30\n제목: 안내\n\n{text}',
    "apple_ios_ko_forward": "나의 iPhone에서 보냄\n\n전달된 메시지 시작:\n\n보낸 사람: 한빛마켓 <notice@portal.example>\n날짜: 2025년 11월 18일 오후 8:30:11 GMT+9\n받는 사람: minji@icloud.com\n제목: 안내\n\n{text}",
    "apple_ios_ja_forward": "iPhoneから送信\n\n転送されたメッセージ:\n\n差出人: Hanbit <notice@portal.example>\n日時: 2025年11月18日 20:30:11 JST\n宛先: minji@icloud.com\n件名: お知らせ\n\n{text}",
    "apple_ios_de_forward": "Von meinem iPhone gesendet\n\nAnfang der weitergeleiteten Nachricht:\n\nVon: Hanbit <notice@portal.example>\nDatum: 18. November 2025 um 20:30:11 MEZ\nAn: minji@icloud.com\nBetreff: Ihre Daten\n\n{text}",
    "apple_ios_fr_forward": "Envoyé de mon iPhone\n\nDébut du message transféré :\n\nDe: Hanbit <notice@portal.example>\nDate: 18 novembre 2025 à 20:30:11 UTC+1\nÀ: minji@icloud.com\nObjet: Vos données\n\n{text}",
    "apple_ios_mailbox": "한빛마켓\n받는 사람: minji@icloud.com\n오후 8:30\n개인정보 유출 안내\n이 메시지는 Siri가 찾은 연락처입니다.\n\n{text}",
    "thunderbird_ko": "-------- 전달된 메시지 --------\n제목: \t안내\n날짜: \tTue, 18 Nov 2025 20:30:11 +0900\n보낸 사람: \t한빛마켓 <notice@portal.example>\n받는 사람: \tminji@example.com\n\n\n{text}",
    "thunderbird_de": "-------- Weitergeleitete Nachricht --------\nBetreff: \tIhre Daten\nDatum: \tTue, 18 Nov 2025 20:30:11 +0100\nVon: \tHanbit <notice@portal.example>\nAn: \tminji@example.com\n\n{text}",
    "proton_forward": "------- Forwarded Message -------\nFrom: Hanbit <notice@portal.example>\nDate: On Tuesday, November 18th, 2025 at 8:30 PM\nSubject: About your data\nTo: minji@proton.me <minji@proton.me>\n\n{text}",
    "yahoo_forward": "   ----- Forwarded Message ----- From: Hanbit <notice@portal.example>To: minji@yahoo.com <minji@yahoo.com>Sent: Tuesday, November 18, 2025 at 08:30:11 PM GMT+9Subject: About your data\n\n{text}",
    "attached_eml": "Anfang.eml\nFrom: Hanbit <notice@portal.example>\nTo: minji@example.com\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}",
    "external_banner": "[EXTERNAL] This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender and know the content is safe.\n\n{text}",
    "external_banner_ja": "【注意】このメールは社外から送信されています。添付ファイルやリンクにご注意ください。\n\n{text}",
    "proofpoint_banner": "ZjQcmQRYFpfptBannerStart\nThis Message Is From an External Sender\nThis message came from outside your organization.\nZjQcmQRYFpfptBannerEnd\n{text}",
    "samsung_new": "한빛마켓 notice@portal.example\n받는 사람 minji@gmail.com\n11. 18. 오후 8:30\n\n{text}\n\nGalaxy에서 보냄",
}


def _quoted(link: str) -> str:
    return quote(link, safe="")


def _v3(link: str) -> str:
    """Returns a link of Proofpoint's v3, with the colon of the port as it stands."""
    return f"https://urldefense.com/v3/__{link}__;!!Nvabc12!Gk9Xw$"


FILTERS: dict[str, Callable[[str], str]] = {
    "safelinks_2025": lambda link: (
        f"https://kor01.safelinks.protection.outlook.com/?url={_quoted(link)}&data=05%7C02%7Cminji%40corp.example%7C0a1b%7C9c8d%7C0%7C0%7C638990000000000000%7CUnknown%7CTWFpbGZsb3d8eyJFbXB0eU1hcGkiOnRydWUsIlYiOiIwLjAuMDAwMCIsIlAiOiJXaW4zMiIsIkFOIjoiTWFpbCIsIldUIjoyfQ%3D%3D%7C0%7C%7C%7C&sdata=abc%3D&reserved=0"
    ),
    "safelinks_ap": lambda link: (
        f"https://nam06.safelinks.protection.outlook.com/ap/w-59584e83/?url={_quoted(link)}&data=04%7C01&sdata=abc&reserved=0"
    ),
    "safelinks_page": lambda link: (
        f"https://outlook.office.com/mail/safelink.html?url={_quoted(link)}&corid=349b3f64-9f28-8f52-5aec-254b298bdc8d"
    ),
    "safelinks_in_page": lambda link: (
        f"https://outlook.office.com/mail/safelink.html?url={_quoted(FILTERS['safelinks_2025'](link))}&corid=1"
    ),
    "proofpoint_v3": _v3,
    "proofpoint_v3_in_safelinks": lambda link: FILTERS["safelinks_2025"](_v3(link)),
    "cisco": lambda link: f"https://secure-web.cisco.com/1AbCdEfGh-ijKlm_NoP/{_quoted(link)}",
    "trend": lambda link: (
        f"https://ca-1234-eu.ctp.trendmicro.com/wis/clicktime/v1/query?url={_quoted(link)}&umid=1a2b&rct=1763465411&auth=abc-def"
    ),
    "sophos": lambda link: (
        f"https://eu-central-1.protection.sophos.com?d=portal.example&u={b64encode(link.encode()).decode()}&p=m&i=NjA=&t=abc=&h=0a1b&s=AVNPUEh"
    ),
    "barracuda": lambda link: (
        f"https://linkprotect.cudasvc.com/url?a={_quoted(link)}&c=E,1,AbC,1&typo=1"
    ),
    "barracuda_ancr": lambda link: (
        f"https://linkprotect.cudasvc.com/url?a={_quoted(link)}&c=E,1,AbC,1&typo=1&ancr_add=1"
    ),
    "fireeye": lambda link: (
        f"https://protect2.fireeye.com/v1/url?k=31323334-5009&q=1&e=aa&u={_quoted(link)}"
    ),
    "hornetsecurity": lambda link: (
        f"https://atpscan.global.hornetsecurity.com/?d=Abc&f=Def&i=&k=x&m=y&n=z&r=q&s=a1b0&u={_quoted(link)}"
    ),
    "checkpoint": lambda link: (
        f"https://protect.checkpoint.com/v2/r05/___{link}___.YzJlOmNvcnA6YzpvOmFi"
    ),
    "checkpoint_old": lambda link: (
        f"https://protect.checkpoint.com/v2/___{link}___.YzJlOmNvcnA6YzpvOmFi"
    ),
    "libraesva": lambda link: (
        f"https://urlsand.esvalabs.com/?u={_quoted(link)}&e=1a2b&h=3c4d&f=y&p=y"
    ),
    "harmony": lambda link: (
        f"https://checkpoint.url-protection.com/v1/r07/url?o={quote(link)}&amp;g=NjQ2&amp;h=M2Ix&amp;p=bWVj"
    ),
    "sonicwall": lambda link: (
        f"https://sonicwall.url-protection.com/v1/url?o={quote(link)}&g=NjQ2&h=M2Ix&p=bWVj"
    ),
    "trustwave": lambda link: (
        f"https://scanmail.trustwave.com/?c=20988&d=i-GP5uRI&u={_quoted(link).replace('.', '%2e')}"
    ),
    "whatsapp": lambda link: f"https://l.wl.co/l?u={_quoted(link)}",
    "messenger": lambda link: f"https://l.messenger.com/l.php?u={_quoted(link)}&h=AT1",
    "google": lambda link: (
        f"https://www.google.com/url?q={_quoted(link)}&source=gmail&ust=1763465411000000&usg=AOvVaw0"
    ),
}
OPAQUE = {
    "mimecast_us": "https://protect-us.mimecast.com/s/AbCdEf?domain=127.0.0.1",
    "mimecast_de": "https://url.de.m.mimecastprotect.com/s/AbCdEf?domain=127.0.0.1",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_our_message_in_a_layout_is_ours_and_a_foreign_link_beside_it_is_called_out(texts, layout):
    for text in texts:
        pasted = LAYOUTS[layout].format(text=text, id="0a1b2c3d4e" * 4)
        answer = message_check.answer_for(pasted)
        assert answer.verdict == Verdict.SENT, [one.shown for one in answer.strange]
        assert message_check.answer_for(f"{pasted}\n{EVIL}").verdict == Verdict.ALTERED
        assert message_check.answer_for(f"{EVIL}\n{pasted}").verdict == Verdict.ALTERED


@pytest.mark.parametrize("name", FILTERS)
def test_a_filters_link_counts_as_its_target(texts, name):
    wrap = FILTERS[name]
    for text in texts:
        ours = _wrapped(text, wrap)
        answer = message_check.answer_for(ours)
        assert answer.verdict == Verdict.SENT, [one.shown for one in answer.strange]
        assert message_check.answer_for(f"{ours}\n{wrap(EVIL)}").verdict == Verdict.ALTERED


def _wrapped(text: str, wrap: Callable[[str], str]) -> str:
    """Returns our message with its links as a filter rewrites them."""
    return re.sub(r"http://127\.0\.0\.1:8000\S*", lambda match: wrap(match[0]), text)


@pytest.mark.parametrize("name", OPAQUE)
def test_a_link_that_hides_its_target_is_asked_about(texts, name):
    for text in texts:
        pasted = _wrapped(text, lambda _link: OPAQUE[name])
        assert message_check.answer_for(pasted).verdict == Verdict.ASK
        assert message_check.answer_for(f"{pasted}\n{EVIL}").verdict == Verdict.ALTERED


@pytest.mark.parametrize(
    "line",
    [
        "悪質。コム を開いてください",
        "evil。com を開いてください",
        "한빛。닷컴 에서 확인하세요",
        "詳細は例え。jpで",
        "このメールは社外からです。evil.example.comを開く",
        "evil.example.com.pdf",
        "invoice.pdf evil.example.com",
        "evil.example.com/a.pdf",
        "받는 사람 환불은 help@evil.example.com 으로 보내세요",
        "https://protect.checkpoint.com/v2/r05/___https://evil.example.com/___.YzJl",
        "https://protect.checkpoint.com/v2/r05/___http://127.0.0.1:8000/___/___https://evil.example.com___.Y",
        "https://protect.checkpoint.com/v2/___https*3A*2F*2Fevil.example.com___.YzJl",
        "https://outlook.office.com/mail/other.html?url=http%3A%2F%2F127.0.0.1%3A8000",
        "https://outlook.office.com.evil.example.com/mail/safelink.html?url=http%3A%2F%2F127.0.0.1",
        "https://checkpoint.url-protection.com/v1/url?o=http%3A//127.0.0.1%3A8000&o=https%3A//evil.example.com",
        "https://evil.example.com/fmlurlsvc/?fewReq=abc&url=http%3a%2f%2f127.0.0.1%3a8000",
        "warum dies wichtig ist<https://aka.ms/evil>",
    ],
)
def test_what_looks_like_a_layout_is_called_out_beside_our_message(texts, line):
    for text in texts:
        for pasted in (f"{text}\n{line}", f"{line}\n{text}"):
            assert message_check.answer_for(pasted).verdict == Verdict.ALTERED
