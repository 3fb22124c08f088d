"""Reports the progress of a long command on stderr."""

import sys
import time
from datetime import timedelta
from uuid import UUID

from django.core.management.base import BaseCommand

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0


class StepProgressReporter:
    """The progress report of a command that goes through people in the order of their ids.

    It shows the share done, the rate and the remaining time, at most once in TERMINAL_SECONDS or
    LOG_SECONDS. Ids are spread evenly over all possible values, so the last id shows the share.
    """

    def __init__(self, command: BaseCommand, *, unit: str) -> None:
        self._err, self._is_terminal = command.stderr, sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._start = self._reported_at = time.monotonic()
        self._unit = unit
        self._done_before: int | None = None
        self._share_before = 0.0

    def wait(self, seconds: float) -> None:
        """Waits until every process has read a new key. The rate is measured from then on."""
        if seconds:
            self._err.write(f"Waiting {seconds:,.0f} s until every process knows the new key.")
        time.sleep(seconds)
        self._start = time.monotonic()

    def report(self, position: UUID | None, done: int) -> None:
        """Reports the progress. The command calls it after every step.

        `position` is the id of the last person. `done` counts what this run and earlier runs did.
        """
        share = position.int / 2**128 if position else 0.0
        if self._done_before is None:
            self._done_before, self._share_before = done, share
        now = time.monotonic()
        if now - self._reported_at < self._pause or position is None:
            return
        self._reported_at = now
        rate = (done - self._done_before) / (now - self._start)
        share_rate = (share - self._share_before) / (now - self._start)
        left = timedelta(seconds=round((1 - share) / share_rate)) if share_rate else "?"
        self._err.write(
            f"{share:.1%}, {done:,} {self._unit}, {rate:,.0f}/s, {left} left",
            ending="\r" if self._is_terminal else "\n",
        )
