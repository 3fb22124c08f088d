"""The process of the demonstration that sends the sample notice and says where everything is."""

import signal
import socket
import time
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from breachportal.demo import sample
from foundations.commands import PortalCommand
from notices.models import Notice
from statements.sample import SAMPLES, SLUG

START_SECONDS = 60

READY = """
breachportal is ready at {url}/

As a customer
  Open {url}/, choose "My data", and sign in as
{customers}
  The code comes by mail; read every mail at {url}/demo/mail/

As the response team
  Open {url}/admin/ and sign in as one of (a notice needs two people)
{team}
  The code comes by mail, as above; the second factor's stands at {url}/demo/authenticator/

Logs are in {logs}. Ctrl-C stops everything; the data stays for the next start.
"""


class Command(PortalCommand):
    """The process of `make demo` that writes to the terminal."""

    help = "Sends the sample notice, then says where everything is. Part of `make demo`."
    example = "--incident eu-retailer"
    exit_codes = {0: "ended by a signal", 1: "not in demo mode, or a server did not start"}

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the choice of the sample."""
        parser.add_argument("--incident", choices=SAMPLES, default=SLUG)

    def handle(self, **options: Any) -> None:
        """Waits for the other processes, sends the notice, and runs until SIGTERM or Ctrl-C."""
        if not settings.IS_DEMO:
            raise CommandError("The guide exists in demo mode only.")
        for name, port in (("mail server", settings.EMAIL_PORT), ("web server", settings.PORT)):
            wait_for(name, port)
        slug = options["incident"]
        self.send(slug)
        self.stdout.write(
            READY.format(
                url=settings.PORTAL_URL,
                customers=customers_of(slug),
                team=team(),
                logs=settings.VAR / "log",
            )
        )
        self.stdout.flush()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return

    def send(self, slug: str) -> None:
        """Sends the sample notice and prints its progress while it is planned and sent."""
        notice = sample.send_notice(slug)
        printed = None
        while notice.state in (Notice.State.PLANNING, Notice.State.SENDING):
            line = f"Sending the notice: {notice.ended():,} of {notice.planned:,} people done ..."
            if line != printed:
                self.stdout.write(line)
                self.stdout.flush()
                printed = line
            time.sleep(1)
            notice.refresh_from_db()
        self.stdout.write(
            f"The notice is {notice.state}: {notice.planned:,} people, {notice.accepted:,} mails "
            f"accepted, {notice.unreachable:,} people without a usable address."
        )


def customers_of(slug: str) -> str:
    """Returns a line for each customer whom a visitor may sign in as."""
    lines = (f"    {address:<26}{who}" for address, who in sample.CUSTOMERS[slug].items())
    return "\n".join(lines)


def team() -> str:
    """Returns a line for each account of the response team: those of the roles, two superusers."""
    accounts = {email: role for role, email in sample.ROLE_ACCOUNTS.items()}
    accounts |= {sample.EDITOR: "superuser", sample.APPROVER: "superuser"}
    return "\n".join(f"    {address:<39}{who}" for address, who in accounts.items())


def wait_for(name: str, port: int) -> None:
    """Waits until a process listens on the port.

    Raises CommandError after START_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise CommandError(f"The {name} did not start within {START_SECONDS} seconds.")
