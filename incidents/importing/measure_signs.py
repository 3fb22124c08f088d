"""Recognises text whose only signs beyond ASCII are those of measures, prices and paragraphs.

Such a list names people in ASCII, so no name depends on its encoding. The signs have these bytes in
windows-1252, and in a line of another encoding they would stand next to letters.
"""

import re

from incidents.importing.formats.base import MAX_ROW_BYTES
from incidents.importing.reading import File, Windows

# Each sign stands next to a number, with at most a space between: elsewhere, it may be a letter of
# another encoding, as in `Ł. Nowak` or `Áda`.
_SIGN = re.compile(
    rb"""(?<![A-Za-z\x80-\xff])
    (?:
        # powers of a number, a unit or a rate
        [0-9] (?:[ ]? (?:\xb5?[A-Za-z]{1,3}/)? (?:[cdkm]?m|ft|in))? [\xb2\xb3]
        # euro, paragraph, plus-minus and pound before a number
        | [\x80\xa7\xb1](?=[ ]?[0-9]) | \xa3(?=[0-9])
        # the same and fractions after one, degrees, and micro with a unit
        | (?:(?<=[0-9])|(?<=[0-9][ ]))
          (?:
              [\x80\xa7\xb1\xbc-\xbe] | \xa3(?![ ][A-Z]) | \xb0[CF]?
              | \xb5(?:[gmlLsAVWFHMTU]|mol|Pa|Sv|Gy)
          )
    )
    (?![A-Za-z\x80-\xff] | \.[ ]?[A-Za-z\x80-\xff])""",
    re.VERBOSE,
)


def has_only_signs(file: File) -> bool:
    """Returns whether each character of a file is ASCII or such a sign. Raises ImportRefusedError.

    The whole file is read, because a name may stand at its end.
    """
    rest = b""
    for window in Windows(file):
        lines, end, last = (rest + window).rpartition(b"\n")
        if len(last) > MAX_ROW_BYTES or not _are_signs(lines + end):
            return False
        rest = last
    return _are_signs(rest)


def _are_signs(text: bytes) -> bool:
    return text.isascii() or _SIGN.sub(b"", text).isascii()
