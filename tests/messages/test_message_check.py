"""The message check, a public page that answers "Is this message from us?" and stores nothing.

test_checked_deliveries.py has the states of a delivery, and the page without a sent notice.
"""

import logging
import re
import time
from html import unescape
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Route

from notices import message_codes
from notices.models import Delivery
from scams import look_alikes, message_check
from scams.message_check import MessageVerdict
from scams.pasted_text import MOST_CHARACTERS
from tests import browser
from tests.notice_factory import delivery_to

pytest_plugins = ["tests.messages.sent_notice"]

ANSWER = "/en/check/answer/"
SCAM = "treat it as a scam"


def ask(client: Client, text: str):
    return client.post(ANSWER, {"text": text})


def words(response) -> str:
    """Returns the main text of the page without markup."""
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    shown = main.partition('id="report"')[0].replace("<wbr>", "")
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", shown).split()))


@pytest.fixture
def code(sent, sent_once) -> str:
    """The code of the mail to Minji."""
    return message_codes.message_code(delivery_to(sent, sent_once.minji).pk)


# Answers


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("http://refund.example/a", "We have no record of sending this: treat it as a scam"),
        ("{code}", "We sent a message with this code"),
        ("{code} http://refund.example/a", "This is not the message we sent: treat it as a scam"),
    ],
)
def test_the_title_of_the_page_is_the_verdict(client, code, text, verdict):
    """A screen reader reads the title first."""
    page = ask(client, text.format(code=code)).text
    assert page.partition("<title>")[2].startswith(verdict)
    assert verdict in words(ask(client, text.format(code=code)))


@pytest.mark.parametrize(
    ("written", "shown"),
    [("01012345678", "010-1234-5678"), ("+82 10 1234 5678", "010-1234-5678"), ("15881234",) * 2],
)
def test_a_number_is_shown_in_groups(client, sent, written, shown):
    assert f" {shown} " in words(ask(client, f"call {written} now"))


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.lower(),
        lambda code: code.replace("-", " "),
        lambda code: code.replace("-", ""),
        lambda code: " ".join(code),
        lambda code: code.translate({ord(c): ord(c) + 0xFEE0 for c in code}),  # full width
        lambda code: f"확인 코드: {code}입니다.",
        lambda code: f"> > {code[:10]}\n> > {code[10:]}",
        lambda code: code.replace("-", "\u2011"),
        lambda code: code.replace("-", "\u200b-"),
        lambda code: code.replace("0", "o").replace("1", "l"),
        lambda code: f"*{code}*",
        lambda code: f"fwd: they have said this code: {code.replace('-', ' ')} from you",
    ],
)
def test_a_code_is_read_however_it_was_typed(sent, code, typed):
    assert message_check.answer_for(typed(code)).verdict == MessageVerdict.SENT


@pytest.mark.parametrize(
    ("added", "shown", "reason"),
    [
        ("http://refund-hanbit.example.net/a", "refund-hanbit.example.net", "imitation"),
        ("hxxps://refund[.]example[.]org", "refund.example.org", "other"),
        ("bit.ly/3xYz", "bit.ly", "hidden"),
        ("http://203.0.113.9/x", "203.0.113.9", "bare"),
        ("203.0.113.9/x", "203.0.113.9", "bare"),
        ("https://hanb\u0456t.example", "hanb\u0456t.example (xn--hanbt-q2e.example)", "imitation"),
        (
            "https://\u0430\u0440\u0440\u04cf\u0435.com",
            "\u0430\u0440\u0440\u04cf\u0435.com (xn--80ak6aa92e.com)",
            "letters",
        ),
        ("https://portal.example@evil.example.com/", "evil.example.com", "other"),
        ("https://evil.example.com\\@portal.example/", "evil.example.com", "other"),
        ("http:evil.example.com", "evil.example.com", "other"),
        ("ＥＶＩＬ．example．com", "evil.example.com", "other"),
        ("intent://pay.example.com#Intent", "intent://pay.example.com", "other"),
        ("write to help@hanbit-center.example", "help@hanbit-center.example", "imitation"),
        ("010-1234-5678로 전화", "01012345678", "other"),
        ("+82 10 1234 5678", "01012345678", "other"),
        ("계좌 110-123-456789 국민은행", "110123456789", "other"),
        ("youtube.com/@evil", "youtube.com/@evil", "other"),
        (
            "To: send 1 to evil@bad.example.com now and your bank account",
            "evil@bad.example.com",
            "other",
        ),
    ],
)
def test_our_code_in_a_changed_message_is_reported(client, sent, code, added, shown, reason):
    answer = message_check.answer_for(f"{added}\nThe code of this message is {code}")
    assert answer.verdict == MessageVerdict.ALTERED
    assert [(one.shown, one.reason.value) for one in answer.strange] == [(shown, reason)]
    page = words(ask(client, f"{added}\n{code}"))
    assert f"This is not the message we sent: {SCAM}" in page
    assert answer.strange[0].readable in page


