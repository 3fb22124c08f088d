"""Sending a notice: each delivery gets one end state, after any failure."""

import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from celery import current_app
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from harness import exposure_factory
from harness.large_tables import TableSizes, fill
from incidents.models import AffectedPerson, ExposureBatch, Incident
from notices import decisions, tasks
from notices.engine import audiences, journal, ledger, planning, send_loop
from notices.engine.journal import JournalEntry
from notices.engine.ledger import LeaseLostError, Transition
from notices.models import Chunk, Delivery, Notice
from statements import publishing
from statements.models import StatementVersion
from tests.notice_factory import (
    affected,
    assert_adds_up,
    delivery_to,
    draft_notice,
    work,
    work_again,
)
from tests.smtp_server import DROP, SmtpServer, recipients

pytest_plugins = ["tests.notice_fixtures", "tests.tls_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")

WITH_ADDRESS = ["minji@example.com", "seojun@example.com"]
State = Delivery.State


def states(notice) -> dict[str, str]:
    """Returns {part of the address before the @: state}."""
    return {
        (row.person.decrypt_contact().get("e") or "neighbour").partition("@")[0]: row.state
        for row in notice.deliveries.select_related("person__incident")
    }


# -------------------------------------------------------------------- without failures


def test_each_person_gets_a_mail_or_is_unreachable(notice, people, server):
    work(notice)
    assert recipients(server.taken) == WITH_ADDRESS
    assert states(notice) == {
        "minji": "accepted",
        "seojun": "accepted",
        "neighbour": "unreachable",
    }
    assert (notice.planned, notice.accepted, notice.unreachable) == (3, 2, 1)
    assert notice.state == Notice.State.CLOSED
    assert notice.closed_at
    assert_adds_up(notice)


def test_running_every_task_twice_sends_nothing_twice(notice, server):
    work(notice)
    work(notice)
    tasks.sweep_notices()
    tasks.send_chunks(notice.pk)
    assert recipients(server.taken) == WITH_ADDRESS
    assert_adds_up(notice)


def test_a_run_does_not_lease_again_what_it_holds(notice, people, server, monkeypatch):
    """The machine stood still, so that the leases ran out before the run went on."""
    monkeypatch.setattr(ledger, "lease_end", lambda: Now() - timedelta(seconds=1))
    work(notice)
    assert recipients(server.taken) == WITH_ADDRESS
    assert set(notice.chunks.values_list("fencing_token", flat=True)) == {1}
    assert_adds_up(notice)


def test_tasks_ignore_a_deleted_notice(db, server):
    tasks.plan_notice(12345)
    tasks.send_chunks(12345)
    assert server.taken == []


def test_many_chunks_go_over_one_connection(notice, people, server, settings):
    settings.NOTICE_CHUNK_SIZE = 2
    settings.NOTICE_CONNECTIONS = 1
    file = people["minji"].exposures.first().file
    for number in range(9):
        affected(file, f"고객 {number}", f"customer{number}@example.com")
    work(notice)
    assert notice.chunks.count() == 6
    assert len(server.taken) == len({taken.to for taken in server.taken}) == 11
    assert server.connections == 1
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_people_of_other_incidents_and_withdrawn_batches_get_no_mail(
    notice, people, incident, server
):
    other = Incident.objects.get(pk=incident.pk)
    other.pk, other.slug = None, "other"
    other.make_keysets()
    other.save()
    affected(exposure_factory.file_of(other), "남", "stranger@example.com")
    withdrawn = exposure_factory.file_of(incident, number=2, state="withdrawn")
    affected(withdrawn, "오류", "mistake@example.com")
    work(notice)
    assert recipients(server.taken) == WITH_ADDRESS
    assert notice.planned == 3


