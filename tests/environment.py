"""The environment of the tests: a pytest plugin, so that it is set before Django reads it."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("BREACHPORTAL_MODE", "development")
# Servers of their own: a demonstration may be running beside the tests.
os.environ.setdefault("BREACHPORTAL_VAR", str(Path(__file__).parent.parent / "var" / "test"))
# What a test changes shows at once; tests/test_page_cache.py sets what production has.
os.environ.setdefault("PUBLIC_PAGE_SECONDS", "0")


def pytest_configure() -> None:
    """Stops at once without compiled translations: hundreds of tests would fail for that reason."""
    for source in (Path(__file__).parent.parent / "locale").glob("*/LC_MESSAGES/django.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            raise pytest.UsageError(f"{source} is not compiled; run `make catalogues`")
