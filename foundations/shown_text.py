"""Text of any script as readers are shown it: composed, and without invisible characters."""

import re
import unicodedata
from typing import Literal

# Ideographs with a code of their own that Unicode's normal forms replace by another ideograph. In
# the name of a person the difference is meant, such as in 神 for U+FA19.
_OTHER_THAN_IDEOGRAPHS = re.compile("[^\uf900-\ufaff\U0002f800-\U0002fa1f]+")
# Zero-width joiner and non-joiner: they shape Indic, Persian and Sinhala words, and join emoji.
JOINERS = "\u200c\u200d"


def composed(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """Returns the text in a normal form, with each accent on its letter and each ideograph kept."""
    return _OTHER_THAN_IDEOGRAPHS.sub(lambda part: unicodedata.normalize(form, part[0]), text)


def in_one_line(text: str) -> str:
    """Returns the text with single spaces in place of control and invisible characters.

    A joiner stays after a character that may need it, one that is not ASCII.
    """
    shown = [""]
    for sign in text:
        if unicodedata.category(sign)[0] not in "CZ" or (sign in JOINERS and _joins(shown[-1])):
            shown.append(sign)
        else:
            shown.append(" ")
    return " ".join("".join(shown).split())


def _joins(before: str) -> bool:
    return not before.isascii() and before not in JOINERS
