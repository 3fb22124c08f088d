"""One person cannot withdraw an open scope version to get around the write-off by two."""

import pytest

from incidents import scope_versions
from incidents.importing import loading
from incidents.models import ExposureBatch
from incidents.scope_versions import ScopeRefusedError

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "id"
email = "email"
contact_leaked = ["email"]
"""


def load(incident, tmp_path, rows: str) -> ExposureBatch:
    path = tmp_path / "members.csv"
    path.write_text(f"id,email\n{rows}")
    return loading.import_file(path, incident=incident, mapping_text=MAPPING).batch


def test_an_open_version_with_unread_rows_is_not_withdrawn(incident, tmp_path):
    batch = load(incident, tmp_path, "1,minji@example.com\n,seojun@example.com\n")

    with pytest.raises(ScopeRefusedError, match="let two people write the rows off"):
        scope_versions.withdraw(batch, "wrong file")

    batch.refresh_from_db()
    assert batch.state == ExposureBatch.State.OPEN


def test_an_open_version_that_is_read_whole_is_withdrawn(incident, tmp_path):
    batch = load(incident, tmp_path, "1,minji@example.com\n")

    scope_versions.withdraw(batch, "wrong file")

    assert batch.state == ExposureBatch.State.WITHDRAWN
