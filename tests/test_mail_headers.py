"""Subjects and senders of mails read back as they were written, for every text."""

import email
import re
from email import policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.emails import SignInMail
from foundations.mail_headers import folded_address, folded_text
from notices import message_templates

TITLES = [
    "[쿠팡] 개인정보 유출 관련 추가 안내 및 사과의 말씀을 드립니다 (2025년 12월 3일)",
    "결과, 계정 관련 계정 조사 안내 쿠팡 쿠팡 쿠팡 사과의 계정 조사 조사 사과의 1 결과,",
    "A very long subject in plain English that goes on " * 4,
    "=?utf-8?b?7JWI?= is no encoded word",
    "a" * 2_000,
    "Überprüfung Ihrer Daten – bitte lesen",
    "👨‍👩‍👧‍👦 " * 30,
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def unfolded(value: str) -> str:
    return value.replace("\r\n", "")


def assert_lines_are_short(name: str, value: str) -> None:
    lines = f"{name}: {value}".split("\r\n")
    assert all(len(line) <= 998 for line in lines)
    assert all(len(line) <= 78 for line in lines if "=?" in line)
    assert all(line.strip() for line in lines)
    assert not re.search(r"[^\x20-\x7e\r\n]", value)


def same(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


@given(text=TEXTS)
@example(TITLES[0])
@example(TITLES[1])
@example(TITLES[2])
@example(TITLES[3])
@example(TITLES[4])
@example(TITLES[5])
@example(TITLES[6])
def test_a_subject_reads_back_the_same(text):
    value = folded_text("Subject", text)
    assert_lines_are_short("Subject", value)
    legacy = str(make_header(decode_header(unfolded(value))))
    assert legacy == same(text)
    raw = f"Subject: {value}\r\n\r\nx".encode()
    assert email.message_from_bytes(raw, policy=policy.default)["Subject"] == same(text)


@given(display=TEXTS)
@example("쿠팡 Coupang 개인정보 유출 대응 전담 센터 안내 (고객 지원)")
@example('Smith, "John" (Acme)')
@example("=?x?=")
def test_a_sender_reads_back_the_same(display):
    quoted = re.sub(r'(["\\\\])', r"\\\1", same(display))
    mailbox = f'"{quoted}" <notice@portal.example>'
    display = parseaddr(mailbox)[0]
    value = folded_address("From", mailbox)
    assert_lines_are_short("From", value)
    name, address = parseaddr(unfolded(value))
    assert str(make_header(decode_header(name))) == same(display)
    assert address == "notice@portal.example"
    if value.count("=?utf-8") < 2:  # Python's newer parser keeps spaces between encoded words
        raw = f"From: {value}\r\n\r\nx".encode()
        [read] = email.message_from_bytes(raw, policy=policy.default)["From"].addresses
        assert (read.display_name, read.addr_spec) == (same(display), address)


@pytest.mark.parametrize("title", TITLES)
def test_mails_of_the_engine_keep_their_subject(settings, title):
    settings.DEFAULT_FROM_EMAIL = "쿠팡 Coupang 개인정보 안내 <notice@portal.example>"
    raw = message_templates._content(
        subject=title, text="x", html="<p>x</p>", language="ko", boundary="b"
    )
    message = email.message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == same(title)
    assert message["From"].addresses[0].display_name == "쿠팡 Coupang 개인정보 안내"


@pytest.mark.parametrize("title", TITLES)
def test_code_mails_keep_their_subject(settings, title):
    settings.CODE_MAIL_FROM = "쿠팡 Coupang 개인정보 안내 <code@codes.example>"
    mail = SignInMail(subject=title, body="x", to=["minji@example.com"])
    raw = mail.message().as_bytes()
    assert b"Subject: \n" not in raw
    message = email.message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == same(title)
    assert message["From"].addresses[0].display_name == "쿠팡 Coupang 개인정보 안내"
    assert message["To"] == "minji@example.com"
    assert message["Message-ID"].endswith("@codes.example>")
