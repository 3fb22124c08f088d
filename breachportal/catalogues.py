"""The compiled catalogues: a system check, and what a missing translation falls back to.

The repository contains their sources (`django.po`) only. Django reads the compiled files. Without
them it shows every page in English and reports nothing.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.translation import trans_real

from foundations.languages import SOURCE_LANGUAGE, account_languages, default_language

HINT = "Run `make setup`, or in production `pybabel compile -d locale -D django`."


def check_catalogues(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns a message for each translation that is not compiled or is older than its source.

    The message is an error in production, where it stops `migrate`, and a warning elsewhere.
    """
    return [
        kind_of_fault()(f"{source} is not compiled.", hint=HINT, id="breachportal.T001")
        for folder in settings.LOCALE_PATHS
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/django.po"))
        if not _is_compiled(source)
    ]


def fall_back_to_english() -> None:
    """Makes a message without a translation English, in every language of the portal and the desk.

    Django takes it from the portal's first language, which readers of a third may not know.
    """
    for code, _name in account_languages():
        if code not in (default_language(), SOURCE_LANGUAGE):
            fallback = trans_real.translation(SOURCE_LANGUAGE)
            vars(trans_real.translation(code))["_fallback"] = fallback


def kind_of_fault() -> type[checks.Error] | type[checks.Warning]:
    """Returns the class of a message about a catalogue: an error in production."""
    return checks.Error if settings.IS_PRODUCTION else checks.Warning


def _is_compiled(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime
