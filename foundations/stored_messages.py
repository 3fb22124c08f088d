"""Sentences of ours that are kept in English, and shown in the reader's language.

Why a file was refused, or a message not sent, is written once into a row, a file or a log, and read
later by people of any language. So it is kept in English, and stays so. Each such sentence stands
in a table, with slots for what differs; by its table it is recognised when the desk shows it.
"""

import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from string import Formatter

from django.utils.translation import gettext

# A slot with such a name holds a sentence of the same table. All others hold names and words from
# outside, which are nobody's to translate.
NESTED_SUFFIX = "_words"


class StoredMessages(Enum):
    """A table. The members' values are English, marked by gettext_noop, with slots as in
    str.format that are filled with what is ready to be read.
    """

    def stored(self, **slots: object) -> str:
        """The sentence as it is kept."""
        return str(self.value).format(**slots)


def translate_stored(kept: str, *tables: type[StoredMessages]) -> str:
    """What is kept, in the active language; as it stands, where no table has such a sentence."""
    for table in tables:
        for pattern, sentence in _patterns(table):
            if found := pattern.fullmatch(kept):
                slots = {
                    name: translate_stored(text, table) if name.endswith(NESTED_SUFFIX) else text
                    for name, text in found.groupdict().items()
                }
                return gettext(sentence).format(**slots)
    return kept


@cache
def _patterns(table: type[StoredMessages]) -> list[tuple[re.Pattern[str], str]]:
    """What each sentence looks like, those first that say most themselves: they fit fewest."""
    sentences = sorted((str(one.value) for one in table), key=_own_length, reverse=True)
    return [(re.compile("".join(_pieces(one)), re.DOTALL), one) for one in sentences]


def _own_length(sentence: str) -> int:
    return sum(len(literal) for literal, *_ in Formatter().parse(sentence))


def _pieces(sentence: str) -> Iterator[str]:
    met: set[str] = set()
    for literal, slot, *_ in Formatter().parse(sentence):
        yield re.escape(literal)
        if slot is not None:
            yield f"(?P={slot})" if slot in met else f"(?P<{slot}>.*?)"
            met.add(slot)
