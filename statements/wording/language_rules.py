"""What the wording rules of one language consist of: patterns, and few functions.

A rule must be worth its false alarms. Each pattern therefore excludes the innocent uses of its
words, such as "Tell no third party" or "kept from being exposed to scams".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from statements.findings import Severity


class Hit(NamedTuple):
    """Words of a sentence that violate a rule."""

    rule: str
    start: int  # index in the sentence
    end: int
    severity: Severity | None = None  # None: the rule's own


class Phrase(NamedTuple):
    """A rule's pattern, and the pattern of other words in the sentence that make it innocent."""

    rule: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


class ExposedRule(Protocol):
    """Finds a word such as "exposed" where data has leaked."""

    def __call__(self, text: str, *, names_class: bool) -> Iterator[Hit]:
        """Yields the hits of a sentence; `names_class` says that it names a leaked data class."""
        ...


@dataclass(frozen=True, kw_only=True)
class LanguageRules:
    """The wording rules of one language. `sentence_rules` applies them."""

    class_name: Callable[[str], str]  # the pattern of a data class's name as people write it
    word_edge: str  # the pattern before and after such a name
    exposed: ExposedRule
    hedge: re.Pattern[str]  # says that something known may have happened
    personal_data: re.Pattern[str]  # names the reader's data in general
    unknown: re.Pattern[str]  # says that facts are not known yet
    phrases: Sequence[Phrase]
    scam: re.Pattern[str]  # words of a warning about scams
    hard_sell: re.Pattern[str]
    soft_sell: re.Pattern[str]
    culprit: re.Pattern[str]  # names a culprit
    actor: re.Pattern[str]  # says what a person did
    possibility: re.Pattern[str]  # the act is only possible, so no one is accused
    label: re.Pattern[str]  # marks an allegation as one
    is_long: Callable[[str], bool]  # of a sentence
