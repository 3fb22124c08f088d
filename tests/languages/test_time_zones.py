"""An incident's days and clocks are those of its own time zone, wherever the portal runs."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from incidents.importing import days
from incidents.models import Incident
from notices.proof.notice_summary import notice_summary
from statements.legal import regulator_reports
from tests.desk_pages import page_text
from tests.notice_factory import draft_notice

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")

# The 19th in Seoul, the 18th in New York.
AWARE_AT = dt.datetime(2025, 11, 19, 3, 30, tzinfo=dt.UTC)


@pytest.fixture
def american(incident) -> Incident:
    incident.time_zone, incident.aware_at = "America/New_York", AWARE_AT
    incident.jurisdictions.create(jurisdiction="EU", standing="applies")
    incident.save()
    return incident


def test_a_public_page_shows_the_day_of_the_incidents_zone(client, american):
    page = page_text(client.get(reverse("incident", args=[american.slug])))
    assert "18 November 2025" in page
    assert "19 November 2025" not in page


def test_clocks_show_the_incidents_time(editors_desk, american):
    page = editors_desk.get(reverse("admin:statements_dutyconfirmation_clocks", args=[american.pk]))
    assert "22:30 EST" in page_text(page)


def test_reports_and_summaries_are_written_in_it(american, version, editor):
    notice = draft_notice(version, editor)
    facts = [rows for block in notice_summary(notice).blocks for rows in getattr(block, "rows", [])]
    assert ("Became aware", "18 November 2025, 22:30 EST") in facts
    assert "18 November 2025" in dict(regulator_reports._gdpr_items(american)).__repr__()


@pytest.mark.parametrize("name", ["", "Berlin", "Etc/GMT+9", "posixrules", "../etc/passwd", "EST"])
def test_only_zones_of_regions_are_accepted(incident, name):
    incident.time_zone = name
    with pytest.raises(ValidationError, match="time_zone"):
        incident.full_clean()


def test_unix_times_in_a_file_are_days_of_the_incident():
    seconds = str(int(AWARE_AT.timestamp()))
    assert days.reader(("unix",), "America/New_York")(seconds) == "2025-11-18"
    assert days.reader(("unix",), "Asia/Seoul")(seconds) == "2025-11-19"
