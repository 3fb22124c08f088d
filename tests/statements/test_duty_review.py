"""Duty review and wording lint at the desk: what blocks publishing, warns, or is waived."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from incidents.models import Incident, IncidentJurisdiction
from statements import publishing, sample
from statements.legal import laws
from statements.models import DutyWaiver, Statement, StatementVersion, WithdrawnWaiver
from tests.desk_pages import version_url
from tests.localized import merged
from tests.statement_factory import complete_draft

pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def notice(incident) -> Statement:
    exposure_factory.state(incident, "names", "involved", basis="confirmed")
    return Statement.objects.create(incident=incident, kind="notice", slug="notice")


@pytest.fixture
def draft(notice, editor) -> StatementVersion:
    """A draft notice that meets Korean law."""
    return complete_draft(notice, editor)


def publish(desk, version: StatementVersion) -> str:
    """Posts the publishing form; returns the page that the desk shows next."""
    seen = publishing.fingerprint(version)
    response = desk.post(version_url("publish", version), {"seen": seen}, follow=True)
    version.refresh_from_db()
    return response.content.decode()


def write(version: StatementVersion, key: str, *, ko: str, en: str) -> None:
    version.sections.filter(key=key).update(body={"ko": ko, "en": en})


def test_a_complete_notice_is_published(approvers_desk, draft):
    publish(approvers_desk, draft)
    assert draft.is_published


def test_a_missing_section_blocks_and_names_the_law(approvers_desk, draft):
    draft.sections.filter(key="self_protection_steps").delete()
    shown = publish(approvers_desk, draft)
    assert not draft.is_published
    assert "PIPA 34(1)3" in shown
    assert "Publish for good" not in shown


def test_a_law_that_is_followed_voluntarily_only_warns(approvers_desk, draft, incident):
    IncidentJurisdiction.objects.create(
        incident=incident, jurisdiction="US-CA", standing="voluntary"
    )
    shown = approvers_desk.get(version_url("publish", draft)).content.decode()
    assert "Civ. Code 1798.82(d)(1), followed voluntarily" in shown
    assert "Publish for good" in shown
    publish(approvers_desk, draft)
    assert draft.is_published


def test_a_notice_without_any_jurisdiction_is_refused(approvers_desk, draft, incident):
    incident.jurisdictions.all().delete()
    shown = publish(approvers_desk, draft)
    assert "which jurisdiction" in shown
    assert not draft.is_published


def test_another_kind_is_free_in_its_sections_but_not_in_its_words(
    approvers_desk, incident, editor
):
    incident.jurisdictions.all().delete()
    update = Statement.objects.create(incident=incident, kind="update", slug="update")
    draft = publishing.draft_next(update, by=editor)
    draft.title = {"ko": "새 소식", "en": "News"}
    draft.save()
    write(draft, "body", ko="고객 정보가 노출되었습니다.", en="Customer data leaked.")
    shown = publish(approvers_desk, draft)
    assert not draft.is_published
    assert "노출" in shown
    write(draft, "body", ko="고객 정보가 유출되었습니다.", en="Customer data leaked.")
    publish(approvers_desk, draft)
    assert draft.is_published


def test_a_number_that_only_one_language_gives_is_refused(approvers_desk, draft):
    write(draft, "when_and_how", ko="계정 4,536개가 유출되었습니다.", en="Accounts leaked.")
    publish(approvers_desk, draft)
    assert not draft.is_published


def test_a_section_in_one_language_is_not_linted_as_the_other(draft, approver):
    write(draft, "when_and_how", ko="고객 정보가 유출되었습니다.", en="")
    found = publishing.publishing_findings(draft, by=approver)
    assert [finding.rule for finding in found if finding.blocks] == ["language"]


def test_californias_title_and_headings_are_laid_out(incident, notice, editor):
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="US-CA")
    draft = publishing.draft_next(notice, by=editor)
    assert draft.title.get("en") == "Notice of Data Breach"
    headings = set(draft.sections.values_list("heading__en", flat=True))
    assert headings >= {
        "What Happened",
        "What Information Was Involved",
        "What We Are Doing",
        "What You Can Do",
        "For More Information",
    }


def test_the_longest_required_posting_time_applies(settings, draft, approver):
    settings.STATEMENT_DISPLAY_DAYS = 7
    for days, expected in ((29, ["display"]), (30, [])):
        draft.display_until = timezone.localdate() + timedelta(days=days)
        found = publishing.publishing_findings(draft, by=approver)
        assert [finding.rule for finding in found if finding.blocks] == expected


# Waivers

WAIVER = {
    "rule": "kr-pipa-self-protection",
    "reason_ko": "다른 통지에 있습니다.",
    "reason_en": "Another notice has it.",
}


@pytest.fixture
def lacking(draft) -> StatementVersion:
    draft.sections.filter(key="self_protection_steps").delete()
    return draft


def test_a_waived_duty_no_longer_blocks_and_the_log_shows_the_reason(
    approvers_desk, lacking, approver
):
    shown = approvers_desk.post(version_url("waive", lacking), WAIVER, follow=True).content.decode()
    assert "Another notice has it." in shown
    assert lacking.waivers.get().waived_by == approver
    publish(approvers_desk, lacking)
    assert lacking.is_published
    articles = {"en": "PIPA 34(1)3", "ko": "제34조제1항제3호"}
    for language, article in articles.items():
        log = approvers_desk.get(f"/{language}/incidents/hanbit-2025/log/").content.decode()
        assert article in log
        assert WAIVER[f"reason_{language}"] in log


@pytest.mark.parametrize(
    "change",
    [
        {"rule": "kr-pipa-data-items"},
        {"rule": "second_person"},
        {"reason_en": " "},
        {"reason_ko": ""},
    ],
)
def test_only_a_blocking_finding_is_waived_and_only_with_a_reason(approvers_desk, lacking, change):
    response = approvers_desk.post(version_url("waive", lacking), WAIVER | change)
    assert response.status_code == 200
    assert not DutyWaiver.objects.exists()


def test_its_writer_cannot_waive(client, lacking, editor):
    sign_in_to_desk(client, editor)
    client.cookies["language"] = "en"
    response = client.post(version_url("waive", lacking), WAIVER)
    assert "A second person" in response.content.decode()
    assert not DutyWaiver.objects.exists()


def test_staff_who_may_not_publish_may_not_waive(client, lacking, editor):
    editor.is_superuser = False
    editor.save()
    sign_in_to_desk(client, editor)
    assert client.post(version_url("waive", lacking), WAIVER).status_code == 403


def test_the_next_version_needs_its_own_waiver(approvers_desk, lacking, editor):
    approvers_desk.post(version_url("waive", lacking), WAIVER)
    publish(approvers_desk, lacking)
    assert not publishing.draft_next(lacking.statement, by=editor).waivers.exists()


def test_the_waiver_of_a_published_version_is_permanent_and_in_its_hash(lacking, approver):
    reason = {"ko": WAIVER["reason_ko"], "en": WAIVER["reason_en"]}
    waiver = publishing.waive(lacking, rule=WAIVER["rule"], reason=reason, by=approver)
    published = publishing.publish(lacking, by=approver)
    for change in (
        waiver.delete,
        lambda: DutyWaiver.objects.update(**merged("reason", en="x")),
        lambda: DutyWaiver.objects.create(
            version=published, rule="hedge", reason={"ko": "x", "en": "x"}, waived_by=approver
        ),
    ):
        with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
            change()
    assert publishing.verify_statement(published.statement) == []


def withdrawal(version: StatementVersion) -> str:
    return reverse(
        "admin:statements_statementversion_withdraw_waiver", args=[version.pk, WAIVER["rule"]]
    )


def test_a_waiver_is_withdrawn_with_a_reason_and_stays_on_record(approvers_desk, lacking, approver):
    approvers_desk.post(version_url("waive", lacking), WAIVER)
    assert (
        withdrawal(lacking) in approvers_desk.get(version_url("publish", lacking)).content.decode()
    )
    assert approvers_desk.post(withdrawal(lacking), {"reason": " "}).status_code == 200
    assert lacking.waivers.exists()

    approvers_desk.post(withdrawal(lacking), {"reason": "That notice was withdrawn."})
    assert not lacking.waivers.exists()
    record = WithdrawnWaiver.objects.get()
    assert (record.waived_by, record.withdrawn_by) == (approver, approver)
    assert record.reason.get("en") == WAIVER["reason_en"]
    publish(approvers_desk, lacking)
    assert not lacking.is_published  # the waived duty blocks again
    with pytest.raises(IntegrityError), transaction.atomic():
        WithdrawnWaiver.objects.update(**merged("reason", en="x"))
    again = approvers_desk.post(withdrawal(lacking), {"reason": "Again"}, follow=True)
    assert "This waiver is withdrawn (approver@" in again.text


def test_a_published_versions_waiver_cannot_be_withdrawn(approvers_desk, lacking, approver):
    approvers_desk.post(version_url("waive", lacking), WAIVER)
    publish(approvers_desk, lacking)
    late = approvers_desk.post(withdrawal(lacking), {"reason": "Too late"}, follow=True)
    assert "Published already (approver@" in late.text
    rule = WAIVER["rule"]
    assert not publishing.withdraw_waiver(lacking, rule=rule, reason="x", by=approver)
    assert lacking.waivers.exists()


def test_staff_who_may_not_publish_may_not_withdraw_a_waiver(client, lacking, editor, approver):
    reason = {"ko": WAIVER["reason_ko"], "en": WAIVER["reason_en"]}
    publishing.waive(lacking, rule=WAIVER["rule"], reason=reason, by=approver)
    editor.is_superuser = False
    editor.save()
    sign_in_to_desk(client, editor)
    assert client.post(withdrawal(lacking), {"reason": "x"}).status_code == 403


# What is on file, and the sample


def test_every_jurisdiction_on_file_can_be_chosen_and_no_other():
    assert set(laws.jurisdictions()) == set(IncidentJurisdiction.Name.values)


def test_the_desk_asks_an_incident_for_its_jurisdictions(approvers_desk, incident):
    url = reverse("admin:incidents_incident_change", args=[incident.pk])
    shown = approvers_desk.get(url).content.decode()
    assert 'name="jurisdictions-0-standing"' in shown
    assert 'name="illegal_access"' in shown


def test_no_finding_blocks_the_sample_incident(db):
    incident: Incident = sample.load_sample_incident()
    for version in StatementVersion.objects.filter(statement__incident=incident):
        found = publishing.draft_findings(version)
        assert [(finding.rule, finding.quote) for finding in found if finding.blocks] == []
        assert [(finding.rule, finding.quote) for finding in found] == []
