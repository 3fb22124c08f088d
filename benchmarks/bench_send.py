"""The benchmark of the send engine, compared with other senders. See docs/performance.md.

    make bench-send PEOPLE=50000 PARTS=engine,loader

The last line of the output is one JSON object.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from benchmarks import loader
from benchmarks.command_line import read_command_line
from benchmarks.distant import Distant
from benchmarks.memory import Memory, resident
from benchmarks.sink import Sink
from harness import product

MESSAGE_OCTETS = 8 * 1024
PARTS = ("engine", "loader", "post_office", "delay", "limits", "dkim", "dkim_far", "pause", "page")
SLOWEST_PER_S = 50  # the benchmark gives up below this rate
POST_OFFICE_MESSAGES = 10_000  # enough, because its rate is steady
DELAY_MS = 20
FAR_MS = (1, 20, 200)
DKIM_DOMAIN = "portal.example"  # that of the sender in development
LIMITS = (100, 20)  # messages a connection
PAUSE_SECONDS = 4.0
MODEL_CASE = 33_700_000
WORKERS = 3  # of the Procfile: one for each queue
Figures = dict[str, Any]


def say(text: str) -> None:
    """Prints a line for the reader without buffering."""
    print(text, flush=True)


def _memory(workers: product.Workers) -> Memory:
    """Returns a Memory of the processes that send now. To look for them again and again would take
    processor time from them.
    """
    senders = workers.senders()
    return Memory(seconds=0.5, senders=lambda: map(resident, senders))


def _sizes(memory: Memory) -> Figures:
    """Returns peaks in MiB: of the whole run, and of its first and its last fifth."""
    sizes = memory.sizes["senders"]
    early = sizes[: max(1, len(sizes) // 5)] or [0.0]
    late = sizes[-max(1, len(sizes) // 5) :] or [0.0]
    return {
        "peak_worker_rss_mib": round(memory.peak("senders"), 1),
        "early_worker_rss_mib": round(max(early), 1),
        "late_worker_rss_mib": round(max(late), 1),
    }


@dataclass(frozen=True)
class Run:
    """The parameters that all parts share."""

    people: int
    sink: Sink
    var: Path

    def distant(self, delay_ms: float) -> Distant:
        """Returns a proxy that delays the replies of the sink."""
        return Distant(self.sink.port, delay_ms=delay_ms, clock=self.var / "distant.clock")


@contextlib.contextmanager
def running_into(port: int, **environment: str) -> Iterator[product.Workers]:
    """Context manager: yields the workers of the product, which send to `port`, once each answers.
    A worker that still starts would take a core from the first seconds of the send.

    `environment` sets further variables.
    """
    from breachportal.celery import app

    with product.Workers(EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(port), **environment) as workers:
        deadline = time.monotonic() + 60
        while len(app.control.ping(timeout=0.5, limit=WORKERS) or []) < WORKERS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the workers do not answer; see {workers.log}")
        yield workers


def engine(run: Run) -> Figures:
    """Measures the send of a notice to all people, from the approval to the close."""
    before = run.sink.taken()
    with running_into(run.sink.port) as workers, _memory(workers) as memory:
        rate = rate_of(run.people)
    taken = run.sink.taken() - before - _mails_to_the_team()
    if taken != run.people:
        raise RuntimeError(f"the ledger says {run.people} accepted, the sink took {taken}")
    return {"accepted_per_s": rate, **_sizes(memory)}


def _mails_to_the_team() -> int:
    """Returns how many mails the portal sent to its team meanwhile, through the same server."""
    from benchmarks import notices

    return notices.mails_to_the_team()


def rate_of(people: int) -> float:
    """Returns people per second from the approval of a notice to its close.

    Raises RuntimeError if the server did not accept every message.
    """
    from benchmarks import notices

    notice = notices.draft(octets=MESSAGE_OCTETS)
    began = time.monotonic()
    notices.approve(notice)
    notices.wait_until(notice, notices.is_closed, seconds=60 + people / SLOWEST_PER_S)
    seconds = time.monotonic() - began
    planning = 0.0
    if notice.planned_at and notice.approved_at:
        planning = (notice.planned_at - notice.approved_at).total_seconds()
    if notice.accepted != people:
        raise RuntimeError(f"of {people} people {notice.accepted} were accepted")
    say(
        f"engine: {notice.accepted:,} accepted in {seconds:.1f} s, {people / seconds:,.0f}/s; "
        f"of them {planning:.1f} s until the ledger was written"
    )
    return round(people / seconds, 1)


def bare_loader(run: Run) -> Figures:
    """Measures the highest rate that the sink accepts."""
    rate, how = loader.best_rate(run.sink.port, messages=run.people, octets=MESSAGE_OCTETS)
    say(f"loader: {rate:,.0f} messages/s, {how}")
    return {"loader_per_s": round(rate, 1), "loader": how}


def django_post_office(run: Run) -> Figures:
    """Measures django-post_office with the same mails, without the time to fill its queue."""
    from django.conf import settings

    from benchmarks import notices, post_office

    found = post_office.best_rate(
        settings.DATABASES["default"]["HOST"],
        run.sink.port,
        notices.parts_of_mail(octets=MESSAGE_OCTETS),
        messages=min(run.people, POST_OFFICE_MESSAGES),
        var=run.var,
    )
    say(
        f"post_office: {found['send_per_s']:,.0f} messages/s over "
        f"{min(run.people, POST_OFFICE_MESSAGES):,} ({found['how']}); "
        f"queueing them, not counted, {found['queue_per_s']:,.0f}/s"
    )
    return {"post_office_per_s": round(found["send_per_s"], 1), "post_office": found["how"]}


def delayed(run: Run) -> Figures:
    """Measures the send through a proxy, without and with the delay of a network."""
    rates = {}
    for delay_ms in (0, DELAY_MS):
        with run.distant(delay_ms) as distant, running_into(distant.port):
            rates[delay_ms] = rate_of(run.people)
    ratio = round(rates[DELAY_MS] / rates[0], 2)
    say(f"{DELAY_MS} ms away: {ratio} of the rate through the same proxy without delay")
    return {
        "delayed_per_s": rates[DELAY_MS],
        "undelayed_per_s": rates[0],
        "delayed_ratio": ratio,
    }


def limited(run: Run) -> Figures:
    """Measures the send to a server that takes a number of messages on a connection, divided by the
    rate without a limit: the better one of a run before and a run after. All use our own sink.
    """
    rates: dict[int, float] = {}
    for limit in (0, *LIMITS, 0):
        with Sink(run.var / f"sink-{limit}.count", limit=limit) as sink, running_into(sink.port):
            rates[limit] = max(rates.get(limit, 0.0), rate_of(run.people))
    found = {f"limit_{limit}_ratio": round(rates[limit] / rates[0], 2) for limit in LIMITS}
    say(f"limits: {found} of {rates[0]:,.0f}/s without a limit")
    return {"unlimited_per_s": rates[0], **found}


def signed(run: Run) -> Figures:
    """Measures the send with DKIM, divided by the rate without. Also measures the processor time of
    the senders for a mail, in µs, which other work on the machine changes less.
    """
    rates, times = _signed_rates(run, run.sink.port, ("rsa", "ed25519", "both"))
    found = {f"dkim_{name}_ratio": ratio for name, ratio in _to_unsigned(rates).items()}
    found |= {f"dkim_{name}_cpu_us": round(spent) for name, spent in times.items()}
    say(f"dkim: {found} of {rates['unsigned']:,.0f}/s without a signature")
    return {"unsigned_per_s": rates["unsigned"], **found}


def signed_far(run: Run) -> Figures:
    """Measures the same through a proxy that delays each reply, as distant servers do."""
    found: Figures = {}
    for delay_ms in FAR_MS:
        with run.distant(delay_ms) as distant:
            rates, _times = _signed_rates(run, distant.port, ("rsa", "ed25519"))
        found[f"far_{delay_ms}_unsigned_per_s"] = rates["unsigned"]
        for name, ratio in _to_unsigned(rates).items():
            found[f"far_{delay_ms}_dkim_{name}_ratio"] = ratio
    say(f"dkim_far: {found}")
    return found


def _signed_rates(
    run: Run, port: int, names: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, float]]:
    """Returns the rate, and the processor time of the senders in µs for a mail, for each kind of
    signature and without one: the better one of a run before and a run after.
    """
    kinds = _environments()
    rates: dict[str, float] = {}
    times: dict[str, float] = {}
    for name in ("unsigned", *names, "unsigned"):
        with running_into(port, **kinds[name]) as workers:
            before = cpu_seconds(workers)
            rates[name] = max(rates.get(name, 0.0), rate_of(run.people))
            spent = (cpu_seconds(workers) - before) / run.people * 1e6
            times[name] = min(times.get(name, spent), spent)
    return rates, times


def _environments() -> dict[str, dict[str, str]]:
    """Returns the settings of the workers for each kind of signature."""
    rsa_key, curve_key = new_keys()
    first = {"DKIM_DOMAIN": DKIM_DOMAIN, "DKIM_SELECTOR": "a"}
    second = {"DKIM_SECOND_SELECTOR": "b", "DKIM_SECOND_PRIVATE_KEY": curve_key}
    return {
        "unsigned": {},
        "rsa": first | {"DKIM_PRIVATE_KEY": rsa_key},
        "ed25519": first | {"DKIM_PRIVATE_KEY": curve_key},
        "both": first | second | {"DKIM_PRIVATE_KEY": rsa_key},
    }


def _to_unsigned(rates: dict[str, float]) -> dict[str, float]:
    return {
        name: round(rate / rates["unsigned"], 2)
        for name, rate in rates.items()
        if name != "unsigned"
    }


def cpu_seconds(workers: product.Workers) -> float:
    """Returns the processor time that the senders have used."""
    found = (process.cpu_times() for process in workers.senders())
    return float(sum(times.user + times.system for times in found))


def new_keys() -> tuple[str, str]:
    """Returns an RSA key of 2048 bits and an Ed25519 key in PEM."""
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    keys = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()
    rsa_key, curve_key = (key.private_bytes(*form).decode() for key in keys)
    return rsa_key, curve_key


def pause(run: Run) -> Figures:
    """Measures the seconds from a pause to the last data of a message, with 20 ms of delay."""
    from benchmarks import notices
    from notices import decisions

    with run.distant(DELAY_MS) as distant, running_into(distant.port):
        notice = notices.draft(octets=MESSAGE_OCTETS)
        notices.approve(notice)
        third = run.people // 3
        limit = 60 + run.people / SLOWEST_PER_S
        notices.wait_until(notice, lambda seen: seen.accepted >= third, seconds=limit)
        pressed_at = time.time()
        if not decisions.pause(notice):
            raise RuntimeError("the notice was sent before anybody could pause it")
        time.sleep(PAUSE_SECONDS)
        seconds = distant.last_message_at() - pressed_at  # below zero: the page was slower
        notice.refresh_from_db()
        left = notice.to_go()
        decisions.resume(notice)
        notices.wait_until(notice, notices.is_closed, seconds=limit)
    if not left:
        raise RuntimeError("everybody was told before the pause; take more PEOPLE")
    say(f"pause: the last message went out {seconds:.3f} s later; {left:,} people waited")
    if seconds < -1:
        raise RuntimeError("nothing was on its way when the pause was pressed")
    return {"pause_s": round(max(0.0, seconds), 3)}


def status_page(_run: Run) -> Figures:
    """Measures the desk's page of a notice to 33.7 million people, at three stages of the send."""
    from benchmarks import desk

    milliseconds = desk.status_page_ms(MODEL_CASE)
    times = ", ".join(f"{stage} {figure:.0f} ms" for stage, figure in milliseconds.items())
    say(f"status page of a notice to {MODEL_CASE:,}: {times}")
    return {"status_page_ms": round(max(milliseconds.values()), 1)}


