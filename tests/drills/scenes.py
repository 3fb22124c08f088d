"""The drills. Each takes a Stage, breaks something, and returns what it found."""

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
from django.db import connection

from foundations import latency
from harness.people import address
from harness.product import Workers
from notices import tasks
from notices.engine import stall
from notices.models import Notice
from tests.drills import mail_server
from tests.drills.comparing import Verdict, ledger
from tests.drills.stage import Stage, connections_to, postmaster, say, start_servers

LIBFAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",)
MEBIBYTE = 1024 * 1024
KINDS_OF_KILL = {"a sender": 85, "the senders' parent": 5, "everything": 10}
LIMIT = 3  # connections a mail server takes from one client at a time


# ---------------------------------------------------------------- processes that die


def kill(stage: Stage) -> Verdict:
    """kill -9 at random moments: a sending process, its parent, or everything at once."""
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
    told = ", ".join(f"{number} × {kind}" for kind, number in kinds.items())
    verdict.figures["kill -9"] = f"{told}; they held {may_be_in_doubt} connections"
    return verdict


def _kill(stage: Stage, workers: Workers, kind: str) -> int:
    """Kills, and starts what a supervisor would start; returns how many connections ended so."""
    if kind != "a sender":  # killed a moment ago, they may not be there yet
        stage.wait_for(lambda: bool(workers.parents()), 60, "senders' parent")
    senders = workers.senders()
    busy = [one for one in senders if connections_to(stage.server.port, one)]
    victims = {
        "a sender": [stage.rng.choice(busy or senders)] if senders else [],
        "the senders' parent": workers.parents(),
        "everything": workers.processes(),
    }[kind]
    # Counted while they stand still: a sender at work opens more connections meanwhile.
    _each(victims, psutil.Process.suspend)
    held = stage.connections_of(victims if kind == "a sender" else senders)
    _each(victims, psutil.Process.kill)
    if kind != "a sender":
        workers.wait_for_end(60)
        workers.start()
    return held


