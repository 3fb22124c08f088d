"""Stored messages: sentences that are stored in English and translated when they are shown.

The reason for a refused file or an unsent message is written once into a row, a file or a log.
People read it later in any language, so it is stored in English. Each sentence is in a table, with
slots for the parts that vary. The desk finds a stored sentence in its table to translate it.
"""

import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from string import Formatter

from django.utils.translation import gettext

# A slot with this suffix holds a sentence of the same table. All other slots hold names and texts
# from outside, which are not translated.
NESTED_SUFFIX = "_words"


class StoredMessages(Enum):
    """A table of stored messages.

    The values are English sentences that gettext_noop marks. A slot is written as in str.format and
    is filled with text that needs no further formatting.
    """

    def stored(self, **slots: object) -> str:
        """Returns the sentence as it is stored: in English, with its slots filled."""
        return str(self.value).format(**slots)


def translate_stored(stored: str, *tables: type[StoredMessages]) -> str:
    """Returns a stored message in the active language; unchanged if no table has it."""
    for table in tables:
        for pattern, sentence in _patterns(table):
            if found := pattern.fullmatch(stored):
                slots = {
                    name: translate_stored(text, table) if name.endswith(NESTED_SUFFIX) else text
                    for name, text in found.groupdict().items()
                }
                return gettext(sentence).format(**slots)
    return stored


@cache
def _patterns(table: type[StoredMessages]) -> list[tuple[re.Pattern[str], str]]:
    """Returns a pattern for each sentence of the table, and the sentence.

    The sentence with the most literal text is first, because the fewest texts match it.
    """
    sentences = sorted((str(member.value) for member in table), key=_literal_length, reverse=True)
    return [(re.compile("".join(_pieces(sentence)), re.DOTALL), sentence) for sentence in sentences]


def _literal_length(sentence: str) -> int:
    return sum(len(literal) for literal, *_ in Formatter().parse(sentence))


def _pieces(sentence: str) -> Iterator[str]:
    seen: set[str] = set()
    for literal, slot, *_ in Formatter().parse(sentence):
        yield re.escape(literal)
        if slot is not None:
            yield f"(?P={slot})" if slot in seen else f"(?P<{slot}>.*?)"
            seen.add(slot)
