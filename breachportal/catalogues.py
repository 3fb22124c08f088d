"""The catalogues of translations: system checks, and what a missing translation falls back to.

The repository contains their sources (`django.po`) only. Django reads the compiled files. Without
them it shows every page in English and reports nothing.
"""

from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from django.conf import settings
from django.core import checks
from django.utils.translation import to_locale, trans_real

from foundations.languages import SOURCE_LANGUAGE, default_language, portal_codes

HINT = "Run `make setup`, or in production `pybabel compile -d locale -D django`."
MOST_NAMED = 5  # messages in a check's sentence; `manage.py report_translations` names all


def check_catalogues(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns a message for each translation that is not compiled or is older than its source.

    The message is an error in production, where it stops `migrate`, and a warning elsewhere.
    """
    return [
        _kind()(f"{source} is not compiled.", hint=HINT, id="breachportal.T001")
        for folder in settings.LOCALE_PATHS
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/django.po"))
        if not _is_compiled(source)
    ]


def check_completeness(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns a message for each language of customers whose catalogue is missing or not complete.

    Otherwise customers would read a page in two languages. It is an error in production, as that
    of `check_catalogues`. The languages of the desk are not read: the tests compare them.
    """
    further = [code for code in portal_codes() if code not in settings.DESK_LANGUAGES]
    return [
        _kind()(
            f"{code}: {problem}",
            hint="Translate it, or take the language out of PORTAL_LANGUAGES.",
            id="breachportal.T002",
        )
        for code in further
        if (problem := _incomplete(code))
    ]


def _incomplete(code: str) -> str:
    """Returns what a language lacks, as a sentence; "" if it lacks nothing."""
    places = [
        Path(folder, to_locale(code), "LC_MESSAGES", "django.po")
        for folder in settings.LOCALE_PATHS
    ]
    source = next(filter(Path.exists, places), None)
    if source is None:
        return "the language has no catalogue."
    with source.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    missing = [message for message in messages if message.fuzzy or not _has_all_forms(message)]
    if not missing:
        return ""
    named = ", ".join(repr(message.id) for message in missing[:MOST_NAMED])
    done = len(messages) - len(missing)
    return f"{done} of {len(messages)} messages are translated; missing: {named}."


def fall_back_to_english() -> None:
    """Makes a message without a translation English, in every language of the portal.

    Django takes it from the portal's first language, which readers of a third may not know.
    """
    for code in portal_codes():
        if code not in (default_language(), SOURCE_LANGUAGE):
            fallback = trans_real.translation(SOURCE_LANGUAGE)
            vars(trans_real.translation(code))["_fallback"] = fallback


def _kind() -> type[checks.Error] | type[checks.Warning]:
    return checks.Error if settings.IS_PRODUCTION else checks.Warning


def _has_all_forms(message: Any) -> bool:
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return bool(forms) and all(forms)


def _is_compiled(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime
