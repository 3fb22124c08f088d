"""How far a long command is, on stderr."""

import sys
import time
from datetime import timedelta
from uuid import UUID

from django.core.management.base import BaseCommand

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0


class StepProgressReporter:
    """Tells how far a walk over people's keys is, how fast, and how long still, now and then.

    Keys are spread evenly over all there can be, so the last one's place says how far it is.
    """

    def __init__(self, command: BaseCommand, *, unit: str) -> None:
        self._err, self._is_terminal = command.stderr, sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._start = self._told_at = time.monotonic()
        self._unit = unit
        self._before: int | None = None
        self._share_before = 0.0

    def wait(self, seconds: float) -> None:
        """Until every process has read a new key; the rate counts from then on."""
        if seconds:
            self._err.write(f"Waiting {seconds:,.0f} s until every process knows the new key.")
        time.sleep(seconds)
        self._start = time.monotonic()

    def tell(self, position: UUID | None, done: int) -> None:
        """Called after every step, with all that was done so far, by earlier runs as well."""
        share = position.int / 2**128 if position else 0.0
        if self._before is None:
            self._before, self._share_before = done, share
        now = time.monotonic()
        if now - self._told_at < self._pause or position is None:
            return
        self._told_at = now
        rate = (done - self._before) / (now - self._start)
        gone = (share - self._share_before) / (now - self._start)
        left = timedelta(seconds=round((1 - share) / gone)) if gone else "?"
        self._err.write(
            f"{share:.1%}, {done:,} {self._unit}, {rate:,.0f}/s, {left} left",
            ending="\r" if self._is_terminal else "\n",
        )
