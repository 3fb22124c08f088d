"""The form of each command: help with an example, exit codes with their meaning, and JSON."""

import json
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import IO, Any, ClassVar, NoReturn

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)

DONE, REFUSED, WRONG_ARGUMENTS = 0, 1, 2


class _HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keeps the lines of the example and of the exit codes."""


class PortalCommand(BaseCommand):
    """A command of the portal: its --help shows an example and says what each exit code means.

    With `prints_json`, --json prints the result as one JSON object instead of the text. An error
    is then one line of JSON as well, on standard error: `error`, and `exit_code`.
    """

    example: ClassVar[str] = ""  # words after the name of the command
    exit_codes: ClassVar[Mapping[int, str]] = {DONE: "done", REFUSED: "refused or failed"}
    prints_json: ClassVar[bool] = False
    json_help: ClassVar[str] = "print the result as one JSON object, and an error as another"
    as_json = False
    _ends_as_json = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Returns the parser, with the example and the exit codes after the options."""
        codes = {**self.exit_codes, WRONG_ARGUMENTS: self._meaning_of_two()}
        lines = [f"  {code}  {meaning}" for code, meaning in sorted(codes.items())]
        example = f"breachportal {subcommand} {self.example}".rstrip()
        kwargs["epilog"] = "\n".join(["example:", f"  {example}", "", "exit codes:", *lines])
        kwargs["formatter_class"] = _HelpFormatter
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if self.prints_json:
            parser.add_argument("--json", action="store_true", dest="as_json", help=self.json_help)
        return parser

    def _meaning_of_two(self) -> str:
        wrong = "wrong options"
        own = self.exit_codes.get(WRONG_ARGUMENTS)
        return f"{own}; or {wrong}" if own else wrong

    def run_from_argv(self, argv: list[str]) -> None:
        """Runs the command of the command line. With --json each error is one line of JSON."""
        if not (self.prints_json and "--json" in argv[2:]):
            super().run_from_argv(argv)
            return
        try:  # Before Django knows of the command line, its parser raises and does not exit.
            self.create_parser(argv[0], argv[1]).parse_args(argv[2:])
        except CommandError as error:
            end_as_json(str(error).removeprefix("Error: "), WRONG_ARGUMENTS)
        self._ends_as_json = True
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Runs the command. Remembers whether the result is printed as JSON."""
        self.as_json = bool(options.get("as_json"))
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            if not self._ends_as_json:
                raise
            end_as_json(str(error), error.returncode)

    def tell(self, text: str) -> None:
        """Prints a line for a person; nothing with --json."""
        if not self.as_json:
            self.stdout.write(text)

    def warn(self, text: str) -> None:
        """Prints a line to standard error; nothing with --json, whose result has it."""
        if not self.as_json:
            self.stderr.write(text)

    def result(self, text: str = "", **facts: Any) -> None:
        """Prints the result: the text for a person, or with --json the facts."""
        if self.as_json:
            self.stdout.write(json.dumps(facts, ensure_ascii=False, default=str))
        elif text:
            self.stdout.write(text)


class ExportCommand(PortalCommand):
    """A command that writes a file: to standard output, or with --output into a new file.

    With --json, which needs --output, standard output holds the name of the file, its size and
    its SHA-256.
    """

    prints_json = True
    json_help = "with --output: print name, bytes and SHA-256 of the file as one JSON object"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds --output."""
        text = "write into this new file, which only this account may read"
        parser.add_argument("--output", type=Path, metavar="FILE", help=text)

    @contextmanager
    def opened(self, path: Path | None) -> Iterator[Callable[[bytes], object]]:
        """Context manager: yields what writes bytes of the file.

        A file that an error leaves incomplete is deleted. Raises CommandError if `path` exists or
        cannot be written, and with --json if there is none.
        """
        if path is None:
            if self.as_json:
                raise CommandError("--json needs --output: standard output holds the file itself")
            yield sys.stdout.buffer.write
            sys.stdout.buffer.flush()
            return
        with _new_file(path) as file:
            yield file.write
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        self.result(file=path, bytes=path.stat().st_size, sha256=digest)


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Context manager: yields a new file of this account alone, and deletes it after an error."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; check --output") from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
    except BaseException:
        path.unlink()
        raise


def end_as_json(error: str, exit_code: int) -> NoReturn:
    """Prints why the command ends as one line of JSON to standard error, and exits."""
    sys.stderr.write(json.dumps({"error": error, "exit_code": exit_code}, ensure_ascii=False))
    sys.stderr.write("\n")
    sys.exit(exit_code)
