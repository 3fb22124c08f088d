"""An import that is killed at any moment and started again gives the same rows.

`make drill-import` does the same twenty times with a million people.
"""

import os
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks import drill_import
from benchmarks.bench_import import mapping_of, new_incident, write_export
from tests.database import database_url

PEOPLE, KILLS = 20_000, 2


@pytest.fixture
def subject(transactional_db, tmp_path: Path) -> drill_import.Subject:
    """The import command, on the tests' database."""
    write_export(tmp_path, PEOPLE, addresses=0)
    mapping = tmp_path / "members.toml"
    mapping.write_text(mapping_of("members"), encoding="utf-8")
    new_incident(drill_import.SLUG)
    return drill_import.Subject(
        source=tmp_path / "members.csv",
        mapping=mapping,
        environment={
            **os.environ,
            "DATABASE_URL": database_url(),
            "BREACHPORTAL_VAR": str(settings.VAR),
        },
    )


def test_a_killed_import_started_again_gives_the_same_rows(subject):
    found = drill_import.drill(subject, kills=KILLS, seed=3)

    assert found["same_digests"] == KILLS
