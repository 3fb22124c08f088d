"""The page of an incident on the desk: clocks, stages, the next step, what waits, and figures."""

from datetime import datetime, timedelta
from time import process_time
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from accounts.audit.actors import acting
from accounts.models import RightsGrant, User
from harness.sign_in import sign_in_to_desk
from incidents import figure_points
from incidents.desk_page import DeskFigure, StageState, WorkStage, board_of, duration
from incidents.models import (
    ExposureBatch,
    FactChange,
    FigurePoint,
    Incident,
    Shredding,
    Upload,
)
from incidents.tasks import keep_figure_points
from notices import decisions
from notices.models import Chunk, Notice
from scams.models import ScamReport
from statements import publishing
from statements.models import Statement
from tests.desk_pages import desk_url, page_text
from tests.incident_factory import another_incident
from tests.notice_factory import draft_notice

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db


def shown_to(client, user: User, url: str, language: str = "en") -> str:
    sign_in_to_desk(client, user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return " ".join(page_text(client.get(url)).split())


def page_of(client, user: User, incident: Incident, language: str = "en") -> str:
    return shown_to(client, user, desk_url("incidents_incident_page", incident.pk), language)


def stage(incident: Incident, name: str) -> WorkStage:
    with override("en"):
        return next(each for each in board_of(incident).stages if each.name == name)


def kind(key: str) -> str:
    return key.rstrip("-0123456789")


def step(incident: Incident) -> str:
    incident.refresh_from_db()
    task = board_of(incident).next_task
    return kind(task.key) if task else ""


def waiting(incident: Incident, user: User) -> set[str]:
    return {kind(task.key) for task in board_of(incident).waiting_for(user)}


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(), "0 seconds"),
        (timedelta(seconds=19.9), "19 seconds"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(hours=1, minutes=59), "119 minutes"),
        (timedelta(hours=31, minutes=10), "31 hours"),
        (timedelta(hours=72, minutes=59), "72 hours"),
        (timedelta(hours=100), "4 days 4 hours"),
        (timedelta(days=377, hours=5), "377 days"),
    ],
)
def test_durations_are_in_words_and_in_hours_up_to_three_days(english, time, words):
    assert duration(time) == words


def test_durations_are_in_korean_words():
    times = (timedelta(seconds=19), timedelta(minutes=20), timedelta(days=377, hours=5))
    with override("ko"):
        assert [duration(each) for each in times] == ["19초", "20분", "377일"]


def test_the_clocks_show_the_time_left_and_the_overdue_ones_first(client, editor, incident):
    incident.aware_at = timezone.now() - timedelta(hours=40, minutes=30)
    incident.illegal_access = True
    incident.save()
    shown = page_of(client, editor, incident)
    assert "<strong>31 hours left</strong>" in shown
    assert "<strong>16 hours overdue</strong>" in shown
    assert shown.index("16 hours overdue") < shown.index("31 hours left")


def test_the_stages_stand_in_the_order_of_the_work(english, incident):
    names = [each.name for each in board_of(incident).stages]
    assert names == ["Scope", "Statement", "Approval", "Sending", "Posting", "Reports"]
    assert stage(incident, "Scope").state == StageState.OPEN


def test_the_next_step_leads_from_the_first_file_to_the_statement(incident, editor, approver):
    assert step(incident) == "upload"
    batch = ExposureBatch.objects.create(incident=incident, number=1)
    assert step(incident) == "close"
    batch.delete()
    ExposureBatch.objects.create(
        incident=incident, number=1, state="closed", counted_at=timezone.now()
    )
    assert step(incident) == "write"
    statement = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    draft = publishing.draft_next(statement, by=editor)
    assert step(incident) == "complete"
    draft.title = {"ko": "유출 통지", "en": "Notice"}
    draft.save()
    draft.sections.update(body={"ko": "이름", "en": "Names"})
    assert step(incident) == "publish"
    assert "publish" in waiting(incident, approver)
    assert "publish" not in waiting(incident, editor)
    draft.display_until = timezone.localdate()  # it is shown for too few days
    draft.save()
    assert step(incident) == "complete"
    assert "publish" not in waiting(incident, approver)


