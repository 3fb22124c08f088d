"""Mails whose source is pasted, and further layouts of mail programs: each is read as the message
that a reader sees. All texts of a module are checked in one test, because one delivery is enough.
"""
# ruff: noqa: E501 (a line of a layout stays one line here)

import time
from base64 import b64encode
from email.header import Header
from quopri import encodestring

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from scams import mail_source, message_check
from scams.message_check import MessageVerdict as Verdict
from scams.pasted_text import MOST_CHARACTERS
from tests.notice_factory import work

pytest_plugins = ["tests.notice_fixtures"]

PORTAL = "http://127.0.0.1:8000"
EVIL = "https://refund.evil.example.com/pay"
ENVELOPE = "bounce+0abc23def456-0123456789abcdef0123@portal.example"
SUBJECT = Header("개인정보 유출 안내", "utf-8").encode()
NAME = Header("한빛마켓", "utf-8").encode()
# What servers add above a mail.
ON_THE_WAY = f"""\
Delivered-To: minji@gmail.com
X-Google-Smtp-Source: AGHT+IF0hf
X-Originating-IP: [203.0.113.5]
ARC-Seal: i=1; a=rsa-sha256; t=1763465411; cv=none;
        d=google.com; s=arc-20240605; b=abc/def==
Authentication-Results: mx.google.com;
       spf=pass (google.com: domain of a@mail.hanbit.example designates 203.0.113.5) smtp.mailfrom=a@mail.hanbit.example
Received-SPF: pass (mx.naver.com: domain of a@mail.hanbit.example designates 203.0.113.5)
Return-Path: <{ENVELOPE}>
Received: from mail.hanbit.example (mail.hanbit.example. [203.0.113.5])
        by mx.google.com with ESMTPS id x1 for <minji@gmail.com>;
        Tue, 18 Nov 2025 03:30:11 -0800 (PST)
DKIM-Signature: v=1; a=rsa-sha256; d=hanbit.example; s=mail2026; bh=AbC=; b=xyz
"""
HEAD = f"""\
From: {NAME} <notice@portal.example>
To: minji@naver.com
Subject: {SUBJECT}
Date: Tue, 18 Nov 2025 20:30:11 +0900
MIME-Version: 1.0
"""
GMAIL_PAGE = """\
원본 메일
메시지 ID\t{identifier}
보낸사람:\t한빛마켓 <notice@portal.example>
받는사람:\tminji@gmail.com
SPF:\tPASS(IP 203.0.113.5) 자세히 알아보기
DKIM:\t'PASS'(도메인 portal.example) 자세히 알아보기

원본 다운로드

"""


def part(text: str, encoding: str, kind: str = "plain") -> str:
    """Returns a part of a mail in an encoding."""
    octets = text.encode()
    if encoding == "base64":
        text = b64encode(octets).decode()
        text = "\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    elif encoding == "quoted-printable":
        text = encodestring(octets).decode()
    return f"Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{text}\n"


def parts(*inner: str, kind: str = "alternative") -> str:
    """Returns the parts of a mail, with the fields of its head that announce them."""
    body = "".join(f"--_b1\n{each}\n" for each in inner)
    return f'Content-Type: multipart/{kind};\n boundary="_b1"\n\n{body}--_b1--\n'


def genuine(text: str, html: str) -> dict[str, str]:
    """Returns the source of our mail in its forms."""
    top = ON_THE_WAY + HEAD
    forms = {
        f"{name} {encoding}": top + body
        for encoding in ("base64", "quoted-printable", "8bit")
        for name, body in {
            "plain": part(text, encoding),
            "html": part(html, encoding, "html"),
            "both": parts(part(text, encoding), part(html, encoding, "html")),
        }.items()
    }
    return forms | {
        "windows": (top + part(text, "base64")).replace("\n", "\r\n"),
        "stations": STATIONS + top + part(text, "base64"),
        "words above": f"이거 진짜인가요?\n\n{top}{part(text, 'base64')}",
        "unsubscribe": f"{top}List-Unsubscribe: <{PORTAL}/x>\n{part(text, 'base64')}",
        "page": GMAIL_PAGE.format(identifier="<1@hanbit.example>")
        + "Message-ID: <1@hanbit.example>\n"
        + top
        + part(text, "base64"),
    }