def test_people_of_a_batch_withdrawn_after_planning_get_no_mail(notice, people, server):
    tasks.plan_notice(notice.pk)
    exposure_factory.withdraw(ExposureBatch.objects.get())
    tasks.send_chunks(notice.pk)
    notice.refresh_from_db()
    assert server.taken == []
    assert (notice.state, notice.cancelled, notice.unreachable) == ("closed", 2, 1)
    assert_adds_up(notice)


def test_a_notice_with_an_empty_audience_closes_at_once(draft, approver, server):
    decisions.approve(draft, by=approver)
    assert work(draft).state == Notice.State.CLOSED
    assert draft.planned == 0


def test_planning_continues_where_it_was_killed(notice, people, server, settings, monkeypatch):
    settings.NOTICE_CHUNK_SIZE = 1
    steps = iter([True, True])
    whole = planning._plan_step

    def dying(notice_id):
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return whole(notice_id)

    monkeypatch.setattr(planning, "CHUNKS_A_STEP", 1)
    monkeypatch.setattr(planning, "_plan_step", dying)
    with pytest.raises(KeyboardInterrupt):
        tasks.plan_notice(notice.pk)
    monkeypatch.undo()
    assert Delivery.objects.filter(notice=notice).count() == 2
    work(notice)
    assert notice.planned == 3
    assert recipients(server.taken) == WITH_ADDRESS
    assert_adds_up(notice)


@pytest.fixture
def meanwhile(transactional_db):
    """`meanwhile(act, *arguments)` calls `act` in a thread with its own connection."""
    with ThreadPoolExecutor(1) as other:

        def begin(act, *arguments):
            return other.submit(_and_hang_up, act, *arguments)

        yield begin


def _and_hang_up(act, *arguments):
    try:
        return act(*arguments)
    finally:
        connection.close()


def lock_for(notice, locked: Event, seconds: float) -> None:
    with transaction.atomic():
        Notice.objects.select_for_update().get(pk=notice.pk)
        locked.set()
        time.sleep(seconds)


def test_planning_continues_while_a_sender_locks_the_notice(meanwhile, notice, people):
    locked = Event()
    sender = meanwhile(lock_for, notice, locked, 0.5)
    assert locked.wait(5)
    assert planning.plan_ledger(notice.pk)
    sender.result()
    notice.refresh_from_db()
    assert (notice.state, notice.planned) == (Notice.State.SENDING, 3)


def test_a_second_planner_leaves_at_once(meanwhile, notice, people, monkeypatch):
    begun, may_go_on = Event(), Event()
    write_page = planning._write_page

    def slowly(*arguments):
        begun.set()
        assert may_go_on.wait(5)
        return write_page(*arguments)

    monkeypatch.setattr(planning, "_write_page", slowly)
    first = meanwhile(planning.plan_ledger, notice.pk)
    assert begun.wait(5)
    assert not planning.plan_ledger(notice.pk)
    may_go_on.set()
    assert first.result()
    assert notice.deliveries.count() == 3


def test_a_planning_step_is_rolled_back_if_the_notice_is_cancelled_during_it(
    meanwhile, notice, people, monkeypatch
):
    write_rows = planning._write_rows

    def interrupted(*arguments):
        counts = write_rows(*arguments)
        assert meanwhile(decisions.cancel, notice).result(5)
        return counts

    monkeypatch.setattr(planning, "_write_rows", interrupted)
    assert not planning.plan_ledger(notice.pk)
    tasks.send_chunks(notice.pk)
    notice.refresh_from_db()
    assert (notice.state, notice.planned) == (Notice.State.CANCELLED, 0)
    assert notice.closed_at
    assert_adds_up(notice)


def test_planning_reads_each_page_of_people_once(notice, people, settings, monkeypatch):
    """Reading all exposures for every page would take quadratic time."""
    settings.NOTICE_CHUNK_SIZE = 1
    monkeypatch.setattr(planning, "CHUNKS_A_STEP", 1)
    asked = []
    whole = audiences.people

    def noted(notice, keys):
        asked.append(keys)
        return whole(notice, keys)

    monkeypatch.setattr(audiences, "people", noted)
    assert planning.plan_ledger(notice.pk)
    keys = sorted(person.pk for person in people.values())
    assert [page.last for page in asked] == keys
    assert all(page.first > last for page, last in zip(asked[1:], keys, strict=False))
    query = str(whole(notice, asked[1]).query)
    assert query.count(str(keys[1])) == 2  # once for people, once for their exposures


