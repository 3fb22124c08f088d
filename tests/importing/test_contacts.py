"""Each e-mail address and phone number has one normal form."""

import csv
import re
import time
import unicodedata
from pathlib import Path

import phonenumbers
import pytest
from django.core.validators import validate_email
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from accounts import contacts, phones
from accounts.contacts import (
    is_usable_email,
    normalise_email,
    normalise_phone,
    read_emails,
    read_phones,
)

MINJI = "+821012345678"


@pytest.mark.parametrize(
    "typed",
    [
        "minji@example.com",
        "  Minji@Example.COM\t\n",
        "ｍｉｎｊｉ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "\u3000minji@example.com\u00a0",
        "min\u200bji@exam\u00adple.com\ufeff",
        "\u202aminji@example.com\u202c",
        "minji@example\u3002com",
    ],
)
def test_an_address_has_one_spelling(typed):
    assert normalise_email(typed) == "minji@example.com"


def test_a_domain_has_one_spelling_in_both_its_forms():
    in_dns = "minji@xn--3e0b707e.kr"
    assert normalise_email("minji@한국.kr") == normalise_email(in_dns) == in_dns


def test_the_part_after_the_plus_belongs_to_the_address():
    assert normalise_email("minji+shop@example.com") == "minji+shop@example.com"


@given(st.text())
@example("İ\u0316@example.com")
@example("´ a")
@example("\ufdfa" * 100)
def test_normalising_an_address_twice_changes_nothing(text):
    once = normalise_email(text)
    assert normalise_email(once) == once


@given(st.from_regex(contacts._PLAIN_DOMAIN, fullmatch=True))
def test_django_takes_each_plain_domain(domain):
    assume(len(domain) <= 254)
    validate_email(f"a@{domain}")


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
        "minji@[127.0.0.1]",
        "=?utf-8?q?minji?=@example.com",
        "min\u200dji@example.com",
        "m***@example.com",
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
        "010ㅡ1234ㅡ5678",
        "010·1234·5678",
        "010ㆍ1234ㆍ5678",
        "010・1234・5678",
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


def is_placeholder(number: str) -> bool:
    return len(set(number[-7:])) == 1


@given(
    prefix=st.sampled_from(["0", "+82", "82", "+82 (0)", "+82-"]),
    number=st.from_regex(r"(10[0-9]{8}|1[16789][0-9]{7,8})", fullmatch=True),
)
def test_the_fast_path_agrees_with_the_library(prefix, number):
    assume(not is_placeholder(number))
    parsed = phonenumbers.parse(f"0{number}", "KR")
    slow = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert normalise_phone(prefix + number) == slow


@given(st.text(alphabet="0123456789", min_size=8, max_size=8), st.sampled_from("-. ~_/"))
def test_separators_and_width_do_not_matter(digits, separator):
    typed = f"010{separator}{digits[:4]}{separator}{digits[4:]}"
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in typed)
    assert unicodedata.normalize("NFKC", wide) == typed
    found = None if is_placeholder(digits) else f"+8210{digits}"
    assert normalise_phone(typed) == normalise_phone(wide) == found


MESSY = Path(__file__).parent / "messy"
REGIONS = ["KR", "US", "GB", "JP", "DE", "FR", "IT", "SG", "CN", "BR", "RU", "HU"]