KNOWN_LOOK_ALIKES = zip(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb"
    "\u04cf\u0432\u043a\u043c\u043d\u0442\u0261\u0269\u03bf\u03c1\u03b1\u03b9"
    "\u03ba\u03bd\u03c4\u03c5\u03c9\u00df01345",
    "aeopcyxijsdhlbkmhtgiopaikvtuwboleas",
    strict=True,
)
# Look-alikes from the library's table: Latin, Armenian, Cherokee, Lisu, Coptic, Roman numerals.
LIBRARY_LOOK_ALIKES = zip(
    "\u0131\u0251\u0142\u00f8\u0585\u0581\u057d\u0578\u1d0f\uabaa\uab83\ua4d0\u2c9f\u217c",
    "ialoogunoswbol",
    strict=True,
)


@pytest.mark.parametrize(("sign", "letter"), [*KNOWN_LOOK_ALIKES, *LIBRARY_LOOK_ALIKES])
def test_two_look_alikes_in_a_name_of_ours_are_an_imitation(sign, letter):
    # The name is short, so two changed letters do not count as another name.
    ours = f"z{letter}q{letter}zk.example"
    assert (
        look_alikes.suspicion_reason(ours.replace(letter, sign), [ours])
        == look_alikes.SuspicionReason.IMITATION
    )


def test_a_name_of_ours_in_another_script_is_an_imitation(sent, code):
    (found,) = message_check.answer_for(f"https://h\u0251nb\u0131t.example {code}").strange
    assert found.reason == "imitation"


def test_an_address_on_a_line_of_its_own_may_be_the_readers_and_is_asked_about(client, sent, code):
    text = f"받는 사람\nminji@example.com\n{code}"
    assert message_check.answer_for(text).verdict == MessageVerdict.ASK
    page = words(ask(client, text))
    assert "The code is ours. One address in the message is not" in page
    assert "If you do not know the address, do not write to it" in page
    assert "minji@example.com" in page
    assert "This is not the message we sent" not in page


def test_two_unknown_addresses_cannot_both_be_the_readers_own(sent, code):
    text = f"minji@example.com\nevil@bad.example.com\n{code}"
    assert message_check.answer_for(text).verdict == MessageVerdict.ALTERED


@pytest.mark.parametrize(
    ("added", "shown"),
    [
        *(
            (f"{before}010-9999-8888", "01099998888")
            for before in ("고객센터", "Tel.", "T.", "HP-")
        ),
        *((f"{before}010-9999-8888", "01099998888") for before in ("전화/", "TEL", "_", "문의-")),
        *((f"010{sign}9999{sign}8888", "01099998888") for sign in "~_·,*"),
        ("0\ufe0f\u20e310\ufe0f9999\u03368888", "01099998888"),
        ("국민110-123-456789", "110123456789"),
        ("확인하세요…evil.com/pay", "evil.com"),
        ("확인하세요...evil.com", "evil.com"),
        ("@evil.com", "evil.com"),
        ("evil.c\ufe0fom ev\u034fil.com \u3164evil.com", "evil.com"),
        ("evil .com", "evil.com"),
        ("evil 닷 com", "evil.com"),
        ("수신: refund@evil.com 으로 회신", "refund@evil.com"),
        ("refund@evil.com\nTo: refund@evil.com now", "refund@evil.com"),
    ],
)
def test_no_way_of_writing_hides_an_unknown_trace(sent, code, added, shown):
    answer = message_check.answer_for(f"{added}\n{code}")
    assert answer.verdict in (MessageVerdict.ALTERED, MessageVerdict.ASK)
    assert [one.shown for one in answer.strange] == [shown]


def test_many_known_traces_do_not_hide_an_unknown_one(sent, code):
    ours = " ".join(f"bounce+{number:012d}-{number:020x}@portal.example" for number in range(200))
    answer = message_check.answer_for(f"{code} {ours} evil.com 010-9999-8888")
    assert [one.shown for one in answer.strange] == ["evil.com", "01099998888"]