def changed(text: str, html: str) -> dict[str, str]:
    """Returns sources with something of a stranger beside our text."""
    top, plain = ON_THE_WAY + HEAD, part(text, "base64")
    return {
        "link": top + parts(plain, part(f'{html}<a href="{EVIL}">x</a>', "base64", "html")),
        "link shown as ours": top
        + parts(plain, part(f'{html}<a href="{EVIL}">{PORTAL}</a>', "quoted-printable", "html")),
        "form": top + parts(plain, part(f'{html}<form action="{EVIL}">', "base64", "html")),
        "text": top + part(f"{text}\n{EVIL}", "quoted-printable"),
        "sender": top.replace("notice@portal.example", "help@evil.example.com") + plain,
        "answers": f"{ON_THE_WAY}Reply-To: help@evil.example.com\n{HEAD}{plain}",
        "unsubscribe": f"{top}List-Unsubscribe: <{EVIL}>\n{plain}",
        "subject": top.replace(SUBJECT, Header(f"환불 {EVIL}", "utf-8").encode()) + plain,
        "preamble": (top + parts(plain)).replace("\n\n--_b1", f"\n\n{EVIL}\n--_b1", 1),
        "epilogue": f"{top}{parts(plain)}\n{EVIL}",
        "html": top + part(f"{html}{''.join(OF_HTML)}", "base64", "html"),
        "second part": top + parts(plain, part(f"환불: {EVIL}", "base64"), kind="mixed"),
        "unknown field": f"{HEAD}Comments: visit {EVIL}\n{plain}",
    }


# Further fields of the servers on a mail's way to its reader.
STATIONS = """\
Original-Recipient: rfc822;minji@naver.com
Apparently-To: minji@naver.com
Resent-To: minji@naver.com
Resent-From: Minji <minji@gmail.com>
Errors-To: bounce@list.example.org
List-Id: <members.list.example.org>
CMM-sender-ip: 203.0.113.5
Require-Recipient-Valid-Since: minji@naver.com; Sat, 1 Jan 2022 00:00:00 +0000
Authentication-Results-Original: mx.example.net; spf=pass smtp.mailfrom=a@mail.hanbit.example
X-Original-To: minji@naver.com
X-Received: by contact.help.example with SMTP id x1
ARC-Message-Signature: i=1; h=from:reply-to:subject; bh=AbC=; b=xyz
"""
HELP, NUMBER = "help@evil.example.com", "010-9999-8888"
# Ways to put a target, an address or a number into HTML: each is called out.
OF_HTML = [
    '<a href="h&#116;tps://evil.example.com">x</a>',
    '<a href=" https://evil.example.com">x</a>',
    '<a href="https:evil">x</a>',
    '<a href="https:/evil">x</a>',
    '<a href="\\\\evil">x</a>',
    '<a href="//evil">x</a>',
    '<a href="ht\ntps://evil">x</a>',
    '<a href=    "https://evil">x</a>',
    '<a href="tel:01099998888">x</a>',
    '<a href="sms:01099998888">x</a>',
    '<button formaction="https://evil">x</button>',
    '<base href="h&#116;tps://evil/">',
    '<a href="mail&#116;o:help@evil.example.com">x</a>',
    '<a href="mailto:help%40evil.example.com">x</a>',
    f'<img alt="{NUMBER}">',
    f'<input value="{NUMBER}">',
    f"< Call {NUMBER} >",
    "<Refund: https://evil>",
    "<Refund https://evil>",
    "<evil.example.com>",
    f"<call {NUMBER}>",
    '<p style="background:url(https://evil/a.png)">',
    f'<style>p::before {{ content: "{NUMBER}" }}</style>',
    '<!--[if mso]><a href="h&#116;tps://evil">x</a><![endif]-->',
    '<meta http-equiv="refresh" content="0;url=https://evil">',
    "<span>help@</span><b>evil</b>.example.com",
]
OF_PICTURE = "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n{}\n"
ODD = "=?x-unknown?B?7ZWc?="


