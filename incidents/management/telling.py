"""How far a long command is, on stderr."""

import sys
import time
from uuid import UUID

from django.core.management.base import BaseCommand

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0


class StepTeller:
    """Tells how far a walk over people's keys is, and how fast, now and then.

    Keys are spread evenly over all there can be, so the last one's place says how far it is.
    """

    def __init__(self, command: BaseCommand, *, unit: str) -> None:
        self._err, self._is_terminal = command.stderr, sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._start = self._told_at = time.monotonic()
        self._unit = unit
        self._before: int | None = None

    def wait(self, seconds: float) -> None:
        """Until every process has read a new key; the rate counts from then on."""
        if seconds:
            self._err.write(f"Waiting {seconds:,.0f} s until every process knows the new key.")
        time.sleep(seconds)
        self._start = time.monotonic()

    def tell(self, position: UUID | None, done: int) -> None:
        """Called after every step, with all that was done so far, by earlier runs as well."""
        if self._before is None:
            self._before = done
        now = time.monotonic()
        if now - self._told_at < self._pause or position is None:
            return
        self._told_at = now
        rate = (done - self._before) / (now - self._start)
        self._err.write(
            f"{position.int / 2**128:.1%}, {done:,} {self._unit}, {rate:,.0f}/s",
            ending="\r" if self._is_terminal else "\n",
        )