def test_a_page_of_people_is_not_compared_with_each_of_its_exposures(notice, people, monkeypatch):
    """PostgreSQL underestimates a range of keys, and would choose a nested loop."""
    plans = []
    write_rows = planning._write_rows

    def explained(notice, keys):
        plans.append(audiences.people(notice, keys).explain())
        return write_rows(notice, keys)

    monkeypatch.setattr(planning, "_write_rows", explained)
    assert planning.plan_ledger(notice.pk)
    assert "Semi Join" in plans[0]
    assert "Nested Loop" not in plans[0]


def test_the_end_of_a_lease_reads_the_deliveries_of_its_chunk(version, editor):
    """With columns as its bounds, PostgreSQL expects a ninth of a notice in each chunk."""
    notice = draft_notice(version, editor)
    fill(notice, TableSizes(people=3_000, suppressed=0, users=0, others=0))
    first, last = Delivery.objects.order_by("recipient").values_list("recipient", flat=True)[10:12]
    chunk = Chunk.objects.create(notice=notice, first=first, last=last, people=2)
    lease = ledger.Lease(chunk, notice, fencing_token=0, is_past_deadline=False)
    with CaptureQueriesContext(connection) as captured:
        ledger._end_lease(lease, wait=None)
    Delivery.objects.update(state=State.PENDING, ended_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notices_delivery")
        cursor.execute(f"EXPLAIN {captured[0]['sql']}")
        steps = [step for (step,) in cursor.fetchall() if "notices_delivery" in step]
    assert steps
    expected = re.findall(r"rows=(\d+)", " ".join(steps))
    assert all(int(rows) < 10 for rows in expected), steps


# -------------------------------------------------------------------- replies of the server


def test_a_deferred_message_is_sent_again_until_it_is_accepted(notice, people, server):
    server.reply_next("recipient", "minji@example.com", "450 4.2.2 minji@example.com: mailbox full")
    work(notice)
    delivery = delivery_to(notice, people["minji"])
    assert delivery.state == State.DEFERRED
    assert delivery.not_before
    assert delivery.not_before > timezone.now()
    assert delivery.reply == "450 4.2.2 <…>: mailbox full"  # no address in the ledger
    assert notice.state == Notice.State.SENDING
    tasks.send_chunks(notice.pk)
    assert len(server.taken) == 1  # not before its time
    work_again(notice)
    assert recipients(server.taken) == WITH_ADDRESS
    assert notice.state == Notice.State.CLOSED
    assert delivery_to(notice, people["minji"]).attempts == 2
    assert_adds_up(notice)


def test_a_delivery_deferred_past_the_deadline_is_unreachable(notice, people, server):
    Notice.objects.update(deadline_at=timezone.now())
    server.reply_next("recipient", "minji@example.com", "450 4.2.2 mailbox full")
    work(notice)
    assert states(notice)["minji"] == "unreachable"
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


@pytest.mark.parametrize(
    ("step", "reply"),
    [("recipient", "550 5.1.1 no such user"), ("message", "550 5.2.1 mailbox disabled")],
)
def test_an_unknown_mailbox_bounces_and_the_others_are_sent(notice, server, step, reply):
    server.reply_next(step, "minji@example.com", reply)
    work(notice)
    assert states(notice)["minji"] == "bounced"
    assert states(notice)["seojun"] == "accepted"
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("recipient", "550 5.7.1 blocked by policy"),
        ("sender", "550 sender rejected"),
        ("message", "554 5.6.0 we do not like this"),
    ],
)
def test_a_refusal_of_the_sender_pauses_and_fails_no_delivery(
    notice, server, step, reply, settings
):
    settings.NOTICE_PAUSE_REFUSALS = 1
    server.reply_next(step, "", reply)
    work(notice)
    assert notice.state == Notice.State.PAUSED
    assert notice.problem == reply
    assert server.taken == []
    assert set(states(notice).values()) <= {"deferred", "pending", "unreachable"}
    tasks.sweep_notices()
    tasks.send_chunks(notice.pk)
    assert server.taken == []
    decisions.resume(notice)
    work(notice)
    assert recipients(server.taken) == WITH_ADDRESS
    assert notice.state == Notice.State.CLOSED
    assert notice.problem == ""
    assert_adds_up(notice)


