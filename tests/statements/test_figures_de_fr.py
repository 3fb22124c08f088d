"""German and French texts state the figures of the other languages, or a finding says so."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statements.wording import parity
from statements.wording.figure_day import Day
from statements.wording.figures import figures

MONTHS = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


def compared(language: str, text: str, english: str):
    return parity({"en": [("data_items", english)], language: [("data_items", text)]})


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("33,7 Millionen Konten", "33.7 million accounts"),
        ("33,7 Mio. Konten", "33.7m accounts"),
        ("1,5 Mrd. Zeilen", "1.5 billion rows"),
        ("2 Billionen Won", "2 trillion won"),
        ("165 Tausend weitere", "165,000 more"),
        ("48.200 Kundinnen und Kunden", "48,200 customers"),
        ("33.673.817 Konten", "33,673,817 accounts"),
        ("33\u00a0673\u00a0817 Konten", "33,673,817 accounts"),
        ("33\u202f673\u202f817 Konten", "33,673,817 accounts"),
        ("33'673'817 Konten", "33,673,817 accounts"),
        ("am 18. November 2025", "on 18 November 2025"),
        ("am 18.\u00a0November\u00a02025 um 9 Uhr", "on 18 November 2025 at 9 a.m."),
        ("am 18.11.2025", "on 18 November 2025"),
        ("am 18. 11. 2025", "on 18 November 2025"),
        ("am 18.11. um 14 Uhr", "on 18 November at 2 pm"),
        ("am 2025-11-18", "on 2025-11-18"),
        ("am 18. Nov. 2025", "on 18 Nov 2025"),
        ("vom 29. August 2026 bis 12. September 2026", "from 29 August 2026 to 12 September 2026"),
        ("vom 24. Juni bis zum 8. November 2025", "from 24 June to 8 November 2025"),
        ("vom 18. bis 20. November", "18 to 20 November"),
        ("18.–20. November 2025", "18–20 November 2025"),
        ("im Mai 2025", "in May 2025"),
        ("seit Juni", "since June"),
        ("seit 2024", "since 2024"),
        ("97 %", "97 per cent"),
        ("97,5 Prozent", "97.5 per cent"),
        ("innerhalb von 72 Stunden", "within 72 hours"),
        ("werktags von 9 bis 18 Uhr", "weekdays 9 a.m. to 6 p.m."),
        ("werktags 9–18 Uhr", "weekdays 9 am to 6 pm"),
        ("um 14.30 Uhr", "at 2.30 pm"),
        ("um 14:30 Uhr", "at 14:30"),
        ("unter 116 116", "on 116 116"),
        ("unter 0800 123 456", "on 0800 123 456"),
        ("unter +49 40 1234567", "on +49 40 1234567"),
        ("unter 0300 123 2040", "on 0300 123 2040"),
        ("unter 1800 595 160", "on 1800 595 160"),
        ("Artikel 34 Absatz 1", "Article 34(1)"),
        ("ein achtstelliger Code", "an 8-digit code"),
        ("zwei Anschriften und ein Türcode", "2 addresses and 1 entrance code"),
        ("die letzten vier Ziffern", "the last 4 digits"),
        ("Version 1.2 und 2.10.3", "version 1.2 and 2.10.3"),
        ("9,90 Euro", "9.90 euros"),
        ("von 192.168.100.200 aus", "from 192.168.100.200"),
        ("https://notice.hanbit.example/hilfe", "https://notice.hanbit.example/hilfe"),
    ],
)
def test_german_figures_agree_with_english_ones(text, english):
    assert compared("de", text, english) == []


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("33,7 millions de comptes", "33.7 million accounts"),
        ("1,5 milliard de lignes", "1.5 billion rows"),
        ("165 mille de plus", "165,000 more"),
        ("48 200 clients", "48,200 customers"),
        ("48\u202f200 clients", "48,200 customers"),
        ("33\u00a0673\u00a0817 comptes", "33,673,817 accounts"),
        ("33.673.817 comptes", "33,673,817 accounts"),
        ("le 18 novembre 2025", "on 18 November 2025"),
        ("le 18\u00a0novembre\u00a02025 à 9\u00a0h\u00a030", "on 18 November 2025 at 9.30 am"),
        ("le 1er novembre", "on 1 November"),
        ("le 18/11/2025", "on 18 November 2025"),
        ("le 18.11.2025", "on 18 November 2025"),
        ("le 18 nov. 2025", "on 18 Nov 2025"),
        ("du 29 août 2026 au 12 septembre 2026", "from 29 August 2026 to 12 September 2026"),
        ("du 18 au 20 novembre", "18 to 20 November"),
        ("18–20 novembre 2025", "18–20 November 2025"),
        ("en mai 2025", "in May 2025"),
        ("depuis juin", "since June"),
        ("depuis 2024", "since 2024"),
        ("97 %", "97 per cent"),
        ("97,5 pour cent", "97.5 per cent"),
        ("dans les 72 heures", "within 72 hours"),
        ("un délai de 24 h", "a period of 24 hours"),
        ("de 24 à 72 heures", "24 to 72 hours"),
        ("de 9 h à 18 h", "9 a.m. to 6 p.m."),
        ("de 9h à 18h30", "9 am to 6.30 pm"),
        ("9 h-18 h", "9 am to 6 pm"),
        ("à 14 h 30", "at 2.30 pm"),
        ("à 9 heures", "at 9 a.m."),
        ("à 14:30", "at 14:30"),
        ("au 116 116", "on 116 116"),
        ("au 01 23 45 67 89", "on 01 23 45 67 89"),
        ("au 0800 123 456", "on 0800 123 456"),
        ("au +33 1 23 45 67 89", "on +33 1 23 45 67 89"),
        ("au 1800 595 160", "on 1800 595 160"),
        ("au 0120-95-0178", "on 0120-95-0178"),
        ("article 34, paragraphe 1", "Article 34(1)"),
        ("un code à huit chiffres", "an 8-digit code"),
        ("deux adresses et un code d’entrée", "2 addresses and 1 entrance code"),
        ("version 1.2 et 2.10.3", "version 1.2 and 2.10.3"),
        ("9,90 €", "9.90 €"),
    ],
)
def test_french_figures_agree_with_english_ones(text, english):
    assert compared("fr", text, english) == []


@pytest.mark.parametrize(
    ("language", "text", "english", "quote"),
    [
        ("de", "3,37 Millionen Konten", "33.7 million accounts", "33.7 million"),
        ("de", "33,700 Konten", "33,700 accounts", "33,700"),
        ("de", "am 19. November 2025", "on 18 November 2025", "18 November 2025"),
        ("de", "am 18. November 2024", "on 18 November 2025", "18 November 2025"),
        ("de", "am 18.10.2025", "on 18 November 2025", "18 November 2025"),
        ("de", "um 9 Uhr", "at 9 p.m.", "9 p.m."),
        ("de", "unter 0800 123 457", "on 0800 123 456", "0800 123 456"),
        ("de", "innerhalb von 27 Stunden", "within 72 hours", "72"),
        ("fr", "33,7 milliards de comptes", "33.7 million accounts", "33.7 million"),
        ("fr", "33,700 comptes", "33,700 accounts", "33,700"),
        ("fr", "le 19 novembre 2025", "on 18 November 2025", "18 November 2025"),
        ("fr", "le 18 novembre 2024", "on 18 November 2025", "18 November 2025"),
        ("fr", "le 18/10/2025", "on 18 November 2025", "18 November 2025"),
        ("fr", "à 9 h", "at 9 p.m.", "9 p.m."),
        ("fr", "au 01 23 45 67 88", "on 01 23 45 67 89", "01 23 45 67 89"),
        ("fr", "dans les 27 heures", "within 72 hours", "72"),
    ],
)
def test_another_figure_blocks(language, text, english, quote):
    findings = compared(language, text, english)
    assert (language, quote) in [(finding.language, finding.quote) for finding in findings]
    assert all(finding.blocks for finding in findings)


@pytest.mark.parametrize(
    ("german", "french"),
    [
        ("48.200 Konten am 1. März 2026 um 9.05 Uhr", "48 200 comptes le 1er mars 2026 à 9 h 05"),
        ("33,7 Millionen, also 97 %", "33,7 millions, soit 97 %"),
    ],
)
def test_german_and_french_agree(german, french):
    assert parity({"de": [("body", german)], "fr": [("body", french)]}) == []


def values(text: str, language: str, kind: str) -> list[object]:
    return [figure.value for figure in figures(text, language) if figure.kind == kind]


@given(st.dates(date(1950, 1, 1), date(2090, 12, 31)))
def test_every_date_is_read(day):
    expected = [Day(day.month, day.day, day.year)]
    german = MONTHS["de"].split()[day.month - 1]
    french = MONTHS["fr"].split()[day.month - 1]
    first = "1er" if day.day == 1 else day.day
    for text in (f"am {day.day}. {german} {day.year},", f"am {day:%d.%m.%Y}.", f"{day:%Y-%m-%d}"):
        assert values(text, "de", "date") == expected
    for text in (f"le {first} {french} {day.year},", f"le {day:%d/%m/%Y}.", f"{day:%Y-%m-%d}"):
        assert values(text, "fr", "date") == expected


@given(st.integers(0, 10**12 - 1), st.sampled_from([".", " ", "\u00a0", "\u202f", ""]))
def test_every_number_is_read(number, sign):
    written = f"{number:,}".replace(",", sign)
    assert values(f"etwa {written} Konten", "de", "number") == [number]
    assert values(f"environ {written} comptes", "fr", "number") == [number]


@given(st.integers(1, 9_999), st.integers(0, 99))
def test_every_decimal_of_a_million_is_read(whole, hundredths):
    value = (Decimal(whole) + Decimal(hundredths) / 100) * 10**6
    assert values(f"{whole},{hundredths:02} Millionen Konten", "de", "number") == [value]
    assert values(f"{whole},{hundredths:02} millions de comptes", "fr", "number") == [value]


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_time_is_read(hour, minute):
    expected = [f"{hour:02}:{minute:02}"]
    for text in (f"um {hour}:{minute:02} Uhr", f"um {hour:02}.{minute:02} Uhr"):
        assert values(text, "de", "time") == expected
    for text in (f"à {hour} h {minute:02}", f"vers {hour}h{minute:02}", f"à {hour:02}:{minute:02}"):
        assert values(text, "fr", "time") == expected


@given(st.text(alphabet="0123456789.,:-–/ ()hUrjanmiérstv%'’Mio", max_size=40))
def test_any_list_of_figures_agrees_with_itself(text):
    for language in ("de", "fr"):
        assert figures(text, language) == figures(text, language)
        assert parity({"en": [("body", "a")], language: [("body", "a" + text)]}) is not None


@pytest.mark.parametrize("kind", ["number", "phone"])
def test_round_numbers_are_no_telephone_numbers(kind):
    wanted = [1_000_000] if kind == "number" else []
    for text in ("1 000 000", "1\u202f000\u202f000", "1.000.000"):
        assert values(f"{text} Konten", "de", kind) == wanted
        assert values(f"{text} comptes", "fr", kind) == wanted
