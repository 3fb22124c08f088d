"""The clock of each duty at the desk: when it is due, what met it and who confirmed it."""

import html
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents.desk_page import board_of
from incidents.models import Incident, IncidentJurisdiction
from notices import tasks
from notices.models import Notice
from statements import sample
from statements.legal import deadlines, review
from statements.legal.deadlines import DutyStatus, clocks_of
from statements.legal.duties import duty_title
from statements.legal.laws import all_duties
from statements.models import DutyConfirmation, RegulatorReport, StatementVersion

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db

NOTICE, REPORT, NETWORK = (
    "kr-decree-notice-72h",
    "kr-decree-report-72h",
    "kr-network-act-report-24h",
)


def clock(incident: Incident, duty: str) -> deadlines.DutyClock:
    return next(each for each in clocks_of(incident) if each.duty.id == duty)


def shown_clocks(incident: Incident) -> set[str]:
    return {each.key for each in board_of(incident).clocks}


def confirm(incident: Incident, by: User, duty: str = NETWORK, **fields) -> DutyConfirmation:
    fields = {"verdict": "met", "met_at": timezone.now(), "evidence": "Receipt 7"} | fields
    return DutyConfirmation.objects.create(incident=incident, duty=duty, confirmed_by=by, **fields)


def page_of(client, incident: Incident) -> str:
    url = reverse("admin:statements_dutyconfirmation_clocks", args=[incident.pk])
    return " ".join(client.get(url).content.decode().split())


@pytest.fixture
def just_noticed(incident) -> Incident:
    """An incident that the company has known for ten hours."""
    incident.aware_at = timezone.now() - timedelta(hours=10)
    incident.reported_count = 5000
    incident.save()
    return incident


def closed_notice(version: StatementVersion, editor, approver, **fields) -> Notice:
    now = timezone.now()
    values = {"planned": 1000, "accepted": 995, "bounced": 5, "state": "closed"} | fields
    notice = Notice.objects.create(
        incident=version.statement.incident,
        version=version,
        kind="mandatory",
        created_by=editor,
        approved_by=approver,
        approved_at=now,
        planned_at=now,
        closed_at=now,
        **values,
    )
    tasks.keep_figures()
    return notice


def test_clocks_count_from_becoming_aware(just_noticed):
    aware = just_noticed.aware_at
    assert clock(just_noticed, NETWORK).due_at == aware + timedelta(hours=24)
    assert clock(just_noticed, NOTICE).due_at == aware + timedelta(hours=72)
    assert clock(just_noticed, NOTICE).where == DutyStatus.OPEN
    assert clock(just_noticed, "kr-pipa-data-items").due_at is None


def test_a_clock_that_ran_out_is_overdue_and_comes_first(incident):
    clocks = clocks_of(incident)
    assert clocks[0].where == DutyStatus.OVERDUE
    due = [each.due_at for each in clocks if each.where == DutyStatus.OVERDUE and each.due_at]
    assert len(due) > 1
    assert due == sorted(due)


def test_the_desks_first_page_shows_the_deadlines(approvers_desk, just_noticed):
    assert "overdue" not in approvers_desk.get(reverse("admin:index")).content.decode()
    Incident.objects.update(aware_at=timezone.now() - timedelta(hours=30))
    shown = approvers_desk.get(reverse("admin:index")).content.decode()
    assert f"{just_noticed.title.get('en')}: 1 duty is overdue" in shown
    assert "Report the incident within 24 hours</a> (Network Act 48-3)" in shown


def test_an_article_is_cited_in_the_readers_language(approvers_desk, just_noticed):
    Incident.objects.update(aware_at=timezone.now() - timedelta(hours=30))
    approvers_desk.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    shown = approvers_desk.get(reverse("admin:index")).content.decode()
    assert "24시간 안에 침해사고 신고</a> (정보통신망법 제48조의3)" in shown
    assert "Network Act" not in shown


def test_a_korean_page_of_deadlines_has_no_english_citation(approvers_desk, just_noticed):
    for jurisdiction in {duty.jurisdiction for duty in all_duties()}:
        just_noticed.jurisdictions.get_or_create(jurisdiction=jurisdiction)
    approvers_desk.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    shown = page_of(approvers_desk, just_noticed)
    # The laws that are not checked have no Korean citation, and are marked as English.
    shown = re.sub(r'<td lang="en">.*?</td>', "", shown)
    for word in ("Article", "Act", "Code", "CFR", "Regulations", "Rules", "number", "PIPA", "APPI"):
        assert not re.search(rf"\b{word}\b", shown), word


def test_sending_to_all_affected_people_meets_the_notice_duty(
    just_noticed, version, editor, approver, approvers_desk
):
    closed_notice(version, editor, approver)
    met = clock(just_noticed, NOTICE)
    assert met.where == DutyStatus.MET
    assert met.met_at
    shown = page_of(approvers_desk, just_noticed)
    assert "995 of 1,000 messages accepted by e\u2011mail" in shown