@pytest.mark.parametrize("state", Upload.MOVING)
def test_no_step_of_the_scope_is_asked_for_while_a_file_is_loaded(incident, editor, state):
    Upload.objects.create(
        incident=incident, by=editor, name="a.csv", size=1, sha256="0" * 64, state=state
    )
    assert stage(incident, "Scope").task is None
    ExposureBatch.objects.create(incident=incident, number=1)
    scope = stage(incident, "Scope")
    assert (scope.state, scope.task) == (StageState.MOVING, None)
    assert scope.words == "A worker checks or imports a file."
    Upload.objects.update(state="imported")
    assert step(incident) == "close"


def test_a_hidden_incident_is_made_public_before_the_approval(incident, request, editor, approver):
    Incident.objects.update(is_public=False)
    incident.refresh_from_db()
    draft = draft_notice(request.getfixturevalue("notice_version"), editor)
    assert step(incident) == "public"
    assert "hidden" in {kind(block.key) for block in board_of(incident).blocks}
    Incident.objects.update(is_public=True)
    assert step(incident) == "approve"
    incident.refresh_from_db()
    decisions.approve(draft, by=approver)
    assert stage(incident, "Approval").state == StageState.DONE
    assert stage(incident, "Sending").state == StageState.MOVING


def test_a_published_notice_is_sent_next(incident, notice_version):
    assert step(incident) == "draft-notice"


@pytest.fixture
def paused(notice) -> Notice:
    Notice.objects.update(state=Notice.State.PAUSED, paused_for="bounces", planned=10, in_doubt=2)
    notice.refresh_from_db()
    return notice


def test_a_pause_blocks_with_its_reason(client, team, paused):
    shown = page_of(client, team["approver"], paused.incident)
    assert "too many messages bounced" in shown
    task = stage(paused.incident, "Sending").task
    assert task
    assert task.key == f"paused-{paused.pk}-bounces"
    assert waiting(paused.incident, team["approver"]) >= {f"paused-{paused.pk}-bounces", "doubts"}
    assert waiting(paused.incident, team["importer"]) <= {"upload"}


def test_a_step_of_a_ramp_that_waits_for_a_person_is_a_task_for_who_may_let_it_go(team, notice):
    sending = {"state": "sending", "ramp": "person", "ramp_step": 1, "ramp_to": 0}
    Notice.objects.update(**sending)
    task = "step"
    assert task in waiting(notice.incident, team["approver"])
    assert task not in waiting(notice.incident, team["editor"])
    chunk = Chunk.objects.create(notice=notice, first=UUID(int=1), last=UUID(int=2), people=1)
    Notice.objects.update(ramp_to=chunk.pk)  # the step is being sent
    assert task not in waiting(notice.incident, team["approver"])
    Notice.objects.update(ramp_to=0, ramp="interval")  # the next step goes by itself
    assert task not in waiting(notice.incident, team["approver"])


def test_stopped_destinations_are_one_task_that_each_stop_renews(english, team, notice):
    Notice.objects.update(state="sending")
    for minute, name in enumerate(("a.example", "b.example", "c.example", "gmail.com")):
        at = timezone.now() + timedelta(minutes=minute)
        notice.destinations.create(name=name, stopped_at=at, stopped_for="refused")
    board = board_of(notice.incident)
    [task] = [each for each in board.waiting_for(team["approver"]) if "stopped" in each.key]
    assert "gmail.com, c.example, b.example …" in task.words
    assert task.key == f"stopped-{notice.pk}-{at.isoformat()}"
    assert task.message_kind == "paused"
    assert task in board.blocks
    Notice.objects.update(state="closed")
    assert not [key for key in waiting(notice.incident, team["approver"]) if "stopped" in key]


def test_a_returned_draft_is_a_task_until_another_one_replaces_it(version, team):
    notice = draft_notice(version, team["editor"])
    assert decisions.return_draft(notice, because="The count is wrong.")
    task = "returned"
    assert task in waiting(notice.incident, team["editor"])
    assert task not in waiting(notice.incident, team["support"])
    draft_notice(version, team["editor"])
    assert task not in waiting(notice.incident, team["editor"])


