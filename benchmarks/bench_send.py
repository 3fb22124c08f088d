"""How fast notices are sent, beside what else could send them. See docs/performance.md.

    make bench-send PEOPLE=50000 PARTS=engine,loader

The last line printed is one JSON object.
"""

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks import loader, product
from benchmarks.sink import Sink

MESSAGE_OCTETS = 8 * 1024
MEBIBYTE = 1024 * 1024
PARTS = ("engine", "loader")
Figures = dict[str, Any]


def say(text: str) -> None:
    """A line for the reader, at once."""
    print(text, flush=True)


class Memory:
    """Watches the biggest sending process, from the outside, while `with` lasts."""

    def __init__(self, workers: product.Workers) -> None:
        self._workers = workers
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.sizes: list[int] = []  # octets, one each half second

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(0.5):
            sizes = []
            for process in self._workers.senders():
                with contextlib.suppress(psutil.Error):
                    sizes.append(process.memory_info().rss)
            if sizes:
                self.sizes.append(max(sizes))

    def figures(self) -> Figures:
        """In MiB; the early one is the biggest of the run's first fifth."""
        early = self.sizes[: max(1, len(self.sizes) // 5)] or [0]
        late = self.sizes[-max(1, len(self.sizes) // 5) :] or [0]
        return {
            "peak_worker_rss_mib": round(max(self.sizes, default=0) / MEBIBYTE, 1),
            "early_worker_rss_mib": round(max(early) / MEBIBYTE, 1),
            "late_worker_rss_mib": round(max(late) / MEBIBYTE, 1),
        }


@contextlib.contextmanager
def running_into(sink: Sink, port: int = 0) -> Iterator[product.Workers]:
    """The product's workers, warmed up, sending into the sink (or a proxy before it)."""
    from breachportal.celery import app

    with product.Workers(EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(port or sink.port)) as workers:
        deadline = time.monotonic() + 60
        while len(app.control.ping(timeout=0.5) or []) < 2:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the workers do not answer; see {workers.log}")
        yield workers


def engine(people: int, sink: Sink) -> Figures:
    """Approval to close of a notice to everybody."""
    from benchmarks import notices

    before = sink.taken()
    with running_into(sink) as workers, Memory(workers) as memory:
        notice = notices.draft(octets=MESSAGE_OCTETS)
        began = time.monotonic()
        notices.approve(notice)
        notices.wait_until(notice, notices.is_closed, seconds=60 + people / 50)
        seconds = time.monotonic() - began
    planning = 0.0
    if notice.planned_at and notice.approved_at:
        planning = (notice.planned_at - notice.approved_at).total_seconds()
    taken = sink.taken() - before
    say(
        f"engine: {notice.accepted:,} accepted in {seconds:.1f} s, of them {planning:.1f} s "
        f"until the ledger was written; the sink took {taken:,}"
    )
    if not notice.accepted == taken == people:
        raise RuntimeError(f"{people=} accepted={notice.accepted} {taken=}")
    return {"accepted_per_s": round(notice.accepted / seconds, 1), **memory.figures()}


def bare_loader(people: int, sink: Sink) -> Figures:
    """What the sink can take at all."""
    rate, how = loader.best_rate(sink.port, messages=people, octets=MESSAGE_OCTETS)
    say(f"loader: {rate:,.0f} messages/s, {how}")
    return {"loader_per_s": round(rate, 1), "loader": how}


MEASURES: dict[str, Callable[[int, Sink], Figures]] = {"engine": engine, "loader": bare_loader}


def ratios(figures: Figures) -> Figures:
    """What was measured, by what it was measured against in the same run."""
    rate = figures.get("accepted_per_s")
    found: Figures = {}
    for name in ("post_office", "loader"):
        other = figures.get(f"{name}_per_s")
        found[f"ratio_to_{name}"] = round(rate / other, 2) if rate and other else None
    return found


def main() -> None:
    """Runs the chosen parts in one process tree on one machine, one after another."""
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
            figures |= MEASURES[part](people, sink)
        figures["sink"] = sink.name
    print(json.dumps(figures | ratios(figures)), flush=True)


if __name__ == "__main__":
    main()