def test_a_test_or_a_partial_send_does_not_meet_the_notice_duty(
    just_noticed, version, editor, approver
):
    closed_notice(version, editor, approver, audience="test")
    closed_notice(version, editor, approver, state="sending", accepted=3, bounced=0)
    assert clock(just_noticed, NOTICE).where == DutyStatus.OPEN


def test_a_duty_that_is_met_late_is_shown_as_late(incident, version, editor, approver):
    closed_notice(version, editor, approver)
    assert clock(incident, NOTICE).where == DutyStatus.LATE


def test_a_filed_report_meets_its_duty_and_a_draft_does_not(just_noticed, editor, approver):
    report = RegulatorReport.objects.create(
        incident=just_noticed,
        duty=REPORT,
        form="pipc",
        authority="개인정보보호위원회",
        text="내용",
        created_by=editor,
    )
    assert clock(just_noticed, REPORT).where == DutyStatus.OPEN
    RegulatorReport.objects.filter(pk=report.pk).update(
        state="filed", filed_at=timezone.now(), filed_by=approver, reference="2025-1234"
    )
    met = clock(just_noticed, REPORT)
    assert met.where == DutyStatus.MET
    assert "2025-1234" in met.evidence[0].words


def test_the_published_notice_meets_the_duties_of_its_sections():
    coupang = sample.load_sample_incident()
    clocks = {each.duty.id: each for each in clocks_of(coupang)}
    data_items = clocks["kr-pipa-data-items"]
    assert data_items.where == DutyStatus.MET
    assert "version 1" in data_items.evidence[0].words or "버전 1" in data_items.evidence[0].words
    assert data_items.evidence[0].url.endswith("/versions/1/")
    # The amendment of September 2026 was not in force when the company became aware.
    assert "kr-pipa-possible-leak" not in clocks


def test_only_the_incidents_jurisdictions_count(incident):
    assert {each.duty.jurisdiction for each in clocks_of(incident)} == {"KR"}
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    assert {each.duty.jurisdiction for each in clocks_of(incident)} == {"KR", "EU"}


def test_an_unanswered_condition_is_requested_and_not_overdue(incident, approver):
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    asked = clock(incident, "gdpr-report-72h")
    assert asked.is_asked
    assert "gdpr-report-72h" not in shown_clocks(incident)

    confirm(incident, approver, "gdpr-report-72h", verdict="applies", met_at=None)
    assert not clock(incident, "gdpr-report-72h").is_asked
    assert review.facts_of(incident).answers == {"gdpr-report-72h": True}
    assert "gdpr-report-72h" in shown_clocks(incident)


def test_the_reason_for_replacing_a_confirmation_is_shown_in_any_language(
    approvers_desk, incident, approver
):
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    first = confirm(incident, approver, "gdpr-report-72h", verdict="applies", met_at=None)
    args = [incident.pk, "gdpr-report-72h"]
    now = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    approvers_desk.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    form = {"verdict": "met", "evidence": "Receipt 7", "met_at": now}
    approvers_desk.post(reverse("admin:statements_dutyconfirmation_confirm", args=args), form)

    first.refresh_from_db()
    assert first.withdrawn_reason == "Followed by another confirmation."
    url = reverse("admin:statements_dutyconfirmation_change", args=[first.pk])
    assert "다른 확인으로 이어짐." in approvers_desk.get(url).content.decode()
    approvers_desk.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert first.withdrawn_reason in approvers_desk.get(url).content.decode()


def test_all_conditions_are_answered_on_one_page(approvers_desk, incident, approver):
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    url = reverse("admin:statements_dutyconfirmation_conditions", args=[incident.pk])
    asked = _asked(approvers_desk, url)
    assert len(asked) > 2
    first, second, *others = (f"verdict-{key}" for key in asked)
    assert url in page_of(approvers_desk, incident)
    assert "Answer one row at least." in approvers_desk.post(url, {"evidence": "x"}).text
    assert "Write what shows it." in approvers_desk.post(url, {first: "applies"}).text
    assert not DutyConfirmation.objects.exists()
    answers = {first: "applies", second: "not_applicable", "evidence": "Memo 1"}
    own = {f"evidence-{asked[1]}": "Memo 2"}
    assert approvers_desk.post(url, answers | own).status_code == 302
    made = DutyConfirmation.objects.order_by("pk").values_list("duty", "verdict", "evidence")
    assert list(made) == [
        (asked[0], "applies", "Memo 1"),
        (asked[1], "not_applicable", "Memo 2"),
    ]
    assert _asked(approvers_desk, url) == asked[2:]
    assert others


