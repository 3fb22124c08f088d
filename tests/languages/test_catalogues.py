"""Compiled translations are not in the repository; a check reports missing ones."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core import checks

from breachportal.catalogues import check_catalogues

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sources(tmp_path, settings) -> list[Path]:
    """Copies of both catalogues, with empty compiled files."""
    for language in ("en", "ko"):
        folder = tmp_path / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "locale" / language / "LC_MESSAGES" / "django.po", folder)
        (folder / "django.mo").touch()
    settings.LOCALE_PATHS = [tmp_path]
    return sorted(tmp_path.rglob("django.po"))


def test_compiled_translations_raise_no_warning(sources):
    assert check_catalogues() == []


@pytest.mark.parametrize(("is_production", "kind"), [(True, checks.Error), (False, checks.Warning)])
def test_a_translation_that_is_not_compiled_is_named(sources, settings, is_production, kind):
    settings.IS_PRODUCTION = is_production
    sources[0].with_suffix(".mo").unlink()
    [found] = check_catalogues()
    assert isinstance(found, kind)
    assert str(sources[0]) in found.msg
    assert "make setup" in str(found.hint)


def test_a_translation_older_than_its_source_is_named(sources):
    changed = sources[1].stat().st_mtime + 10
    os.utime(sources[1], (changed, changed))
    [found] = check_catalogues()
    assert str(sources[1]) in found.msg


def test_no_compiled_translation_is_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files", "*.mo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert listed.stdout == ""