def forged(text: str) -> dict[str, str]:
    """Returns what a stranger wrote around our text, so that it looks like a mail's source."""
    request = f"Send your card to {HELP} or {EVIL} or {NUMBER}"
    whole = HEAD + part(text, "8bit")
    unread = "Content-Transfer-Encoding: base64\n\niVBORw0KGgo="
    first = part(text, "base64")
    nested = b64encode(f"From: a\n\n{request}".encode()).decode()
    xhtml = "Content-Type: application/xhtml+xml"
    return {
        "picture": f"{text}\n\nFrom: Refund desk\nContent-Type: image/png\n\n{request}",
        "whole head below": f"{text}\n\n{HEAD}Content-Type: image/png\n\n{request}",
        "picture in text": f"{HEAD}{parts(first, f'Content-Type: image/png{chr(10) * 2}{request}')}",
        "x field": f"X-Refund: {request}\n{whole}",
        "importance": f"Importance: {request}\n{whole}",
        "received": f"Received: call {NUMBER}\n{whole}",
        "return path": f"Return-Path: reply with your card number to {HELP}\n{whole}",
        "encoded field": f"X-Note: {Header(f'환불 {EVIL}', 'utf-8').encode()}\n{whole}",
        "field of a part": HEAD + parts(f"X-Refund: {request}\n{first}"),
        "no field of a part": HEAD + parts(f" {request}\n{first}"),
        "file name": HEAD + parts(f'Content-Disposition: x; filename="{NUMBER}"\n{first}'),
        "bimi": f"BIMI-Location: v=BIMI1; l={EVIL}\n{whole}",
        "html that is text": f"{HEAD}Content-Type: text/html\n\n{text}<Refund: {EVIL}>",
        "end of a tag": HEAD + part(f"{text}</a {HELP}>", "8bit", "html"),
        "after base64": HEAD + parts(first, f"{part('x' * 4, 'base64')}=\n{request}"),
        "spf": f"SPF: PASS Call us on {NUMBER}\n\n{whole}",
        "other domain": f"DKIM: 'PASS' with domain evil.example.com\n\n{whole}",
        "identifier": f"write to <{HELP}>\n\nMessage-ID: <{HELP}>\n{whole}",
        "pdf": HEAD + parts(first, f"Content-Type: application/pdf\n{unread}", kind="mixed"),
        "octets": HEAD + parts(first, f"Content-Type: application/octet-stream\n{unread}"),
        "png": HEAD + parts(first, f"Content-Type: image/png\n{unread}"),
        "xhtml": HEAD + parts(first, f"{xhtml}\n\n<a href='{EVIL}'>x</a>"),
        "coded xhtml": HEAD + parts(first, f"{xhtml}\n{unread}"),
        "mail": HEAD
        + parts(
            first,
            f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{nested}",
        ),
        "subject": whole.replace(SUBJECT, ODD),
        "charset": HEAD + parts(first, part("x", "base64").replace("utf-8", "utf-7")),
        "two types": HEAD + parts(first, f"Content-Type: text/html\n{part('x', '8bit')}"),
        "data": HEAD + part(f'{text}<a href="data:text/html,x">x</a>', "8bit", "html"),
        "mailer": f"X-Mailer: {HELP}\n{whole}",
        "topic": f"Thread-Topic: Refund <{HELP}>\n{whole}",
        "broken words": whole.replace(SUBJECT, "=?utf-8?B?a?="),
    }