def messy_phones() -> list[tuple[str, str]]:
    with (MESSY / "05_phones.csv").open(encoding="utf-8", newline="") as stream:
        return [(row["mobile"], row["right"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize(("cell", "right"), messy_phones())
def test_cells_of_real_exports_become_the_numbers_that_are_written(cell, right):
    found = [phone.number for phone in read_phones(cell, "KR").phones]

    if right.startswith("+"):
        assert found == [right]
    else:
        assert len(found) == (2 if right == "both kept" else 0)


@pytest.mark.parametrize(
    ("cell", "region", "number"),
    [
        ("020 7946 0106", "GB", "+442079460106"),
        ("020 7946 0106", "KR", None),
        ("(415) 555-0132", "US", "+14155550132"),
        ("14155550132", "US", "+14155550132"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("0033 6 12 34 56 78", "FR", "+33612345678"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("138 0013 8000", "CN", "+8613800138000"),
        ("8 912 345-67-89", "RU", "+79123456789"),
        ("11 91234-5678", "BR", "+5511912345678"),
        ("9123 4567", "SG", "+6591234567"),
        ("0082-10-1234-5678", "KR", "+821012345678"),
        ("+82 10 1234 5678", "GB", "+821012345678"),
        ("\u0660\u0661\u0660 1234 5678", "KR", "+821012345678"),
        ("(+84) 901 234 567", "VN", "+84901234567"),
        ("(+82)10-1234-5678", "KR", "+821012345678"),
        ("0049 (0) 171 / 234 56 77", "DE", "+491712345677"),
        ("347/1234567", "IT", "+393471234567"),
        ("415/555-0109", "US", "+14155550109"),
        ("06/12/34/56/77", "FR", "+33612345677"),
        ("06,12,34,56,81", "FR", None),
        ("06/12/34/56", "FR", None),
        ("31/12/2025", "HK", None),
        ("966501234564+", "KR", "+966501234564"),
        ("010-1234-5678+", "KR", None),
        ("491712345677+", "DE", "+491712345677"),
        ("6064486957+", "US", None),  # also a number of the US without the sign
        ("15123456789+", "DE", None),  # also a number of Germany that has lost its zero
    ],
)
def test_a_number_without_country_code_is_one_of_the_region(cell, region, number):
    assert normalise_phone(cell, region) == number


@pytest.mark.parametrize(
    "cell",
    [
        "1588-1234",
        "1899-0000",
        "080-123-4567",
        "0502-1234-5678",
        "050-1234-5678",
        "010-0000-0000",
        "010-7777-7777",
        "112",
        "031-120",
    ],
)
def test_a_number_that_cannot_be_one_persons_is_none(cell):
    assert read_phones(cell, "KR").phones == ()


@pytest.mark.parametrize(
    "cell",
    [
        "02-123-4567-8",
        "031-123-4567 8",
        "02-123-4567 x3",
        "02-123-4567 ext. 12",
        "02-123-4567 내선 12",
        "010-1234-567O",
        "010-1234-5678, 010-12",
        "082-10-1234-5678",  # 082 is the code of a carrier
        "001-1-415-555-0132",
    ],
)
def test_nothing_that_is_written_is_left_out_of_a_number(cell):
    assert read_phones(cell, "KR").phones == ()


@pytest.mark.parametrize(
    ("cell", "region"),
    [
        *[("00", "DE"), ("0-0", "FR"), ("000", "GB"), ("(0) 0", "DE")],
        *[("+0151 23456789", "DE"), ("+01 33 1234 5678", "MX"), ("0001 512 345 6789", "DE")],
        *[("+090 532 123 45 67", "TR"), ("+082-10-1234-5678", "KR"), ("+001 415 555 0132", "US")],
    ],
)
def test_no_country_code_begins_with_a_zero(cell, region):
    assert read_phones(cell, region) == ((), phones.NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("cell", "is_landline"),
    [("02-123-4567", True), ("070-1234-5678", True), ("010-1234-5678", False)],
)
def test_landlines_are_known(cell, is_landline):
    assert [phone.is_landline for phone in read_phones(cell, "KR").phones] == [is_landline]


@pytest.mark.parametrize(("cell", "number"), [("1012345678", MINJI), ("212345678", "+82212345678")])
def test_a_lost_zero_is_added_only_where_a_person_says_so(cell, number):
    assert read_phones(cell, "KR") == ((), phones.LOST_ZERO)
    [phone] = read_phones(cell, "KR", has_lost_zeros=True).phones
    assert phone.number == number


@pytest.mark.parametrize(
    ("cell", "region", "number"),
    [
        ("98765 43211", "IN", "+919876543211"),
        ("9876543211", "IN", "+919876543211"),
        ("532 123 45 67", "TR", "+905321234567"),
        ("61234567", "LT", "+37061234567"),
    ],
)
def test_a_mobile_number_of_some_countries_has_no_zero(cell, region, number):
    assert normalise_phone(cell, region) == number
    assert normalise_phone(f"0{cell}", region) == number


@pytest.mark.parametrize(("cell", "region"), [("1123456789", "IN"), ("2121234567", "TR")])
def test_a_landline_has_its_zero_in_these_countries_too(cell, region):
    assert read_phones(cell, region) == ((), phones.LOST_ZERO)
    assert normalise_phone(f"0{cell}", region)


@settings(max_examples=500)
@given(
    st.text(alphabet="0123456789+-()./~ ;,", max_size=24)
    | st.from_regex(r"0?1[016]-?[0-9]{3,4}-?[0-9]{4}([-/~ ][0-9]{1,4})?", fullmatch=True),
    st.sampled_from(REGIONS),
)
@example("02-123-4567/8", "KR")
@example("+82 (0)10 1234 5678", "KR")
def test_no_number_is_one_that_was_not_written(cell, region):
    """The digits are those of the cell, in one piece, with the country code before them."""
    written = re.sub(r"\D", "", cell)
    for phone in read_phones(cell, region).phones:
        number = phonenumbers.parse(phone.number)
        national = phonenumbers.national_significant_number(number)
        assert national in written
        assert phonenumbers.is_valid_number(number) or phone.number.startswith("+8210")
        assert read_phones(phone.number, region).phones == (phone,)


@settings(max_examples=300)
@given(st.sampled_from(REGIONS), st.text(alphabet="0123456789", min_size=7, max_size=11))
def test_the_fast_path_of_a_region_agrees_with_the_library(region, national):
    plan = phones._plan(region)
    assert plan is not None
    kind = phonenumbers.number_type(phones._number(plan.country_code, national))
    if plan.is_alone:
        assert plan.kind(national) == kind
    elif plan.is_mobile(national):
        assert kind in phones._WITH_TEXT_MESSAGES


@settings(max_examples=500)
@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.sampled_from(
        [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE]
    ),
    st.text(alphabet="0123456789", max_size=3),
    st.booleans(),
    st.sampled_from(["", "0", "00"]),
)
def test_the_fast_path_of_a_country_code_agrees_with_the_library(
    region, kind, end, has_trunk, zeros
):
    number = phonenumbers.example_number_for_type(region, kind)
    assume(number)
    assert number
    national = phonenumbers.national_significant_number(number)
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    national = f"{national[: len(national) - len(end)]}{end}"
    digits = f"{zeros}{number.country_code}{trunk * has_trunk}{national}"
    quick = phones._of_plan(digits)
    with pytest.MonkeyPatch.context() as patch:
        country, _plan = phones._plan_of_country(digits)
        patch.setattr(phones, "_plan_of_country", lambda _digits: (country, None))
        assert phones._of_plan(digits) == quick


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("two1@b.example; two2@b.example", ["two1@b.example", "two2@b.example"]),
        (
            "SMTP:q1@b.example;smtp:Q3@b.example;X500:/o=Corp/cn=kim lee;sip:q1@b.example",
            ["q1@b.example", "q3@b.example"],
        ),
        ("smtp:a@b.example; SMTP: c@d.example", ["a@b.example", "c@d.example"]),
        ("X400:C=US;A= ;S=Kim;SMTP:a@b.example", ["a@b.example"]),
        ("two3@b.example\u200b", ["two3@b.example"]),
        ("'two4@b.example", ["two4@b.example"]),
        ("이름0 <u0@b.example>", ["u0@b.example"]),
        ('"Kim, Minji" <a@b.example>', ["a@b.example"]),
        ("Kim <a@b.example>, Lee <c@d.example>", ["a@b.example", "c@d.example"]),
        ("mailto:A@b.example?subject=x", ["a@b.example"]),
        ("a@b.example.", ["a@b.example"]),
        ("a@b.example/c@d.example", ["a@b.example", "c@d.example"]),
        ("x/y@b.example", ["x/y@b.example"]),
        ("o'hara@b.example", ["o'hara@b.example"]),
        ("a@b.example; A@B.example", ["a@b.example"]),
    ],
)
def test_addresses_are_peeled_out_of_a_cell(cell, addresses):
    assert read_emails(cell) == (tuple(addresses), "")


@pytest.mark.parametrize(
    "cell",
    [
        "john,doe@b.example",
        "john doe@b.example",
        "a@b.example;none",
        "SMTP:a@b.example;c@d.example",
        "smtp:a@b.example;mailto:c@d.example",
        "smtp:a@b.example, Kim <c@d.example>",
        "sip:a@b.example;c@d.example;smtp:e@f.example",
        "SMTP:a@b.example;none",
        "a@b.example <c@d.example>",
        "<a@b.example",
        "a@b.com\nBcc: c@d.com",
        '["a@b.example"]',
        "noemail",
        ";".join(f"a{number}@b.example" for number in range(20)),
    ],
)
def test_a_cell_of_which_a_part_is_unreadable_has_no_address(cell):
    assert read_emails(cell).addresses == ()


@pytest.mark.parametrize("cell", ["a***@b.example", "k•••@b.example", "ki...@b.example"])
def test_a_masked_address_is_none_and_counted_as_masked(cell):
    assert read_emails(cell) == ((), "masked")


@given(st.lists(st.emails(), min_size=1, max_size=3), st.sampled_from(["; ", ",", " ", "|"]))
def test_every_address_that_is_found_stands_in_the_cell(emails, separator):
    cell = separator.join(emails)
    for address in read_emails(cell).addresses:
        assert address in normalise_email(cell[:300]) or address in cell.lower()
        assert read_emails(address).addresses == (address,)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0171 39 200 12", "+491713920012"),
        ("+49 171 39 200 12", "+491713920012"),
        ("0176 040 690 12", "+4917604069012"),
        ("0171/3920012", "+491713920012"),
        ("040 / 66 96 91 23", "+494066969123"),
        ("(040) / 66969123", "+494066969123"),
        ("+49 (0) 171 / 3920012", "+491713920012"),
        ("040/66969-123", "+494066969123"),
        # The number without the last group is complete: that group is an extension.
        ("040 66969 12", None),
        ("040/66969-0", None),
    ],
)
def test_german_spellings_with_a_slash_or_pairs_are_read(text, number):
    assert normalise_phone(text, "DE") == number


@pytest.mark.parametrize("text", ["02 123 4567 8", "+82 2 123 4567 8", "010-1234-567-8"])
def test_a_last_digit_after_a_complete_number_is_an_extension(text):
    assert normalise_phone(text, "KR") is None