MEASURES: dict[str, Callable[[Run], Figures]] = {
    "engine": engine,
    "loader": bare_loader,
    "post_office": django_post_office,
    "delay": delayed,
    "limits": limited,
    "dkim": signed,
    "dkim_far": signed_far,
    "pause": pause,
    "page": status_page,
}


def ratios(figures: Figures) -> Figures:
    """Returns the engine's rate divided by the other rates of the same run."""
    rate = figures.get("accepted_per_s")
    found: Figures = {}
    if rate and figures.get("delayed_per_s"):
        found["delayed_ratio_to_direct"] = round(figures["delayed_per_s"] / rate, 2)
    for name in ("post_office", "loader"):
        other = figures.get(f"{name}_per_s")
        found[f"ratio_to_{name}"] = round(rate / other, 2) if rate and other else None
    return found


def main() -> None:
    """Runs the selected parts one after another, in one process tree on one machine."""
    people = int(os.environ.get("PEOPLE") or 50_000)
    parts = [part for part in (os.environ.get("PARTS") or ",".join(PARTS)).split(",") if part]
    if unknown := set(parts) - set(MEASURES):
        sys.exit(f"PARTS: {', '.join(sorted(unknown))} is none of {', '.join(MEASURES)}")
    base = Path(os.environ.get("BREACHPORTAL_VAR") or product.ROOT / "var")
    began = time.monotonic()
    product.open_in(base / "bench-send" / str(people), people=people)
    say(f"{people:,} people are in the store after {time.monotonic() - began:.1f} s")
    var = Path(os.environ["BREACHPORTAL_VAR"])
    figures: Figures = {"people": people, "message_octets": MESSAGE_OCTETS}
    with Sink(var / "sink.count") as sink:
        say(f"sink: {sink.name}; {os.cpu_count()} cores for everything")
        for part in parts:
            figures |= MEASURES[part](Run(people, sink, var))
        figures["sink"] = sink.name
    print(json.dumps(figures | ratios(figures)), flush=True)


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
