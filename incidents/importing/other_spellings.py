"""Finds out whether the unknown references of a file are known in another spelling.

A spreadsheet that takes references for numbers removes their zeros (0007 becomes 7) or adds `.0`.
Then every row of a file with `known = true` is rejected, and the reason is told once for the file.
"""

import re

IDS_OF_A_BLOCK = 20  # how many references of each block are compared
_MOST_DIGITS = 12
_FLOAT = re.compile(r"(\d+)\.0+", re.ASCII)


def of(reference: str) -> list[str]:
    """Returns how a spreadsheet could have written the reference, or did before it was changed."""
    if found := _FLOAT.fullmatch(reference):
        return [found[1], *_with_zeros(found[1])]
    if not (reference.isascii() and reference.isdigit()):
        return []
    plain = reference.lstrip("0")
    return [f"{reference}.0", *([plain] if plain != reference else _with_zeros(reference))]


def _with_zeros(digits: str) -> list[str]:
    return [digits.zfill(width) for width in range(len(digits) + 1, _MOST_DIGITS + 1)]
