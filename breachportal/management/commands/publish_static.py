"""Writes a copy of every public page as files, once or again and again."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import close_old_connections

from breachportal import static_copy
from foundations.commands import PortalCommand


class Command(PortalCommand):
    help = (
        "Writes every public page, in every language, as files below the folder STATIC_COPY, which "
        "nginx shows while the portal does not answer. A copy is complete or is not shown."
    )
    example = "--watch 30"
    prints_json = True
    json_help = "print the result as one JSON object; with --watch one a line for each new copy"
    exit_codes = {0: "the copy is complete", 1: "the copy stays as it was"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--watch",
            type=int,
            metavar="SECONDS",
            help="go on, and look every SECONDS whether a page has changed",
        )

    def handle(self, *args: Any, watch: int | None, **options: Any) -> None:
        if not settings.STATIC_COPY:
            raise CommandError("STATIC_COPY is not set; it is the folder of the copy.")
        folder = Path(settings.STATIC_COPY)
        if not watch:
            self._tell_of(folder, is_new=self._publish(folder))
            return
        while True:
            try:
                if self._publish(folder):
                    self._tell_of(folder, is_new=True)
            except CommandError as error:
                self.warn(str(error))
                if self.as_json:
                    self.result(folder=folder, is_new=False, error=str(error))
            time.sleep(watch)
            close_old_connections()

    def _publish(self, folder: Path) -> bool:
        """Returns whether the copy is another one than before. Raises CommandError."""
        try:
            return static_copy.publish(folder)
        except (static_copy.StaticCopyError, OSError) as error:
            raise CommandError(f"The copy in {folder} stays as it was: {error}") from error

    def _tell_of(self, folder: Path, *, is_new: bool) -> None:
        text = f"The copy in {folder} is new." if is_new else ""
        self.result(text, folder=folder, is_new=is_new)
