"""Celery's scheduler, which tells Redis that it runs. The doctor counts the schedulers there."""

import os
import socket
import time
from typing import Any

from celery.beat import PersistentScheduler

from breachportal.signs import BEATS, EVERY_SECONDS


class SeenScheduler(PersistentScheduler):
    """Celery's persistent scheduler. It gives a sign every EVERY_SECONDS, if Redis answers."""

    _last_time = float("-inf")
    _heap: list[Any] | None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Sends the tasks that are due. Returns the seconds until the next call."""
        self._follow_clock()
        wait: float = super().tick(*args, **kwargs)
        BEATS.give(f"{socket.gethostname()}:{os.getpid()}")
        return min(wait, EVERY_SECONDS)

    def _follow_clock(self) -> None:
        """Lets tasks be due again after the clock of this machine was set back.

        Each would else wait until the clock shows the time that it showed before. The file of the
        schedule may hold such a time, too.
        """
        before, self._last_time = self._last_time, time.time()
        if self._heap and self._last_time >= before:
            return
        latest = self.app.now()
        for entry in self.schedule.values():
            if entry.last_run_at and entry.last_run_at > latest:
                entry.last_run_at = latest
        self._heap = None  # Celery computes it again
