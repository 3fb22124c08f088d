"""Translates stored messages to Korean and checks that no English is left."""

import re
from collections.abc import Callable

from django.utils import translation

HANGUL = re.compile("[가-힣]")
ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b")


def in_korean(stored: str, translate: Callable[[str], str], *, outside: str = "") -> str:
    """Returns the stored message in Korean.

    Raises AssertionError if English is left that is not in `outside`, a part from elsewhere.
    """
    with translation.override("ko"):
        translated = translate(stored)
    assert HANGUL.search(translated), translated
    assert outside in translated
    assert not ENGLISH.search(translated.replace(outside, "")), translated
    return translated
