"""The message check on our message in an encoded form: HTML source, quoted-printable, base64, JSON,
links in percent signs and in the marks of Markdown, Slack and forums.
"""

import json
import re
from base64 import encodebytes
from collections.abc import Callable
from html import escape
from quopri import encodestring
from urllib.parse import quote

import pytest

from scams import mail_source, message_check, pasted_text
from scams.message_check import KnownTraces

CODE = "7QK4-M2XH-9TRA"
TEXT = f"""안녕하세요, 김민지 님. 개인정보 유출 안내를 드립니다.
유출된 항목: 이름, 전화번호
자세한 내용: https://hanbit.co.kr/s/hanbit/our-apology/?lang=ko&v=1
문의: privacy@hanbit.co.kr, 02-1234-5678
이 메시지가 저희가 보낸 것인지 확인: https://hanbit.co.kr/check/
메시지 코드: {CODE}
"""
FOREIGN = (
    "https://refund.evil.example/pay?a=1&b=2",
    "refund.evil.example",
    "help@evil.example 으로 쓰세요",
    "070-8888-1234",
)


def verdict_on(pasted: str) -> str:
    """Returns the verdict that the message check gives if the code is ours."""
    known = KnownTraces.of([TEXT, "https://hanbit.co.kr/check/?a=1&seq=20261130123456"])
    mail = mail_source.read(pasted)
    shown = pasted_text.readable(mail.text)
    if CODE.replace("-", "") not in pasted_text.message_codes_in(shown):
        return "no record"
    return message_check.verdict_on(mail, known)[0].value


def links_as(form: str) -> Callable[[str], str]:
    return lambda text: re.sub(r"https://\S+", lambda link: form.format(link[0]), text)


def as_html(text: str) -> str:
    linked = links_as('<a href="{0}">{0}</a>')(text)
    return f"<p>{linked}</p>".replace("\n", "<br>\n")


def html_source(text: str) -> str:
    linked = links_as('<a href="{0}">{0}</a>')(text)
    lines = (
        f'<p style="margin:0;font-family:sans-serif">{line}</p>' for line in linked.split("\n")
    )
    return f"<html><body>{''.join(lines)}</body></html>"


def quoted_printable(text: str) -> str:
    return encodestring(text.encode()).decode()


def as_part(encoding: str, body: str, boundary: str = "") -> str:
    head = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n"
    return f"--{boundary}\n{head}{body}\n--{boundary}--\n" if boundary else head + body


def base64(text: str) -> str:
    return encodebytes(text.encode()).decode()


SENT: dict[str, Callable[[str], str]] = {
    "escaped": escape,
    "escaped source": lambda text: escape(as_html(text)),
    "source in quoted-printable": lambda text: quoted_printable(html_source(text)),
    "escaped twice": lambda text: escape(escape(as_html(text))),
    "hangul as numbers": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    "blanks": lambda text: text.replace(" ", "&nbsp;"),
    "remains of quoted-printable": lambda text: text.replace("=", "=3D").replace("\n", "=20\n"),
    "a part in base64": lambda text: as_part("base64", base64(text)),
    "a part with its boundary": lambda text: as_part("base64", base64(text), "0000000000001a2b3c"),
    "a boundary of digits": lambda text: as_part(
        "8bit", text, "===============6029348723401029384=="
    ),
    "percent": lambda text: re.sub(r"https://\S+", lambda link: quote(link[0], safe=""), text),
    "percent in mailto": lambda text: f"{text}\nmailto:privacy%40hanbit.co.kr",
    "markdown": links_as("[안내]({})"),
    "markdown with a title": links_as('[안내]({} "안내")'),
    "markdown twice": links_as("**[{0}]({0})**"),
    "slack": links_as("<{}|안내>"),
    "jira": links_as("[안내|{}]"),
    "forum": links_as("[url={}]안내[/url]"),
    "forum, plain": links_as("[url]{}[/url]"),
    "asciidoc": links_as("{}[안내]"),
    "org": links_as("[[{}][안내]]"),
    "rst": links_as("`안내 <{}>`_"),
    "json": lambda text: json.dumps({"text": text}, ensure_ascii=False),
    "json in ascii": lambda text: json.dumps({"text": text}),
    "json, slashes": lambda text: json.dumps({"text": text}).replace("/", "\\/"),
    "json of html": lambda text: json.dumps(as_html(text)).replace("<", "\\u003c"),
    "a picture": lambda text: f"[cid:image001.png@01DA1B2C.3D4E5F60]\n{text}",
    "printed by Naver": lambda text: f"{text}\nhttps://mail.naver.com/v2/print/0/12  1/2",
    "printed by Outlook": lambda text: f"{text}\nhttps://outlook.live.com/mail/0/inbox/id/A 1/1",
    "Spark": lambda text: (
        f"{text}\nSent with Spark <https://sparkmailapp.com/source?from=signature>"
    ),
    "Zoho": lambda text: f"{text}\nSent using Zoho Mail <https://www.zoho.com/mail/>",
    "BlueMail": lambda text: f"{text}\nGet BlueMail for Android <https://bluemail.me>",
}
# An escape within a host: what stands before it may be a host of its own.
ASK: dict[str, Callable[[str], str]] = {
    "escaped signs": lambda text: text.replace(".", "&#46;").replace("-", "&#45;"),
    "quoted-printable": lambda text: quoted_printable(text).replace("hanbit", "han=\nbit"),
    "quoted": lambda text: re.sub("^", "> ", quoted_printable(text), flags=re.MULTILINE),
    "markdown escapes": lambda text: text.replace("-", "\\-").replace(".", "\\."),
}


