"""Stores the answer templates that ship with the portal."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from foundations.commands import PortalCommand
from foundations.languages import SOURCE_LANGUAGE
from tickets import shipped_templates


class Command(PortalCommand):
    """The command; see docs/operating.md."""

    help = (
        "Stores the answer templates that ship with the portal, in each of its languages, as far "
        "as they are missing. It changes none that is there."
    )
    example = "--names ko"
    exit_codes = {0: "each template is stored"}
    prints_json = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the language of the names that the team reads."""
        parser.add_argument(
            "--names",
            choices=settings.DESK_LANGUAGES,
            default=SOURCE_LANGUAGE,
            help="language of the names",
        )

    def handle(self, *_args: Any, names: str, **_options: Any) -> None:
        """Stores them. A second run changes nothing."""
        stored = shipped_templates.store(names)
        for name in stored:
            self.tell(name)
        self.result(f"{len(stored)} answer templates stored.", stored=stored)
