"""The desk's page about the portal itself: what it says of each part, and while parts are away."""

import json
import socket
import time
from datetime import timedelta

import pytest
import redis
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import override

from accounts import code_limits
from breachportal import desk_health, signs, tasks
from breachportal.celery import app
from breachportal.doctor import CHECKS
from breachportal.doctor.diagnosis import Level
from breachportal.metrics import QUEUES
from breachportal.signs import WORKERS
from harness.sign_in import sign_in_to_desk
from notices import tasks as notice_tasks
from notices.models import Chunk
from tests.desk_pages import desk_url, page_text

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    with override("en"):
        yield


@pytest.fixture(autouse=True)
def _workers(settings):
    """Lets a worker of each queue have given a sign just now, and nothing else be known."""
    cache.clear()
    WORKERS.write(*(f"{queue} worker@here" for queue in QUEUES))
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield
        client.delete(WORKERS.key)


def state_of(name: str) -> desk_health.PartState:
    with override("en"):  # a view sets the reader's language
        [found] = [each for each in desk_health.states() if each.name == name]
    return found


def health(client, staff) -> str:
    sign_in_to_desk(client, staff)
    return page_text(client.get(desk_url("health")))


def test_the_page_names_each_part_for_each_role(client, team, settings, tmp_path):
    settings.BACKUP_FOLDER = str(tmp_path)
    page = health(client, team["auditor"])
    for part in ("Database", "Master key", "Queue of notices", "Scheduler", "Legal clocks", "Disk"):
        assert part in page
    assert "There is none on this machine." in page
    assert "No worker has run them yet" in page


def test_parts_with_a_fault_come_first_and_say_since_when(db):
    first = desk_health.states()
    assert first[0].name == "Scheduler"  # none runs beside the tests
    assert (first[0].level, first[0].words) == (Level.FAULT, "It does not run.")
    time.sleep(0.01)
    again = desk_health.states()
    assert [each.since for each in again] == [each.since for each in first]
    assert [each.level for each in again] == sorted(
        (each.level for each in again), key=list(Level).index, reverse=True
    )


def test_a_task_that_waits_long_is_a_warning_and_then_a_fault(db, monkeypatch):
    assert state_of("Queue of notices").level is Level.OK
    notice_tasks.send_chunks.delay(1)
    try:
        assert state_of("Queue of notices").words == "1 task waits."
        monkeypatch.setattr(desk_health, "SLOW_SECONDS", 0)
        assert state_of("Queue of notices").level is Level.WARNING
        monkeypatch.setattr(desk_health, "_STUCK_SECONDS", 0)
        assert state_of("Queue of notices").level is Level.FAULT
    finally:
        app.control.purge()


def test_no_message_tells_of_a_queue_that_waits_for_work_that_goes_on(db, monkeypatch, settings):
    def told() -> bool:
        return any(
            event.text.startswith("Queue of notices") for event in desk_health.fault_events()
        )

    for name in ("SLOW_SECONDS", "_STUCK_SECONDS"):
        monkeypatch.setattr(desk_health, name, 0)
    monkeypatch.setattr(desk_health, "TOLD_AFTER", timedelta(0))
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        notice_tasks.send_chunks.delay(1)
        try:
            message = client.lindex("send", -1)
            told()  # begins the fault
            assert told()
            taken = json.dumps([json.loads(message), "", "import"])
            client.hset("unacked", "of another queue", taken)
            assert told()
            client.hset("unacked", "tag", json.dumps([json.loads(message), "", "send"]))
            assert not told()
        finally:
            client.delete("unacked")
            app.control.purge()


def test_a_queue_without_a_worker_is_a_fault_after_half_a_minute(db, monkeypatch):
    assert state_of("Queue of imports").level is Level.OK
    monkeypatch.setattr(signs, "ALIVE_SECONDS", -1)
    found = state_of("Queue of imports")
    assert (found.level, found.words) == (Level.FAULT, "0 tasks wait. Its worker does not run.")


def test_a_sender_that_ended_is_shown(notice):
    notice_tasks.plan_notice(notice.pk)
    assert state_of("Sending").level is Level.OK
    late = timezone.now() - timedelta(minutes=1)
    Chunk.objects.filter(notice=notice).update(state=Chunk.State.LEASED, leased_until=late)
    assert state_of("Sending").level is Level.WARNING
    assert "Parts whose sender ended: 1." in state_of("Sending").words