def test_a_condition_that_a_colleague_answered_meanwhile_is_named(
    approvers_desk, incident, editor, approver
):
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    url = reverse("admin:statements_dutyconfirmation_conditions", args=[incident.pk])
    first, second, *_others = _asked(approvers_desk, url)
    confirm(incident, editor, first, verdict="not_applicable", met_at=None)
    answers = {f"verdict-{first}": "applies", f"verdict-{second}": "applies", "evidence": "Memo 1"}
    said = f"your answer is not recorded: {duty_title(first)}"
    assert said in html.unescape(approvers_desk.post(url, answers, follow=True).text)
    assert DutyConfirmation.objects.get(duty=first).verdict == "not_applicable"
    # Of all rows: nothing is recorded, and the page still says why.
    assert said in html.unescape(approvers_desk.post(url, answers | {f"verdict-{second}": ""}).text)


def _asked(client, url: str) -> list[str]:
    return [duty.id for duty in client.get(url).context["form"].asked]


def test_a_person_confirms_with_evidence(approvers_desk, just_noticed, approver):
    url = reverse("admin:statements_dutyconfirmation_confirm", args=[just_noticed.pk, NETWORK])
    assert approvers_desk.get(url).status_code == 200
    refused = approvers_desk.post(url, {"verdict": "met", "evidence": "Receipt 7"})
    assert "Say since when it is met." in refused.content.decode()
    later = (timezone.localtime() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    refused = approvers_desk.post(url, {"verdict": "met", "evidence": "Receipt 7", "met_at": later})
    assert "This time is in the future." in refused.content.decode()

    now = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    answer = approvers_desk.post(url, {"verdict": "met", "evidence": "Receipt 7", "met_at": now})
    assert answer.status_code == 302
    confirmation = DutyConfirmation.objects.get()
    assert confirmation.confirmed_by == approver
    assert clock(just_noticed, NETWORK).where == DutyStatus.MET
    shown = page_of(approvers_desk, just_noticed)
    assert "approver@breachportal.example confirmed on" in shown
    assert "Receipt 7" in shown
    again = approvers_desk.post(url, {"verdict": "not_applicable", "evidence": "No"})
    assert "Withdraw that first." in again.content.decode()


def test_a_confirmation_is_withdrawn_with_a_reason_and_stays(
    approvers_desk, just_noticed, approver
):
    confirmation = confirm(just_noticed, approver)
    url = reverse("admin:statements_dutyconfirmation_withdraw", args=[confirmation.pk])
    assert approvers_desk.post(url, {"reason": ""}).status_code == 200
    assert clock(just_noticed, NETWORK).where == DutyStatus.MET
    approvers_desk.post(url, {"reason": "It was another incident's receipt."})
    assert clock(just_noticed, NETWORK).where == DutyStatus.OPEN
    confirmation.refresh_from_db()
    assert confirmation.withdrawn_by == approver
    again = approvers_desk.post(url, {"reason": "Again"}, follow=True)
    assert "Withdrawn already (approver@" in again.text
    confirm(just_noticed, approver)  # and the duty can be confirmed again


def test_a_duty_that_does_not_apply_has_no_deadline(incident, approver):
    assert clock(incident, NETWORK).where == DutyStatus.OVERDUE
    confirm(incident, approver, verdict="not_applicable", met_at=None)
    assert clock(incident, NETWORK).where == DutyStatus.NOT_APPLICABLE


@pytest.mark.parametrize(
    "change",
    [
        {"evidence": "Another"},
        {"met_at": timezone.now() - timedelta(days=9)},
        {"duty": NOTICE},
        {"withdrawn_reason": "No person, no time"},
    ],
)
def test_a_confirmation_cannot_be_edited(incident, approver, change):
    confirm(incident, approver)
    with pytest.raises(IntegrityError), transaction.atomic():
        DutyConfirmation.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        DutyConfirmation.objects.all().delete()


def test_a_withdrawal_changes_nothing_else(incident, approver):
    confirm(incident, approver)
    withdrawal = {"withdrawn_at": timezone.now(), "withdrawn_by": approver}
    with pytest.raises(IntegrityError), transaction.atomic():
        DutyConfirmation.objects.update(evidence="x", withdrawn_reason="y", **withdrawal)
    DutyConfirmation.objects.update(withdrawn_reason="y", **withdrawal)
    with pytest.raises(IntegrityError), transaction.atomic():
        DutyConfirmation.objects.update(withdrawn_at=None, withdrawn_by=None, withdrawn_reason="")


@pytest.mark.parametrize("role", ["editor", "support", "auditor", "importer"])
def test_only_an_approver_confirms(client, just_noticed, role):
    member = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
    member.groups.add(Group.objects.get(name=role))
    sign_in_to_desk(client, member)
    assert NETWORK not in page_of(
        client, just_noticed
    )  # the page is readable, but has no link to confirm
    url = reverse("admin:statements_dutyconfirmation_confirm", args=[just_noticed.pk, NETWORK])
    assert client.get(url).status_code == 403


def test_customers_do_not_find_the_page(client, minji, incident):
    client.force_login(minji)
    url = reverse("admin:statements_dutyconfirmation_clocks", args=[incident.pk])
    assert client.get(url).status_code == 404
