"""The command that exports the letters of a notice for a print house."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.audit import acts
from accounts.models import AuditEntry
from foundations.commands import ExportCommand
from notices import letter_export
from notices.letter_export import ENCODINGS, PrintOrder
from notices.models import Notice


class Command(ExportCommand):
    """Exports letters (docs/sending.md)."""

    help = (
        "Writes one letter a line, with name and address, to standard output or into a file, and "
        "records the letters as exported. Handle the file with care."
    )
    example = "12 --encoding cp949 > letters.csv"
    exit_codes = {0: "each letter is written", 1: "refused, such as before the notice is closed"}

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the notice, the encoding and the choice of the file."""
        super().add_arguments(parser)
        parser.add_argument("notice", type=int)
        parser.add_argument("--encoding", choices=ENCODINGS, default=ENCODINGS[0])
        parser.add_argument(
            "--not-printable",
            action="store_true",
            help="the people without a letter, with the reason, in UTF-8",
        )
        parser.add_argument(
            "--again", action="store_true", help="also letters exported before and not posted"
        )
        parser.add_argument(
            "--qr",
            type=Path,
            metavar="DIR",
            help="an empty directory, which gets the QR code of each letter as CODE.png",
        )
        parser.add_argument(
            "--first-address",
            action="store_true",
            help="the first of several addresses, where no date shows which is the latest",
        )

    def handle(self, **options: Any) -> None:
        """Writes the file. Standard output holds nothing else."""
        with self.opened(options["output"]) as write:
            for line in _lines(options):
                write(line)


def _lines(options: dict[str, Any]) -> Iterator[bytes]:
    """Returns the lines of the file. Records the export. Raises CommandError if it is refused."""
    notice = Notice.objects.select_related("incident").filter(pk=options["notice"]).first()
    if notice is None:
        raise CommandError(f"there is no notice {options['notice']}")
    if objection := letter_export.letter_objection(notice):
        raise CommandError(objection)
    order = PrintOrder(
        encoding=options["encoding"],
        is_again=options["again"],
        takes_first=options["first_address"],
    )
    is_second, folder = options["not_printable"], options["qr"]
    if folder is not None:
        _check_folder(folder, is_second=is_second)
    acts.record(
        AuditEntry.Kind.EXPORT,
        by=None,
        about=notice,
        incident=notice.incident_id,
        what="not-printable" if is_second else "letters",
        opened=True,
    )
    if is_second:
        return letter_export.not_printable_file(notice, order)
    return letter_export.letters_file(notice, order, qr=folder)


def _check_folder(folder: Path, *, is_second: bool) -> None:
    """Refuses a folder before a letter is recorded as exported. Raises CommandError."""
    if is_second:
        raise CommandError("people without a letter have no QR codes: leave out --qr")
    if not folder.is_dir() or any(folder.iterdir()):
        raise CommandError(f"{folder} is not an empty directory")
