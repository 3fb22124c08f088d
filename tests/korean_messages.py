"""What the desk tells a Korean reader of words that are kept in English."""

import re
from collections.abc import Callable

from django.utils import translation

HANGUL = re.compile("[가-힣]")
ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b")


def in_korean(kept: str, shown: Callable[[str], str], *, outside: str = "") -> str:
    """`kept` as it is shown in Korean; nothing English is left but what came from `outside`."""
    with translation.override("ko"):
        told = shown(kept)
    assert HANGUL.search(told), told
    assert outside in told
    assert not ENGLISH.search(told.replace(outside, "")), told
    return told
