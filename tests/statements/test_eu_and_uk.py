"""The European Union and the United Kingdom are two jurisdictions, each with its own authority."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.models import Incident
from statements.legal import regulator_reports as reports
from statements.legal.deadlines import DutyStatus, clocks_of
from statements.models import DutyConfirmation, RegulatorReport
from tests.desk_pages import page_text

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")

EU, UK = "gdpr-report-72h", "uk-gdpr-report-72h"


@pytest.fixture
def retailer(incident) -> Incident:
    incident.jurisdictions.all().delete()
    for jurisdiction in ("EU", "UK"):
        incident.jurisdictions.create(jurisdiction=jurisdiction, standing="applies")
    incident.aware_at = timezone.now() - timedelta(days=2)
    incident.save()
    return incident


def draft(incident, by, duty: str, authority: str) -> RegulatorReport:
    return RegulatorReport.objects.create(
        incident=incident, duty=duty, form="gdpr", authority=authority, text="x", created_by=by
    )


def status(incident, duty: str) -> DutyStatus:
    return next(each.where for each in clocks_of(incident) if each.duty.id == duty)


def test_a_report_to_the_ico_meets_the_duty_of_the_united_kingdom_only(retailer, approver):
    report = draft(retailer, approver, UK, "Information Commissioner's Office (ICO)")
    reports.file(report, at=timezone.now(), reference="IC-1", by=approver)
    assert status(retailer, UK) == DutyStatus.MET
    assert status(retailer, EU) == DutyStatus.OPEN


@pytest.mark.parametrize(
    ("duty", "authority"),
    [
        (EU, "ICO"),
        (EU, "The Information Commissioner's Office"),
        (EU, "個人情報保護委員会"),
        (UK, "CNIL"),
        (UK, "Der BfDI, Bonn"),
        (UK, "Information Commissioner of the Republic of Slovenia"),
        (EU, "Personal Data Protection Commission"),
    ],
)
def test_an_authority_of_another_law_is_refused(retailer, approver, duty, authority):
    report = draft(retailer, approver, duty, authority)
    with pytest.raises(reports.FilingRefusedError, match="an authority of another law"):
        reports.file(report, at=timezone.now(), reference="", by=approver)
    report.refresh_from_db()
    assert not report.is_filed


@pytest.mark.parametrize(
    ("duty", "authority"),
    [
        (EU, "CNIL"),
        (EU, "Data Protection Commission"),
        (EU, "Information Commissioner of the Republic of Slovenia"),
        (EU, "Landesbeauftragte für Datenschutz und Informationsfreiheit NRW"),
        (EU, "BfDI, with a copy to the ICO"),
        (EU, "An authority that no file names"),
        (UK, "ICO"),
    ],
)
def test_its_own_authority_and_an_unknown_one_are_accepted(retailer, duty, authority):
    assert reports.objection(retailer, duty, authority) == ""


def test_the_desk_refuses_a_law_that_does_not_apply(editors_desk, retailer):
    add = reverse("admin:statements_regulatorreport_add")
    fields = {"incident": retailer.pk, "form": "gdpr", "authority": "PPC"}
    page = page_text(editors_desk.post(add, fields | {"duty": "jp-preliminary-report"}))
    assert "is not among the laws of this incident" in page
    page = page_text(editors_desk.post(add, fields | {"duty": EU, "authority": "ICO"}))
    assert "This is an authority of another law (UK GDPR (United Kingdom))" in page
    assert not RegulatorReport.objects.exists()


def test_a_jurisdiction_that_was_taken_away_refuses_the_filing(retailer, approver):
    report = draft(retailer, approver, UK, "ICO")
    retailer.jurisdictions.filter(jurisdiction="UK").delete()
    with pytest.raises(reports.FilingRefusedError, match="not among the laws"):
        reports.file(report, at=timezone.now(), reference="", by=approver)


def test_a_supplement_is_not_filed_before_the_first_report(retailer, approver):
    first = draft(retailer, approver, UK, "ICO")
    reports.file(first, at=timezone.now() - timedelta(hours=1), reference="", by=approver)
    first.refresh_from_db()
    supplement, _ = reports.draft_supplement(first, by=approver)
    with pytest.raises(reports.FilingRefusedError, match="filed later than this"):
        reports.file(supplement, at=timezone.now() - timedelta(hours=2), reference="", by=approver)


def test_a_duty_is_not_confirmed_as_met_before_the_company_became_aware(approvers_desk, retailer):
    url = reverse("admin:statements_dutyconfirmation_confirm", args=[retailer.pk, UK])
    early = (timezone.localtime() - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
    form = {"verdict": "met", "evidence": "Receipt 7", "met_at": early}
    assert "had not become aware by then" in page_text(approvers_desk.post(url, form))
    assert not DutyConfirmation.objects.exists()


def test_telling_people_without_undue_delay_has_a_clock_without_an_end(approvers_desk, retailer):
    clock = next(each for each in clocks_of(retailer) if each.duty.id == "gdpr-without-undue-delay")
    assert (clock.due_at, clock.where, clock.is_asked) == (None, DutyStatus.OPEN, True)
    page = approvers_desk.get(
        reverse("admin:statements_dutyconfirmation_clocks", args=[retailer.pk])
    )
    assert "without undue delay<br>2\u00a0days since becoming aware" in page_text(page)


def test_a_report_without_a_form_is_in_the_incidents_language(retailer, approver):
    retailer.languages, retailer.default_language = ["en"], "en"
    retailer.save()
    report = draft(retailer, approver, UK, "ICO")
    report.form = RegulatorReport.Form.OTHER
    assert report.language == "en"
