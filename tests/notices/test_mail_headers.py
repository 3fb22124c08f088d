"""Subjects and names in headers read back as they were written, with two decoders."""

import subprocess
from email import message_from_bytes, policy
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foundations.mail_headers import address_header, text_header

SIGNS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
WORDS = st.text("가나다라마힣ab09:,·[]()\"'=?_-…😀", min_size=1, max_size=40)
TITLES = st.lists(WORDS, min_size=1, max_size=14).map(" ".join)
TEXTS = st.one_of(TITLES, st.text(SIGNS, max_size=200))
# Decodes the header in each line of hex, and prints it as hex.
PERL = """
use Encode; while (<STDIN>) { chomp; my $raw = pack('H*', $_);
print unpack('H*', encode('UTF-8', decode('MIME-Header', $raw))), "\\n"; }
"""


def read_by_python(header: bytes, name: str) -> str:
    return str(message_from_bytes(header + b"\r\n", policy=policy.default)[name])


def as_perl_prints(text: str) -> str:
    """Returns the text with U+FFFD for Unicode's noncharacters, which Perl's UTF-8 replaces."""
    return "".join(
        "\ufffd" if 0xFDD0 <= ord(one) <= 0xFDEF or ord(one) & 0xFFFE == 0xFFFE else one
        for one in text
    )


@pytest.fixture(scope="module")
def perl():
    """Returns a function that decodes a header's value with Perl's Encode."""
    with subprocess.Popen(
        ["perl", "-e", "$| = 1;" + PERL], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:

        def decode(header: bytes) -> str:
            assert process.stdin
            assert process.stdout
            value = header.partition(b": ")[2].removesuffix(b"\r\n")
            process.stdin.write(value.hex().encode() + b"\n")
            process.stdin.flush()
            return bytes.fromhex(process.stdout.readline().decode()).decode()

        yield decode


def assert_lines_fit(header: bytes) -> None:
    assert header.endswith(b"\r\n")
    lines = header.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 78 for line in lines)
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])


@given(text=TEXTS)
@example(text="한빛상점: 개인정보 유출 안내 (2차) Notice about your data, 주문 번호 포함")
@example(text="=?utf-8?b?7ZWc?= is no encoded word")
@example(text="a" * 300)
@example(text=" two  spaces ")
@example(text="\ufdd0 \uffff \U0001fffe")
@settings(max_examples=300, deadline=None)
def test_a_subject_reads_back_the_same(text, perl):
    header = text_header("Subject", text)
    assert_lines_fit(header)
    assert read_by_python(header, "Subject") == text
    assert perl(header) == as_perl_prints(text)


@given(text=TEXTS.filter(lambda text: text.strip()))
@example(text='Kim, Lee & "Sons" \\ Ltd')
@example(text="쿠팡 Coupang 고객 센터 개인정보 보호 책임자 (CPO) 사무국 안내 발신 전용")
@settings(max_examples=300, deadline=None)
def test_a_display_name_reads_back_the_same(text, perl):
    text = " ".join(text.split())  # a name has no runs of spaces
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    display = parseaddr(f"{quoted} <notice@shop.example>")[0]
    header = address_header("From", f"{quoted} <notice@shop.example>")
    assert_lines_fit(header)
    assert b"\r\n <notice@shop.example>\r\n" in header
    if header.count(b"=?utf-8?") <= 1:
        # Python before 3.12 keeps the space between two encoded words of a name.
        (parsed,) = message_from_bytes(header + b"\r\n", policy=policy.default)["From"].addresses
        assert (parsed.display_name, parsed.addr_spec) == (display, "notice@shop.example")
    if b"=?utf-8?" in header:
        words = header.replace(b"\r\n <notice@shop.example>", b"")
        by_python = read_by_python(words.replace(b"From", b"Subject"), "Subject")
        assert perl(words) == as_perl_prints(by_python)
        assert perl(words) == as_perl_prints(display)


@pytest.mark.parametrize("mailbox", ["", "no address", "a@b@c", "Kim <민지@shop.example>"])
def test_what_is_no_mailbox_is_refused(mailbox):
    with pytest.raises(ValueError, match="From"):
        address_header("From", mailbox)


@pytest.mark.parametrize("text", ["a\r\nBcc: x@example.com", "a\nb", "a\rb"])
def test_a_line_break_is_refused(text):
    with pytest.raises(ValueError, match="line break"):
        text_header("Subject", text)
    with pytest.raises(ValueError, match="line break"):
        address_header("From", f"{text} <a@example.com>")
