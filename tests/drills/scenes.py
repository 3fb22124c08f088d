"""The drills. Each takes a Stage, breaks something, and returns its verdict."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import redis
from django.conf import settings
from django.db import DatabaseError, connection

from foundations import latency
from harness import product
from harness.people import address
from harness.product import Workers
from notices import decisions, tasks
from notices.engine import guards, stall
from notices.models import Delivery, Notice, Suppression
from tests.drills import mail_server
from tests.drills.comparing import Verdict, ledger
from tests.drills.returned import returned
from tests.drills.stage import (
    SLOWEST_PER_S,
    Stage,
    connections_to,
    postmaster,
    say,
    start_servers,
)

LIBFAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",)
MEBIBYTE = 1024 * 1024
KINDS_OF_KILL = {"a sender": 85, "the senders' parent": 5, "everything": 10}
SLOWEST_START_SECONDS = 300  # of the workers, on a busy machine
LIMIT = 3  # connections a mail server takes from one client at a time


# ---------------------------------------------------------------- processes that die


def kill(stage: Stage) -> Verdict:
    """Kills (SIGKILL) a sending process, its parent or all processes, at random moments."""
    kills = int(os.environ.get("KILLS") or 100)
    moments = sorted(stage.rng.sample(range(stage.people * 95 // 100), kills))
    may_be_in_doubt, kinds = 0, Counter[str]()
    with stage.workers() as workers:
        notice = stage.approved()
        for moment in moments:
            stage.wait_for_taken(moment)
            kind = stage.rng.choices(list(KINDS_OF_KILL), list(KINDS_OF_KILL.values()))[0]
            may_be_in_doubt += _kill(stage, workers, kind)
            kinds[kind] += 1
        stage.wait_for_close(notice)
    verdict = stage.compare(notice, most_flagged=may_be_in_doubt)
    listed = ", ".join(f"{number} × {kind}" for kind, number in kinds.items())
    verdict.figures["kill -9"] = f"{listed}; they held {may_be_in_doubt} connections"
    return verdict


def _kill(stage: Stage, workers: Workers, kind: str) -> int:
    """Kills processes and starts them again as a supervisor would.

    Returns how many connections to the mail server ended with them.
    """
    if kind != "a sender":  # processes that were just killed may not be restarted yet
        stage.wait_for(lambda: bool(workers.parents()), 60, "senders' parent")
    # They are suspended first, because a running sender would open more connections.
    if kind == "a sender":
        senders = workers.senders()
        busy = [one for one in senders if connections_to(stage.server.port, one)]
        victims = [stage.rng.choice(busy or senders)] if senders else []
        _each(victims, psutil.Process.suspend)
        held = stage.connections_of(victims)
    else:
        whole = {"the senders' parent": workers.parents, "everything": workers.processes}
        victims = _suspended(whole[kind])
        held = stage.connections_of(workers.senders())
    _each(victims, psutil.Process.kill)
    if kind != "a sender":
        workers.wait_for_end(60)
        workers.start()
    return held


def _suspended(find: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    """Suspends the processes that `find` returns, also those that start meanwhile; returns them."""
    suspended: list[psutil.Process] = []
    while new := [one for one in find() if one not in suspended]:
        _each(new, psutil.Process.suspend)
        suspended += new
    return suspended


def _each(processes: list[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            act(process)


def stop(stage: Stage) -> Verdict:
    """Stops a sender (SIGSTOP) past its lease, until another takes over; then continues it."""
    with stage.workers() as workers:
        notice = stage.approved()
        stage.wait_for_taken(stage.people // 4)
        busy = [one for one in workers.senders() if connections_to(stage.server.port, one)]
        sleeper = stage.rng.choice(busy)
        sleeper.send_signal(signal.SIGSTOP)
        held = stage.connections_of([sleeper])
        time.sleep(settings.NOTICE_LEASE_SECONDS * 1.5)
        count = stage.server.taken_count()
        goes_on = count > stage.people // 4 + 1
        if count < stage.people:
            say(f"  {count:,} of {stage.people:,} accepted when the stopped sender continues")
        time.sleep(max(0.0, settings.NOTICE_LEASE_SECONDS))
        sleeper.send_signal(signal.SIGCONT)
        stage.wait_for_close(notice)
        time.sleep(2)  # time for what the stopped sender still does
    verdict = stage.compare(notice, most_flagged=held)
    verdict.must(goes_on, "no sender continued while one slept")
    verdict.figures["slept"] = f"{settings.NOTICE_LEASE_SECONDS * 2.5:.0f} s, {held} connections"
    return verdict


# ---------------------------------------------------------------- servers that die


def redis_wiped(stage: Stage) -> Verdict:
    """Stops Redis, deletes its data and starts it again."""
    with stage.workers():
        notice = stage.approved()
        for part in (1, 2):
            stage.wait_for_taken(stage.people * part // 3)
            with contextlib.suppress(redis.ConnectionError):
                redis.Redis.from_url(settings.REDIS_URL).shutdown(nosave=True)
            time.sleep(3)
            start_servers()
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    verdict.figures["Redis"] = "stopped, wiped and started twice, 3 s each"
    return verdict


def postgres_killed(stage: Stage) -> Verdict:
    """Kills (SIGKILL) the first process of PostgreSQL during a send and starts it, twice."""
    held = 0
    with stage.workers() as workers:
        notice = stage.approved()
        for part in (1, 2):
            stage.wait_for_taken(stage.people * part // 3)
            before = stage.connections_of(workers.processes())
            _end_postgres()
            held += max(before, stage.connections_of(workers.processes()))
            time.sleep(2)
            start_servers()
        stage.wait_for_close(notice)
    verdict = stage.compare(notice, most_flagged=held)
    verdict.figures["PostgreSQL"] = f"killed twice; {held} connections to the mail server were open"
    return verdict


def _end_postgres() -> None:
    """Kills PostgreSQL (SIGKILL) and waits until its other processes end."""
    connection.close()
    server = postmaster(settings.VAR)
    family = [server, *server.children()]
    server.kill()
    psutil.wait_procs(family, 30)


# Ends the connection of a worker that counts a refusal, three times out of four. The journal is
# interrupted several times, but for less than a lease, after which another worker leases the chunk.
# The sequence keeps its value when the statement is rolled back.
_CUT = """
CREATE SEQUENCE drill_cuts;
CREATE FUNCTION drill_cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('drill_cuts') % 4 > 0 THEN
        PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(1);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER drill_cut BEFORE UPDATE ON notices_notice FOR EACH ROW
    WHEN (NEW.refusals > OLD.refusals) EXECUTE FUNCTION drill_cut()
