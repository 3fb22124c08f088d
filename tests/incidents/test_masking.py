"""Masking lets the owner recognise a value, and shows no value in full."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.contacts import normalise_phone
from incidents.masking import mask
from incidents.models import DataClass

Masking = DataClass.Masking


@pytest.mark.parametrize(
    ("masking", "value", "shown"),
    [
        (Masking.NAME, "류시우", "류*우"),
        (Masking.NAME, "김철", "김*"),
        (Masking.NAME, "\ufa19谷 𠮷野", "\ufa19* 𠮷*"),
        (Masking.NAME, "남궁민수", "남**수"),
        (Masking.NAME, "김", "*"),
        (Masking.NAME, "Jane Doe", "J**e D*e"),
        (Masking.NAME, "  류시우 ", "류*우"),
        (Masking.NAME, "Zoe\u0308 Ng", "Z*ë N*"),
        (Masking.NAME, '=HYPERLINK("http://evil.example","click")', "=H***"),
        (Masking.EMAIL, "user@gmail.example", "u***@g***.example"),
        (Masking.EMAIL, "a@example.co.kr", "***@e***.kr"),
        (Masking.EMAIL, "somebody.long+tag@q.example", "s***@***.example"),
        (Masking.EMAIL, "not an address", "no***"),
        (Masking.EMAIL, "user@[127.0.0.1]", "us***"),
        (Masking.PHONE, "+821012345678", "010-****-5678"),
        (Masking.PHONE, "010-0535-9497", "010-****-9497"),
        (Masking.PHONE, "+8221234567", "02-***-4567"),
        (Masking.PHONE, "+14155550132", "+1 ***-***-0132"),
        (Masking.PHONE, "1588-1234", "****-1234"),
        (Masking.PHONE, "call me", "c***"),
        (Masking.ADDRESS, "서울특별시 강남구 테헤란로 558, 111동 438호", "서울특별시 강남구 ***"),
        (Masking.ADDRESS, "경기도 부천시 길주로 424", "경기도 부천시 ***"),
        (Masking.ADDRESS, "서울 강남구 테헤란로 558", "서울 강남구 ***"),
        (Masking.ADDRESS, "서울특별시 강남구", "서울특별시 ***"),
        (Masking.ADDRESS, "서울특별시", "서***"),
        (Masking.ADDRESS, "221B Baker Street, London", "22***"),
        (Masking.SECRET, "7585#", "••••••"),
        (Masking.SECRET, "1", "••••••"),
        (Masking.TEXT, "혈압계 × 3", "혈***"),
        (Masking.TEXT, "문 앞에 놓아주세요", "문 ***"),
        (Masking.TEXT, "<img src=x>", "<i***"),
        (Masking.TEXT, "x", "***"),
        (Masking.TEXT, "", "***"),
        (Masking.TEXT, "👨‍👩‍👧 family", "👨‍👩‍👧 ***"),
        ("no such masking", "hello", "••••••"),
    ],
)
def test_a_value_is_masked_as_its_class_says(masking, value, shown):
    assert mask(value, masking) == shown


values = st.text(max_size=60) | st.from_regex(r"\+?[0-9 -]{4,16}", fullmatch=True) | st.emails()


@given(values, st.sampled_from(Masking.values))
def test_the_whole_value_is_never_shown(value, masking):
    assume(value.strip() and "*" not in value and "•" not in value)
    assert value.strip() not in mask(value, masking)


@given(st.sampled_from(Masking.values), values)
def test_no_value_changes_the_text_direction(masking, value):
    assert not set(mask(f"\u202e{value}\u2066", masking)) & set("\u202e\u2066\x00\n")


@given(st.text(max_size=40), st.text(max_size=40))
def test_all_secrets_are_masked_alike(one, other):
    assert mask(one, Masking.SECRET) == mask(other, Masking.SECRET)


@given(st.emails())
def test_an_address_shows_two_characters_and_the_ending_at_most(email):
    shown = mask(email, Masking.EMAIL)
    assert len(shown.replace("***", "").rpartition(".")[0]) <= 6


@given(st.integers(min_value=10**7, max_value=10**8 - 1))
def test_a_mobile_number_shows_its_prefix_and_last_four_digits(rest):
    number = f"010{rest}"
    assume(normalise_phone(number))
    assert mask(number, Masking.PHONE) == f"010-****-{number[-4:]}"


@pytest.mark.parametrize("masking", Masking.values)
def test_what_follows_the_first_five_hundred_characters_is_not_looked_at(masking):
    start = "a\u0301 " * 170
    assert mask(start[:500] + "x" * 20_000, masking) == mask(start[:500], masking)


@pytest.mark.parametrize(
    ("region", "number", "shown"),
    [
        ("US", "+14155550132", "(***) ***-0132"),
        ("BR", "+5511912345678", "(**) *****-5678"),
        ("RU", "+79123456789", "8 (***) ***-67-89"),
    ],
)
def test_a_number_of_the_portals_own_country(region, number, shown, settings):
    settings.PHONE_REGION = region
    assert mask(number, Masking.PHONE) == shown
