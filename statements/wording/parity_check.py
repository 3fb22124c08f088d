"""The parity check: finds figures, dates and links that only one of the two languages states."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from statements.findings import Finding, Severity
from statements.wording.figures import Day, Figure, figures
from statements.wording.rules import RULES

# The languages write small numbers as words in different places ("two addresses", "주소 2개"). A
# word therefore counts as the number, and a missing small number only warns.
LARGEST_SMALL_NUMBER = 12
_EN_WORDS = (
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
_KO_WORDS = (
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


def parity(
    ko_sections: Iterable[tuple[str, str]], en_sections: Iterable[tuple[str, str]]
) -> list[Finding]:
    """Returns a finding for each figure and section that only one language has, by section.

    A section is a pair of its key and its Markdown. Sections with the same key are compared in
    their order. The title can be passed as a section.
    """
    korean, english = _numbered(ko_sections), _numbered(en_sections)
    found = list[Finding]()
    for place in korean | english:
        ko, en = korean.get(place, ""), english.get(place, "")
        if ko and en:
            found += [finding.in_section(place[0]) for finding in _compared(ko, en)]
        elif ko or en:
            found.append(_missing("en" if ko else "ko").in_section(place[0]))
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
        suggestion=rule.suggestion(language),
        language=language,
    )


def _compared(ko: str, en: str) -> Iterator[Finding]:
    korean, english = figures(ko, "ko"), figures(en, "en")
    yield from _absent(korean, english, text=en, language="en")
    yield from _absent(english, korean, text=ko, language="ko")


def _absent(
    required: list[Figure], present: list[Figure], *, text: str, language: str
) -> Iterator[Finding]:
    """Yields a finding for each figure of the other language that `text` does not state."""
    for figure in required:
        if any(figure.agrees_with(other) for other in present):
            continue
        if _is_spelled_out(figure, text, language):
            continue
        name = "parity_link" if figure.kind == "link" else "parity_figure"
        rule = RULES[name]
        message = {
            "en": _("“{quote}” stands in the Korean text and not in the English. {why}"),
            "ko": _("“{quote}” stands in the English text and not in the Korean. {why}"),
        }[language]
        yield Finding(
            rule=name,
            severity=Severity.WARN if _is_minor(figure) else rule.severity,
            why=format_lazy(message, quote=figure.quote, why=rule.why),
            suggestion=rule.suggestion(language),
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
    if language == "en":
        return bool(re.search(rf"\b(?:{_EN_WORDS[number]})s?\b", text, re.IGNORECASE))
    return bool(re.search(rf"(?:^|[^가-힣])(?:{_KO_WORDS[number]})", text))