def test_a_paused_notice_does_not_say_when_it_begins(draft, people, approver):
    Notice.objects.filter(pk=draft.pk).update(begins_at=timezone.now() + timedelta(days=1))
    decisions.approve(draft, by=approver)
    assert "It begins on" in stage(draft.incident, "Sending").words
    decisions.pause(draft)
    assert "It begins on" not in stage(draft.incident, "Sending").words


def test_only_the_person_who_may_do_it_gets_the_button(client, team, notice_version):
    draft = draft_notice(notice_version, team["editor"])
    address = desk_url("notices_notice_approve", draft.pk)
    assert f'<a class="button" href="{address}">' in page_of(
        client, team["approver"], draft.incident
    )
    others = page_of(client, team["editor"], draft.incident)
    assert 'class="button"' not in others
    assert "This is done by: approver" in others


def test_who_made_a_draft_is_not_asked_to_approve_it(english, draft, editor, approver):
    assert "approve" in waiting(draft.incident, approver)
    assert "approve" not in waiting(draft.incident, editor)


def test_proposals_wait_for_the_second_person_only(incident, editor, approver, minji):
    FactChange.objects.create(
        incident=incident, model="incidents.incident", object_id=incident.pk, title="Title",
        changes={}, proposed_by=editor,
    )  # fmt: skip
    Shredding.objects.create(incident=incident, asked_by=editor, asked_at=timezone.now())
    RightsGrant.objects.create(user=minji, is_staff=True, asked_by=editor)
    assert waiting(incident, approver) >= {"facts"}
    assert any(key.startswith("shred-") for key in waiting(incident, approver))
    assert not any(key.startswith(("facts", "shred")) for key in waiting(incident, editor))


def test_a_grant_of_rights_waits_on_the_first_page(client, incident, editor, approver, minji):
    RightsGrant.objects.create(user=minji, is_staff=True, asked_by=editor)
    assert "Confirm the rights of minji@" in shown_to(client, approver, desk_url("index"))
    assert "Confirm the rights of" not in shown_to(client, editor, desk_url("index"))


def test_who_did_what_last_comes_from_the_audit_trail(client, team, incident):
    with acting(team["editor"]):
        incident.reported_count = 5
        incident.save()
    shown = page_of(client, team["auditor"], incident)
    assert "editor@hanbit.example: <a" in shown
    assert "incident</a>, row changed" in shown


def test_a_table_that_joins_two_models_has_a_name_there(client, team, incident, version):
    with acting(team["editor"]):
        version.editors.add(team["editor"])
    shown = page_of(client, team["auditor"], incident)
    assert "statement version: edited by, row added" in shown
    assert "statements_" not in shown.partition("Who did what last")[2].partition("href")[0]


def test_moments_are_written_with_the_month_in_words(client, team, incident):
    at = datetime(2026, 3, 4, 15, 6, tzinfo=incident.zone)
    with timezone.override(incident.zone):
        with override("en"):
            assert date_format(at, "SHORT_DATETIME_FORMAT") == "4 Mar 2026, 15:06 KST"
        with override("ko"):
            assert date_format(at, "SHORT_DATETIME_FORMAT") == "2026. 3. 4. 15:06 KST"


def test_the_figures_count_what_a_worker_has_not_added_yet(incident, notice):
    Notice.objects.update(planned=10, accepted=4, state="sending")
    Chunk.objects.create(
        notice=notice, first="0" * 32, last="f" * 32, people=10, state="leased", accepted=3,
        leased_until=timezone.now(),
    )  # fmt: skip
    figures = {each.key: each.value for each in board_of(incident).figures}
    assert figures["accepted"] == 7


def test_many_scam_reports_are_not_counted_to_the_end(english, incident, monkeypatch):
    monkeypatch.setattr("scams.desk_parts.COUNTED", 3)
    ScamReport.objects.bulk_create(
        ScamReport(incident=incident, channel="sms", ciphertext=b"x") for _number in range(5)
    )
    figure = next(each for each in board_of(incident).figures if each.key == "scams")
    assert figure.shown == "more than 3"


