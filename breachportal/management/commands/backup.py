"""The command that writes a backup of the database."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts.audit import acts
from accounts.models import AuditEntry
from breachportal import backups
from foundations.commands import PortalCommand

KEEP = 14


class Command(PortalCommand):
    """Writes a backup into BACKUP_FOLDER and deletes the oldest ones."""

    help = (
        "Writes a backup of the database into BACKUP_FOLDER; imports and notices may go on. Copy "
        "it to another machine. The master keyset and the secret key are not in it: keep them in "
        "another place."
    )
    example = "--keep 30"
    exit_codes = {0: "a backup is written", 1: "no backup is written"}
    prints_json = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the number of backups to keep, and the owner's account."""
        parser.add_argument("--keep", type=int, default=KEEP, metavar="N", help="backups to keep")
        parser.add_argument(
            "--database-url-file",
            type=Path,
            metavar="FILE",
            help="the DATABASE_URL of the owner of the tables; without it, that of the settings",
        )

    def handle(self, *, keep: int, database_url_file: Path | None, **_options: Any) -> None:
        """Writes a backup, then deletes old ones. Raises CommandError if none was written."""
        if keep < 1:
            raise CommandError("--keep must be 1 or more")
        folder, began = Path(settings.BACKUP_FOLDER), time.monotonic()
        try:
            url = database_url_file.read_text().strip() if database_url_file else ""
            path = backups.back_up(folder, url)
        except (OSError, backups.BackupError) as error:
            raise CommandError(f"no backup was written: {error}") from error
        acts.record(AuditEntry.Kind.EXPORT, by=None, what="backup", file=path.name)
        size, seconds = path.stat().st_size / (1 << 20), time.monotonic() - began
        self.tell(f"{path}: {size:,.1f} MiB in {seconds:,.0f} s")
        deleted = [old.name for old in backups.remove_old(folder, keep)]
        for name in deleted:
            self.tell(f"deleted {name}")
        self.result(file=path, bytes=path.stat().st_size, deleted=deleted)
