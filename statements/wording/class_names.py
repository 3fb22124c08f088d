"""The names of data classes, found in a sentence as people write them."""

import re
import unicodedata
from collections.abc import Collection

from statements.wording.language_rules import LanguageRules

_NO_NAME = r"(?!)"


class ClassNames:
    """Finds the names of leaked data classes in a sentence.

    If several names fit at one place, only the longest one counts. `others` are therefore searched
    too: "e-mail address" must not count as "address".
    """

    def __init__(
        self, rules: LanguageRules, involved: Collection[str], others: Collection[str]
    ) -> None:
        self._involved = _one_of(rules, involved)
        any_name, edge = _one_of(rules, {*involved, *others}), rules.word_edge
        self._pattern = re.compile(f"{edge}(?:{any_name}){edge}", re.IGNORECASE)

    def __bool__(self) -> bool:
        return self._involved != _NO_NAME

    def in_sentence(self, text: str) -> list[str]:
        """Returns the leaked classes that the sentence names, in the sentence's spelling."""
        named = (match[0] for match in self._pattern.finditer(text))
        return [name for name in named if re.fullmatch(self._involved, name, re.IGNORECASE)]


def _one_of(rules: LanguageRules, names: Collection[str]) -> str:
    """Returns the pattern of the names, the longest first, in NFKC as plain_text_of writes it."""
    written = {unicodedata.normalize("NFKC", name) for name in names if name.strip()}
    longest_first = sorted(written, key=len, reverse=True)
    return "|".join(map(rules.class_name, longest_first)) or _NO_NAME
