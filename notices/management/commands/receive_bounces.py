"""The command that receives returned mail: delivery reports and complaints."""

import argparse
import asyncio
import imaplib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from notices.returned_mail.receivers import Listener, UnsafeMailboxError, read_imap, read_maildir


class Command(PortalCommand):
    """Receives returned mail over one of three ways (docs/sending.md)."""

    help = "Listens for returned mail, or reads a mailbox once (run that from cron)."
    example = "--maildir /var/mail/bounces/Maildir"
    exit_codes = {
        0: "the mailbox is empty, or the listener was stopped",
        1: "the mailbox cannot be read",
    }
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the three ways, of which one is required, and `--lmtp`."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--listen", metavar="HOST:PORT", help="such as 127.0.0.1:2526")
        source.add_argument("--maildir", type=Path, metavar="PATH")
        source.add_argument("--imap", action="store_true", help="the mailbox that IMAP_URL names")
        parser.add_argument("--lmtp", action="store_true", help="speak LMTP where it listens")

    def handle(self, **options: Any) -> None:
        """Runs until interrupted, or until the mailbox is empty."""
        if options["listen"]:
            self._listen(options["listen"], is_lmtp=options["lmtp"])
        elif options["maildir"]:
            if not options["maildir"].is_dir():
                raise CommandError(f"{options['maildir']} is not a directory")
            self._taken(read_maildir(options["maildir"]))
        else:
            url = settings.IMAP_URL
            if not url:
                raise CommandError("IMAP_URL is not set: imaps://user:password@host/")
            try:
                self._taken(read_imap(url))
            except UnsafeMailboxError as error:
                raise CommandError(str(error)) from None
            except (OSError, imaplib.IMAP4.error) as error:
                reason = f"{type(error).__name__}: {error}"
                raise CommandError(f"the mailbox could not be read to its end: {reason}") from None

    def _taken(self, number: int) -> None:
        self.result(f"{number} mails taken", taken=number)

    def _listen(self, address: str, *, is_lmtp: bool) -> None:
        host, _colon, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise CommandError(f"{address} is not HOST:PORT")
        listener = Listener(host, int(port), is_lmtp=is_lmtp)
        try:
            asyncio.run(listener.serve(ready=self._report_port))
        except KeyboardInterrupt:
            self.tell("stopped")
        finally:
            listener.close()

    def _report_port(self, port: int) -> None:
        self.result(f"listening on port {port}", listening=port)
