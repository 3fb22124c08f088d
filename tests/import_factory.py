"""Imports files for tests, and reads back what was reported, rejected or refused."""

import csv
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from incidents.importing import loading
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import translate_refusal
from incidents.importing.stopping import NothingTakenError
from incidents.models import AffectedPerson, ExposureFile, Incident
from tests.korean_messages import in_korean


def import_and_report(
    path: Path, *, incident: Incident, mapping_text: str, **options: Any
) -> ImportProgress:
    """Imports a file and returns the last report, also if every row is rejected."""
    reports: list[ImportProgress] = []
    with suppress(NothingTakenError):
        loading.import_file(
            path, incident=incident, mapping_text=mapping_text, report=reports.append, **options
        )
    return reports[-1]


def refusal_of(path: Path, *, incident: Incident, mapping_text: str, **options: Any) -> str:
    """Imports a file that must be refused; returns the line with the reason.

    Raises AssertionError if the file is imported, or anything of it is in the store.
    """
    with pytest.raises(ImportRefusedError) as caught:
        loading.import_file(path, incident=incident, mapping_text=mapping_text, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(path.name)
    assert in_korean(message, translate_refusal).startswith(path.name)
    assert not AffectedPerson.objects.exists()
    assert not ExposureFile.objects.filter(state=ExposureFile.State.LOADED).exists()
    return message


def read_reject_file(path: Path) -> list[list[str]]:
    """Returns the cells of every row, with the header."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))