@pytest.mark.parametrize("step", ["sender", "recipient", "data"])
def test_a_connection_lost_before_the_dot_sent_nothing(notice, people, server, step):
    server.reply_next(step, "", DROP)
    work(notice)
    assert server.taken == []
    assert set(states(notice).values()) == {"pending", "unreachable"}
    assert notice.problem
    work_again(notice)
    assert recipients(server.taken) == WITH_ADDRESS
    assert not notice.deliveries.filter(is_possible_duplicate=True).exists()
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


@pytest.mark.parametrize("step", ["sender", "recipient", "message"])
def test_a_421_reply_delays_and_fails_no_delivery(notice, server, step):
    server.reply_next(step, "", "421 4.3.2 going down")
    work(notice)
    # Another connection may have sent its message already.
    assert len(server.taken) < len(WITH_ADDRESS)
    assert set(states(notice).values()) <= {"accepted", "pending", "unreachable"}
    work_again(notice)
    assert recipients(server.taken) == WITH_ADDRESS


def test_a_connection_lost_after_the_dot_is_in_doubt_and_sent_again_flagged(notice, people, server):
    server.reply_next("message", "minji@example.com", DROP)
    work(notice)
    delivery = delivery_to(notice, people["minji"])
    assert delivery.state == State.DEFERRED
    assert delivery.is_possible_duplicate
    work_again(notice)
    first, second = server.to("minji@example.com")
    assert first["Message-ID"] == second["Message-ID"]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.is_possible_duplicate) == (State.ACCEPTED, True)
    assert len(server.to("seojun@example.com")) == 1
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_a_message_in_doubt_twice_stays_in_doubt(notice, people, server):
    server.reply_next("message", "minji@example.com", DROP, DROP)
    work(notice)
    work_again(notice)
    work_again(notice)
    assert len(server.to("minji@example.com")) == 2
    assert states(notice)["minji"] == "in_doubt"
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_an_unreachable_server_only_delays_the_notice(notice, settings):
    with SmtpServer() as gone:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", gone.port
    work(notice)
    chunk = notice.chunks.get()
    assert chunk.failures == 1
    assert chunk.not_before > timezone.now()
    assert notice.state == Notice.State.SENDING
    assert notice.problem
    assert not notice.deliveries.filter(attempts__gt=0).exists()
    with SmtpServer() as server:
        settings.EMAIL_PORT = server.port
        work_again(notice)
        assert recipients(server.taken) == WITH_ADDRESS
    assert notice.problem == ""


def test_deliveries_without_a_server_until_the_deadline_are_unreachable(notice, people, settings):
    with SmtpServer() as gone:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", gone.port
    work(notice)
    assert states(notice)["minji"] == "pending"
    Delivery.objects.filter(person=people["seojun"].pk).update(
        is_possible_duplicate=True, doubt_cause="worker_lost"
    )
    Notice.objects.update(deadline_at=timezone.now())
    work_again(notice)
    assert states(notice)["minji"] == "unreachable"
    assert states(notice)["seojun"] == "in_doubt"
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_a_server_without_8bitmime_gets_base64(notice, settings):
    with SmtpServer(eight_bit=False) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        work(notice)
        (message,) = server.to("minji@example.com")
    assert all(taken.data.isascii() for taken in server.taken)
    assert all("김민지" in part.get_content() for part in message.iter_parts())
    assert notice.state == Notice.State.CLOSED