@pytest.mark.parametrize("form", SENT)
def test_our_message_in_an_encoded_form_is_recognised(form):
    assert verdict_on(SENT[form](TEXT)) == "sent"


@pytest.mark.parametrize("form", ASK)
def test_our_message_with_an_escaped_host_is_no_scam(form):
    assert verdict_on(ASK[form](TEXT)) in ("ask", "sent")


@pytest.mark.parametrize("form", [*SENT, *ASK])
def test_what_is_foreign_in_an_encoded_message_is_called_out(form):
    encoded = (SENT | ASK)[form]
    for foreign in FOREIGN:
        assert verdict_on(encoded(f"{TEXT}\n{foreign}\n")) == "altered"
    assert verdict_on(encoded(TEXT.replace("hanbit.co.kr", "evil.example", 1))) == "altered"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("https://hanbit.co=2Ekr/pay =3D", "ask"),
        ("https://hanbit.co=\n.kr/pay", "ask"),
        (r"https://hanbit.co\.kr/pay", "ask"),
        ("privacy=40hanbit.co.kr =3D", "sent"),
        ("pri=\nvacy@hanbit.co=\n.kr", "ask"),
        ("02-1234-5=\n678", "sent"),
        ("https://hanbit.co.kr/check/?a=1&amp;seq=20261130123456", "sent"),
        ("https://hanbit.co.kr/check/?a=1&amp;seq=07088881234", "altered"),
        (r"https://evil.example\_@hanbit.co.kr/", "altered"),
        (r"https://evil.example\u0040hanbit.co.kr/", "altered"),
        ("https://hanbit.co.kr&sol;@evil.example/pay", "altered"),
        ("https://hanbit.co.kr&sol;@0xC0A80101/pay", "altered"),
        ("https://hanbit.co.kr=2F@evil.example/?a=3D", "altered"),
        ("https%3A%2F%2Fhanbit.co.kr/,https://evil.example/pay", "altered"),
        ("https%3A%2F%2Fhanbit.co.kr/,070-8888-1234", "altered"),
        ("https%3A%2F%2Fhanbit.co.kr/,help@evil.example", "altered"),
        ("https://hanbit.co.kr/?v=\nhttps://evil.example/pay", "altered"),
        ("https://hanbit.co.kr/?v=\n070-8888-1234", "altered"),
        ("https://hanbit.co.kr@[2001:db8::1]/pay", "altered"),
        ("https://hanbit.co.kr|@0xC0A80101/", "altered"),
        ("https://hanbit.co.kr[@0xC0A80101/", "altered"),
        ("https://hanbit.co.kr|@[2001:db8::1]/", "altered"),
        ("https://hanbit.co.kr)@3232235777/", "altered"),
        ("https://hanbit.co.kr|@%65vil%2eexample", "altered"),
        ("https://mail.naver.com/환불은:070-8888-1234로전화하세요", "altered"),
        ('https://mail.naver.com/v2"https://evil.example/pay', "altered"),
        ("https://mail.naver.com/call:070-8888-1234", "altered"),
        ("https://hanbit.co&#46;kr/pay", "ask"),
        (r"https://evil.example\@hanbit.co.kr/", "altered"),
        ("https://hanbit.co.kr|@evil.example/", "altered"),
        ("https://hanbit.co.kr[@evil.example/", "altered"),
        ("https://hanbit.co.kr&#x2e;evil.example", "altered"),
        ("ev&shy;il.example", "altered"),
        (r"evil\u002eexample", "altered"),
        ("070=2D8888=2D1234 =3D", "altered"),
        ("[cid:evil.example@01DA1B2C.3D4E5F60]", "altered"),
        ("https://mail.naver.com.evil.example/print 1/2", "altered"),
        ("--===============07088881234==", "altered"),
    ],
)
def test_an_escape_hides_nothing_foreign(line, verdict):
    assert verdict_on(f"{line}\n{TEXT}") == verdict
    assert verdict_on(f"{TEXT}\n{line}") == verdict


