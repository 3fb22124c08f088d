"""Runs work in a process that SIGKILL ends in the middle of it."""

import multiprocessing
import os
import signal
from collections.abc import Callable

from django.db import connections


def run_until_killed(work: Callable[[], object]) -> None:
    """Runs `work` in a forked process; raises AssertionError unless SIGKILL ended it."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def no_wait(_seconds: float) -> None:
    """Stands for the pause between two steps, and returns at once."""


def die_at_call(number: int) -> Callable[[object], None]:
    """Returns a function that kills its own process when it is called for the `number`th time."""
    calls = 0

    def die(_report: object) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return die