"""


def refusal_cut(stage: Stage) -> Verdict:
    """Disconnects a worker from the database, three times out of four that it counts a refusal."""
    chosen = stage.rng.sample(range(1, stage.people + 1), max(20, stage.people // 50))
    once = {address(number): [["final", "554 5.7.1 not from you"]] for number in chosen}
    stage.server.order(once=once)
    with connection.cursor() as cursor:
        cursor.execute(_CUT)
    with stage.workers():
        notice = stage.approved()
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value - last_value / 4 FROM drill_cuts")
        [cuts] = cursor.fetchone() or [0]
    verdict.must(cuts >= 3, f"the database was cut off {cuts} times")
    counted = notice.refusals
    verdict.must(counted == len(chosen), f"{counted} refusals counted, not {len(chosen)}")
    verdict.figures["PostgreSQL"] = f"cut off {cuts} times; {len(chosen):,} refusals counted once"
    return verdict


def disk_full(stage: Stage) -> Verdict:
    """Fills the disk of the database's tables during a send, and frees it later."""
    with _small_disk(settings.VAR / "small-disk") as small:
        if small is None:
            return _skipped()
        _move_database(small)
        verdict = _send_while_it_fills(stage, small / "filler")
        _move_database(None)
    return verdict


def log_disk_full(stage: Stage) -> Verdict:
    """Fills the disk of the write-ahead log: PostgreSQL ends, and is started again later."""
    with _small_disk(settings.VAR / "small-disk") as small:
        if small is None:
            return _skipped()
        data = _log()
        written_to = _log_segment()
        with _stopped_postgres():
            spare = sorted(each for each in data.glob("0*") if each.name > written_to)
            for each in spare[1:]:  # the first may hold records that the shutdown wrote
                each.unlink()
            shutil.copytree(data, small / "pg_wal", copy_function=shutil.copy2)
            data.rename(data.with_name("pg_wal.away"))
            data.symlink_to(small / "pg_wal")
            _give_to_server_user(small / "pg_wal")
        verdict = _send_while_it_fills(stage, small / "filler", use_up=_use_up_log)
        _end_postgres()
    # The database cannot be used without its log, so the next run creates it again.
    (settings.VAR / "staged").unlink(missing_ok=True)
    return verdict


