"""The phrases of servers and mail programs, from phrases.toml."""

import re
import tomllib
from pathlib import Path
from typing import cast

from django.utils.functional import SimpleLazyObject

_CONTENT = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
RECIPIENT: str = _CONTENT["recipient"]

PLAIN_WORDS = frozenset(_CONTENT["plain"]["words"].split())


def plain_pattern(name: str) -> re.Pattern[str]:
    """Returns the pattern of the phrases, whole replies ("forms") or beginnings ("heads") that name
    the recipient of a message and no one else.
    """
    return _compiled(_CONTENT["plain"][name])


def cause_pattern(name: str) -> re.Pattern[str]:
    """Returns the pattern of the phrases that name a cause, such as "address"."""
    return _compiled(_CONTENT["causes"][name])


def shape_pattern(name: str) -> re.Pattern[str]:
    """Returns the pattern of the phrases that show a kind of mail, such as "failed"."""
    return _compiled(_CONTENT["shapes"][name])


def _compiled(phrases: list[str]) -> re.Pattern[str]:
    joined = "|".join(phrases)
    for name in ("recipient", "named", "wrong", "own", "role", "thing", "verb", "date"):
        joined = joined.replace(f"{{{name}}}", _CONTENT[name])
    # Compiled at its first use: it takes longer than most modules, and few processes need it.
    return cast("re.Pattern[str]", SimpleLazyObject(lambda: re.compile(joined, re.IGNORECASE)))
