"""Phrases with counts and lists in each shipped language."""

import re

import pytest
from django.conf import settings
from django.utils.translation import override

from foundations import formatting
from incidents import phrasing
from incidents.language_phrases import PHRASES
from incidents.models import DataClass

# The texts of three classes: name, unit, units.
TEXTS = {
    "ko": [("이름", "개", ""), ("주소", "개", ""), ("공동현관 출입번호", "개", "")],
    "en": [
        ("Name", "name", "names"),
        ("Address", "address", "addresses"),
        ("Entrance code", "entrance code", "entrance codes"),
    ],
    "ja": [("氏名", "件", ""), ("住所", "件", ""), ("玄関の暗証番号", "件", "")],
    "zh-hans": [("姓名", "个", ""), ("地址", "个", ""), ("门禁密码", "个", "")],
    "zh-hant": [("姓名", "個", ""), ("地址", "個", ""), ("門禁密碼", "組", "")],
    "vi": [("Họ tên", "họ tên", ""), ("Địa chỉ", "địa chỉ", ""), ("Mã mở cửa", "mã mở cửa", "")],
    "de": [
        ("Name", "Name", "Namen"),
        ("Adresse", "Adresse", "Adressen"),
        ("Türcode", "Türcode", "Türcodes"),
    ],
    "fr": [
        ("Nom", "nom", "noms"),
        ("Adresse", "adresse", "adresses"),
        ("Code d’entrée", "code d’entrée", "codes d’entrée"),
    ],
    "es": [
        ("Nombre", "nombre", "nombres"),
        ("Dirección", "dirección", "direcciones"),
        ("Código del portal", "código del portal", "códigos del portal"),
    ],
}
# "_" is a no-break space. The counts: of a name 1, which is not counted, then those named.
SENTENCES = {
    "ko": [
        "이름이 유출되었습니다",
        "이름, 주소_2개가 유출되었습니다",
        "이름, 주소_1,234개, 공동현관 출입번호_1개가 유출되었습니다",
    ],
    "en": [
        "Your name leaked",
        "Your name and 2_addresses leaked",
        "Your name, 1,234_addresses and 1_entrance code leaked",
    ],
    "ja": [
        "氏名が漏えいしました",
        "氏名、住所2件が漏えいしました",
        "氏名、住所1,234件、玄関の暗証番号1件が漏えいしました",
    ],
    "zh-hans": [
        "您的姓名已泄露",
        "您的姓名和2个地址已泄露",
        "您的姓名、1,234个地址和1个门禁密码已泄露",
    ],
    "zh-hant": [
        "您的姓名已外洩",
        "您的姓名和2個地址已外洩",
        "您的姓名、1,234個地址和1組門禁密碼已外洩",
    ],
    "vi": [
        "Dữ liệu của bạn đã bị lộ: họ tên",
        "Dữ liệu của bạn đã bị lộ: họ tên và 2_địa chỉ",
        "Dữ liệu của bạn đã bị lộ: họ tên, 1.234_địa chỉ và 1_mã mở cửa",
    ],
    "de": [
        "Abgeflossen sind Ihre Daten: Name",
        "Abgeflossen sind Ihre Daten: Name und 2_Adressen",
        "Abgeflossen sind Ihre Daten: Name, 1.234_Adressen und 1_Türcode",
    ],
    "fr": [
        "Vos données divulguées_: nom",
        "Vos données divulguées_: nom et 2_adresses",
        "Vos données divulguées_: nom, 1_234_adresses et 1_code d’entrée",
    ],
    "es": [
        "Se han filtrado sus datos: nombre",
        "Se han filtrado sus datos: nombre y 2_direcciones",
        "Se han filtrado sus datos: nombre, 1_234_direcciones y 1_código del portal",
    ],
}


def counts(language: str, *numbers: int) -> list[tuple[DataClass, int]]:
    """Returns the first classes with these counts. Each also has English texts."""
    return [
        (
            DataClass(
                name={"en": "in English", language: name},
                unit={"en": "in English", language: unit},
                units={"en": "in English", language: units},
                is_one_each=place == 0,
            ),
            number,
        )
        for place, ((name, unit, units), number) in enumerate(
            zip(TEXTS[language], numbers, strict=False)
        )
    ]


@pytest.mark.parametrize("language", SENTENCES)
def test_lists_of_one_two_and_three(language):
    with override(language):
        found = [
            phrasing.leaked(counts(language, *numbers)) for numbers in ((1,), (1, 2), (1, 1234, 1))
        ]
    assert [text.replace("\u00a0", "_") for text in found] == SENTENCES[language]


@pytest.mark.parametrize("language", settings.SHIPPED_LANGUAGES)
def test_each_shipped_language_has_phrases_of_its_own(language):
    assert language in PHRASES
    assert language in SENTENCES


@pytest.mark.parametrize(
    ("last", "word"),
    [
        ("identificador", "e"),
        ("Índice", "e"),
        ("historial de ubicaciones", "e"),
        ("hielo", "y"),
        ("iones", "y"),
        ("2 direcciones", "y"),
        ("nombre", "y"),
    ],
)
def test_the_spanish_and_before_the_sound_i(last, word):
    assert PHRASES["es"].joined(["nombre", last]) == f"nombre {word} {last}"


@pytest.mark.parametrize("language", SENTENCES)
def test_a_class_without_texts_in_the_language_is_whole_in_english(language):
    texts = {"ko": "한국어", "en": "English noun"}
    data_class = DataClass(name=texts, unit=texts, units={"en": "English nouns"})
    with override(language):
        text = phrasing.counted_noun(data_class, 3)
    if language == "ko":
        assert text == "한국어\u00a03한국어"
    else:
        assert "한국어" not in text
        assert "English noun" in text


@pytest.mark.parametrize("language", settings.SHIPPED_LANGUAGES)
def test_large_numbers_are_grouped_by_thousands(language):
    with override(language):
        parts = re.split(r"[.,\u00a0\u202f]", formatting.number(33673817))
    assert parts == ["33", "673", "817"]