# Heads that ask for something in the place of a recipient's name.
REQUESTS = [
    "From: notice@portal.example\nTo: send card to help@evil.example.com\n",
    "From: notice@portal.example\nTo: reply <help@evil.example.com>\n",
    "From: notice@portal.example\nTo: contact help@evil.example.com\nSubject: x\n",
    "差出人: notice@portal.example\n宛先: ご連絡は help@evil.example.com\n",
    "发件人: notice@portal.example\n收件人: 请联系 help@evil.example.com\n",
    "寄件者: notice@portal.example\n收件者: 退款請聯絡 help@evil.example.com\n",
    "Von: notice@portal.example\nAn: Bitte schreiben help@evil.example.com\n",
    "De: notice@portal.example\nÀ: écrivez à help@evil.example.com\n",
    "De: notice@portal.example\nPara: escriba a help@evil.example.com\n",
    "Từ: notice@portal.example\nĐến: liên hệ help@evil.example.com\n",
    "보낸사람\n한빛<notice@portal.example>\n받는사람\n환불 문의\nhelp@evil.example.com\n2025. 11. 18. 20:30\n",
    "To: pay help@evil.example.com\n",
    "Gmail 환불 문의 help@evil.example.com\nFrom: notice@portal.example\nTo: minji@gmail.com\n",
    "help@evil.example.com\nFrom: notice@portal.example\nTo: minji@gmail.com\n",
    "보낸사람: 한빛 <notice@portal.example>\n받는사람: 카드번호 보내세요 help@evil.example.com\n제목: 안내\n",
]
# {t} is our message, {q} the quoted one.
LAYOUTS = {
    "gmail_print": "Gmail\t김민지 <minji@gmail.com>\n개인정보 유출 안내\n한빛마켓 <notice@portal.example>\t2025년 11월 18일 오후 8:30\n받는사람: minji@gmail.com\n\n{t}",
    "gmail_details": "from:\tHanbit <notice@portal.example>\nto:\tminji@gmail.com\ndate:\tNov 18, 2025, 8:30 PM\nsubject:\tAbout your data\nmailed-by:\tportal.example\nsecurity:\tStandard encryption (TLS)\n\n{t}",
    "text_message": "15882188\n2025년 11월 18일 화요일\n오후 8:30\n{t}",
    "naver_mobile_share": "[네이버 메일]\n한빛마켓 <notice@portal.example>\n2025.11.18 20:30\n\n{t}",
    "kakao_mail_app": "개인정보 유출 안내\n보낸사람 한빛마켓 <notice@portal.example>\n받는사람 나 <minji@kakao.com>\n25.11.18. 20:30\n\n{t}",
    "thunderbird_ja": "-------- 転送されたメッセージ --------\n件名: \tお知らせ\n日付: \tTue, 18 Nov 2025 20:30:11 +0900\n差出人: \tHanbit <notice@portal.example>\n宛先: \tminji@example.com\n\n{t}",
    "thunderbird_de": "-------- Weitergeleitete Nachricht --------\nBetreff: \tIhre Daten\nDatum: \tTue, 18 Nov 2025 20:30:11 +0900\nVon: \tHanbit <notice@portal.example>\nAn: \tminji@example.com\n\n{t}",
    "thunderbird_fr": "-------- Message transféré --------\nSujet : \tVos données\nDate : \tTue, 18 Nov 2025 20:30:11 +0900\nDe : \tHanbit <notice@portal.example>\nPour : \tminji@example.com\n\n{t}",
    "outlook_fr_cc": "De : Hanbit <notice@portal.example>\nEnvoyé : mardi 18 novembre 2025 20:30\nÀ : Minji Kim <minji@example.com>\nCc : Seojun Kim <seojun@example.com>\nObjet : Vos données\n\n{t}",
    "gmx_web": 'Von: "Hanbit" <notice@portal.example>\nAn: minji@gmx.de\nDatum: 18.11.2025 20:30:11\nBetreff: Ihre Daten\n\n{t}',
    "webde_app": "Hanbit\nVon: notice@portal.example\nAn: minji@web.de\n18.11.25 um 20:30\n\n{t}",
    "orange_web": '> Message du 18/11/25 20:30\n> De : "Hanbit" <notice@portal.example>\n> A : minji@orange.fr\n> Copie à : \n> Objet : Vos données\n>\n{q}',
    "free_zimbra": 'De: "Hanbit" <notice@portal.example>\nÀ: "Minji" <minji@free.fr>\nEnvoyé: Mardi 18 Novembre 2025 20:30:11\nObjet: Vos données\n\n{t}',
    "outlook_es": "De: Hanbit <notice@portal.example>\nEnviado: martes, 18 de noviembre de 2025 20:30\nPara: minji@example.com <minji@example.com>\nAsunto: Sus datos\n\n{t}",
    "apple_ja": "転送されたメッセージ:\n\n> 差出人: Hanbit <notice@portal.example>\n> 件名: お知らせ\n> 日付: 2025年11月18日 20:30:11 JST\n> 宛先: minji@icloud.com\n>\n{q}",
    "apple_de": "Anfang der weitergeleiteten Nachricht:\n\n> Von: Hanbit <notice@portal.example>\n> Betreff: Ihre Daten\n> Datum: 18. November 2025 um 20:30:11 MEZ\n> An: minji@icloud.com\n>\n{q}",
    "apple_fr": "Début du message réexpédié :\n\n> De: Hanbit <notice@portal.example>\n> Objet: Vos données\n> Date: 18 novembre 2025 à 20:30:11 UTC+1\n> À: minji@icloud.com\n>\n{q}",
    "apple_es": "Inicio del mensaje reenviado:\n\n> De: Hanbit <notice@portal.example>\n> Asunto: Sus datos\n> Fecha: 18 de noviembre de 2025, 20:30:11 CET\n> Para: minji@icloud.com\n>\n{q}",
    "apple_zh": "开始转发的邮件：\n\n> 发件人: Hanbit <notice@portal.example>\n> 主题: 通知\n> 日期: 2025年11月18日 GMT+8 20:30:11\n> 收件人: minji@icloud.com\n>\n{q}",
    "apple_vi": "Bắt đầu thư được chuyển tiếp:\n\n> Từ: Hanbit <notice@portal.example>\n> Chủ đề: Thông báo\n> Ngày: 18 tháng 11, 2025 lúc 20:30:11 GMT+7\n> Đến: minji@icloud.com\n>\n{q}",
    "163_web": '-------- 转发邮件信息 --------\n发件人："Hanbit" <notice@portal.example>\n发送日期：2025-11-18 20:30:11\n收件人：<minji@163.com>\n主题：通知\n\n{t}',
    "163_reply": '在 2025-11-18 20:30:11，"Hanbit" <notice@portal.example> 写道：\n\n{q}',
    "yahoo_jp": "----- 元のメッセージ -----\nFrom: Hanbit <notice@portal.example>\nTo: minji@yahoo.co.jp\nDate: 2025/11/18, Tue 20:30\nSubject: お知らせ\n\n{t}",
    "gmail_ja_fwd": "---------- Forwarded message ---------\nFrom: Hanbit <notice@portal.example>\nDate: 2025年11月18日(火) 20:30\nSubject: お知らせ\nTo: <minji@gmail.com>\n\n{t}",
    "gmail_zh_fwd": "---------- Forwarded message ---------\n发件人： Hanbit <notice@portal.example>\nDate: 2025年11月18日周二 20:30\nSubject: 通知\nTo: <minji@gmail.com>\n\n{t}",
    "gmail_fr_fwd": "---------- Forwarded message ---------\nDe : Hanbit <notice@portal.example>\nDate: mar. 18 nov. 2025 à 20:30\nSubject: Vos données\nTo: <minji@gmail.com>\n\n{t}",
    "proton_reply": "On Tuesday, November 18th, 2025 at 8:30 PM, Hanbit <notice@portal.example> wrote:\n\n{q}",
    "tuta": "From: notice@portal.example\nTo: minji@tuta.com\nSubject: About your data\nDate: Nov 18, 2025, 20:30\n\n{t}",
    "fastmail": "From: Hanbit <notice@portal.example>\nTo: minji@fastmail.com\nSubject: About your data\nDate: Tuesday, November 18, 2025 8:30 PM\n\n{t}",
    "zoho": '============ Forwarded message ============\nFrom: Hanbit <notice@portal.example>\nTo: "minji"<minji@zohomail.com>\nDate: Tue, 18 Nov 2025 20:30:11 +0900\nSubject: About your data\n============ Forwarded message ============\n\n{t}',
    "hey": "Hanbit <notice@portal.example> \nTo: minji@hey.com\nNov 18, 2025\n\n{t}",
    "spark": "On Nov 18, 2025 at 8:30 PM +0900, Hanbit <notice@portal.example>, wrote:\n{q}",
    "edison": "On Tue, Nov 18 2025, at 8:30 pm, Hanbit <notice@portal.example> wrote:\n\n{q}",
    "samsung_ko_reply": "-------- 원본 메시지 --------\n보낸 사람: 한빛마켓 <notice@portal.example>\n날짜: 25/11/18 오후 8:30 (GMT+09:00)\n받은 사람: minji@example.com\n제목: 안내\n\n{t}",
    "mailplug": 'From : "한빛마켓" <notice@portal.example>\nTo : "김민지" <minji@corp.example>\nCc : \nSent : 2025-11-18 20:30:11\nSubject : 안내\n\n{t}',
    "cafe24": "보낸 사람 : 한빛마켓 <notice@portal.example>\n받는 사람 : minji@corp.example\n보낸 날짜 : 2025-11-18 20:30:11\n메일 제목 : 안내\n\n{t}",
    "dooray": "보낸 사람 한빛마켓 <notice@portal.example>\n받는 사람 김민지 <minji@corp.example>\n2025.11.18 20:30 (화)\n\n{t}",
    "recipient_two_lines": "From: Hanbit <notice@portal.example>\nTo: Minji Kim <minji@example.com>,\n Seojun Kim <seojun@example.com>\nSubject: x\n\n{t}",
    "title_in_name": "보낸사람: 한빛마켓 <notice@portal.example>\n받는사람: 개인정보보호팀 김민지 대리 <minji@corp.example>\n제목: 안내\n\n{t}",
    "long_es_name": "De: Hanbit <notice@portal.example>\nPara: María José García López <maria@correo.example>\nAsunto: x\n\n{t}",
    "de_name": "Von: Hanbit <notice@portal.example>\nAn: Dr. Karl-Heinz Schreiber <kh@corp.example>\nBetreff: x\n\n{t}",
}


