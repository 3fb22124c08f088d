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
        while True:
            try:
                if static_copy.publish(folder):
                    self.stdout.write(f"The copy in {folder} is new.")
            except (static_copy.StaticCopyError, OSError) as error:
                if not watch:
                    raise CommandError(f"The copy in {folder} stays as it was: {error}") from error
                self.stderr.write(f"The copy in {folder} stays as it was: {error}")
            if not watch:
                return
            time.sleep(watch)
            close_old_connections()