def test_a_server_without_the_tls_we_ask_for_pauses_the_notice(notice, server, settings):
    settings.EMAIL_SECURITY = "starttls"
    work(notice)
    assert server.taken == []
    assert notice.state == Notice.State.PAUSED
    assert "STARTTLS" in notice.problem


@pytest.mark.parametrize("is_trusted", [True, False])
def test_starttls_continues_only_with_a_trusted_certificate(
    notice, settings, certificate, monkeypatch, is_trusted
):
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    settings.EMAIL_SECURITY = "starttls"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with SmtpServer(ssl_context=context) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        work(notice)
        assert recipients(server.taken) == (WITH_ADDRESS if is_trusted else [])
    assert notice.state == (Notice.State.CLOSED if is_trusted else Notice.State.PAUSED)
    assert is_trusted or "certificate" in notice.problem


def test_an_address_that_no_mail_can_carry_is_unreachable(notice, people, server):
    bad = affected(people["minji"].exposures.first().file, "나", "has space@example.com")
    work(notice)
    assert recipients(server.taken) == WITH_ADDRESS
    assert delivery_to(notice, bad).state == State.UNREACHABLE
    assert_adds_up(notice)


def test_contact_data_of_another_row_is_not_decrypted_and_is_unreachable(notice, people, server):
    AffectedPerson.objects.filter(pk=people["minji"].pk).update(contact=people["seojun"].contact)
    work(notice)
    assert recipients(server.taken) == ["seojun@example.com"]
    assert delivery_to(notice, people["minji"]).state == State.UNREACHABLE


# -------------------------------------------------------------------- leases and fencing tokens


@pytest.fixture
def lease(notice):
    tasks.plan_notice(notice.pk)
    notice = Notice.objects.select_related("incident").get(pk=notice.pk)
    lease = ledger.lease_chunk(notice)
    assert lease
    return lease


def run_out(lease) -> None:
    Chunk.objects.filter(pk=lease.chunk.pk).update(leased_until=timezone.now())


def put_on_the_wire(lease, *deliveries: Delivery) -> journal.JournalAnswer:
    on_wire = {lease.chunk.pk: [delivery.pk for delivery in deliveries]}
    return journal.record_turn(lease.notice, [lease], entries=[], on_wire=on_wire)


def write_down(lease, delivery: Delivery, verdict: Transition) -> journal.JournalAnswer:
    ending = JournalEntry(lease, delivery.pk, verdict, attempts=delivery.attempts, tries=1)
    return journal.record_turn(lease.notice, [lease], entries=[ending], on_wire={})


def test_a_leased_chunk_is_not_leased_again(notice, lease, server):
    assert ledger.lease_chunk(lease.notice) is None
    tasks.send_chunks(notice.pk)
    assert server.taken == []


def test_the_fencing_token_refuses_a_worker_that_slept_past_its_lease(notice, lease, server):
    first, second = notice.deliveries.filter(state="pending")
    put_on_the_wire(lease, first)
    run_out(lease)
    work(notice)  # another worker leases the chunk and continues
    for sleepers in (first, second):
        verdict = Transition(State.ACCEPTED, "250 the sleeper's reply")
        assert write_down(lease, sleepers, verdict).lost == {lease.chunk.pk}
        assert put_on_the_wire(lease, sleepers).lost == {lease.chunk.pk}
    with pytest.raises(LeaseLostError):
        ledger.cancel_rest(lease)
    ledger.release(lease)  # has no effect and raises no error
    assert not Delivery.objects.filter(reply__contains="sleeper").exists()
    assert not Chunk.objects.exclude(on_wire=[]).exists()
    assert_adds_up(notice)


