"""A company adds its own law files by a setting; the US states without a file are named."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.urls import reverse

from breachportal import desk_health, metrics
from breachportal.doctor import diagnose
from incidents.models import IncidentJurisdiction
from statements import publishing, sample
from statements.legal import laws, review
from statements.legal.deadlines import clocks_of
from statements.legal.uncovered_states import uncovered_states
from statements.models import Statement
from tests.desk_pages import page_text
from tests.statement_factory import complete_draft
from tests.statements.test_duties import DUTY, LAW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "us-states.md"


@pytest.fixture
def own_laws(settings, tmp_path) -> Path:
    """A folder of the company with the law of Texas."""
    text = (LAW + DUTY).replace('"XX"', '"US-TX"').replace("xx-one", "us-tx-one")
    (tmp_path / "us-tx.toml").write_text(text, encoding="utf-8")
    settings.LAW_FOLDER = str(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("own_laws")
def test_the_desk_offers_a_jurisdiction_of_the_company_by_the_name_of_its_law(
    editors_desk, incident
):
    page = page_text(editors_desk.get(reverse("admin:incidents_incident_add")))
    assert '<option value="US-TX">Act</option>' in page
    added = IncidentJurisdiction(incident=incident, jurisdiction="US-TX", standing="applies")
    added.full_clean()
    added.save()
    assert str(added) == "Act: applies"
    assert "us-tx-one" in {clock.duty.id for clock in clocks_of(incident)}
    assert "kr-pipa-data-items" in {clock.duty.id for clock in clocks_of(incident)}


def test_a_jurisdiction_without_a_law_is_refused(incident):
    with pytest.raises(ValidationError, match="US-TX"):
        IncidentJurisdiction(incident=incident, jurisdiction="US-TX").full_clean()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"US-TX"', '"Texas"', "write a code such as KR or US-TX"),
        ("us-tx-one", "kr-pipa-data-items", "the id is taken"),
        ('mark = "R"', "", "“mark” is missing"),
    ],
)
def test_a_mistake_in_a_file_of_the_company_stops_every_command(own_laws, old, new, message):
    path = own_laws / "us-tx.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SystemCheckError, match=message):
        call_command("check")


def test_an_incident_whose_law_is_gone_says_so_everywhere(editors_desk, incident, editor):
    notice = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    draft = complete_draft(notice, editor)
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="US-TX")
    words = "No law is on file for US-TX"
    for name, args in {
        "index": [],
        "statements_dutyconfirmation_clocks": [incident.pk],
        "statements_statementversion_change": [draft.pk],
    }.items():
        assert words in page_text(editors_desk.get(reverse(f"admin:{name}", args=args))), name
    assert "kr-pipa-data-items" in {clock.duty.id for clock in clocks_of(incident)}
    assert ("legal_laws_missing", 1, {"incident": str(incident.pk)}) in [*metrics._clocks()]
    states = {state.name: state for state in desk_health.states()}
    assert "law is not on file" in states["Legal clocks"].words
    [(_name, found)] = diagnose(("laws",))
    assert found.level == "fault"
    assert f"US-TX, which the incident {incident.slug} names" in found.text
    refusals = [each.rule for each in publishing.draft_findings(draft) if each.blocks]
    assert "law_file" in refusals
    assert "law_file" not in review.waivable(draft)


@pytest.mark.parametrize("slug", sample.SAMPLES)
def test_each_demonstration_has_the_law_files_of_all_samples(slug):
    """The database of the demonstration keeps each sample that was shown."""
    command = ["make", "--dry-run", "demo", f"INCIDENT={slug}"]
    environment = {name: value for name, value in os.environ.items() if name != "LAW_FOLDER"}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert f'LAW_FOLDER="{sample.LAW_FOLDER}"' in run.stdout


def test_a_folder_that_holds_no_law_is_refused(settings, tmp_path):
    settings.LAW_FOLDER = str(tmp_path / "missing")
    with pytest.raises(laws.LegalFileError, match="there is no file of duties"):
        laws.all_duties()


def test_the_page_of_clocks_names_the_states_that_are_not_checked(editors_desk, incident):
    url = reverse("admin:statements_dutyconfirmation_clocks", args=[incident.pk])
    assert "Not checked" not in page_text(editors_desk.get(url))
    incident.jurisdictions.create(jurisdiction="US-CA", standing="applies")
    page = page_text(editors_desk.get(url))
    assert "Not checked: the laws of other US states" in page
    assert "Tex. Bus. & Com. Code § 521.053" in page


@pytest.mark.usefixtures("own_laws")
def test_a_state_with_a_file_is_not_named():
    codes = {state.code for state in uncovered_states(["US-CA"])}
    assert "US-NY" in codes
    assert not {"US-TX", "US-CA"} & codes


def test_all_states_and_the_district_are_either_checked_or_named():
    states = uncovered_states(["US-CA"])
    assert len({state.code for state in states}) == len(states) == 53  # with three territories
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert rows[1:] == [(state.name.get("en"), state.statute) for state in states]
    for state in states:
        assert re.search("[가-힣]", state.name.get("ko"))
