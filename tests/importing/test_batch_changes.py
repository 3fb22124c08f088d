"""Closing and withdrawing a scope version that is too large for a request: a worker does it."""

import html
import os
import signal
import time
from threading import Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse

from breachportal.celery import app
from harness.exposure_factory import decide_withdrawal, expose, file_of, person
from harness.sign_in import sign_in_to_desk
from incidents import scope_counts, scope_versions
from incidents.models import BatchChange, ExposureBatch, ExposureFile, Incident
from incidents.scope_counts import counts_of
from incidents.scope_versions import incident_lock
from tests.desk_pages import page_text
from tests.killed_process import run_until_killed
from tests.queue_worker import queue_worker

pytestmark = pytest.mark.django_db
Kind, State = BatchChange.Kind, BatchChange.State
REASON = "The dump of another shop."
WITHDRAWAL = {"reason": REASON, "public_reason": "mistakes"}


@pytest.fixture(autouse=True)
def _every_incident_is_large(monkeypatch):
    monkeypatch.setattr(scope_versions, "ROWS_AT_ONCE", -1)


def loaded(incident: Incident, *, number: int = 1, people: int = 2) -> ExposureBatch:
    """Returns an open scope version with `people` affected people."""
    file = file_of(incident, number=number, state="open")
    for _ in range(people):
        expose(person(incident, name="김민지"), file, "names")
    file.state, file.finished_at = ExposureFile.State.LOADED, incident.aware_at
    file.rows_read = file.rows_taken = people
    file.save()
    return file.batch


@pytest.fixture
def batch(incident) -> ExposureBatch:
    return loaded(incident)


def url(action: str, batch: ExposureBatch) -> str:
    return reverse(f"admin:incidents_exposurebatch_{action}", args=[batch.pk])


def page(client: Client, batch: ExposureBatch) -> str:
    return page_text(client.get(url("change", batch)))


def asked(client: Client, batch: ExposureBatch) -> BatchChange:
    response = client.post(url("close", batch), {"is_complete": "on"})
    assert response.status_code == 302, html.unescape(response.content.decode())
    return BatchChange.objects.latest("pk")


def worked(change: BatchChange) -> BatchChange:
    scope_versions.apply_change(change.pk)
    change.refresh_from_db()
    change.batch.refresh_from_db()
    return change


def people_of(incident: Incident) -> int:
    found = counts_of(incident).total
    return found.people if found else 0


def test_the_page_says_how_far_a_worker_is(editors_desk, incident, batch):
    change = asked(editors_desk, batch)

    waiting = page(editors_desk, batch)
    assert "closing: waiting for a worker" in waiting
    assert "asked by: editor@" in waiting
    assert url("close", batch) not in waiting
    assert 'http-equiv="refresh"' in waiting
    assert not incident.is_scope_complete()

    assert worked(change).state == State.DONE
    done = page(editors_desk, batch)
    assert "closing: done" in done
    assert 'http-equiv="refresh"' not in done
    assert incident.is_scope_complete()
    assert people_of(incident) == 2


def test_a_part_that_renews_itself_takes_no_message_from_its_reader(editors_desk, batch):
    asked(editors_desk, batch)
    part = editors_desk.get(url("change", batch), headers={"X-Live-Part": "1"}).text
    assert f'id="live-part" data-live="{url("change", batch)}"' in part
    assert "messagelist" not in part
    assert "Asked for it" in page(editors_desk, batch)


def test_a_requested_change_is_recorded(editors_desk, batch, editor):
    asked(editors_desk, batch)

    entry = LogEntry.objects.get()
    assert (entry.user, entry.change_message) == (
        editor,
        "Asked for it: this page shows when it is done.",
    )


def test_a_withdrawal_keeps_its_reason_and_counts_again(editors_desk, approver, incident, batch):
    worked(asked(editors_desk, batch))
    worked(asked(editors_desk, loaded(incident, number=2, people=3)))
    assert people_of(incident) == 5
    editors_desk.post(url("withdraw", batch), WITHDRAWAL)
    proposal = batch.withdrawals.get()
    sign_in_to_desk(editors_desk, approver)
    editors_desk.post(reverse("admin:incidents_batchwithdrawal_confirm", args=[proposal.pk]))

    change = worked(BatchChange.objects.latest("pk"))

    assert change.state == State.DONE
    assert (change.batch.state, change.batch.withdrawn_reason) == ("withdrawn", REASON)
    assert people_of(incident) == 3


def test_a_failed_change_shows_its_reason_and_can_be_requested_again(editors_desk, incident):
    batch = file_of(incident, state="open").batch

    change = worked(asked(editors_desk, batch))

    assert change.state == State.FAILED
    shown = page(editors_desk, batch)
    assert "why it failed: hanbit-2025 v1: no file is loaded; import one first" in shown
    editors_desk.cookies["language"] = "ko"
    assert "hanbit-2025 v1: 불러온 파일이 없습니다. 먼저 파일을 불러오십시오." in page(
        editors_desk, batch
    )
    assert url("close", batch) in shown
    assert worked(asked(editors_desk, loaded(incident))).state == State.DONE