def _skipped() -> Verdict:
    return Verdict(figures={"SKIPPED": "a file system of limited size needs root (tmpfs)"})


def _send_while_it_fills(
    stage: Stage, filler: Path, *, use_up: Callable[[], None] = lambda: None
) -> Verdict:
    """Sends while `filler` takes the disk's free space, and `use_up` what PostgreSQL has there."""
    with stage.workers() as workers:
        notice = stage.approved()
        stage.wait_for_taken(stage.people // 4)
        _fill(filler)
        say("  the disk is full")
        count = _count_when_stalled(stage, use_up)
        log = workers.log.read_text(errors="replace")
        shown = _stored_stall_reason()
        filler.unlink()
        say(f"  the send stalled at {count:,}; the disk has room again")
        connection.close()
        start_servers()
        stage.wait_for_close(notice)
    most_open = stage.server.order()["most_open"]
    verdict = stage.compare(notice, most_flagged=most_open * 4)
    reason = next((line for line in log.splitlines() if "the send waits" in line), "")
    verdict.must(count < stage.people, "the send was not stalled: use more PEOPLE")
    verdict.must(bool(reason), "the workers' log does not show why the send is stalled")
    verdict.must(bool(shown), "the desk does not show why the send is stalled")
    verdict.must(not _stored_stall_reason(), "the desk still shows the reason after the send")
    verdict.figures["stalled at"] = f"{count:,} of {stage.people:,} mails"
    verdict.figures["the reason"] = reason.partition("ERROR ")[2][:160]
    return verdict


def _stored_stall_reason() -> str:
    """Returns the stall reason that the desk's page would show.

    It is read from Redis, because the page itself also needs the database.
    """
    stored = latency.client().get(stall.KEY)
    return stored.decode() if isinstance(stored, bytes) else ""


def _log() -> Path:
    return Path(settings.VAR / "postgres" / "pg_wal")


def _log_segment() -> str:
    """Returns the file of the write-ahead log in use; PostgreSQL keeps later files as spares."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        row = cursor.fetchone()
    return str(row[0]) if row else ""


@contextlib.contextmanager
def _stopped_postgres() -> Iterator[None]:
    """Context manager: PostgreSQL is shut down inside, and started again after."""
    connection.close()
    server = postmaster(settings.VAR)
    server.send_signal(signal.SIGINT)
    psutil.wait_procs([server], 30)
    yield
    start_servers()


@contextlib.contextmanager
def _small_disk(path: Path) -> Iterator[Path | None]:
    """Context manager: gives a small file system (tmpfs), or None if it cannot be mounted."""
    path.mkdir(parents=True, exist_ok=True)
    size = 192 + int(os.environ.get("PEOPLE") or 0) // 250
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(path)]
    if not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        yield None
        return
    _give_to_server_user(path)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=False)


def _move_database(to: Path | None) -> None:
    """Moves the database's tables to the small disk, or back (None); its log is not moved."""
    import psycopg

    name, host = settings.DATABASES["default"]["NAME"], settings.DATABASES["default"]["HOST"]
    connection.close()
    with psycopg.connect(f"postgresql://postgres@/postgres?host={host}", autocommit=True) as server:
        if to is not None:
            folder = to / "tables"
            folder.mkdir(mode=0o700)
            _give_to_server_user(folder)
            server.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        server.execute(f"ALTER DATABASE {name} SET TABLESPACE {'small' if to else 'pg_default'}")
        if to is None:
            server.execute("DROP TABLESPACE small")


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * MEBIBYTE)
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass


