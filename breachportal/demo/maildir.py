"""The stored mails of the demonstration: one file each under `var/mail`.

A file name is the time of receipt in nanoseconds, a random part and the recipient, with "~" between
them. In the order of their names the newest file is last.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote, unquote

from django.conf import settings


@dataclass(frozen=True)
class StoredMail:
    """One mail as the SMTP server received it."""

    path: Path

    @property
    def name(self) -> str:
        """The name of the file without its suffix; it is part of the page's URL."""
        return self.path.stem

    @property
    def recipient(self) -> str:
        """The recipient of the envelope."""
        return unquote(self.path.stem.split("~")[2])

    @property
    def received_at(self) -> datetime:
        """The time at which the server received the mail."""
        return datetime.fromtimestamp(int(self.path.stem.split("~")[0]) / 1e9, tz=UTC)

    def message(self) -> EmailMessage:
        """Returns the parsed mail: its headers and parts."""
        return message_from_bytes(self.path.read_bytes(), policy=policy.default)

    def part(self, subtype: str) -> str:
        """Returns the text of the `plain` or `html` part, or an empty string."""
        body = self.message().get_body((subtype,))
        return str(body.get_content()) if body else ""


def folder() -> Path:
    """Returns the directory of the mails, and creates it if it is missing."""
    path: Path = settings.VAR / "mail"
    path.mkdir(parents=True, exist_ok=True)
    return path


def store(recipient: str, content: bytes) -> None:
    """Stores one mail. A reader sees the complete file or none."""
    name = f"{time.time_ns()}~{secrets.token_hex(4)}~{quote(recipient, safe='@')[:200]}"
    unfinished = folder() / f"{name}.part"
    unfinished.write_bytes(content)
    unfinished.rename(folder() / f"{name}.eml")


def newest(recipient: str = "", *, limit: int = 50) -> list[StoredMail]:
    """Returns up to `limit` mails, the newest first.

    Without a `recipient` it returns the mails of all recipients.
    """
    paths = sorted(folder().glob("*.eml"), reverse=True)
    wanted = recipient.strip().lower()
    mails = (StoredMail(path) for path in paths)
    found = (mail for mail in mails if not wanted or mail.recipient.lower() == wanted)
    return [mail for mail, _ in zip(found, range(limit), strict=False)]


def find(name: str) -> StoredMail | None:
    """Returns the mail with this name, or None."""
    return next((StoredMail(path) for path in folder().glob("*.eml") if path.stem == name), None)
