"""Starts the demonstration: prepares its data and runs every process."""

import logging
import os
import shlex
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from honcho.manager import Manager
from honcho.printer import Message

from breachportal import embedded_servers
from breachportal.demo import sample
from foundations.commands import PortalCommand
from statements.sample import SAMPLES, SLUG, SampleRefusedError


class DemoPrinter:
    """The output of the processes: the guide writes to the terminal, the others to log files."""

    width = 0

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs

    def write(self, message: Message) -> None:
        """Writes one line of a process. honcho calls it."""
        text = (
            message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
        )
        if message.name == "guide":
            write_to_terminal(text)
            return
        if message.name == "system" and "stopped (rc=" in text and "rc=0" not in text:
            write_to_terminal(f"  {text.strip()}; see {self.logs}\n")
        with (self.logs / f"{message.name}.log").open("a", encoding="utf-8") as log:
            log.write(text)


def write_to_terminal(text: str) -> None:
    """Writes to the terminal. Does nothing if the terminal is closed."""
    with suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()


class Command(PortalCommand):
    """The command behind `make demo`."""

    help = "Runs the whole portal on this machine with a sample incident."
    example = "--incident eu-retailer"
    exit_codes = {0: "ended by Ctrl-C", 1: "not in demo mode, refused, or a process ended"}

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the choice of the sample."""
        parser.add_argument("--incident", choices=SAMPLES, default=SLUG)

    def handle(self, **options: Any) -> None:
        """Prepares the data and runs every process until Ctrl-C."""
        if not settings.IS_DEMO:
            raise CommandError("Set BREACHPORTAL_MODE=demo, or use `make demo`.")
        require_free(settings.PORT)
        # `sample.prepare` reports the import's progress itself.
        logging.getLogger("incidents").setLevel(logging.WARNING)
        self.say("Preparing the database ...")
        call_command("migrate", verbosity=0)
        slug = options["incident"]
        try:
            sample.prepare(self.say, slug)
        except SampleRefusedError as error:
            raise CommandError(str(error)) from None
        sys.exit(run_processes(slug) or 0)

    def say(self, line: str) -> None:
        """Prints one line of progress."""
        self.stdout.write(line)
        self.stdout.flush()


def require_free(port: int) -> None:
    """Raises CommandError if another process listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"Port {port} is taken. Try another: make demo PORT={port + 80}"
            ) from None


def free_port() -> int:
    """Returns a port on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_processes(slug: str) -> int | None:
    """Runs the mail server, a Celery worker with beat, the web server and the guide.

    Returns an exit code when one of them ends and the others are stopped: 0 after Ctrl-C.
    """
    python = sys.executable
    manage = [python, "-m", "breachportal"]
    commands = {
        "smtp": [*manage, "demo_smtp"],
        "worker": [python, "-m", "celery", "-A", "breachportal", "worker", "--beat"]
        + ["--schedule", str(settings.VAR / "celerybeat"), "--concurrency", "2"]
        + ["--queues", "send,import,default", "--loglevel", "WARNING"],
        "web": [python, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"]
        + ["--blocking-threads", str(settings.WEB_THREADS)]
        + ["--host", "127.0.0.1", "--port", str(settings.PORT), "breachportal.wsgi:application"],
        "guide": [*manage, "demo_guide", "--incident", slug],
    }
    environment = (
        os.environ
        | sample.settings_of(slug)
        | {
            "BREACHPORTAL_MODE": "demo",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(free_port()),
            "PYTHONUNBUFFERED": "1",
        }
    )
    manager = Manager(printer=DemoPrinter(settings.VAR / "log"))
    for name, command in commands.items():
        line = f"exec {shlex.join(command)}"
        manager.add_process(name, line, env=environment, cwd=str(settings.BASE_DIR))
    # A closed terminal ends the demonstration, as Ctrl-C does.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    try:
        manager.loop()
    except BaseException:
        manager.kill()
        raise
    embedded_servers.wait_for_others(seconds=10)
    return 0 if manager.returncode in (130, 143) else manager.returncode
