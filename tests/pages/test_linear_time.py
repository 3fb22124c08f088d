"""Every parser of text from outside takes time in proportion to the length of the text.

Inputs are short patterns that repeat to any length, and letters without repetition, because
Punycode is slow for distinct letters only. A time is processor time, the shortest of some runs, and
is compared with the time of a fixed piece of work on the same machine in the same second.
"""

import gc
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.browsers import describe_device
from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.typed_codes import clean_code
from incidents.importing.column_names import role_of
from incidents.importing.contact_parts import parts_of_each_address, parts_of_each_number
from incidents.uncertain_contacts import MOST_CHARACTERS, contacts_meant
from notices.message_codes import delivery_of_code
from notices.returned_mail import phrases
from notices.returned_mail.delivery_reports import read_report, redact_addresses
from notices.returned_mail.reply_reading import cause_of
from notices.returned_mail.returned_message import MOST_BYTES
from scams import pasted_text
from scams.message_check import KnownTraces
from statements import markdown

# A quarter of the length may take at most this share of the time for the whole length. A quadratic
# time has a share of 1/16; a linear one has about 1/4.
LEAST_SHARE = 1 / 12
NOTHING_SECONDS = 0.1  # a shorter time is no harm, whatever its share
# The bounds below are seconds of a machine that needs this time for `fixed_work`.
FIXED_WORK_SECONDS = 0.015
# For 20,000 characters. The slowest inputs below need a quarter of it.
MOST_SECONDS = 1.2
MOST_TRIES = 4
LENGTH = pasted_text.MOST_CHARACTERS
UNITS = [
    *(
        "a",
        "가",
        "é",
        "xn--",
        "xn--a.",
        "a.",
        "a-",
        "가.",
        "é.com ",
        "http://",
        "http:",
        "a@",
        "@",
        "a@b.",
    ),
    *("1", "1 ", "1-", "(1", "aaaa ", "aaaa-", "A1b2 ", "[.]", "[dot]", "\u0301", "e\u0301", "ﷲ"),
    *("㍿", "To: a@b.co\n", "to:", "> ", "-", "_", "。", "a。", "h**p", "ß.", "ς."),
    *(
        "http://xn--é",
        "1577-7011 ",
        "+82",
        "19900101",
        "1.1.1.1/ ",
        "\U000e0100",
        "\u200b",
        "İ",
        "\x00",
        "; ",
        '"',
    ),
]
ALPHABETS = {"Hangul": (0xAC00, 0xD7A0), "Han": (0x4E00, 0x9FFF), "Latin": (0x61, 0x7B)}
KNOWN = KnownTraces.of(["https://www.hanbit.example help@hanbit.example 1577-7011"])


def check_message(text: str) -> None:
    readable = pasted_text.readable(text)
    for code in pasted_text.message_codes_in(readable):
        delivery_of_code(code)
    KNOWN.unknown(pasted_text.traces_in(readable))


def read_contacts(text: str) -> None:
    is_usable_email(normalise_email(text))
    normalise_phone(text)
    clean_code(text[:100])  # the form's limit
    describe_device(text)


def render_markdown(text: str) -> None:
    markdown.render.__wrapped__(text)
    markdown.plain(text)


PARSERS = [check_message, read_contacts, render_markdown, redact_addresses]


def seconds(parse: Callable[..., object], text: str | bytes, *, runs: int = 1) -> float:
    """Returns the processor time of this thread for the fastest of `runs`.

    Without the garbage collector: a full collection looks at all objects of the process, so it
    takes longer than a text that makes enough objects to start one.
    """
    times = []
    gc.disable()
    try:
        for _run in range(runs):
            began = time.thread_time()
            parse(text)
            times.append(time.thread_time() - began)
    finally:
        gc.enable()
    return min(times)


def fixed_work(_text: str | bytes) -> None:
    """Counts the letters of words, as parsers do: loops, slices and dictionaries."""
    counts: dict[str, int] = {}
    for number in range(150_000):
        letter = "breachportal"[number % 12]
        counts[letter] = counts.get(letter, 0) + 1


