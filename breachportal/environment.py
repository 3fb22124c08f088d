"""Reads environment variables, for `breachportal.settings` and the modules that it reads.

breachportal.setting_values has the functions for values of a certain form, such as addresses.
Decision 0016 states why the project does not use a settings library.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

PRODUCTION, DEVELOPMENT, DEMO = "production", "development", "demo"
# breachportal.wsgi sets this variable; it is not for the operator. A web process waits for a
# database lock for a shorter time than a worker.
PROCESS, WEB = "BREACHPORTAL_PROCESS", "web"

READ: set[str] = set()  # the names of all settings that were read


def mode() -> str:
    """Returns `BREACHPORTAL_MODE`, production by default. Raises ImproperlyConfigured."""
    value = os.environ.get("BREACHPORTAL_MODE", PRODUCTION)
    if value not in (PRODUCTION, DEVELOPMENT, DEMO):
        raise ImproperlyConfigured(
            f"BREACHPORTAL_MODE is {value!r}; it is one of production, development, demo."
        )
    return value


def text(name: str, default: str = "") -> str:
    """Returns the variable NAME, or the content of the file that NAME_FILE names, or `default`.

    The file is for mounted secrets. Spaces and line ends around a value are left out. An empty
    variable counts as unset, an empty file does not: it would give the default in place of a
    secret. Raises ImproperlyConfigured for a file that is empty or cannot be read, and for a
    variable in quotes: systemd and shells remove them, container engines leave them in the value.
    """
    READ.add(name)
    value, path = (os.environ.get(key, "").strip() for key in (name, f"{name}_FILE"))
    if path and not value:
        return _content(name, Path(path))
    if re.fullmatch(r"(?s)\"[^\"]*\"|'[^']*'", value):
        raise ImproperlyConfigured(
            f"{name} is in quotes, which are part of the value; remove them."
        )
    return value or default


def shown_text(name: str, default: str = "") -> str:
    """Returns a text that customers read. See `text`.

    Raises ImproperlyConfigured for one with " # ": systemd and container engines take a comment
    after a value for a part of it, and each message would show it. A name like `Shop #5` stands.
    """
    value = text(name, default)
    if re.search(r"\s#\s", value):
        raise ImproperlyConfigured(
            f"{name} has a comment after its value, or a # between spaces. Write a comment on a"
            " line of its own, and a name without spaces around #."
        )
    return value


def _content(name: str, path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read: {why}.") from None
    if not content:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is empty.")
    return content


def words(name: str, default: str = "") -> list[str]:
    """Returns the items of a list that is separated by commas, without empty ones."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def number(name: str, default: int, *, least: int = 0) -> int:
    """Returns a whole number of `least` or more. Raises ImproperlyConfigured for another value."""
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number.") from None
    if found < least:
        at_least = f"be {least} or more" if least else "not be negative"
        raise ImproperlyConfigured(f"{name} is {value!r}; it must {at_least}.")
    return found


def choice(name: str, options: Sequence[str]) -> str:
    """Returns one of `options`, by default the first. Raises ImproperlyConfigured for another."""
    value = text(name, options[0])
    if value not in options:
        raise ImproperlyConfigured(f"{name} is {value!r}; it is one of {', '.join(options)}.")
    return value


def json_object(name: str) -> dict[str, Any]:
    """Returns a JSON object, which is empty if the variable is unset.

    Raises ImproperlyConfigured for another value.
    """
    try:
        value = json.loads(text(name) or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"{name} is not a JSON object.")
    return value


def by_language(prefix: str, defaults: Mapping[str, str]) -> dict[str, str]:
    """Returns a text for each language of `defaults`: of a variable such as PREFIX_ZH_HANT.

    Raises ImproperlyConfigured: see `shown_text`.
    """
    return {
        code: shown_text(language_variable(prefix, code), default)
        for code, default in defaults.items()
    }


def language_variable(prefix: str, code: str) -> str:
    """Returns the name of the variable that holds a text in a language."""
    return f"{prefix}_{code.upper().replace('-', '_')}"
