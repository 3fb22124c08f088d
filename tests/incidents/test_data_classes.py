"""The catalogue of data classes, and the sentences that use it."""

import re

import pytest
from django.utils.translation import override

from harness.exposure_factory import class_id, expose, file_of, person
from incidents import phrasing
from incidents.leaks import CONTACT_KEYS, leaked_classes_of
from incidents.models import DataClass

pytestmark = pytest.mark.django_db

MODEL_CASE = {
    "names": "Names",
    "email-addresses": "Email addresses",
    "phone-numbers": "Phone numbers",
    "physical-addresses": "Physical addresses",
    "entrance-codes": "Delivery instructions",
    "delivery-notes": "Delivery instructions",
    "purchases": "Purchases",
    "payment-data": "Payment methods",
    "passwords": "Passwords",
}


def test_the_catalogue_holds_the_classes_of_the_model_case():
    names = dict(DataClass.objects.values_list("slug", "hibp_name"))
    assert names.items() >= MODEL_CASE.items()
    assert names.keys() >= CONTACT_KEYS.keys()


def test_every_class_is_complete_in_both_languages():
    hangul = re.compile("[가-힣]")
    for entry in DataClass.objects.all():
        assert hangul.search(entry.name.get("ko"))
        assert hangul.search(entry.unit.get("ko"))
        assert not hangul.search(
            entry.name.get("en")
            + entry.unit.get("en")
            + entry.units.get("en")
            + entry.actions.get("en")
        )
        assert len(entry.actions.get("ko").splitlines()) == len(
            entry.actions.get("en").splitlines()
        )


def test_secrets_are_masked_completely():
    for slug in ("entrance-codes", "passwords", "bank-account-numbers", "government-issued-ids"):
        entry = DataClass.objects.get(slug=slug)
        assert entry.masking == DataClass.Masking.SECRET
        assert entry.sensitivity == DataClass.Sensitivity.HIGH


def counts(**numbers: int) -> list[tuple[DataClass, int]]:
    return [
        (DataClass.objects.get(slug=slug.replace("_", "-")), number)
        for slug, number in numbers.items()
    ]


@pytest.mark.parametrize(
    ("numbers", "english", "korean"),
    [
        (
            {"names": 1, "physical_addresses": 2, "entrance_codes": 1},
            "Your name, 2\u00a0addresses and 1\u00a0entrance code leaked",
            "이름, 주소\u00a02개, 공동현관 출입번호\u00a01개가 유출되었습니다",
        ),
        ({"names": 1}, "Your name leaked", "이름이 유출되었습니다"),
        ({"phone_numbers": 1}, "Your phone number leaked", "전화번호가 유출되었습니다"),
        ({"names": 2}, "Your 2\u00a0names leaked", "이름\u00a02개가 유출되었습니다"),
        (
            {"names": 1, "purchases": 1200},
            "Your name and 1,200\u00a0orders leaked",
            "이름, 주문 내역\u00a01,200건이 유출되었습니다",
        ),
        ({"physical_addresses": 0}, "Your addresses leaked", "주소가 유출되었습니다"),
    ],
)
def test_the_answer_is_a_sentence_in_both_languages(numbers, english, korean):
    with override("en"):
        assert phrasing.leaked(counts(**numbers)) == english
    with override("ko"):
        assert phrasing.leaked(counts(**numbers)) == korean


def test_a_language_without_rules_gets_no_english_grammar(settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("it", "Italiano")]
    DataClass.objects.filter(slug="physical-addresses").update(
        name={"it": "Indirizzo"}, unit={"it": "Indirizzo"}, units={"it": "Indirizzi"}
    )
    with override("it"):
        listed = phrasing.counted_noun(*counts(physical_addresses=1200)[0])
        assert listed == "Indirizzo\u00a0(1.200)"
        assert "Your" not in phrasing.leaked(counts(physical_addresses=2))


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("2025-11-18", "18 November 2025", "2025년 11월 18일"),
        ("2025-10-28T22:15:00+09:00", "28 October 2025", "2025년 10월 28일"),
        ("2025-10-28T22:15:00+00:00", "29 October 2025", "2025년 10월 29일"),
        ("some day", "", ""),
        ("", "", ""),
    ],
)
def test_dates_are_written_in_full(written, english, korean):
    with override("en"):
        assert phrasing.day(written) == english
    with override("ko"):
        assert phrasing.day(written) == korean


def test_classes_of_many_people_are_sorted_and_without_withdrawn_batches(
    incident, django_assert_num_queries
):
    first, withdrawn = file_of(incident), file_of(incident, number=2, state="withdrawn")
    minji = person(incident, email="minji@example.com")
    expose(minji, first, values=[("purchases", "혈압계 × 3")])
    expose(minji, first, "email-addresses", "names")
    expose(minji, withdrawn, values=[("passwords", "1234")])
    seojun = person(incident, email="seojun@example.com")
    expose(seojun, withdrawn, "names")
    people = [minji.pk, seojun.pk] + [
        expose(person(incident, email=f"u{number}@example.com"), first, "names").person_id
        for number in range(20)
    ]

    with django_assert_num_queries(2):
        leaked = leaked_classes_of(people)

    names, emails, purchases = map(class_id, ("names", "email-addresses", "purchases"))
    assert leaked[minji.pk] == (names, emails, purchases)
    assert seojun.pk not in leaked
    assert len(leaked) == 21
