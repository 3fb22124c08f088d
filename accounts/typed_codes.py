"""Reads sign-in codes as people type and paste them."""

import re
import unicodedata

DIGITS = 8
# Spaces, dashes, dots, and invisible characters that are copied with a code.
_NOT_DIGITS = re.compile(r"[\s\-\u2010-\u2015\u2212.,·\u200b-\u200f\u2060\ufeff]")


def clean_code(text: str) -> str | None:
    """Returns the eight digits in `text`, without separators, or None if it is not a code."""
    digits = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    return digits if re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits) else None
