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
class ExposedWords:
    """The ExposedRule of most languages: a softer word for a leak, in a sentence about data."""

    words: re.Pattern[str]
    data: re.Pattern[str]  # the sentence is about data if it names no class
    before: re.Pattern[str] | None = None  # what makes a word innocent, searched before it
    after: re.Pattern[str] | None = None  # the same, directly after it

    def __call__(self, text: str, *, names_class: bool) -> Iterator[Hit]:
        """Yields the hits of a sentence."""
        if not (names_class or self.data.search(text)):
            return
        for match in self.words.finditer(text):
            if not self._is_innocent(text[: match.start()], text[match.end() :]):
                yield Hit("exposed", match.start(), match.end(), Severity.WARN)

    def _is_innocent(self, before: str, after: str) -> bool:
        return bool(
            (self.before and self.before.search(before)) or (self.after and self.after.match(after))
        )


def name_with_any_spaces(name: str) -> str:
    """Returns the pattern of a name in a language that writes names with or without spaces."""
    return r"\s?".join(map(re.escape, re.sub(r"\s", "", name)))


def has_more_words(most: int) -> Callable[[str], bool]:
    """Returns the check of sentences for more than `most` words, which are set apart by spaces."""

    def check(sentence: str) -> bool:
        words = [part for part in sentence.split() if re.search(r"[^\W_]", part)]
        return len(words) > most

    return check


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