@pytest.fixture
def mails(notice, server, people) -> list[tuple[str, str]]:
    """Text and HTML of the mails to Minji and to Seojun, who read different languages."""
    work(notice)
    found = []
    for one in server.taken:
        plain, html = (one.message.get_body((kind,)) for kind in ("plain", "html"))
        found.append((str(plain.get_content()), str(html.get_content())))
    return found


def verdicts(pasted: dict[str, str]) -> dict[str, Verdict]:
    return {name: message_check.answer_for(text).verdict for name, text in pasted.items()}


def test_the_source_of_our_mail_is_read_as_the_mail(mails):
    assert len(mails) == 2
    for text, html in mails:
        found = verdicts(genuine(text, html))
        assert found == dict.fromkeys(found, Verdict.SENT)


def test_what_a_stranger_put_into_the_source_is_called_out(mails):
    for text, html in mails:
        found = verdicts(changed(text, html))
        assert found == dict.fromkeys(found, Verdict.ALTERED)


def test_no_sent_rests_on_what_is_left_out(mails):
    for text, _html in mails:
        found = verdicts(forged(text))
        asked = {name for name, verdict in found.items() if verdict == Verdict.ASK}
        assert asked >= {"bimi", "pdf", "octets", "png", "mail", "subject", "charset", "x field"}
        assert {name for name, verdict in found.items() if verdict == Verdict.SENT} == set()
        above = message_check.answer_for(f"{EVIL}\n\n{HEAD}{part(text, 'base64')}")
        assert above.verdict == Verdict.NO_RECORD
        assert "refund.evil.example.com" in [one.shown for one in above.strange]


