"""The parity check: finds figures, dates and links that only one of two languages states."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from foundations.languages import translated_name
from statements.findings import Finding, Severity
from statements.wording import german_french_figures, spanish_figures, vietnamese_figures
from statements.wording.figure_day import Day
from statements.wording.figures import COMPARED_LANGUAGES, Figure, figures
from statements.wording.rules import RULES

# The languages write small numbers as words in different places ("two addresses", "주소 2개"). A
# word therefore counts as the number, and a missing small number only warns.
LARGEST_SMALL_NUMBER = 12
_IN_ENGLISH = (
    "zero|no|none",
    "one|once|a|an|single|first",
    "two|twice|both|second|secondary|double",
    "three|third",
    "four|fourth",
    "five|fifth",
    "six|sixth",
    "seven|seventh|week",
    "eight|eighth",
    "nine|ninth",
    "ten|tenth",
    "eleven|eleventh",
    "twelve|twelfth|dozen|year",
)
_IN_KOREAN = (
    "없|영",
    "한|하나|첫|일",
    "두|둘|둘째|양쪽",
    "세|셋|셋째",
    "네|넷|넷째",
    "다섯",
    "여섯",
    "일곱|일주일",
    "여덟",
    "아홉",
    "열",
    "열한|열하나",
    "열두|열둘|일년",
)
_IN_JAPANESE = (
    "〇|ゼロ|な[いし]|ません",
    "一|ひと|最初|初",
    "二|ふた|両",
    "三",
    "四",
    "五",
    "六",
    "七|一週",
    "八",
    "九",
    "十",
    "十一",
    "十二|一年",
)
_IN_CHINESE = (
    "零|〇|没|沒|无|無",
    "一|首",
    "二|两|兩|双|雙",
    "三",
    "四",
    "五",
    "六",
    "七|一周|一週|一星期",
    "八",
    "九",
    "十",
    "十一",
    "十二|一年",
)
# By language: the words for each small number, from 0, and the pattern that holds them.
_WORDS = {
    "en": (_IN_ENGLISH, r"\b(?:{words})s?\b"),
    "ko": (_IN_KOREAN, r"(?:^|[^가-힣])(?:{words})"),
    "ja": (_IN_JAPANESE, "(?:{words})"),
    "zh-hans": (_IN_CHINESE, "(?:{words})"),
    "zh-hant": (_IN_CHINESE, "(?:{words})"),
    "de": (german_french_figures.GERMAN_SMALL_NUMBERS, r"\b(?:{words})\b"),
    "fr": (german_french_figures.FRENCH_SMALL_NUMBERS, r"\b(?:{words})\b"),
    "es": (spanish_figures.SMALL_NUMBERS, r"\b(?:{words})\b"),
    "vi": (vietnamese_figures.SMALL_NUMBERS, r"\b(?:{words})\b"),
}


def parity(texts: Mapping[str, Iterable[tuple[str, str]]]) -> list[Finding]:
    """Returns a finding for each figure and section that only one of two languages has.

    `texts` holds the sections of each of the two languages; the findings are in their order. A
    section is a pair of its key and its Markdown. Sections with the same key are compared in their
    order. The title can be passed as a section. Between languages that are not both in
    figures.COMPARED_LANGUAGES, only links and addresses are compared. Raises ValueError unless
    there are two languages.
    """
    (one, its_sections), (other, other_sections) = texts.items()
    left, right = _numbered(its_sections), _numbered(other_sections)
    found = list[Finding]()
    for place in left | right:
        pair = {one: left.get(place, ""), other: right.get(place, "")}
        if all(pair.values()):
            found += [finding.in_section(place[0]) for finding in _compared(pair)]
        elif any(pair.values()):
            missing = other if pair[one] else one
            found.append(_missing(missing).in_section(place[0]))
    return found


def _numbered(sections: Iterable[tuple[str, str]]) -> dict[tuple[str, int], str]:
    """Returns the texts by (key, number); the number, from 0, counts sections with one key."""
    seen = Counter[str]()
    texts = {}
    for key, text in sections:
        texts[key, seen[key]] = text.strip()
        seen[key] += 1
    return texts


def _missing(language: str) -> Finding:
    rule = RULES["parity_section"]
    return Finding(
        rule="parity_section",
        severity=rule.severity,
        why=rule.why,
        suggestion=format_lazy(
            _("Write the section in {language} as well."), language=translated_name(language)
        ),
        language=language,
    )


def _compared(pair: Mapping[str, str]) -> Iterator[Finding]:
    one, other = pair
    stated = {language: _comparable(pair, language) for language in pair}
    yield from _absent(stated, pair, source=one, language=other)
    yield from _absent(stated, pair, source=other, language=one)


def _comparable(pair: Mapping[str, str], language: str) -> list[Figure]:
    found = figures(pair[language], language)
    if pair.keys() <= COMPARED_LANGUAGES:
        return found
    return [figure for figure in found if figure.kind in ("link", "email")]


def _absent(
    stated: Mapping[str, list[Figure]], texts: Mapping[str, str], *, source: str, language: str
) -> Iterator[Finding]:
    """Yields a finding for each figure of the text in `source` that `language` does not state."""
    present, text = stated[language], texts[language]
    names = {"source": translated_name(source), "language": translated_name(language)}
    for figure in stated[source]:
        if any(figure.agrees_with(other) for other in present):
            continue
        if _is_spelled_out(figure, text, language):
            continue
        name = "parity_link" if figure.kind == "link" else "parity_figure"
        rule = RULES[name]
        message = _("{source}: “{quote}”. This is missing in {language}. {why}")
        is_link = name == "parity_link"
        advice = (
            _("Give the text in {language} the same link.")
            if is_link
            else _("Write it in {language} as well, or correct one of the two.")
        )
        yield Finding(
            rule=name,
            severity=Severity.WARN if _is_minor(figure) else rule.severity,
            why=format_lazy(message, quote=figure.quote, why=rule.why, **names),
            suggestion=format_lazy(advice, **names),
            quote=figure.quote,
            language=language,
        )


def _is_minor(figure: Figure) -> bool:
    """Returns whether the figure is a small number, or a month without a day."""
    if isinstance(figure.value, Day):
        return figure.value.day is None
    return _small_number(figure) is not None


def _small_number(figure: Figure) -> int | None:
    if figure.kind != "number" or not isinstance(figure.value, Decimal):
        return None
    return int(figure.value) if figure.value in range(LARGEST_SMALL_NUMBER + 1) else None


def _is_spelled_out(figure: Figure, text: str, language: str) -> bool:
    number = _small_number(figure)
    if number is None:
        return False
    words, pattern = _WORDS[language]
    return bool(re.search(pattern.format(words=words[number]), text, re.IGNORECASE))
