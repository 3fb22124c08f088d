"""Files as companies, tools and finders of leaks send them: read rightly, or clearly refused.

The desk's upload gives the same answer as the command.
"""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from incidents import uploads
from incidents.importing.refusals import BETWEEN
from incidents.models import ExposureFile, Incident, Upload
from tests.desk_pages import page_text
from tests.importing import sent_files
from tests.importing.more_messy_files import Case
from tests.importing.test_more_messy_files import MAPPING, check
from tests.importing.test_uploads import desk, importer, places, send, worked  # noqa: F401

pytestmark = pytest.mark.django_db
CASES = [
    *sent_files.MARKETING,
    *sent_files.FORENSICS,
    *sent_files.LEAKS,
    *sent_files.OFFICES,
    *sent_files.MISTAKES,
    *sent_files.PROGRAMS,
    *sent_files.FEW,
    *sent_files.EXPORTS,
    *sent_files.TABLES,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_rightly_or_refused_for_what_it_is(case, incident, tmp_path):
    check(case, incident, tmp_path)


# What comes after the fault: what to do.
HAS_WAY_OUT = re.compile("; |: (?=export|use|name|write|must be|correct|decide|read )")


def by_command(case: Case, incident: Incident, directory: Path) -> tuple[str, ...]:
    """Returns the refusal of the command, the row counts and the reject file."""
    path, mapping = directory / f"members{case.suffix}", directory / "mapping"
    path.write_bytes(case.content)
    mapping.write_text(case.mapping + (case.table or MAPPING), encoding="utf-8")
    rejects = directory / "rejects.csv"
    rejects.unlink(missing_ok=True)
    words = [str(path), "--incident", incident.slug, "--mapping", str(mapping)]
    try:
        call_command("import_exposures", *words, "--rejects", str(rejects), stdout=StringIO())
    except CommandError as error:
        return BETWEEN.join(str(error).splitlines()), "", ""
    written = rejects.read_bytes().decode() if rejects.exists() else ""
    return "", counts(ExposureFile.objects.latest("pk")), written


def counts(file: ExposureFile | Upload) -> str:
    return f"{file.rows_read} {file.rows_taken} {file.rows_rejected}"


def by_desk(case: Case, client: Client, incident: Incident) -> tuple[str, ...]:
    """Returns the same of an upload, with the findings of its check as a refusal."""
    mapping = case.mapping + (case.table or MAPPING)
    answer = send(client, incident, case.content, name=f"members{case.suffix}", mapping=mapping)
    if answer.status_code != 302:
        return page_text(answer), "", ""
    upload = worked(Upload.objects.latest("created_at"))
    if upload.findings:
        return BETWEEN.join(message for _code, message in upload.findings), "", ""
    if upload.state == Upload.State.CHECKED:
        uploads.want_import(upload)
        upload = worked(upload)
    if upload.refusal:
        return upload.refusal, "", ""
    return "", counts(upload), b"".join(uploads.rejects_of(upload)).decode()


def test_the_desk_answers_as_the_command(desk, incident, places, tmp_path):  # noqa: F811
    for case in CASES:
        answers = []
        for answer in (
            lambda case=case: by_command(case, incident, tmp_path),
            lambda case=case: by_desk(case, desk, incident),
        ):
            with transaction.atomic():
                answers.append(answer())
                transaction.set_rollback(True)
        (why, *command), (desk_why, *of_desk) = answers
        # The form refuses a mapping at once. Else the worker also says what it finds in the rows.
        assert bool(why) == bool(desk_why), (case.name, why, desk_why)
        for sentence in why.split(BETWEEN):
            assert sentence in desk_why, (case.name, sentence, desk_why)
            assert not sentence or HAS_WAY_OUT.search(sentence), sentence
        assert of_desk == command, case.name
        assert bool(why) == bool(case.refused), case.name