def test_the_course_of_a_figure_is_drawn_with_words(client, editor, incident, notice, people):
    assert 'aria-label="messages accepted' not in page_of(client, editor, incident)
    Notice.objects.update(planned=2000, accepted=4)
    keep_figure_points()
    Notice.objects.update(accepted=1200)
    keep_figure_points()
    points = FigurePoint.objects.filter(figure="accepted")
    assert [each.value for each in points] == [4]  # ten minutes have not passed
    points.update(at=timezone.now() - timedelta(minutes=11))
    keep_figure_points()
    keep_figure_points()
    assert [each.value for each in points.order_by("at")] == [4, 1200]
    shown = page_of(client, editor, incident)
    assert 'aria-label="messages accepted: From 4 on' in shown
    assert "to 1,200 now" in shown


def test_a_figure_that_never_changed_says_since_when_and_has_no_picture(
    client, editor, incident, notice, people
):
    Notice.objects.update(planned=2000, accepted=4)
    keep_figure_points()
    shown = page_of(client, editor, incident)
    assert "Unchanged since" in shown
    assert 'aria-label="messages accepted' not in shown


def test_a_course_of_a_year_has_some_hundred_points(incident, monkeypatch):
    now, hours = timezone.now(), 24 * 365
    figures: list[DeskFigure] = []
    monkeypatch.setattr(
        figure_points, "board_of", lambda _one: type("Board", (), {"figures": figures})
    )
    for hour in range(0, hours, 6):
        monkeypatch.setattr(timezone, "now", lambda hour=hour: now + timedelta(hours=hour))
        figures[:] = [DeskFigure(key="made-up", order=1, name="Made up", value=hour + 1)]
        figure_points.keep()
    assert 100 < FigurePoint.objects.count() < 700


@pytest.mark.parametrize("number", [0, 1, 3])
def test_the_first_page_shows_no_one_and_several_incidents(client, editor, db, number, request):
    if number:
        incident = request.getfixturevalue("incident")
        for more in range(1, number):
            another_incident(incident, f"more-{more}", title={"en": f"More {more}", "ko": "또"})
    shown = shown_to(client, editor, desk_url("index"))
    assert ("No incident is recorded." in shown) == (number == 0)
    assert ("Where the work stands" in shown) == (number == 1)
    assert shown.count('class="board-line"') == (number if number > 1 else 0)


def test_several_incidents_show_what_blocks_each_and_who_does_the_next_step(
    client, team, version, approver
):
    approved = {"approved_by": approver, "approved_at": timezone.now()}
    paused = draft_notice(version, team["editor"], state="paused", **approved)
    another_incident(version.statement.incident, "more", title={"en": "More", "ko": "또"})
    blocks = f'<a href="{desk_url("notices_notice_change", paused.pk)}">'
    step = f'Next step: <a href="{desk_url("incidents_upload_add")}?'
    lines = {
        role: shown_to(client, team[role], desk_url("index")).partition("board-line")[2]
        for role in ("approver", "importer", "support")
    }
    assert [blocks in text for text in lines.values()] == [True, False, False]
    assert [step in text for text in lines.values()] == [False, True, False]
    assert "What blocks" in lines["support"]
    assert "This is done by: importer" in lines["support"]


def queries_of(client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow_with_the_incident(
    client, editor, approver, incident, version, people
):
    sign_in_to_desk(client, editor)
    url = desk_url("incidents_incident_page", incident.pk)
    draft_notice(version, editor)
    few = queries_of(client, url)
    for _number in range(20):
        draft_notice(version, editor)
    for number in range(5):
        publishing.draft_next(
            Statement.objects.create(incident=incident, kind="update", slug=f"u{number}"), by=editor
        )
    assert queries_of(client, url) <= few + 1
    assert few < 60


def test_the_page_takes_less_than_200_ms_of_a_processor(client, editor, incident, version, people):
    sign_in_to_desk(client, editor)
    url = desk_url("incidents_incident_page", incident.pk)
    for _number in range(20):
        draft_notice(version, editor)
    client.get(url)
    times = []
    for _number in range(7):
        begin = process_time()
        client.get(url)
        times.append(process_time() - begin)
    assert min(times) < 0.2


def test_customers_and_staff_without_the_right_get_no_page(client, minji, incident):
    url = desk_url("incidents_incident_page", incident.pk)
    client.force_login(minji)
    assert client.get(url).status_code == 404
    sign_in_to_desk(client, User.objects.create_user("new@hanbit.example", is_staff=True))
    assert client.get(url).status_code == 403
    assert "Where the work stands" not in client.get(desk_url("index")).text