@pytest.mark.parametrize(
    "text",
    [
        "7QK2-X9ND-4HTB",
        "환불해 드립니다 http://refund.example.net",
        "안녕하세요 고객님, 개인정보가 유출되어 연락드립니다.",
        "http://127.0.0.1:8000/ko/ 로 들어가 010-9999-8888 로 전화하십시오. 오늘만",
        "?" * 500,
    ],
)
def test_a_message_without_a_record_is_answered_as_a_scam(client, sent, text):
    page = words(ask(client, text))
    assert f"We have no record of sending this: {SCAM}" in page


@pytest.mark.parametrize(
    "item", ["notice@portal.example", "privacy@hanbit.example", "127.0.0.1:8000/ko/"]
)
def test_a_sender_or_link_of_ours_is_named_but_proves_nothing(client, sent, item):
    page = words(ask(client, item))
    assert "that does not show who wrote to you" in page
    assert "About your data" in page
    assert "e\u2011mail" in page


def test_a_link_that_only_a_notice_names_is_found_with_the_notice(client, sent):
    page = words(ask(client, "https://kisa.example/scams"))
    assert "that does not show who wrote to you" in page
    assert "About your data" in page


@pytest.mark.parametrize(
    "item", ["notice@portal.example.evil.com", "refund.example.net", "070-1234-5678"]
)
def test_an_unknown_sender_link_or_number_is_not_ours(client, sent, item):
    assert SCAM in words(ask(client, item))


# The record of the delivery


