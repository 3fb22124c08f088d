"""Each e-mail address and phone number has one normal form."""

import time
import unicodedata

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.contacts import is_usable_email, normalise_email, normalise_phone

MINJI = "+821012345678"


@pytest.mark.parametrize(
    "typed",
    [
        "minji@example.com",
        "  Minji@Example.COM\t\n",
        "ｍｉｎｊｉ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "\u3000minji@example.com\u00a0",
    ],
)
def test_an_address_has_one_spelling(typed):
    assert normalise_email(typed) == "minji@example.com"


def test_the_part_after_the_plus_belongs_to_the_address():
    assert normalise_email("minji+shop@example.com") == "minji+shop@example.com"


@given(st.text())
@example("İ\u0316@example.com")
@example("´ a")
@example("\ufdfa" * 100)
def test_normalising_an_address_twice_changes_nothing(text):
    once = normalise_email(text)
    assert normalise_email(once) == once


@given(st.emails())
def test_any_case_and_width_of_an_address_is_the_same(email):
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in email)
    assert normalise_email(wide) == normalise_email(email.upper()) == normalise_email(email)


@pytest.mark.parametrize(
    "text",
    ["", "minji", "minji@", "@example.com", "a b@example.com", "민지@example.com", "a@" + "b" * 254]
    + ["a@b.com\nBcc: c@d.com", "a@b.com\x00", "a@b..com"],
)
def test_an_address_without_a_valid_form_is_not_usable(text):
    assert not is_usable_email(normalise_email(text))


@pytest.mark.parametrize(
    "text",
    [
        "minji@straße.example",  # mail would go to strasse.example
        "minji@βόλος.example",
        "minji@ex\u200dample.example",
        "minji@exam\u00adple.example",
        "minji@한국。example",
        "minji@[127.0.0.1]",
        "=?utf-8?q?minji?=@example.com",
        "min\u00adji@example.com",
        "min\u200bji@example.com",
        "minji\ufe0f@example.com",
        "mínji@example.com",
        '"min ji"@example.com',
        '"minji"@example.com',
        ".minji@example.com",
        "minji.@example.com",
        "min..ji@example.com",
        "min,ji@example.com",
        "m" * 65 + "@example.com",
    ],
)
def test_an_ambiguous_address_is_not_usable(text):
    assert not is_usable_email(normalise_email(text))


@pytest.mark.parametrize(
    "text",
    [
        "minji@example.com",
        "min.ji+shop@example.co.kr",
        "o'hara_{x}@example.com",
        "minji@한국.kr",
        "minji@BÜCHER.example",
        "minji@xn--strae-oqa.example",
    ],
)
def test_an_unambiguous_address_is_usable(text):
    assert is_usable_email(normalise_email(text))


def test_a_far_too_long_address_is_unusable_and_not_normalised():
    # Normalising a run of combining marks takes quadratic time.
    endless = "ａ" + "\u0316\u0301" * 200_000
    began = time.process_time()
    assert not is_usable_email(normalise_email(endless))
    assert not is_usable_email(normalise_email("a" * 10**6 + "@example.com"))
    assert normalise_phone(endless) is None
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "typed",
    [
        "010-1234-5678",
        "010.1234.5678",
        "010 1234 5678",
        "01012345678",
        "(010) 1234-5678",
        "010–1234–5678",
        "010‑1234‑5678",
        "010~1234~5678",
        "010/1234/5678",
        "010_1234_5678",
        "'01012345678",
        "\u3000010-1234-5678\u00a0",
        "０１０－１２３４－５６７８",
        "０１０ー１２３４ー５６７８",
        "+82 10-1234-5678",
        "+82-10-1234-5678",
        "＋８２ １０ １２３４ ５６７８",
        "+82 (0)10-1234-5678",
        "+82 010-1234-5678",
        "82 10 1234 5678",
        "821012345678",
        "tel:+82-10-1234-5678",
    ],
)
def test_a_korean_mobile_number_has_one_spelling(typed):
    assert normalise_phone(typed) == MINJI


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("02-123-4567", "+8221234567"),
        ("031) 123-4567", "+82311234567"),
        ("070-1234-5678", "+827012345678"),
        ("011-234-5678", "+82112345678"),
        ("+1 650-253-0000", "+16502530000"),
        ("+1 (650) 253-0000", "+16502530000"),
        ("+81 90-1234-5678", "+819012345678"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_other_numbers_stay_distinct(typed, number):
    assert normalise_phone(typed) == number


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "-",
        "전화번호",
        "123",
        "010-1234",
        "010-1234-567",
        "1.01234E+09",
        "010",
        "1" * 40,
        "+",
        "minji@example.com",
        "\x00",
    ],
)
def test_text_that_is_not_a_number_gives_none(typed):
    assert normalise_phone(typed) is None


@given(st.text() | st.text(alphabet="0123456789+-() ."))
def test_normalising_a_number_twice_changes_nothing(text):
    once = normalise_phone(text)
    if once is not None:
        assert once.startswith("+")
        assert once[1:].isascii()
        assert once[1:].isdigit()
        assert normalise_phone(once) == once


@given(
    prefix=st.sampled_from(["0", "+82", "82", "+82 (0)", "+82-"]),
    number=st.from_regex(r"(10[0-9]{8}|1[16789][0-9]{7,8})", fullmatch=True),
)
def test_the_fast_path_agrees_with_the_library(prefix, number):
    parsed = phonenumbers.parse(f"0{number}", "KR")
    slow = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert normalise_phone(prefix + number) == slow


@given(st.text(alphabet="0123456789", min_size=8, max_size=8), st.sampled_from("-. ~_/"))
def test_separators_and_width_do_not_matter(digits, separator):
    typed = f"010{separator}{digits[:4]}{separator}{digits[4:]}"
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in typed)
    assert unicodedata.normalize("NFKC", wide) == typed
    assert normalise_phone(typed) == normalise_phone(wide) == f"+8210{digits}"
