"""The names of data classes, found in a sentence as people write them."""

import re
import unicodedata
from collections.abc import Collection

from statements.wording.language_rules import LanguageRules


class ClassNames:
    """Finds the names of leaked data classes in a sentence.

    If several names fit at one place, only the longest one counts. `others` are therefore searched
    too: "e-mail address" must not count as "address".
    """

    def __init__(
        self, rules: LanguageRules, involved: Collection[str], others: Collection[str]
    ) -> None:
        self._involved = {_key(name) for name in involved}
        # As plain_text_of normalizes: "（" in the name of a class is "(" in the text.
        written = {unicodedata.normalize("NFKC", name) for name in (*involved, *others)}
        names = sorted(written, key=len, reverse=True)
        forms = "|".join(rules.class_name(name) for name in names if name.strip())
        edge = rules.word_edge
        self._pattern = re.compile(f"{edge}(?:{forms}){edge}", re.IGNORECASE) if forms else None

    def __bool__(self) -> bool:
        return bool(self._involved)

    def in_sentence(self, text: str) -> list[str]:
        """Returns the leaked classes that the sentence names, in the sentence's spelling."""
        if self._pattern is None:
            return []
        return [
            match[0] for match in self._pattern.finditer(text) if _key(match[0]) in self._involved
        ]


def _key(name: str) -> str:
    """Returns a name in NFKC, without spaces, hyphens, upper case and the English plural ending."""
    bare = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", name)).casefold()
    return re.sub(r"(?:(?<=ss)es|(?<!s)s)$", "", bare) if bare.isascii() else bare