def test_it_answers_after_the_secret_key_was_changed(sent, code, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    assert message_check.answer_for(code).verdict == MessageVerdict.SENT
    settings.SECRET_KEY_FALLBACKS = []
    assert message_check.answer_for(code).verdict == MessageVerdict.NO_RECORD


# Attacks


def test_codes_cannot_be_guessed_or_enumerated(sent, code):
    first = Delivery.objects.order_by("pk").values_list("pk", flat=True)[0]
    neighbours = [message_codes.message_code(first + step) for step in range(200)]
    assert len({one[:4] for one in neighbours}) > 190  # consecutive deliveries have unrelated codes
    digits = code.replace("-", "")
    for place in range(12):
        for digit in "07XZ":
            changed = digits[:place] + digit + digits[place + 1 :]
            assert (
                changed == digits
                or message_check.answer_for(changed).verdict == MessageVerdict.NO_RECORD
            )


def test_one_text_tries_a_limited_number_of_codes(sent, code, monkeypatch):
    tried = []
    monkeypatch.setattr(message_check, "delivery_of_code", lambda code: tried.append(code))
    message_check.answer_for(" ".join(f"AAAA-{n:04d}-BBBB" for n in range(1000)))
    assert 0 < len(tried) <= 40


def test_a_known_code_takes_as_long_as_an_unknown_one_within_reason(sent, code):
    def seconds(text: str) -> float:
        times = []
        for _turn in range(5):
            start = time.perf_counter()
            message_check.answer_for(text)
            times.append(time.perf_counter() - start)
        return min(times)

    assert abs(seconds(code) - seconds("7QK2-X9ND-4HTB")) < 0.1


HOSTILE = [
    "a." * 10_000,
    "1-" * 10_000,
    "@" * 20_000,
    "a@" * 10_000,
    "http://" * 2_800,
    "AAAA " * 4_000,
    "\u0315\u0300" * 10_000,
    "\ufdfa" * 20_000,
    "\u3300" * 20_000,
    "to: a@b.co\n" * 1_800,
    ("a" * 63 + ".") * 300,
    "1.1.1.1" * 2_500,
    "xn--" * 5_000,
    "[. " * 6_600,
    "A-------" * 2_500,
    "tel-" * 5_000,
    "1_" * 10_000,
    "bounce+00000000000" + "0@portal.example a@b.co " * 800,
    ".com " * 4_000,
    " ".join(f"010{number:08d}" for number in range(1_600)),
    "https://coupang" + "-" * 2_000 + ".com " * 3_000,
    "https://" + "".join(map(chr, range(0x400, 0x2400))) + ".com ",
    "https://" + "\u0430\u0131" * 9_000 + ".com",
    "from: a@b.co\n" * 1_500,
    "보낸사람\n받는사람\na@b.co\n" * 900,
    "a@b.co wrote:\n" * 1_400,
    "> " * 10_000,
    "from: " + "a@b.co " * 2_800,
    "https://www.google.com/url?q=" * 680,
    "https://urldefense.com/v3/__" * 700,
    "https://urldefense.com/v3/__" + "**_" * 600 + "__;!!",
    "25.11.18 " * 2_200,
    "2025. 11. 18. " * 1_400,
    "safelinks.protection.outlook.com/" * 600,
    "get outlook for ios " * 1_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_read_within_a_second(sent, text):
    start = time.process_time()
    message_check.answer_for(text[:MOST_CHARACTERS])
    assert time.process_time() - start < 1.0


def test_text_that_is_too_long_is_refused_and_not_cut(client, sent, code):
    hidden = code + " " * MOST_CHARACTERS + "http://evil.example.com"
    response = ask(client, hidden)
    assert "This is too long" in words(response)
    assert "We sent" not in words(response)


def test_characters_that_expand_do_not_hide_an_unknown_link(sent, code):
    grown = "\u3300" * 3_000
    answer = message_check.answer_for(f"{code} {grown} http://evil.example.com")
    assert "evil.example.com" in [one.shown for one in answer.strange]


def test_the_text_is_shown_as_text_only(client, sent, code):
    text = (
        f'{code} <script>alert(1)</script> <a href="javascript:1">x</a> "><img src=x> {{{{ 7*7 }}}}'
    )
    html = ask(client, text).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert 'href="javascript' not in html


def test_an_unknown_link_is_not_clickable(client, sent, code):
    html = ask(client, f"{code} https://evil.example.com/x").content.decode()
    assert 'href="https://evil' not in html
    assert "evil.example.com" in html


def test_nothing_of_the_question_is_logged_or_put_in_an_address(client, sent, code, caplog):
    with caplog.at_level(logging.DEBUG):
        response = ask(client, f"{code} secret-words\r\nINFO forged line http://evil.example.com")
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("django.db")]
    assert not any("secret-words" in line or code in line for line in ours)
    assert response["Cache-Control"] == "private, no-cache"
    assert client.get(ANSWER, {"text": code}).headers["Location"] == "/en/check/"


def test_it_needs_and_sets_no_cookie(minji, sent, code):
    client = Client(enforce_csrf_checks=True)
    response = ask(client, code)
    assert response.status_code == 200
    assert not response.cookies
    client.force_login(minji)
    again = ask(client, code)
    assert not again.cookies
    assert again.content == response.content


@pytest.mark.parametrize("language", ["ko", "en"])
def test_page_and_answer_are_accessible_and_fit_320_pixels_without_a_script(
    client, sent, code, language
):
    long_name = "a-very-long-name-of-a-host-that-does-not-fit." * 3 + "example.net"
    pages = {
        "/asked": client.get(f"/{language}/check/").content,
        "/answered": client.post(
            f"/{language}/check/answer/", {"text": f"https://{long_name} {code}"}
        ).content,
        "/wrong": client.post(f"/{language}/check/report/", {"report-text": ""}).content,
    }
    origin, static = "http://check.test", Path(__file__).parents[2] / "static"

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(origin)
        if path in pages:
            route.fulfill(body=pages[path], content_type="text/html; charset=utf-8")
        else:
            route.fulfill(path=static / path.removeprefix("/static/"))

    with browser.chromium() as chromium:
        page = chromium.new_page(viewport={"width": 320, "height": 640}, color_scheme="dark")
        page.route("**/*", serve)
        for path, source in pages.items():
            page.goto(origin + path)
            assert source.count(b"<script") == source.count(b"js/keep_typed.js") == 1
            assert page.evaluate("document.documentElement.scrollWidth") == 320, path
            assert Axe().run(page).response["violations"] == [], path


@pytest.mark.parametrize(
    ("pasted", "verdict"),
    [
        ("{code}", "sent"),
        ("받는 사람\nminji@example.com\n{code}", "ask"),
        ("{code} see https://scam.example.net/pay", "altered"),
        ("privacy@hanbit.example", "contact"),
        ("https://scam.example.net/pay", "no_record"),
    ],
)
def test_each_verdict_has_a_shape_of_its_own_and_first_aid(client, sent, code, pasted, verdict):
    response = ask(client, pasted.format(code=code))

    page = response.content.decode()
    assert f'<h1 class="verdict verdict-{verdict}"><svg' in page
    drawn = re.search(r"<svg[^>]*>(.*?)</svg>", page)
    assert drawn
    assert len(drawn[1]) > 40
    assert "call your bank or card company now" in words(response)
    is_folded = "<details>" in page.partition("first-aid")[2].partition("</section>")[0]
    assert is_folded == (verdict not in ("altered", "no_record"))