@pytest.mark.parametrize(
    ("broken", "verdict"),
    [
        (f"{'x' * 48} https://hanbit.co=\n.kr/pay", "sent"),
        (f"{'x' * 48} https://evil.co=\n.kr/pay", "altered"),
        (f"{'x' * 48} https://hanbit.co.kr.evil=\n.example/pay", "altered"),
        ("https://hanbit.co=\n.kr/pay", "ask"),  # shorter than an encoder breaks a line
        (f"{'x' * 48} https://evil.example/?=\nhttps://hanbit.co.kr/pay", "altered"),
    ],
)
def test_a_break_in_an_html_source_is_joined_where_an_encoder_makes_it(broken, verdict):
    source = '<a href=3D"https://hanbit.co.kr/check/">'
    assert verdict_on(f"{source}\n{broken}\n{TEXT}") == verdict


def test_recipients_in_an_escaped_head_are_no_part_of_the_message():
    head = "From: 한빛 <privacy@hanbit.co.kr>\nTo: 김민지 <minji@corp.example>\n"
    assert verdict_on(f"{escape(head)}\n{TEXT}") == "sent"
    assert verdict_on(f"{escape(head)}\n{TEXT}\nminji@corp.example&nbsp;으로") == "altered"


@pytest.mark.parametrize(
    ("pasted", "verdict"),
    [
        ("https://portal.example/", "contact"),
        (r"https://evil.example\_@portal.example/", "no_record"),
        (r"https://evil.example\-@portal.example/check", "no_record"),
        (r"https://evil.example\u0040portal.example/", "no_record"),
        ("https://portal.example&sol;@evil.example/pay", "no_record"),
        ("https://portal.example=2F@evil.example/?a=3D", "no_record"),
        ("https%3A%2F%2Fportal.example/,https://evil.example/pay", "no_record"),
        ("https://portal.example|@0xC0A80101/pay", "no_record"),
        ("https://portal.example@[2001:db8::1]/pay", "no_record"),
    ],
)
def test_a_link_that_may_open_another_host_is_no_contact_of_ours(db, pasted, verdict):
    answer = message_check.answer_for(pasted)
    assert answer.verdict == verdict
    assert bool(answer.strange) == (verdict == "no_record")


HTML_PART = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"


@pytest.mark.parametrize(
    "pasted",
    [
        f"안내\n{as_part('8bit', TEXT, 'refund.evil.example')}",
        as_part("8bit", TEXT, "070-8888-1234"),
        f"Content-Description: evil.example\n{as_part('8bit', TEXT)}",
        f"{HTML_PART}<style>070-8888-1234 refund.evil.example</style>\n{TEXT}",
    ],
)
def test_the_head_of_a_part_hides_nothing(pasted):
    assert verdict_on(pasted) == "ask"


def test_what_stands_between_many_escapes_is_not_whole():
    assert verdict_on(TEXT + "=\n" * 30_000 + "https://hanbit.co.kr&sol;@evil.example/") == "ask"