def _each(processes: list[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            act(process)


def stop(stage: Stage) -> Verdict:
    """SIGSTOP of a sender past its lease; somebody else takes over; then SIGCONT."""
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
            say(f"  {count:,} of {stage.people:,} taken when the sleeper goes on")
        time.sleep(max(0.0, settings.NOTICE_LEASE_SECONDS))
        sleeper.send_signal(signal.SIGCONT)
        stage.wait_for_close(notice)
        time.sleep(2)  # for whatever the sleeper still does
    verdict = stage.compare(notice, most_flagged=held)
    verdict.must(goes_on, "nobody went on while one sender slept")
    verdict.figures["slept"] = f"{settings.NOTICE_LEASE_SECONDS * 2.5:.0f} s, {held} connections"
    return verdict


# ---------------------------------------------------------------- servers that die


def redis_wiped(stage: Stage) -> Verdict:
    """Redis stopped, its data gone, started again."""
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
    """kill -9 of PostgreSQL's first process mid-send, then a start; twice."""
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
    """kill -9, and a wait until its other processes noticed."""
    connection.close()
    server = postmaster(settings.VAR)
    family = [server, *server.children()]
    server.kill()
    psutil.wait_procs(family, 30)


# Ends the connection of a worker that counts a refusal, three times of four. So a journal is cut
# off a few times, and not for longer than a lease: after that another worker takes the chunk over.
# What a sequence counted stays counted, though the statement is undone.
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
    """The database cut off three times of four in which a worker counts a refusal."""
    chosen = stage.rng.sample(range(1, stage.people + 1), max(20, stage.people // 50))
    once = {address(number): [["final", "554 5.7.1 not from you"]] for number in chosen}
    stage.server.tell(once=once)
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
    """The disk of the database's tables fills up mid-send, and later has room again."""
    with _small_disk(settings.VAR / "small-disk") as small:
        if small is None:
            return _skipped()
        _move_database(small)
        verdict = _send_while_it_fills(stage, small / "filler")
        _move_database(None)
    return verdict


def log_disk_full(stage: Stage) -> Verdict:
    """The same with the disk of the database's log: PostgreSQL ends, and is started again."""
    with _small_disk(settings.VAR / "small-disk") as small:
        if small is None:
            return _skipped()
        data = settings.VAR / "postgres" / "pg_wal"
        written_to = _log_segment()
        with _stopped_postgres():
            spare = sorted(each for each in data.glob("0*") if each.name > written_to)
            for each in spare[1:]:  # the first may hold what the stop wrote
                each.unlink()
            shutil.copytree(data, small / "pg_wal", copy_function=shutil.copy2)
            data.rename(data.with_name("pg_wal.away"))
            data.symlink_to(small / "pg_wal")
            _give_to_server_user(small / "pg_wal")
        verdict = _send_while_it_fills(stage, small / "filler")
        _end_postgres()
    # Its log is gone, so the database is worth nothing now: the next run makes it anew.
    (settings.VAR / "staged").unlink(missing_ok=True)
    return verdict


def _skipped() -> Verdict:
    return Verdict(figures={"SKIPPED": "a file system of limited size needs root (tmpfs)"})


def _send_while_it_fills(stage: Stage, filler: Path) -> Verdict:
    with stage.workers() as workers:
        notice = stage.approved()
        stage.wait_for_taken(stage.people // 4)
        _fill(filler)
        say("  the disk is full")
        count = _when_it_stands(stage)
        log = workers.log.read_text(errors="replace")
        shown = _kept_reason()
        filler.unlink()
        say(f"  it stood at {count:,}; the disk has room again")
        connection.close()
        start_servers()
        stage.wait_for_close(notice)
    most_open = stage.server.tell()["most_open"]
    verdict = stage.compare(notice, most_flagged=most_open * 4)
    reason = next((line for line in log.splitlines() if "the send waits" in line), "")
    verdict.must(count < stage.people, "it never stood still: take more PEOPLE")
    verdict.must(bool(reason), "the workers' log does not say why the send stands still")
    verdict.must(bool(shown), "nothing tells the desk why the send stands still")
    verdict.must(not _kept_reason(), "the desk is still told so, though the send is over")
    verdict.figures["stood still at"] = f"{count:,} of {stage.people:,} mails"
    verdict.figures["the reason"] = reason.partition("ERROR ")[2][:160]
    return verdict


def _kept_reason() -> str:
    """What the desk's page of the notice would say; the page's other questions need a database."""
    kept = latency.client().get(stall.KEY)
    return kept.decode() if isinstance(kept, bytes) else ""


def _log_segment() -> str:
    """The file of PostgreSQL's log that is written to; later ones are spare, kept for re-use."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        row = cursor.fetchone()
    return str(row[0]) if row else ""


@contextlib.contextmanager
def _stopped_postgres() -> Iterator[None]:
    """Stopped as for maintenance, started after."""
    connection.close()
    server = postmaster(settings.VAR)
    server.send_signal(signal.SIGINT)
    psutil.wait_procs([server], 30)
    yield
    start_servers()


@contextlib.contextmanager
def _small_disk(path: Path) -> Iterator[Path | None]:
    """A disk that fills up quickly; None where there can be none."""
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
    """Puts the database's tables on the small disk, or back; its log stays where it is."""
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


def _when_it_stands(stage: Stage) -> int:
    """How many mails were taken when none was for some seconds (or all were)."""
    count, since, deadline = -1, 0.0, time.monotonic() + 120
    while time.monotonic() < deadline:
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


# ---------------------------------------------------------------- a mail server with moods

# How one person's mail fares at the first attempts, and what must come of it.
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
    """Refusals of every kind, hang-ups before and after the final dot, each to some people."""
    each = max(1, min(stage.people // 200, 20))
    numbers = stage.rng.sample(range(1, stage.people + 1), each * len(MOODS))
    told = {
        name: [address(number) for number in numbers[place * each : (place + 1) * each]]
        for place, name in enumerate(MOODS)
    }
    silent = told["taken, then silent"] = told["taken, then silent"][:4]  # each takes its time
    once = {where: MOODS[name][0] for name, all_ in told.items() for where in all_}
    stage.server.tell(once=once)
    with stage.workers():
        notice = stage.approved()
        stage.wait_for_close(notice, seconds=300 + stage.people / 25)
    counts = stage.server.tell()
    doubtful = sum(len(told[name]) for name, mood in MOODS.items() if mood[3])
    verdict = stage.compare(notice, most_flagged=doubtful)
    _check_moods(stage, notice.pk, told, verdict)
    verdict.figures["connections"] = (
        f"{counts['connections']:,}, of them {counts.get('ended_without_quit', 0):,} "
        f"that ended without QUIT ({len(silent)} of them because the server was silent)"
    )
    lost = counts.get("ended_without_quit", 0)
    verdict.must(lost <= len(silent), f"{lost} connections were left without QUIT")
    return verdict


def _check_moods(
    stage: Stage, notice_id: int, told: dict[str, list[str]], verdict: Verdict
) -> None:
    rows = ledger(Notice.objects.get(pk=notice_id), stage.people)
    mails = Counter(one.to for one in stage.server.taken())
    for name, (_orders, state, number, may_flag) in MOODS.items():
        for where in told[name]:
            row = rows[where]
            found = (row.state, mails[where])
            verdict.must(found == (state, number), f"{name}: {where} is {found}")
            verdict.must(may_flag or not row.is_possible_duplicate, f"{name}: {where} is flagged")


def closed_port(stage: Stage) -> Verdict:
    """Nobody listens when the notice is approved, nor for a while in the middle."""
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
    verdict.must(bool(shown), "the notice does not say that the mail server is away")
    verdict.figures["shown meanwhile"] = repr(shown)
    return verdict


def _shown_problem(notice: Notice) -> str:
    """What the desk reads, as soon as there is something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not notice.problem:
        time.sleep(0.1)
        notice.refresh_from_db()
    return notice.problem


def refused(stage: Stage) -> Verdict:
    """1,000 connections turned away, half with 421, half hung up on; then 3 at a time may stay."""
    number = int(os.environ.get("REFUSALS") or 1000)
    stage.server.tell(refuse=number // 2)
    with stage.workers():
        notice = stage.approved()
        is_over = lambda: stage.server.tell().get("refused", 0) >= number // 2  # noqa: E731
        stage.wait_for(is_over, 900, "end of the 421s")
        stage.server.tell(refuse=number - number // 2, refusal="")
        is_done = lambda: stage.server.tell().get("refused", 0) >= number  # noqa: E731
        stage.wait_for(is_done, 900, "end of the refusals")
        stage.server.tell(limit=LIMIT, refusal="421 4.7.0 too many connections from you")
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    counts = stage.server.tell()
    more = counts["refused"] - number
    verdict.figures["refused"] = f"{number:,} connections, and {more:,} beyond {LIMIT} at a time"
    return verdict


def slow_replies(stage: Stage) -> Verdict:
    """Replies a byte at a time; then a minute's silence before each reply to a final dot."""
    hang = float(os.environ.get("HANG") or 60)
    stage.server.tell(byte_by_byte=True)
    with stage.workers():
        notice = stage.approved()
        stage.wait_for_taken(stage.people // 2)
        stage.server.tell(byte_by_byte=False, hang=hang)
        time.sleep(hang * 1.2)
        stage.server.tell(hang=0)
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    verdict.figures["slow"] = f"half of the mails byte by byte; {hang:.0f} s of silence in between"
    return verdict


# ---------------------------------------------------------------- too many hands, wrong clocks


def twice(stage: Stage) -> Verdict:
    """Two sets of workers with a beat each; every Celery message delivered twice."""
    with stage.workers(), stage.workers():
        notice = stage.approved()
        for number in range(10):
            for _ in range(2):
                tasks.plan_notice.apply_async((notice.pk,), task_id=f"plan-{number}")
                tasks.send_chunks.apply_async((notice.pk,), task_id=f"send-{number}")
                tasks.sweep_notices.apply_async((), task_id=f"sweep-{number}")
        stage.wait_for_close(notice)
    verdict = stage.compare(notice)
    verdict.figures["hands"] = "2 sets of workers, 2 beats, 30 messages delivered twice"
    return verdict


def clock(stage: Stage) -> Verdict:
    """Half of the workers have a clock that is an hour behind: the database's decides."""
    library = next((path for path in LIBFAKETIME if Path(path).exists()), "")
    wrong = (
        {"LD_PRELOAD": library, "FAKETIME": "-1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        if library
        else {"DRILL_CLOCK_SHIFT": "-3600"}
    )
    busy = stage.rng.sample(range(1, stage.people + 1), max(1, stage.people // 50))
    stage.server.tell(once={address(one): [["rcpt", "450 4.2.1 busy"]] for one in busy})
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
    "clock": clock,
}