def test_a_legal_clock_near_its_end_is_a_warning_and_then_a_fault(incident):
    incident.aware_at = timezone.now() - timedelta(hours=1)
    incident.save()
    assert state_of("Legal clocks").level is Level.OK
    incident.aware_at = timezone.now() - timedelta(hours=23)
    incident.save()
    assert state_of("Legal clocks").level is Level.WARNING
    incident.aware_at = timezone.now() - timedelta(days=30)
    incident.save()
    assert state_of("Legal clocks").level is Level.FAULT


def test_an_overdue_duty_is_no_fault_of_the_portal_on_the_first_page(incident):
    cache.clear()
    incident.aware_at = timezone.now() - timedelta(days=30)
    incident.save()
    faults = [each.name for each in desk_health.states() if each.level is Level.FAULT]
    assert "Legal clocks" in faults
    assert desk_health.fault_count() == len(faults) - 1


def test_refused_codes_are_a_fault(db):
    assert state_of("Sign-in codes").level is Level.OK
    cache.set(code_limits.ALARM, True)
    assert state_of("Sign-in codes").level is Level.FAULT


def test_an_old_backup_and_a_full_disk_are_faults(db, settings, tmp_path, monkeypatch):
    settings.BACKUP_FOLDER = str(tmp_path)
    made_at = timezone.now() - timedelta(hours=25)
    (tmp_path / f"breachportal-{made_at:%Y%m%dT%H%M%S}Z.dump").touch()
    assert (state_of("Backup").level, state_of("Disk").level) == (Level.OK, Level.OK)
    for old in tmp_path.iterdir():
        old.rename(
            old.with_name(f"breachportal-{made_at - timedelta(hours=2):%Y%m%dT%H%M%S}Z.dump")
        )
    monkeypatch.setattr(desk_health, "LEAST_FREE_BYTES", 1 << 60)
    assert (state_of("Backup").level, state_of("Disk").level) == (Level.FAULT, Level.FAULT)


@pytest.mark.parametrize("answers", ["refuses", "hangs"])
def test_the_page_comes_while_redis_is_away(client, editor, settings, answers):
    sign_in_to_desk(client, editor)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = 1 if answers == "refuses" else server.getsockname()[1]
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        default = settings.CACHES["default"] | {"LOCATION": settings.REDIS_URL}
        settings.CACHES = {"default": default}
        with override("en"):
            states = {each.name: each for each in desk_health.states()}
        page = page_text(client.get(desk_url("health")))
        asked = client.post(desk_url("examine"), follow=True)
    assert states["Redis: queues and limits"].level is Level.FAULT
    assert states["Queue of notices"].words == "This cannot be read at present."
    assert (states["Database"].level, states["Database"].since) == (Level.OK, None)
    assert "It does not answer, or takes no writes." in page
    assert "no worker can be asked" in page_text(asked)


def test_what_the_checks_found_is_kept_and_shown(client, editor):
    assert desk_health.last_examination() is None
    tasks.examine_portal()
    kept = desk_health.last_examination()
    assert kept is not None
    assert {name for name, _one in kept.findings} == set(CHECKS)
    page = health(client, editor)
    for check, one in kept.troubles:
        assert f"{check}: {one.text}" in page


def test_the_findings_of_the_doctor_are_in_the_language_of_the_desk(client, editor, settings):
    settings.BACKUP_FOLDER = settings.VAR / "no-such-folder"
    tasks.examine_portal()
    sign_in_to_desk(client, editor)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    page = page_text(client.get(desk_url("health")))
    assert "폴더에 백업이 없습니다" in page
    assert "there is no backup" not in page


def test_a_press_asks_a_worker_once_in_a_while(client, editor):
    sign_in_to_desk(client, editor)
    try:
        for _press in range(3):
            page = page_text(client.post(desk_url("examine"), follow=True))
            assert "The checks run now." in page
        assert desk_health.states()
        assert state_of("Queue of other work").words == "1 task waits."
    finally:
        app.control.purge()
    assert client.get(desk_url("examine")).status_code == 405


def test_the_first_page_warns_of_a_fault(client, editor):
    sign_in_to_desk(client, editor)
    page = page_text(client.get(desk_url("index")))
    faults = sum(each.level is Level.FAULT for each in desk_health.states())
    assert faults
    assert "of the portal ha" in page
    assert f'href="{desk_url("health")}"' in page
