"""Figures that a company writes otherwise than the others: in characters, by era, with slashes."""

import pytest

from statements.wording.figures import COMPARED_LANGUAGES, figures


def values(text: str, language: str) -> list[tuple[str, str]]:
    return [(figure.kind, str(figure.value)) for figure in figures(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "english"),
    [
        ("ja", "令和七年十一月十八日", "18 November 2025"),
        ("ja", "R7.11.18に判明", "18 November 2025"),
        ("ja", "平成三十一年四月三十日", "30 April 2019"),
        ("ja", "三千三百七十万件", "33.7 million"),
        ("zh-hans", "二〇二五年十一月十八日", "18 November 2025"),
        ("zh-hans", "百分之十二", "12 per cent"),
        ("zh-hans", "一亿二千万个", "120 million"),
        ("zh-hant", "114年11月18日", "18 November 2025"),
        ("zh-hant", "三千三百七十萬", "33.7 million"),
        ("es", "18/11/2025", "11/18/2025"),
        ("de", "18.11.2025", "18/11/2025"),
        ("es", "(415) 555-0102", "(415) 555-0102"),
    ],
)
def test_the_same_fact_is_found_in_both(language, text, english):
    [one], [other] = figures(text, language), figures(english, "en")
    assert one.agrees_with(other), (one, other)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "一部の情報、八百屋、千葉、万一、十分"),
        ("zh-hans", "一些信息，千万不要，百姓，万一"),
        ("ja", "十三月一日"),
    ],
)
def test_words_are_no_figures(language, text):
    assert values(text, language) == []


def test_a_date_that_can_be_two_is_none():
    assert values("05/06/2025", "en") == [("number", "5"), ("number", "6"), ("number", "2025")]
    assert values("13/25/2025", "en")[0][0] == "number"


def test_a_wrong_figure_in_characters_is_seen():
    [right], [wrong] = figures("三千三百七十万", "ja"), figures("三千三百六十万", "ja")
    assert not right.agrees_with(wrong)
    assert {"ja", "zh-hans", "zh-hant", "en"} <= set(COMPARED_LANGUAGES)
