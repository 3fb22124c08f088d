"""The picture of a notice over time, on its page of the desk."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from harness.sign_in import sign_in_to_desk
from incidents import figure_points
from incidents.models import FigurePoint, Incident
from notices import courses, decisions, tasks
from notices.models import Chunk, Notice
from tests.desk_pages import desk_url
from tests.notice_factory import draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def sending(notice) -> Notice:
    """A notice to two million people whose sending began an hour ago."""
    begun = timezone.now() - timedelta(hours=1)
    state = Notice.State.SENDING
    Notice.objects.filter(pk=notice.pk).update(
        state=state, approved_at=begun, planned_at=begun, planned=2_000_000
    )
    notice.refresh_from_db()
    return notice


def count(notice: Notice, at: datetime, monkeypatch, **counts: int) -> None:
    """Sets the counters, and lets the sweep store them as at the time `at`."""
    Notice.objects.filter(pk=notice.pk).update(**counts)
    with monkeypatch.context() as patched:
        patched.setattr(timezone, "now", lambda: at)
        courses.keep(notice)


def page_of(client, notice: Notice) -> str:
    response = client.get(desk_url("notices_notice_change", notice.pk))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def rows_of(shown: str) -> list[list[str]]:
    part = shown[shown.index("The same figures as a table") :]
    found = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", part.partition("</table>")[0])
    return [[at, *re.findall("<td>(.*?)</td>", cells)] for at, cells in found]


def test_the_page_shows_the_course_as_pictures_and_as_a_table(client, editor, sending, monkeypatch):
    begun = sending.approved_at
    count(sending, begun + timedelta(minutes=10), monkeypatch, accepted=400_000)
    count(sending, begun + timedelta(minutes=40), monkeypatch, accepted=900_000, bounced=20)
    Notice.objects.filter(pk=sending.pk).update(accepted=1_000_000, bounced=30)
    sign_in_to_desk(client, editor)
    shown = page_of(client, sending)
    assert 'role="img" aria-label="accepted by the mail server: From 0 on' in shown
    assert "to 1,000,000 now" in shown
    assert 'role="img" aria-label="bounced: From 0 on' in shown
    assert 'aria-label="in doubt: From' not in shown  # there is none
    rows = rows_of(shown)
    assert rows[0] == ["after 6 minutes", "0", "0", "0"]
    assert rows[3] == ["after 24 minutes", "400,000", "0", "0"]
    assert rows[7] == ["after 48 minutes", "900,000", "20", "0"]
    assert rows[9][1:] == ["1,000,000", "30", "0"]


def test_the_pictures_share_one_axis_of_time(client, editor, sending, monkeypatch):
    count(sending, sending.approved_at + timedelta(minutes=30), monkeypatch, bounced=5, accepted=9)
    drawn = courses.course_of(sending, {"accepted": 9, "bounced": 5, "in_doubt": 0})
    assert drawn is not None
    accepted, bounced, _doubt = [each.path for each in drawn.pictures]
    assert re.fullmatch(r"M2\.0 46\.0H1(19|20)\.\dV2\.0H238\.0V2\.0", accepted)
    assert accepted == bounced


def test_the_sweep_records_what_workers_hold(sending, people, monkeypatch):
    chunk = Chunk.objects.filter(notice=sending).first() or Chunk.objects.create(
        notice=sending, first=people["minji"].pk, last=people["minji"].pk, people=1
    )
    until = timezone.now() + timedelta(minutes=5)
    Chunk.objects.filter(pk=chunk.pk).update(state="leased", leased_until=until, accepted=7)
    tasks.sweep_notices()
    assert FigurePoint.objects.get().value == 7


def test_a_course_has_few_points_after_two_weeks(sending, monkeypatch):
    for minutes in range(1, 14 * 24 * 60, 10):
        at = sending.approved_at + timedelta(minutes=minutes)
        count(sending, at, monkeypatch, accepted=minutes)
    assert 100 < FigurePoint.objects.count() < 450


def test_a_notice_that_no_sweep_saw_has_no_picture(
    client, editor, approver, version, people, server
):
    notice = draft_notice(version, editor)
    sign_in_to_desk(client, editor)
    assert "Over time" not in page_of(client, notice)
    decisions.approve(notice, by=approver)
    assert work(notice).closed_at
    assert "Over time" not in page_of(client, notice)


def test_the_course_of_a_closed_notice_ends_when_it_was_closed(
    client, editor, sending, monkeypatch
):
    count(sending, sending.approved_at + timedelta(minutes=10), monkeypatch, accepted=2_000_000)
    closed_at = sending.approved_at + timedelta(minutes=20)
    Notice.objects.filter(pk=sending.pk).update(state="closed", closed_at=closed_at)
    sign_in_to_desk(client, editor)
    shown = page_of(client, sending)
    assert re.search(r"accepted by the mail server: From 0 on [^\"]* to 2,000,000 on ", shown)
    assert rows_of(shown)[-1] == ["after 20 minutes", "2,000,000", "0", "0"]


def test_the_incidents_page_does_not_read_the_points_of_its_notices(
    client, editor, incident, sending, monkeypatch
):
    count(sending, sending.approved_at + timedelta(minutes=10), monkeypatch, accepted=4)
    monkeypatch.setattr(figure_points, "MOST_POINTS", 1)
    FigurePoint.objects.create(
        incident=incident, figure="accepted", at=sending.approved_at, value=1
    )
    sign_in_to_desk(client, editor)
    shown = client.get(desk_url("incidents_incident_page", incident.pk)).content.decode()
    assert 'aria-label="messages accepted: From 1 on' in shown


def test_the_course_is_one_query_by_index(sending, monkeypatch):
    incident = Incident.objects.get(pk=sending.incident_id)
    FigurePoint.objects.bulk_create(
        FigurePoint(incident=incident, figure=f"{row % 50}:other", at=at, value=row)
        for row in range(20_000)
        for at in [timezone.now() - timedelta(seconds=row)]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE incidents_figurepoint")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        courses.course_of(sending, {"accepted": 9, "bounced": 5, "in_doubt": 0})
    assert len(queries) == 1
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + queries[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "figure_point_once" in plan
    assert "Seq Scan" not in plan
