"""The demonstration's mails: one file each under `var/mail`, newest last by name."""

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
    """One mail as the SMTP server took it."""

    path: Path

    @property
    def name(self) -> str:
        """What its page is called."""
        return self.path.stem

    @property
    def recipient(self) -> str:
        """The envelope's recipient."""
        return unquote(self.path.stem.split("~")[2])

    @property
    def received_at(self) -> datetime:
        """When the server took it."""
        return datetime.fromtimestamp(int(self.path.stem.split("~")[0]) / 1e9, tz=UTC)

    def message(self) -> EmailMessage:
        """Headers and parts."""
        return message_from_bytes(self.path.read_bytes(), policy=policy.default)

    def part(self, subtype: str) -> str:
        """The text of the `plain` or `html` part, or an empty string."""
        body = self.message().get_body((subtype,))
        return str(body.get_content()) if body else ""


def folder() -> Path:
    """Where the mails lie."""
    path: Path = settings.VAR / "mail"
    path.mkdir(parents=True, exist_ok=True)
    return path


def store(recipient: str, content: bytes) -> None:
    """Keeps one mail. The file appears complete or not at all."""
    name = f"{time.time_ns()}~{secrets.token_hex(4)}~{quote(recipient, safe='@')[:200]}"
    unfinished = folder() / f"{name}.part"
    unfinished.write_bytes(content)
    unfinished.rename(folder() / f"{name}.eml")


def newest(recipient: str = "", *, limit: int = 50) -> list[StoredMail]:
    """The newest mails first, of one recipient or of all."""
    paths = sorted(folder().glob("*.eml"), reverse=True)
    wanted = recipient.strip().lower()
    mails = (StoredMail(path) for path in paths)
    found = (mail for mail in mails if not wanted or mail.recipient.lower() == wanted)
    return [mail for mail, _ in zip(found, range(limit), strict=False)]


def find(name: str) -> StoredMail | None:
    """The mail of that name."""
    return next((StoredMail(path) for path in folder().glob("*.eml") if path.stem == name), None)
