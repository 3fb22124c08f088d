"""Limits of a column mapping, so that a small mapping cannot make a file many times larger.

A row may be 1 MiB long. Without limits, 60 kB of `{note}{note}…` make a value of 20 GB of it.
"""

import re
from collections import Counter
from collections.abc import Iterable

from incidents.importing.cell_templates import CellTemplate
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import RefusalMessages

MOST_CHARACTERS = 200_000  # of the text of a mapping; a mapping of 1,000 columns has about 100,000
MOST_USES = 10  # of one column: a row of n bytes makes values of 10 n bytes at most
MOST_LITERALS = 500  # characters between the columns of all templates together
MOST_FORMATS = 20  # of the dates of one column; a cell is tried with each
# Keys in a dotted key. The memory for one grows with the square of its length: 30,000 keys, which
# are 60 kB, need 3.6 GB.
_KEY = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(rf"(?<![\w-])(?:{_KEY}[ \t]*\.[ \t]*){{16}}", re.ASCII)
MOST_FAULTS = 20  # that are named at once: the correction of each is searched


def check_text(text: str, *, name: str) -> None:
    """Raises ImportRefusedError if the text of a mapping is too long, too deep or no text."""
    if "\0" in text:
        why = RefusalMessages.NOT_TOML.stored(mapping_words=name, error="a NUL byte")
        raise ImportRefusedError(why)
    if len(text) > MOST_CHARACTERS:
        raise ImportRefusedError(
            RefusalMessages.LONG_MAPPING.stored(mapping_words=name, most=MOST_CHARACTERS)
        )
    if _DEEP_KEY.search(text):
        raise ImportRefusedError(RefusalMessages.DEEP_TOML.stored(mapping_words=name))


def check_amounts(
    *,
    name: str,
    columns: Iterable[str],
    templates: Iterable[CellTemplate],
    formats: Iterable[tuple[str, ...]],
) -> None:
    """Raises ImportRefusedError if a mapping makes much more of a row than the row holds.

    `columns` has each use of a column, `formats` the date formats of each column with dates. `name`
    is the name of the mapping's file, for the message.
    """
    for column, uses in Counter(columns).most_common(1):
        if uses > MOST_USES:
            raise ImportRefusedError(
                RefusalMessages.USED_TOO_OFTEN.stored(
                    mapping_words=name, column=column, most=MOST_USES
                )
            )
    if sum(template.literal_characters for template in templates) > MOST_LITERALS:
        raise ImportRefusedError(
            RefusalMessages.LONG_LITERALS.stored(mapping_words=name, most=MOST_LITERALS)
        )
    if any(len(tried) > MOST_FORMATS for tried in formats):
        raise ImportRefusedError(
            RefusalMessages.MANY_FORMATS.stored(mapping_words=name, most=MOST_FORMATS)
        )
