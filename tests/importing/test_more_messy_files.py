"""More files as companies send them: each is read rightly, or refused for what it is."""

import re
from pathlib import Path
from typing import Any

import pytest

from incidents import store_check
from incidents.importing import loading, references, stopping
from incidents.importing.placeholders import is_placeholder
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import translate_refusal
from incidents.models import AffectedPerson, ExposureFile, Incident
from tests.import_factory import read_reject_file
from tests.importing import more_messy_files as messy
from tests.importing.more_messy_files import Case
from tests.korean_messages import in_korean

pytestmark = pytest.mark.django_db
MAPPING = (Path(__file__).parent / "messy" / "nodate.toml").read_text(encoding="utf-8")
CASES = [
    *messy.SPREADSHEETS,
    *messy.TEXTS,
    *messy.DATABASES,
    *messy.JSONS,
    *messy.OTHERS,
    *messy.ROWS,
]


def load(case: Case, incident: Incident, directory: Path) -> str:
    """Imports the file of a case. Returns why it is refused, or ""."""
    path = directory / f"members{case.suffix}"
    path.write_bytes(case.content)
    try:
        loading.import_file(
            path,
            incident=incident,
            mapping_text=case.mapping + (case.table or MAPPING),
            rejects_path=directory / "rejects.csv",
            accepted=(),
        )
    except stopping.NothingTakenError as error:
        return str(error)
    except ImportRefusedError as error:
        in_korean(str(error), translate_refusal)
        return str(error)
    return ""


def rejected_lines(directory: Path) -> tuple[int, ...]:
    path = directory / "rejects.csv"
    return tuple(int(row[0]) for row in read_reject_file(path)[1:]) if path.exists() else ()


def reachable(incident: Incident) -> dict[Any, str]:
    """Returns by id each person's name, and the addresses and numbers that find the person."""
    return {
        person.pk: _seen(incident, person)
        for person in AffectedPerson.objects.filter(incident=incident)
    }


def _seen(incident: Incident, person: AffectedPerson) -> str:
    contact = person.decrypt_contact()
    found = {"e": list[str](), "p": list[str]()}
    for key, text in sorted(contact.items()):
        if key == "n":
            continue
        wanted = {"emails" if key[0] == "e" else "phones": [text]}
        people = AffectedPerson.objects.with_contact(
            **{"emails": [], "phones": [], **wanted}, incidents=[incident]
        )
        if person.pk in [one.pk for one in people]:
            found[key[0]].append(text)
    return f"{contact.get('n', '').strip()}|{' '.join(found['e'])}|{' '.join(found['p'])}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_rightly_or_refused_for_what_it_is(case, incident, tmp_path):
    check(case, incident, tmp_path)


def check(case: Case, incident: Incident, directory: Path) -> None:
    """Checks that a file is read or refused as its case says."""
    refusal = load(case, incident, directory)

    assert "\n" not in refusal
    if case.refused:
        assert re.search(case.refused, refusal), refusal or reachable(incident)
        assert not AffectedPerson.objects.exists()
        assert not ExposureFile.objects.filter(state=ExposureFile.State.LOADED).exists()
        return
    assert not refusal
    assert rejected_lines(directory) == case.rejected, read_reject_file(directory / "rejects.csv")
    if case.people is not None:
        ids = {ref: incident.cipher().person_id("member", ref) for ref in case.people}
        assert reachable(incident) == {ids[ref]: found for ref, found in case.people.items()}
    assert store_check.check_whole(incident).faults == []


@pytest.mark.parametrize("reference", messy.EMPTY_REFERENCES)
def test_a_word_for_nothing_is_no_reference(reference):
    assert is_placeholder(reference)


@pytest.mark.parametrize("reference", messy.FOOTERS)
def test_a_total_or_the_end_of_a_report_is_no_reference(reference):
    assert references.is_total(reference) or references.is_checksum(reference)


@pytest.mark.parametrize("reference", ["minji", "suma", "antals", "sha256", "m-건수", "이상"])
def test_a_user_name_is_no_footer(reference):
    assert not references.is_total(reference)
    assert not references.is_footer(reference)