def test_messages_of_a_killed_worker_are_sent_again_as_possible_duplicates(
    notice, people, lease, server
):
    left = delivery_to(notice, people["minji"])
    put_on_the_wire(lease, left)
    run_out(lease)
    work(notice)
    left.refresh_from_db()
    assert (left.state, left.is_possible_duplicate, left.attempts) == (State.DEFERRED, True, 1)
    assert recipients(server.taken) == ["seojun@example.com"]
    work_again(notice)
    left.refresh_from_db()
    assert (left.state, left.is_possible_duplicate) == (State.ACCEPTED, True)
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_a_journal_written_twice_counts_once(notice, people, lease):
    """The journal is repeated if the connection breaks before the answer arrives."""
    delivery = delivery_to(notice, people["minji"])
    put_on_the_wire(lease, delivery)
    accepted = Transition(State.ACCEPTED, "250 taken", data_classes=(1, 3))
    write_down(lease, delivery, accepted)
    write_down(lease, delivery, accepted)
    assert Notice.objects.live_counts(notice.pk)["accepted"] == 1
    ledger.release(lease)
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.data_classes) == (1, [1, 3])
    assert_adds_up(notice)


def test_the_database_plans_the_journal_once_and_not_each_turn(notice, people, lease):
    for _ in range(2):
        write_down(lease, delivery_to(notice, people["minji"]), Transition(State.ACCEPTED, "250"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements "
            "WHERE statement LIKE '%notices_chunk%'"
        )
        assert cursor.fetchall() == [(2,)]


# What the journal changes for a message that is accepted.
OF_A_MESSAGE = {"state", "reply", "attempts", "ended_at", "not_before", "data_classes"}
OF_A_TURN = {"on_wire", "leased_until", "accepted"}


@pytest.mark.parametrize(
    ("table", "changed"), [("notices_delivery", OF_A_MESSAGE), ("notices_chunk", OF_A_TURN)]
)
def test_no_index_is_written_for_an_accepted_message(db, table, changed):
    """Otherwise PostgreSQL writes an entry into every index of the table for each message. The
    condition of an index counts too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
            "WHERE i.indrelid = %s::regclass AND (a.attnum = ANY (i.indkey) OR EXISTS ("
            "SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass "
            "AND d.objid = i.indexrelid AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum))",
            [table],
        )
        indexed = {name for (name,) in cursor.fetchall()}
    assert "notice_id" in indexed
    assert not indexed & changed


def test_the_counters_are_right_while_a_chunk_is_being_worked_on(notice, people, lease):
    write_down(lease, delivery_to(notice, people["minji"]), Transition(State.ACCEPTED, "250 taken"))
    counts = Notice.objects.live_counts(notice.pk)
    assert (counts["planned"], counts["accepted"], counts["unreachable"]) == (3, 1, 1)
    notice.refresh_from_db()
    assert notice.accepted == 0
    ledger.release(lease)
    assert Notice.objects.live_counts(notice.pk) == counts
    notice.refresh_from_db()
    assert notice.accepted == 1


def test_counts_of_a_killed_worker_are_kept(notice, people, lease, server):
    write_down(lease, delivery_to(notice, people["minji"]), Transition(State.ACCEPTED, "250 taken"))
    run_out(lease)
    work(notice)
    assert recipients(server.taken) == ["seojun@example.com"]
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


# -------------------------------------------------------------------- decisions at the desk


def test_a_pause_takes_effect_before_the_next_message(notice, people, lease, server):
    assert put_on_the_wire(lease, delivery_to(notice, people["minji"])).may_send
    assert decisions.pause(notice)
    assert not put_on_the_wire(lease, delivery_to(notice, people["minji"])).may_send
    ledger.release(lease)
    tasks.send_chunks(notice.pk)
    assert server.taken == []
    assert decisions.resume(notice)
    work(notice)
    assert recipients(server.taken) == WITH_ADDRESS


def test_the_message_on_the_wire_is_recorded_although_the_notice_was_paused(
    notice, people, lease, server
):
    delivery = delivery_to(notice, people["minji"])
    put_on_the_wire(lease, delivery)
    decisions.pause(notice)
    write_down(lease, delivery, Transition(State.ACCEPTED, "250 taken"))
    delivery.refresh_from_db()
    assert delivery.state == State.ACCEPTED
    ledger.release(lease)
    assert_adds_up(notice)


def test_planning_continues_after_a_pause(notice, server):
    assert decisions.pause(notice)
    assert work(notice).planned == 0
    assert decisions.resume(notice)
    work(notice)
    assert recipients(server.taken) == WITH_ADDRESS


def test_cancelling_ends_every_delivery_that_waits(notice, people, server):
    server.reply_next("recipient", "minji@example.com", "450 4.2.2 mailbox full")
    work(notice)
    assert decisions.cancel(notice)
    tasks.send_chunks(notice.pk)  # at once, not after Minji's backoff
    notice.refresh_from_db()
    assert notice.state == Notice.State.CANCELLED
    assert notice.closed_at
    assert states(notice) == {
        "minji": "cancelled",
        "seojun": "accepted",
        "neighbour": "unreachable",
    }
    assert_adds_up(notice)
    assert not decisions.cancel(notice)
    assert not decisions.resume(notice)


def test_cancelling_leaves_messages_on_the_wire_in_doubt(notice, people, lease, server):
    delivery = delivery_to(notice, people["minji"])
    put_on_the_wire(lease, delivery)
    decisions.cancel(notice)
    run_out(lease)
    tasks.send_chunks(notice.pk)
    assert states(notice)["minji"] == "in_doubt"
    assert states(notice)["seojun"] == "cancelled"
    assert server.taken == []
    assert_adds_up(notice)


def test_cancelling_keeps_a_delivery_in_doubt_that_may_have_arrived(notice, people, server):
    server.reply_next("message", "minji@example.com", DROP)
    work(notice)
    decisions.cancel(notice)
    tasks.send_chunks(notice.pk)
    assert states(notice)["minji"] == "in_doubt"
    assert_adds_up(notice)


def test_a_draft_can_be_cancelled(draft, approver):
    assert decisions.cancel(draft)
    with pytest.raises(decisions.ApprovalRefusedError):
        decisions.approve(draft, by=approver)


# -------------------------------------------------------------------- the second person


def test_the_author_of_a_notice_cannot_approve_it(draft, people, editor):
    with pytest.raises(decisions.ApprovalRefusedError):
        decisions.approve(draft, by=editor)
    draft.refresh_from_db()
    assert draft.state == Notice.State.DRAFT
    assert not draft.messages.exists()


def test_the_database_refuses_an_approval_by_the_author(draft, editor):
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.filter(pk=draft.pk).update(
            state="sending", approved_by=editor, approved_at=timezone.now()
        )


def test_an_approved_notice_is_not_approved_again(notice, approver):
    with pytest.raises(decisions.ApprovalRefusedError):
        decisions.approve(notice, by=approver)
    assert notice.messages.count() == 2


def test_a_draft_version_is_not_sent(draft, approver, editor):
    draft.version = publishing.draft_next(draft.version.statement, by=editor)
    draft.save()
    assert draft.version.state == StatementVersion.State.DRAFT
    with pytest.raises(decisions.ApprovalRefusedError):
        decisions.approve(draft, by=approver)


# -------------------------------------------------------------------- the sweeper


def test_the_sweep_queues_one_send_for_due_chunks(notice, server, settings):
    tasks.plan_notice(notice.pk)
    with current_app.connection_for_read() as connection:
        channel: Any = connection.channel()
        channel.queue_purge("send")
        channel.queue_purge("default")
        for _sweep in range(5):
            tasks.sweep_notices()
        assert channel.queue_declare("send").message_count == 1  # one message, not one per sweep
        channel.queue_purge("send")
    assert send_loop.send_due(notice.pk, seconds=0)
    assert server.taken == []