def assert_within(parse: Callable[..., object], text: str | bytes, *, most: float) -> None:
    """Fails if parsing takes longer than `most` seconds on the machine of the bounds.

    A slow measurement is repeated, because another process can slow one of them down.
    """
    for _try in range(MOST_TRIES):
        taken = seconds(parse, text)
        if taken < most:
            return
        taken *= FIXED_WORK_SECONDS / seconds(fixed_work, "")
        if taken < most:
            return
    raise AssertionError(f"{taken:.2f} s of at most {most:.2f} s")


def repeated(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def distinct(letters: tuple[int, int], length: int, *, label: int, before: str) -> str:
    """Returns links whose labels are random letters, `label` of them in each."""
    rng = random.Random(1)  # noqa: S311 (a test must be repeatable)
    words = (
        before + "".join(chr(rng.randrange(*letters)) for _ in range(label)) + ".com "
        for _word in range(length // label + 1)
    )
    return "".join(words)[:length]


def assert_linear(parse: Callable[..., object], text: str | bytes, *, most: float) -> None:
    whole = seconds(parse, text)
    if whole < NOTHING_SECONDS:
        return
    if whole >= most:
        assert_within(parse, text, most=most)
    for _try in range(MOST_TRIES):  # another process can slow one measurement down
        part = seconds(parse, text[: len(text) // 4], runs=3)
        if part / whole > LEAST_SHARE:
            return
        whole = min(whole, seconds(parse, text))
    raise AssertionError((part, whole))


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("before", ["", "http://", "a@", "xn--"])
def test_a_repeated_pattern(parse, before):
    for unit in UNITS:
        assert_linear(parse, before + repeated(unit, LENGTH), most=MOST_SECONDS)


MOST_CELL_SECONDS = 0.3  # for one cell; the slowest below needs a fifth of it
CELL_UNITS = [
    *UNITS,
    "(",
    "[",
    "x y",
    " at ",
    "_at_",
    " dot ",
    "\u25a0",
    "?",
    "/",
    "E+",
    "@ ",
    "x*",
]


@pytest.mark.parametrize("before", ["", "x", "a@", "010-"])
def test_a_cell_with_an_uncertain_contact(before):
    texts = [before + repeated(unit, MOST_CHARACTERS) for unit in CELL_UNITS]
    texts.append(f"{before}{' ' * (MOST_CHARACTERS - 10)}y")
    for text in texts:
        assert_within(lambda cell: contacts_meant(str(cell), "KR"), text, most=MOST_CELL_SECONDS)


def read_column_name(name: str | bytes) -> None:
    name = str(name)
    role_of(name)
    parts_of_each_number([name])
    parts_of_each_address([name, name])


@pytest.mark.parametrize("end", ["", "x", "1x"])
def test_a_column_name(end):
    for unit in [*UNITS, "hp", "id", "A", "aA", "①"]:
        text = repeated(unit, LENGTH) + end
        assert_within(read_column_name, text, most=MOST_SECONDS)


@pytest.mark.parametrize("letters", ALPHABETS.values(), ids=ALPHABETS)
@pytest.mark.parametrize("before", ["http://", "http://xn--", "a@", ""])
@pytest.mark.parametrize("label", [50, 62, 63, 64, 250, 1_990, 19_000])
def test_letters_without_repetition(letters, before, label):
    text = distinct(letters, LENGTH, label=label, before=before)
    assert_linear(check_message, text, most=MOST_SECONDS)


@given(
    unit=st.text(
        st.sampled_from("a1.@:/[]()<>-_ \n\t\"'*`#|\\;,é가İﷲ\u0301\u200b。%+"), min_size=1
    ),
    before=st.sampled_from(["", "http://", "a@", "xn--", "To: "]),
)
@settings(max_examples=30, deadline=None)
def test_any_repeated_pattern(unit, before):
    text = before + repeated(unit, LENGTH)
    for parse in PARSERS:
        assert_within(parse, text, most=MOST_SECONDS)


HEAD = b"From: x\nMIME-Version: 1.0\n"
REPORT = HEAD + b"Content-Type: multipart/report; boundary=b\n\n--b\n"
STATUS = REPORT + b"Content-Type: message/delivery-status\n\n"
FAILURE = b"From: MAILER-DAEMON@x.example\nSubject: Undeliverable\n\n"
MAILS = {
    "semicolons in a quoted parameter": (HEAD + b'Content-Type: multipart/report; a="', b";"),
    "the same, folded": (HEAD + b'Content-Type: multipart/report; a="', b";\n "),
    "the same, folded with CRLF": (HEAD + b'Content-Type: multipart/report; a="', b";\r\n "),
    "the same, folded with CR": (HEAD + b'Content-Type: multipart/report; a="', b";\r "),
    "the same in a part": (REPORT + b'Content-Type: text/plain; a="', b";"),
    "escaped quotes": (HEAD + b'Content-Type: multipart/report; a="', b'\\";'),
    "continued parameters": (HEAD + b"Content-Type: multipart/report; ", b"boundary*1=a;"),
    "blank lines": (STATUS, b"\n\n"),
    "blank lines with CR": (STATUS, b"\r\r"),
    "groups": (STATUS, b"Action: delayed\n\n"),
    "fields": (STATUS, b"a:\n"),
    "addresses": (STATUS + b"\n\nAction: failed\nDiagnostic-Code: smtp; ", b"a@"),
    "recipients": (STATUS, b"Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.0.0\n\n"),
    "a text about recipients": (FAILURE, b"a@b.example:\n550 5.1.1 no user\n"),
    "a long recipient": (STATUS + b"\n\nAction: failed\nFinal-Recipient: rfc822;", b"a."),
    "lines that are no fields": (HEAD, b"a b\n"),
    "mbox lines": (STATUS, b"From \n"),
    "carriage returns": (HEAD, b"\r"),
    "mails in mails": (HEAD, b"Content-Type: message/rfc822\n\n"),
}
MOST_MAIL_SECONDS = 4.0  # for the largest mail; the slowest below needs a third of it


@pytest.mark.parametrize(("start", "unit"), MAILS.values(), ids=MAILS)
def test_returned_mail(start, unit):
    for size in (60_000, MOST_BYTES):
        mail = (start + unit * (size // len(unit)))[:size]
        assert_within(read_report, mail, most=MOST_MAIL_SECONDS * size / MOST_BYTES + 0.5)


PHRASES = Path(phrases.__file__).with_name("phrases.toml").read_text("utf-8")
_NO_PATTERNS = r"(?m)^#.*|\\.|(?s:^words = .*?\n''')"
PHRASE_WORDS = sorted(set(re.findall(r"[^\W\d_]{4,}", re.sub(_NO_PATTERNS, " ", PHRASES))))


def test_no_phrase_has_an_unbounded_part():
    lines = [line for line in PHRASES.splitlines() if line.startswith("    '")]
    assert [line for line in lines if re.search(r"(?<!\\)(?:[*+]|\{\d+,\})(?!\])", line)] == []


PHRASE_LENGTH = 1_000  # more than twice the longest bounded part, 400 characters


def test_words_of_phrases_without_blanks():
    """The slowest word needs a quarter of the bound; in a quadratic time it would need more."""
    for word in PHRASE_WORDS:
        text = f"550 {repeated(word, PHRASE_LENGTH)}"
        assert_within(cause_of, text, most=MOST_SECONDS / 16)


HEADERS = ["accept", "accept-language", "cookie", "user-agent", "referer", "x-forwarded-for"]
HEADERS += ["if-none-match", "if-modified-since", "host", "sec-fetch-site", "content-type"]


@pytest.mark.django_db
@pytest.mark.parametrize("header", HEADERS)
def test_a_header(header):
    """Granian accepts headers of 400 kB."""
    client = Client()
    client.get("/en/account/sign-in/")
    for unit in (
        "a",
        "a,",
        "a;q=1,",
        '"',
        "; ",
        "=",
        "a=b; ",
        "en-",
        "1.",
        ":",
        "\\",
        '"\\',
        "a/b,",
    ):

        def request(text: str | bytes) -> None:
            client.get("/en/account/sign-in/", headers={header: str(text)})
            client.get("/", headers={header: str(text)})

        assert_within(request, repeated(unit, 100_000), most=MOST_SECONDS)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["certificates/", "unsubscribe/", "incidents/", "account/", ""])
def test_a_path(path):
    client = Client()
    for unit in ("a", "a/", "-", "1", "%25", "%F0", "A1B2-"):
        url = f"/en/{path}{repeated(unit, 20_000)}/"
        assert_within(lambda text: client.get(text), url, most=MOST_SECONDS)
