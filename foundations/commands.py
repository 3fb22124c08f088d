"""The form of each command: help with an example, exit codes with their meaning, and JSON."""

import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

DONE, REFUSED, WRONG_ARGUMENTS = 0, 1, 2


class _HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keeps the lines of the example and of the exit codes."""


class PortalCommand(BaseCommand):
    """A command of the portal: its --help shows an example and says what each exit code means.

    With `prints_json`, --json prints the result as one JSON object instead of the text.
    """

    example: ClassVar[str] = ""  # words after the name of the command
    exit_codes: ClassVar[Mapping[int, str]] = {DONE: "done", REFUSED: "refused or failed"}
    prints_json: ClassVar[bool] = False
    as_json = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Returns the parser, with the example and the exit codes after the options."""
        codes = {**self.exit_codes, WRONG_ARGUMENTS: self._meaning_of_two()}
        lines = [f"  {code}  {meaning}" for code, meaning in sorted(codes.items())]
        example = f"breachportal {subcommand} {self.example}".rstrip()
        kwargs["epilog"] = "\n".join(["example:", f"  {example}", "", "exit codes:", *lines])
        kwargs["formatter_class"] = _HelpFormatter
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if self.prints_json:
            text = "print the result as one JSON object"
            parser.add_argument("--json", action="store_true", dest="as_json", help=text)
        return parser

    def _meaning_of_two(self) -> str:
        wrong = "wrong options"
        own = self.exit_codes.get(WRONG_ARGUMENTS)
        return f"{own}; or {wrong}" if own else wrong

    def execute(self, *args: Any, **options: Any) -> Any:
        """Runs the command. Remembers whether the result is printed as JSON."""
        self.as_json = bool(options.get("as_json"))
        return super().execute(*args, **options)

    def tell(self, text: str) -> None:
        """Prints a line for a person; nothing with --json."""
        if not self.as_json:
            self.stdout.write(text)

    def result(self, text: str = "", **facts: Any) -> None:
        """Prints the result: the text for a person, or with --json the facts."""
        if self.as_json:
            self.stdout.write(json.dumps(facts, ensure_ascii=False, default=str))
        elif text:
            self.stdout.write(text)
