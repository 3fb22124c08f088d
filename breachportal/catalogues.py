"""A system check that the translations are compiled.

The repository contains their sources (`django.po`) only. Django reads the compiled files. Without
them it shows every page in English and reports nothing.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

HINT = "Run `make setup`, or in production `pybabel compile -d locale -D django`."


def check_catalogues(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns a message for each translation that is not compiled or is older than its source.

    The message is an error in production, where it stops `migrate`, and a warning elsewhere.
    """
    kind = checks.Error if settings.IS_PRODUCTION else checks.Warning
    return [
        kind(f"{source} is not compiled.", hint=HINT, id="breachportal.T001")
        for folder in settings.LOCALE_PATHS
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/django.po"))
        if not _is_compiled(source)
    ]


def _is_compiled(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime
