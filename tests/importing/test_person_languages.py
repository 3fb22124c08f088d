"""The values of a language column that are understood, and those that are asked about."""

import pytest
from django.conf import settings

from incidents.importing import person_languages

ALL = list(settings.SHIPPED_LANGUAGES)


def read(value: str, *known: str) -> str | None:
    return person_languages.reader({}, known or ALL, "none")(value)


@pytest.mark.parametrize(
    ("code", "values"),
    [
        (
            "de",
            ["de", "DE", "deu", "ger", "de_DE", "de-AT", "deu-CH", "de_DE.UTF-8", "de_DE@euro"],
        ),
        ("de", ["Deutsch", "German", "allemand", "alemán", "ドイツ語", "독일어", "tiếng Đức"]),
        ("ja", ["ja", "jpn", "JPN", "ja_JP", "ja-JP", "日本語", "Japanese", "Japanisch", "일본어"]),
        ("fr", ["fr", "fra", "fre", "fr_CA", "Français", "FRANÇAIS", "French", "Französisch"]),
        ("es", ["es", "spa", "es_MX", "es-419", "Español", "Spanish"]),
        ("vi", ["vi", "vie", "vi_VN", "Tiếng Việt", "Vietnamese"]),
        ("ko", ["ko", "kor", "ko_KR", "한국어", "Korean", "Koreanisch"]),
        ("en", ["en", "eng", "en_GB", "en_US.UTF-8", "English", "Englisch", "英語", "영어"]),
        ("zh-hans", ["zh-CN", "zh_CN", "zh_SG", "zh-Hans", "zh-Hans-CN", "zho-Hans", "简体中文"]),
        ("zh-hant", ["zh-TW", "zh_TW", "zh_HK", "zh-Hant", "zh_Hant_TW", "chi-TW", "繁體中文"]),
    ],
)
def test_codes_locales_and_names_are_understood(code, values):
    assert {value: read(value) for value in values} == dict.fromkeys(values, code)


@pytest.mark.parametrize(
    "value",
    ["zh", "zho", "chi", "Chinese", "und", "mul", "xx", "it", "ita", "82", "yes"],
)
def test_other_values_are_asked_about(value):
    assert read(value) is None


def test_a_script_is_never_guessed_wrong():
    assert read("zh", "en", "zh-hant") == "zh-hant"
    assert read("zho", "en", "zh-hans") == "zh-hans"
    assert read("Chinese", "en", "zh-hans") == "zh-hans"
    assert read("zh-CN", "en", "zh-hant") is None
    assert read("zh-Hans", "en", "zh-hant") is None
    assert read("pt", "en", "pt-br") == "pt-br"


def test_the_counts_show_what_is_undecided():
    counts = person_languages.counted(["deu", "deu", "jpn", "ita", "ita", "ita"])
    found = person_languages.undecided(counts, person_languages.reader({}, ["de", "ja"], "de"))
    assert found == {"ita": 3}
    assert person_languages.in_words(found) == "ita: 3"