def test_each_target_in_html_is_called_out(mails):
    for text, _html in mails:
        pasted = {one: HEAD + part(text + one, "base64", "html") for one in OF_HTML}
        found = verdicts(pasted)
        assert found == dict.fromkeys(found, Verdict.ALTERED)


def test_the_page_says_that_a_part_could_not_be_read(mails):
    text, _html = mails[0]
    pasted = forged(text)["pdf"]
    page = Client().post("/en/check/answer/", {"text": pasted}).content.decode()
    assert "A part of this mail could not be read here" in page


def test_a_request_in_a_head_is_called_out(mails):
    for text, _html in mails:
        for head in REQUESTS:
            answer = message_check.answer_for(f"{head}\n{text}")
            assert "help@evil.example.com" in [one.shown for one in answer.strange], head
            assert answer.verdict in (Verdict.ALTERED, Verdict.ASK), head


def test_our_message_in_further_layouts_is_recognised(mails, settings):
    settings.SMS_SENDER = "1588-2188"
    for text, _html in mails:
        quoted = "\n".join(f"> {line}" for line in text.splitlines())
        pasted = {name: form.format(t=text, q=quoted) for name, form in LAYOUTS.items()}
        found = verdicts(pasted)
        assert found == dict.fromkeys(found, Verdict.SENT)


