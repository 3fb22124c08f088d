"""Exports of products, imported with the draft of their mapping: read rightly, or refused."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from incidents import store_check
from incidents.models import AffectedPerson
from tests.importing import drafted_exports
from tests.importing.drafted_exports import Export
from tests.importing.test_more_messy_files import reachable, rejected_lines

pytestmark = pytest.mark.django_db


def load(export: Export, incident, directory) -> str:
    """Imports an export with the draft of its mapping. Returns why it is refused, or ""."""
    path, mapping = directory / f"members{export.suffix}", directory / "mapping.toml"
    path.write_bytes(export.data())
    encoding = export.encoding.removesuffix("-sig")
    declared = [] if encoding.startswith("utf") else ["--encoding", encoding]
    draft = StringIO()
    incident.phone_region = export.of.region
    incident.save()
    words = [str(path), "--incident", incident.slug]
    try:
        call_command("import_exposures", "--draft-mapping", *words, *declared, stdout=draft)
        mapping.write_text(draft.getvalue(), encoding="utf-8")
        words += ["--mapping", str(mapping), "--rejects", str(directory / "rejects.csv")]
        call_command("import_exposures", *words, stdout=StringIO())
    except CommandError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("export", drafted_exports.CASES, ids=lambda export: export.name)
def test_the_draft_of_an_export_reads_each_person(export, incident, tmp_path):
    refusal = load(export, incident, tmp_path)

    if export.refused:
        assert re.search(export.refused, refusal), refusal or reachable(incident)
        assert not AffectedPerson.objects.exists()
        return
    assert not refusal
    ids = {ref: incident.cipher().person_id("member", ref) for ref in export.people()}
    assert reachable(incident) == {ids[ref]: found for ref, found in export.people().items()}
    assert rejected_lines(tmp_path) == export.rejected
    assert store_check.check_whole(incident).faults == []
