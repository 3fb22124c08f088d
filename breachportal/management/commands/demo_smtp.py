"""The demonstration's mail server."""

import asyncio
import signal
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import CommandError

from breachportal.demo import maildir
from foundations.commands import PortalCommand


class MailStore:
    """A handler of aiosmtpd that accepts and stores every mail."""

    async def handle_DATA(  # noqa: N802  # aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Stores the mail once for each recipient and returns the SMTP reply."""
        del server, session
        content = envelope.content
        if not isinstance(content, bytes):
            return "451 nothing arrived"
        for recipient in envelope.rcpt_tos:
            maildir.store(recipient, content)
        return "250 OK kept"


class Command(PortalCommand):
    """The demonstration's mail server."""

    help = "Runs a local SMTP server that keeps every mail for the demo's mailbox page."
    exit_codes = {0: "ended by a signal", 1: "not in demo mode"}

    def handle(self, **options: Any) -> None:
        """Listens on EMAIL_HOST:EMAIL_PORT until SIGTERM or SIGINT."""
        if not settings.IS_DEMO:
            raise CommandError("This mail server exists in demo mode only.")
        asyncio.run(serve(settings.EMAIL_HOST, settings.EMAIL_PORT))


async def serve(host: str, port: int) -> None:
    """Runs the SMTP server until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopped.set)
    server = await loop.create_server(lambda: SMTP(MailStore(), hostname="localhost"), host, port)
    async with server:
        await stopped.wait()