def checked(content: bytes, **fields: str) -> str:
    """Returns the page that answers a mail's file."""
    file = SimpleUploadedFile("message.eml", content)
    return Client().post("/en/check/answer/", {"mail": file, **fields}).content.decode()


def test_a_mails_file_is_read_as_the_mail(mails):
    for text, html in mails:
        for source in genuine(text, html).values():
            page = checked(source.encode())
            assert 'name="text" value=' not in page  # the source is not repeated in the page
            assert "We sent a message with this code" in page
        korean = HEAD + part(text, "8bit").replace("utf-8", "euc-kr")
        assert "We sent a message with this code" in checked(korean.encode("euc-kr", "replace"))
        assert "treat it as a scam" in checked(f"{korean}\n{EVIL}".encode("euc-kr", "replace"))
        picture = HEAD + parts(part(text, "base64"), OF_PICTURE.format("A" * 300_000))
        assert "A part of this mail could not be read here" in checked(picture.encode())


SHIFTED = b"\nCall \x1b$B#0#2!?#e#v#i#l!%#c#o#m\x1b(B"  # in ISO-2022-JP, letters without it


def test_no_sent_rests_on_octets_that_a_program_may_read_otherwise(mails):
    for text, html in mails:
        for kind, ours in (("plain", text), ("html", html)):
            whole = HEAD + part(ours, "8bit", kind)
            for charset in (
                "utf-8",
                "iso-2022-jp",
                "iso-2022-kr",
                "euc-kr",
                "us-ascii",
                "utf-7",
                "hz",
            ):
                data = whole.replace("utf-8", charset).encode() + SHIFTED
                mail = mail_source.read_file(data)
                assert mail is not None
                assert message_check.answer_for_mail(mail).verdict != Verdict.SENT, charset
                for pasted in (data, data.translate(None, b"\x1b")):
                    if pasted == data or charset.startswith("iso"):
                        answer = message_check.answer_for(pasted.decode())
                        assert answer.verdict != Verdict.SENT, charset
    file = HEAD + part("", "7bit").replace("utf-8", "iso-2022-jp")
    decoded = mail_source.read_file(file.encode() + SHIFTED)
    assert decoded is not None
    assert "０２／ｅｖｉｌ．ｃｏｍ" in decoded.text
    assert decoded.is_whole
    plain = part("a", "base64").replace("; charset=utf-8", "").replace("YQ==", "7JWI")
    assert not mail_source.read(HEAD + plain).is_whole  # a program guesses its charset
    raw = mail_source.read_file(f"Subject: 환불 안내\n{HEAD}{parts(part('안', '8bit'))}끝".encode())
    assert raw is not None
    assert raw.is_whole
    assert all(word in raw.text for word in ("Subject: 환불 안내", "안", "끝"))


