"""The names of data classes, found in a sentence as people write them."""

import re
from collections.abc import Collection


class ClassNames:
    """Finds the names of leaked data classes in a sentence.

    If several names fit at one place, only the longest one counts. `others` are therefore searched
    too: "e-mail address" must not count as "address".
    """

    def __init__(self, language: str, involved: Collection[str], others: Collection[str]) -> None:
        self._involved = {_key(name) for name in involved}
        names = sorted({*involved, *others}, key=len, reverse=True)
        forms = [_korean_form(name) if language == "ko" else _english_form(name) for name in names]
        # In English a name ends at a word boundary. In Korean particles follow without a space.
        pattern = "|".join(forms)
        edges = pattern if language == "ko" else rf"\b(?:{pattern})\b"
        self._pattern = re.compile(edges, re.IGNORECASE) if forms else None

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
    """Returns a name without spaces, hyphens, upper case and the English plural ending."""
    bare = re.sub(r"[\s-]", "", name).casefold()
    return re.sub(r"(?:(?<=ss)es|(?<!s)s)$", "", bare) if bare.isascii() else bare


def _korean_form(name: str) -> str:
    return r"\s?".join(map(re.escape, re.sub(r"\s", "", name)))


def _english_form(name: str) -> str:
    words = [re.escape(word) for word in re.split(r"[\s-]+", name.strip()) if word]
    words[-1:] = [re.sub(r"(?:(?<=ss)es|(?<!s)s)$", "", words[-1]) + "(?:e?s)?"]
    return r"(?<!in )" + r"[\s-]?".join(words)  # "in order to" does not name an order