def _use_up_log() -> None:
    """Writes into the write-ahead log until its files have two mebibytes left for the send.

    Else a send that writes little ends in the files that are already there.
    """
    with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())")
        name, used = cursor.fetchone() or ("", 0)
        files = [each for each in _log().glob("0*") if each.name >= name]
        left = sum(each.stat().st_size for each in files) - used - 2 * MEBIBYTE
        for _turn in range(left // MEBIBYTE):
            cursor.execute(
                "SELECT pg_logical_emit_message(false, 'drill', repeat('x', %s))", [MEBIBYTE]
            )


def _count_when_stalled(stage: Stage, use_up: Callable[[], None]) -> int:
    """Waits until no mail was accepted for 6 seconds; returns how many were accepted."""
    count, since, deadline = -1, 0.0, time.monotonic() + 120
    while time.monotonic() < deadline:
        use_up()
        now = stage.server.taken_count()
        if now != count:
            count, since = now, time.monotonic()
        if time.monotonic() - since > 6:
            break
        time.sleep(0.2)
    return count


def _give_to_server_user(path: Path) -> None:
    owner = (settings.VAR / "postgres").stat()
    for each in (path, *path.rglob("*")):
        os.chown(each, owner.st_uid, owner.st_gid)


# ---------------------------------------------------------------- a mail server that misbehaves

# What happens to one person's mail at the first attempts, and the required result.
# name: (orders for the mail server, state, mails in the mailbox, may be flagged)
MOODS: dict[str, tuple[list[list[str]], str, int, bool]] = {
    "later at RCPT": ([["rcpt", "450 4.2.1 busy"]] * 2, "accepted", 1, False),
    "later at DATA": ([["data", "451 4.3.0 busy"]], "accepted", 1, False),
    "later after the dot": ([["final", "452 4.2.2 full"]] * 2, "accepted", 1, False),
    "unknown at RCPT": ([["rcpt", "550 5.1.1 no such user"]], "bounced", 0, False),
    "unknown after the dot": ([["final", "550 5.1.1 no such user"]], "bounced", 0, False),
    "421 at RCPT": ([["rcpt", "421 4.3.2 shutting down"]], "accepted", 1, False),
    "421 after the dot": ([["final", "421 4.3.2 shutting down"]], "accepted", 1, False),
    "hung up at RCPT": ([["rcpt", mail_server.DROP]], "accepted", 1, False),
    "hung up at DATA": ([["data", mail_server.DROP]], "accepted", 1, False),
    "hung up inside": ([["inside", mail_server.DROP_INSIDE]], "accepted", 1, True),
    "hung up before the dot": ([["dot", mail_server.DROP_DOT]], "accepted", 1, True),
    "hung up after the dot": ([["final", mail_server.DROP]], "accepted", 1, True),
    "taken, then hung up": ([["final", mail_server.DROP_TAKEN]], "accepted", 2, True),
    "taken, then silent": ([["final", mail_server.HANG_TAKEN]], "accepted", 2, True),
}


def moods(stage: Stage) -> Verdict:
    """Refuses or disconnects in every way, before and after the final dot, for some people each."""
    each = max(1, min(stage.people // 200, 20))
    numbers = stage.rng.sample(range(1, stage.people + 1), each * len(MOODS))
    chosen_for = {
        name: [address(number) for number in numbers[place * each : (place + 1) * each]]
        for place, name in enumerate(MOODS)
    }
    silent = chosen_for["taken, then silent"] = chosen_for["taken, then silent"][
        :4
    ]  # each costs a timeout
    once = {where: MOODS[name][0] for name, all_ in chosen_for.items() for where in all_}
    stage.server.order(once=once)
    with stage.workers():
        notice = stage.approved()
        stage.wait_for_close(notice, seconds=300 + stage.people / 25)
    counts = stage.server.order()
    doubtful = sum(len(chosen_for[name]) for name, mood in MOODS.items() if mood[3])
    verdict = stage.compare(notice, most_flagged=doubtful)
    _check_moods(stage, notice.pk, chosen_for, verdict)
    verdict.figures["connections"] = (
        f"{counts['connections']:,}, of them {counts.get('ended_without_quit', 0):,} "
        f"that ended without QUIT ({len(silent)} of them because the server was silent)"
    )
    lost = counts.get("ended_without_quit", 0)
    verdict.must(lost <= len(silent), f"{lost} connections were left without QUIT")
    return verdict


def _check_moods(
    stage: Stage, notice_id: int, chosen_for: dict[str, list[str]], verdict: Verdict
) -> None:
    rows = ledger(Notice.objects.get(pk=notice_id), stage.people)
    mails = Counter(one.to for one in stage.server.taken())
    for name, (_orders, state, number, may_flag) in MOODS.items():
        for where in chosen_for[name]:
            row = rows[where]
            found = (row.state, mails[where])
            verdict.must(found == (state, number), f"{name}: {where} is {found}")
            verdict.must(may_flag or not row.is_possible_duplicate, f"{name}: {where} is flagged")


def closed_port(stage: Stage) -> Verdict:
    """The mail server is stopped when the notice is approved, and again for 5 s in the middle."""
    stage.server.stop()
    with stage.workers() as workers:
        notice = stage.approved()
        shown = _shown_problem(notice)
        stage.server.start()
        stage.wait_for_taken(stage.people // 2)
        held = stage.connections_of(workers.processes())
        stage.server.stop()
        time.sleep(5)
        stage.server.start()
        stage.wait_for_close(notice)
    verdict = stage.compare(notice, most_flagged=held)
    verdict.must(bool(shown), "the notice does not show that the mail server is unreachable")
    verdict.figures["shown meanwhile"] = repr(shown)
    return verdict


def _shown_problem(notice: Notice) -> str:
    """Waits up to 60 s for the problem that the desk shows, and returns it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not notice.problem:
        time.sleep(0.1)
        notice.refresh_from_db()
    return notice.problem


def refused(stage: Stage) -> Verdict:
    """Refuses 1,000 connections, half with 421 and half by closing; then allows 3 at a time."""
    number = int(os.environ.get("REFUSALS") or 1000)
    stage.server.order(refuse=number // 2)
    with stage.workers():
        notice = stage.approved()
        is_over = lambda: stage.server.order().get("refused", 0) >= number // 2  # noqa: E731
        stage.wait_for(is_over, 900, "end of the 421s")
        stage.server.order(refuse=number - number // 2, refusal="")
        is_done = lambda: stage.server.order().get("refused", 0) >= number  # noqa: E731
        stage.wait_for(is_done, 900, "end of the refusals")
        stage.server.order(limit=LIMIT, refusal="421 4.7.0 too many connections from you")
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    counts = stage.server.order()
    more = counts["refused"] - number
    verdict.figures["refused"] = f"{number:,} connections, and {more:,} beyond {LIMIT} at a time"
    return verdict


def slow_replies(stage: Stage) -> Verdict:
    """Sends replies byte by byte; then waits a minute before each reply to a final dot."""
    hang = float(os.environ.get("HANG") or 60)
    stage.server.order(byte_by_byte=True)
    with stage.workers():
        notice = stage.approved()
        stage.wait_for_taken(stage.people // 2)
        stage.server.order(byte_by_byte=False, hang=hang)
        time.sleep(hang * 1.2)
        stage.server.order(hang=0)
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    verdict.figures["slow"] = f"half of the mails byte by byte; {hang:.0f} s of silence in between"
    return verdict


RELAY_REFUSES = {"rcpt": "550 relay not permitted"}


def relay(stage: Stage) -> Verdict:
    """Refuses every recipient as a relay does that does not know us: at the start, and half way."""
    stage.server.order(always=RELAY_REFUSES)
    with stage.workers():
        notice = stage.approved()
        first = _refused_people(stage, notice, "paused")
        half = stage.people // 2
        stage.server.order(always_from=half)
        decisions.resume(notice)
        again = _go_on_until(stage, notice, lambda: stage.server.taken_count() >= half)
        late = notice.refusals - first
        second = _refused_people(stage, notice, "stopped") - first
        most = _most_refused(Notice.objects.live_counts(notice.pk)["accepted"])
        stage.server.order(always={})
        _let_all_go_on(notice)
        again += _go_on_until(stage, notice, lambda: notice.state == Notice.State.CLOSED)
        late += notice.refusals - first - second
    verdict = stage.compare(notice)
    verdict.must(not Suppression.objects.exists(), "an address is on the suppression list")
    verdict.must(first <= 50, f"{first} people were refused before the pause")
    verdict.must(
        second <= most, f"{second} people were refused before the stop, at most {most} may"
    )
    verdict.figures["refused"] = f"{first} people before the pause, {second} before the stop"
    verdict.must(
        again * settings.NOTICE_PAUSE_REFUSALS <= late,
        f"it stopped again {again} times, for {late} people who were refused late",
    )
    verdict.figures["stopped again"] = f"{again} times"
    return verdict


def _go_on_until(stage: Stage, notice: Notice, is_so: Callable[[], bool]) -> int:
    """Waits until `is_so`, and lets the notice go on each time that it stops, as a person does.
    Returns how often: refusals that a busy worker reads late may stop it again.
    """
    stops = 0

    def has_come() -> bool:
        nonlocal stops
        notice.refresh_from_db()
        is_stopped = notice.state == Notice.State.PAUSED or guards.stopped_destinations(notice)
        if is_so():  # asked after the state was read, so a stop belongs to what came before
            return True
        if is_stopped:
            stops += 1
            _let_all_go_on(notice)
        time.sleep(0.2)
        return False

    stage.wait_for(has_come, 120 + stage.people / SLOWEST_PER_S, "end")
    return stops


def _most_refused(accepted: int) -> int:
    """Returns how many people may be refused before a destination stops that accepted so many.

    The guard must be sure of its share of refusals. Each sender then has up to two messages on each
    connection: the one whose refusal it reads, and the one after it.
    """
    refused = settings.NOTICE_PAUSE_REFUSALS
    limit = settings.NOTICE_PAUSE_REFUSAL_PERCENT
    while guards.lower_bound(refused, accepted + refused) <= limit:
        refused += 1
    return refused + 2 * settings.SEND_WORKERS * settings.NOTICE_CONNECTIONS


def _refused_people(stage: Stage, notice: Notice, what: str) -> int:
    """Waits until the notice pauses, or its destination stops; returns how many were refused."""

    def is_so() -> bool:
        notice.refresh_from_db()
        is_stopped = notice.destinations.filter(stopped_at__isnull=False).exists()
        return notice.state == Notice.State.PAUSED or is_stopped

    began = time.monotonic()
    stage.wait_for(is_so, SLOWEST_START_SECONDS, f"notice that is {what}")
    say(f"  {what} after {time.monotonic() - began:.1f} s")
    time.sleep(2)  # for the messages that are on the wire
    notice.refresh_from_db()
    return notice.refusals


def _let_all_go_on(notice: Notice) -> None:
    decisions.resume(notice)
    for name in guards.stopped_destinations(notice):
        decisions.let_destination_go_on(notice, name)


def connection_limits(stage: Stage) -> Verdict:
    """Ends each connection (421) after 20 messages, as many servers do."""
    stage.server.order(most_mails=20)
    with stage.workers():
        notice = stage.approved()
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    counts = stage.server.order()
    most = 2 * counts["most_open"] + 20
    ended = counts.get("too_many_mails", 0)  # none if Redis kept the number of an earlier run
    verdict.must(ended <= most, f"the server ended {ended} connections, at most {most} may be")
    retried = Delivery.objects.filter(notice=notice, attempts__gt=1).count()
    verdict.must(not retried, f"{retried} people waited for a second attempt")
    verdict.figures["connections"] = (
        f"{counts['connections']:,}; the server ended {ended:,} of them"
    )
    return verdict


# ---------------------------------------------------------------- too many workers, wrong clocks


def twice(stage: Stage) -> Verdict:
    """Runs two sets of workers with a beat each; every Celery message is delivered twice."""
    with stage.workers(), stage.workers():
        notice = stage.approved()
        for number in range(10):
            for _ in range(2):
                tasks.plan_notice.apply_async((notice.pk,), task_id=f"plan-{number}")
                tasks.send_chunks.apply_async((notice.pk,), task_id=f"send-{number}")
                tasks.sweep_notices.apply_async((), task_id=f"sweep-{number}")
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    verdict.figures["workers"] = "2 sets of workers, 2 beats, 30 messages delivered twice"
    return verdict


def host_lost(stage: Stage) -> Verdict:
    """Kills (SIGKILL) all processes of one of two worker hosts; the other one goes on alone."""
    lost, other = (stage.workers(**_own_host(name)) for name in ("a", "b"))
    with lost, other:
        # Else one could send everything before the other has started.
        stage.wait_for(
            lambda: all(host.senders() for host in (lost, other)), 120, "senders on each host"
        )
        notice = stage.approved()
        stage.wait_for_taken(stage.people // 3)
        family = _suspended(lost.processes)
        held = stage.connections_of(lost.senders())
        _each(family, psutil.Process.kill)
        stage.wait_for_close(notice)
    verdict = stage.compare(notice, most_flagged=held)
    verdict.figures["hosts"] = f"2 with a beat each, one killed; it held {held} connections"
    return verdict


def _own_host(name: str) -> dict[str, str]:
    """Returns the environment of a host that shares nothing but PostgreSQL and Redis."""
    folder = settings.VAR / f"host-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    for each in ("var", "tmp"):
        (folder / each).mkdir(parents=True)
    return {
        "BREACHPORTAL_VAR": str(folder / "var"),
        "TMPDIR": str(folder / "tmp"),
        "DATABASE_URL": product.database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "MASTER_KEYSET_FILE": str(settings.VAR / "master-keyset.json"),
    }


def clock(stage: Stage) -> Verdict:
    """Sets the clock of half of the workers an hour back; only the database's clock may count."""
    library = next((path for path in LIBFAKETIME if Path(path).exists()), "")
    wrong = (
        {"LD_PRELOAD": library, "FAKETIME": "-1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        if library
        else {"DRILL_CLOCK_SHIFT": "-3600"}
    )
    busy = stage.rng.sample(range(1, stage.people + 1), max(1, stage.people // 50))
    stage.server.order(once={address(one): [["rcpt", "450 4.2.1 busy"]] for one in busy})
    with stage.workers(), stage.workers(**wrong):
        notice = stage.approved()
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    how = "libfaketime" if library else "their own idea of the time"
    verdict.figures["clock"] = f"one of two sets of workers an hour behind ({how})"
    return verdict


DRILLS: dict[str, Callable[[Stage], Verdict]] = {
    "kill": kill,
    "stop": stop,
    "redis": redis_wiped,
    "postgres": postgres_killed,
    "refusal_cut": refusal_cut,
    "disk": disk_full,
    "log_disk": log_disk_full,
    "moods": moods,
    "closed_port": closed_port,
    "refused": refused,
    "slow": slow_replies,
    "twice": twice,
    "host": host_lost,
    "clock": clock,
    "relay": relay,
    "limits": connection_limits,
    "returned": returned,
}