def test_an_internal_error_is_shown_without_a_value(editors_desk, batch, monkeypatch, caplog):
    def fail(*_args: object) -> None:
        raise ValueError("minji@example.com")

    monkeypatch.setattr(scope_counts, "count_closed", fail)
    change = worked(asked(editors_desk, batch))

    assert (change.state, change.batch.state) == (State.FAILED, "open")
    assert "an error of the portal" in page(editors_desk, batch)
    assert f"change {change.pk} failed: ValueError" in caplog.text
    assert "minji@" not in caplog.text


def test_a_second_request_is_refused(editors_desk, batch):
    asked(editors_desk, batch)

    answer = editors_desk.post(url("close", batch), {"is_complete": "on"})

    assert "a worker has it already" in html.unescape(answer.content.decode())
    assert BatchChange.objects.count() == 1


def test_an_open_scope_version_offers_both_steps(editors_desk, batch):
    answer = editors_desk.get(url("change", batch)).content.decode()

    assert url("close", batch) in answer
    assert url("withdraw", batch) in answer


def test_a_task_that_runs_twice_does_it_once(editors_desk, incident, batch, monkeypatch):
    counted: list[ExposureBatch] = []
    monkeypatch.setattr(scope_counts, "count_closed", counted.append)
    change = asked(editors_desk, batch)

    worked(change)
    finished_at = change.finished_at
    worked(change)

    assert len(counted) == 1
    assert (change.state, change.finished_at) == (State.DONE, finished_at)


def test_a_change_of_a_worker_killed_after_its_commit_is_done(editors_desk, incident, batch):
    change = worked(asked(editors_desk, batch))
    BatchChange.objects.update(state=State.RUNNING)

    assert scope_versions.unattended_changes() == [change.pk]
    assert worked(change).state == State.DONE
    assert people_of(incident) == 2


def elsewhere(work) -> None:
    """Runs `work` as another worker would, with its own database connection."""

    def closing() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = Thread(target=closing)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_change_waits_while_a_file_is_imported(editors_desk, incident, batch):
    change = asked(editors_desk, batch)
    with incident_lock(incident):
        elsewhere(lambda: scope_versions.apply_change(change.pk))
        assert scope_versions.unattended_changes() == []
    change.refresh_from_db()
    assert change.state == State.WAITING

    assert scope_versions.unattended_changes() == [change.pk]
    assert worked(change).state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_a_change_of_a_worker_killed_while_counting_is_repeated(editors_desk, incident, batch):
    change = asked(editors_desk, batch)

    def child() -> None:
        original = scope_counts.count_people_of

        def die(batches):
            original(batches)
            os.kill(os.getpid(), signal.SIGKILL)

        scope_counts.count_people_of = die
        scope_versions.apply_change(change.pk)

    run_until_killed(child)

    change.refresh_from_db()
    batch.refresh_from_db()
    assert (change.state, batch.state) == (State.RUNNING, "open")
    assert "under way: people are being counted" in page(editors_desk, batch)
    assert freed(change)
    assert worked(change).state == State.DONE
    assert people_of(incident) == 2


def freed(change: BatchChange) -> bool:
    """Returns whether the sweeper finds the change within 10 s, once its lock is released."""
    deadline = time.monotonic() + 10
    while scope_versions.unattended_changes() != [change.pk]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_closes_it(editors_desk, incident, batch):
    app.loader.import_default_modules()
    with queue_worker("import"):
        change = asked(editors_desk, batch)
        deadline = time.monotonic() + 60
        while change.is_moving:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            change.refresh_from_db()
    assert change.state == State.DONE
    assert people_of(incident) == 2
    connections.close_all()


def test_a_small_scope_version_is_closed_at_once(editors_desk, incident, batch, monkeypatch):
    monkeypatch.setattr(scope_versions, "ROWS_AT_ONCE", 2)

    editors_desk.post(url("close", batch), {"is_complete": "on"})

    assert incident.is_scope_complete()
    assert not BatchChange.objects.exists()


# manage.py withdraw_batch


def test_the_command_withdraws_what_two_people_decided(incident, batch, capsys):
    call_command("close_batch", "hanbit-2025")
    decide_withdrawal(batch, REASON)

    call_command("withdraw_batch", "hanbit-2025", "1")

    batch.refresh_from_db()
    assert (batch.state, batch.withdrawn_reason) == ("withdrawn", REASON)
    assert "Withdrew scope version 1 of hanbit-2025." in capsys.readouterr().out
    assert people_of(incident) == 0


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["hanbit-2025", "7"], "no scope version 7"),
        (["nowhere", "1"], "no scope version 1"),
        (["hanbit-2025", "1"], "a withdrawal takes two people"),
    ],
)
def test_the_command_refuses_in_one_line(batch, arguments, refusal):
    with pytest.raises(CommandError, match=refusal):
        call_command("withdraw_batch", *arguments)