def test_a_feedback_id_has_no_words_of_another_script():
    fields = {
        "notice:incident:mail:hanbit": True,
        "환불은-카카오톡:으로-연락하세요:지금:바로": False,
    }
    for value, is_whole in fields.items():
        mail = mail_source.read(f"Feedback-ID: {value}\n{HEAD}{part('안', '8bit')}")
        assert mail.is_whole == is_whole


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (b"", {}, "is not a mail"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99, {}, "is not a mail"),  # Outlook's .msg
        (b"\x89PNG\r\n\x1a\n", {}, "is not a mail"),
        (b"From: a\n\nNo source.", {}, "is not a mail"),
        (HEAD.encode() + b"\n" + b"a\n" * 600_000, {}, "is not a mail"),
        (HEAD.encode() + b"\nHello", {"text": "7QK2-X9ND-4HTB"}, "not both"),
    ],
    ids=["empty", "msg", "picture", "text", "large", "both"],
)
def test_a_file_that_is_no_mail_is_refused(db, content, fields, words):
    page = checked(content, **fields)
    assert words in page
    assert "There is a problem" in page


def test_an_empty_form_names_both_of_its_fields(db):
    page = Client().post("/en/check/answer/", {"text": " "}).text
    assert "Enter the code, paste the message, or choose the file of a mail." in page


def test_the_page_takes_a_source_that_is_longer_than_a_text(db):
    long = HEAD + part("안" * (MOST_CHARACTERS - 1_000), "base64")
    assert len(long) > MOST_CHARACTERS
    assert b"too long" not in Client().post("/en/check/answer/", {"text": long}).content
    text = "a" * (MOST_CHARACTERS + 1)
    assert b"too long" in Client().post("/en/check/answer/", {"text": text}).content


@pytest.mark.parametrize(
    "text",
    [
        f"Subject: {'=?a?q?' * 30_000}\n{HEAD}\n",
        HEAD + "Content-Type: message/rfc822\n\n" * 6_000,
        f"{HEAD}Content-Type: text/html\n\n{'<style ' * 25_000}",
        f"{HEAD}Content-Type: text/html\n\n{'href=a:' * 25_000}",
        "From: a\nx\n" * 18_000 + HEAD,
        HEAD + part("a" * 100_000, "base64").replace("utf-8", "punycode"),
        f"Subject: =?punycode?Q?{'a' * 1_900}?=\n{HEAD}\n",
        f"{HEAD}Content-Type: text/html\n\n{'<!-- >' * 25_000}",
        f"X-Virus-Scanned: {'a.' * 500_000}\n{HEAD}\n",
        f'{HEAD}Content-Disposition: a; b="{";" * 100_000}\n\n',
        f'{HEAD}Content-Disposition: a; b="' + ";\n " * 60_000 + "\n\n",
        f'\ufeffContent-Disposition: a; b="{";" * 100_000}\n{HEAD}\n',
        f"{HEAD}{part('a', '8bit')}".replace("plain;", f'plain; a="{";" * 100_000}'),
        HEAD.replace("From: ", f"From: a:{'b,' * 50_000}") + "\n",
        HEAD.replace("Date: ", f"References: {'<a@b> ' * 50_000}\nDate: {'Tue, ' * 50_000}") + "\n",
    ],
)
def test_a_hostile_source_takes_little_time(text):
    started = time.process_time()
    mail_source.read(text)
    mail_source.read_file(text.encode())
    assert time.process_time() - started < 2


def test_a_malformed_word_in_a_subject_is_answered(db):
    text = f"{HEAD.replace(SUBJECT, '=?utf-8?B?a?=')}\nHello"
    assert Client().post("/en/check/answer/", {"text": text}).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "From: notice@portal.example\nTo: minji@example.com\n\nNo source.",
        "Content-Type: text/plain\n\nA text without a sender.",
        f"{HEAD}Content-Type: text/plain",  # no end of the head
        HEAD + "Content-Type: multipart/mixed; boundary=b\n\n" + "boundary " * 100,
    ],
)
def test_a_text_that_is_no_source_stays_as_it_is(text):
    assert mail_source.read(text) == mail_source.PastedMail(text)
