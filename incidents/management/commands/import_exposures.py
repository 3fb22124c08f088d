"""Imports files of a company's export."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error as DatabaseProblem

from accounts.audit import acts
from accounts.models import AuditEntry
from foundations.commands import PortalCommand
from foundations.languages import portal_codes
from incidents.encryption import EncryptionError
from incidents.importing import drafting, loading, mapping, previewing
from incidents.importing.mapping import ColumnMapping
from incidents.importing.previewing import Preview
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import BETWEEN
from incidents.management import profile_printer
from incidents.management.file_arguments import STANDARD_INPUT, files_named, others
from incidents.models import DataClass, Incident
from incidents.scope_versions import ScopeRefusedError

# What --json says of each file: fields of ImportProgress. `batch` is 0 for a check.
FACTS = (
    *("batch", "encoding", "rows_read", "rows_taken", "rows_rejected", "people_new", "exposures"),
    *("without_contact", "second_people_without_phone", "reject_file"),
)
TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0


class Command(PortalCommand):
    """The command; see docs/import.md."""

    help = "Imports files of an export into an incident's open scope version, one after another."
    example = "members_*.csv --incident hanbit-2026 --mapping members.toml --rejects rejects/"
    exit_codes = {
        0: "each file is loaded, or with --check can be",
        1: "a file is refused; those before it stay loaded",
        130: "interrupted",
    }
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the files, which are required, and the options; an import requires two of them."""
        parser.add_argument(
            "file", nargs="+", help="files or patterns such as members_*.csv; - is standard input"
        )
        parser.add_argument("--incident", default="", metavar="SLUG")
        parser.add_argument("--mapping", type=Path, metavar="MAP.toml")
        parser.add_argument("--encoding", default="", help="such as cp949; else it is detected")
        parser.add_argument("--batch", type=int, metavar="N", help="the scope version it must be")
        parser.add_argument(
            "--rejects", type=Path, metavar="PATH", help="the reject file, or a directory for it"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="load nothing: show what the columns hold, and what would be loaded",
        )
        parser.add_argument(
            "--draft-mapping", action="store_true", help="load nothing: write a mapping to correct"
        )
        parser.add_argument(
            "--accept",
            action="append",
            default=[],
            metavar="FINDING",
            help="load the file despite this finding, such as unusable:email; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Imports or checks the files in order, and stops at a refusal; or drafts a mapping.

        Each file is one transaction, so the files before a refused one stay loaded. With --json the
        result names them, too, before the refusal on standard error.
        """
        files = files_named(options["file"], rejects=options["rejects"])
        if options["draft_mapping"] and len(files) > 1:
            raise CommandError("--draft-mapping reads one file; name one")
        if options["draft_mapping"] and self.as_json:
            raise CommandError("--draft-mapping writes TOML; leave --json out")
        self._facts: list[dict[str, Any]] = []
        try:
            self._handle_files(files, options)
        finally:
            self.result(files=self._facts)

    def _handle_files(self, files: list[Path], options: dict[str, Any]) -> None:
        for number, file in enumerate(files):
            if len(files) > 1:
                self.tell(f"{file.name} ({number + 1} of {len(files)})")
            try:
                self._handle_file(file, options)
            except CommandError as error:
                why = f"{error}{others(files, number)}"
                raise CommandError(why, returncode=error.returncode) from None

    def _handle_file(self, file: Path, options: dict[str, Any]) -> None:
        """Imports, checks or drafts a mapping of a file. Each refusal is one line on stderr."""
        run = self._import
        if options["draft_mapping"]:
            run = self._draft_mapping
        elif options["check"]:
            run = self._check
        with _one_line_errors(), _file_of(file, options) as path:
            run(path, options)

    def _import(self, path: Path, options: dict[str, Any]) -> None:
        reporter, common = _ImportReporter(self), _common(options)
        loading.import_file(
            path,
            batch_number=options["batch"],
            rejects_path=options["rejects"],
            accepted=options["accept"],
            report=reporter.report,
            **common,
        )
        self._summarise(path, reporter, "taken")
        if reporter.last and reporter.last.reject_file:
            number, what = reporter.last.rows_rejected, "rejected rows"
            export = AuditEntry.Kind.EXPORT
            acts.record(export, by=None, incident=common["incident"].pk, what=what, number=number)

    def _check(self, path: Path, options: dict[str, Any]) -> None:
        """Prints the profile, and with a mapping what an import would do.

        Raises CommandError if an import would be refused, or would take no row.
        """
        seen = self._print_profile(path, options)
        if not options["mapping"]:
            self.tell("No mapping: --draft-mapping writes one to correct.")
            return
        reporter = _ImportReporter(self)
        reporter.last = loading.check_file(path, report=reporter.report, **_common(options))
        self._summarise(path, reporter, "can be taken")
        for line, reason in reporter.last.first_rejects:
            self.tell(f"  line {line}: {reason}")
        self.tell("Checked only: nothing was loaded.")
        refused = [one for one in seen.findings if one.code not in options["accept"]]
        if refused:
            codes = " ".join(f'--accept "{one.code}"' for one in refused)
            raise CommandError(f"an import is refused, unless it is given {codes}")
        if not reporter.last.rows_taken:
            raise CommandError(f"{path.name}: no row can be taken; correct the mapping or the file")

    def _print_profile(self, path: Path, options: dict[str, Any]) -> Preview:
        seen = previewing.preview(
            path,
            mapping=_readable_mapping(options),
            encoding=options["encoding"],
            region=_region(options),
            languages=_languages(options),
            bound=_bound(options),
            report=_ImportReporter(self).report_rows,
        )
        for line in profile_printer.lines_of(seen.report):
            self.tell(line)
        for line in profile_printer.lines_of_findings(seen.findings, options["accept"]):
            self.tell(line)
        return seen

    def _draft_mapping(self, path: Path, options: dict[str, Any]) -> None:
        report = _ImportReporter(self).report_rows
        seen = previewing.preview(
            path,
            encoding=options["encoding"],
            region=_region(options),
            languages=_languages(options),
            report=report,
        )
        self.tell(drafting.draft(seen, DataClass.objects.all()))

    def _summarise(self, path: Path, reporter: "_ImportReporter", taken: str) -> None:
        """Prints the counts of a file, and keeps them for --json."""
        reporter.summarise(taken)
        if done := reporter.last:
            self._facts.append({"file": path.name} | {name: getattr(done, name) for name in FACTS})


def _readable_mapping(options: dict[str, Any]) -> ColumnMapping | None:
    """Returns the mapping; None if there is none, or if it is refused later with all its faults."""
    if not options["mapping"]:
        return None
    try:
        return mapping.parse(_read_mapping(options["mapping"]), name=options["mapping"].name)
    except ImportRefusedError:
        return None


def _region(options: dict[str, Any]) -> str:
    """Returns the region of the incident's phone numbers; "" if the incident is not named."""
    incident = Incident.objects.filter(slug=options["incident"]).first()
    return incident.phone_region if incident else ""


def _languages(options: dict[str, Any]) -> list[str]:
    """Returns the languages of the incident; those of the portal if the incident is not named."""
    incident = Incident.objects.filter(slug=options["incident"]).first()
    return incident.languages if incident else portal_codes()


def _bound(options: dict[str, Any]) -> int:
    """Returns how many people may share a contact of the incident; the default if none is named."""
    incident = Incident.objects.filter(slug=options["incident"]).first() or Incident()
    return incident.shared_contact_bound


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Context manager: raises CommandError with a line for each reason why the command stops.

    No text of the database is printed, because it may hold a value of the file.
    """
    again = "start it again: a file that is loaded already is refused"
    try:
        yield
    except (ImportRefusedError, ScopeRefusedError, EncryptionError) as error:
        raise CommandError(str(error).replace(BETWEEN, "\n")) from None
    except KeyboardInterrupt:
        raise CommandError(f"interrupted; {again}", returncode=130) from None
    except DatabaseProblem as error:
        why = f"the database ended the import ({type(error).__name__}); {again}"
        raise CommandError(why) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise CommandError(f"{place}{error.strerror}; {again}") from None


def _common(options: dict[str, Any]) -> dict[str, Any]:
    if not (options["incident"] and options["mapping"]):
        raise CommandError("name --incident and --mapping; --draft-mapping writes a mapping")
    incident = Incident.objects.filter(slug=options["incident"]).first()
    if incident is None:
        raise CommandError(f"{options['incident']}: no such incident; check --incident")
    return {
        "incident": incident,
        "mapping_text": _read_mapping(options["mapping"]),
        "mapping_name": options["mapping"].name,
        "encoding": options["encoding"],
    }


def _read_mapping(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{path.name}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; check --mapping") from None


@contextmanager
def _file_of(file: Path, options: dict[str, Any]) -> Iterator[Path]:
    """Context manager: yields the path of the file to read.

    Standard input is copied to a file under `var/` for the block, because it is read more than
    once: for its digest, which shows whether it is loaded already, for its rows and its rejects.
    """
    if file != STANDARD_INPUT:
        yield file
        return
    options["rejects"] = options["rejects"] or _private_directory(settings.VAR / "rejects")
    with tempfile.TemporaryDirectory(dir=_private_directory(settings.VAR / "import")) as directory:
        path = Path(directory) / "standard-input"
        with _unlinked_file(path) as spool:
            try:
                shutil.copyfileobj(sys.stdin.buffer, spool, 1 << 20)
                spool.flush()
            except OSError as error:
                why = f"standard input: {error.strerror}; import a file"
                raise CommandError(why) from None
            yield path


@contextmanager
def _unlinked_file(path: Path) -> Iterator[IO[bytes]]:
    """Context manager: yields an open file without a name on the disk; `path` links to it.

    The kernel deletes the file when the process ends. A dump that came by standard input therefore
    does not stay on the disk, even after kill -9.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        own = Path(f"/proc/{os.getpid()}/fd/{handle}")
        if own.exists():  # on other systems than Linux the file keeps its name
            path.unlink()
            path.symlink_to(own)
        yield file


def _private_directory(directory: Path) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


class _ImportReporter:
    """The report of an import: its progress on stderr and its result on stdout."""

    def __init__(self, command: PortalCommand) -> None:
        self._tell, self._err = command.tell, command.stderr
        self._is_terminal = sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._start = self._reported_at = time.monotonic()
        self.last: ImportProgress | None = None

    def report(self, progress: ImportProgress) -> None:
        """Reports the progress. The import calls it after every block of rows."""
        if self.last is None:
            self._print_start(progress)
        is_new_phase = progress.is_merging and not (self.last and self.last.is_merging)
        self.last = progress
        now = time.monotonic()
        if (is_new_phase or now - self._reported_at >= self._pause) and not progress.is_done:
            self._write(self._so_far(progress, now - self._start), now)

    def report_rows(self, rows: int) -> None:
        """Reports how many rows a profile has read."""
        now = time.monotonic()
        if now - self._reported_at >= self._pause:
            rate = rows / max(now - self._start, 0.001)
            self._write(f"{rows:,} rows looked at, {rate:,.0f}/s", now)

    def _write(self, text: str, now: float) -> None:
        self._reported_at = now
        self._err.write(f"{text}        ", ending="\r" if self._is_terminal else "\n")

    def _so_far(self, progress: ImportProgress, seconds: float) -> str:
        rate = progress.rows_read / max(seconds, 0.001)
        counts = (
            f"{progress.rows_read:,} rows, {progress.rows_taken:,} taken, "
            f"{progress.rows_rejected:,} rejected, {rate:,.0f}/s"
        )
        if progress.is_merging:
            return f"{counts}; all read, now merging"
        if not progress.share_read:
            return counts
        left = seconds * (1 - progress.share_read) / progress.share_read
        return f"{counts}, {left:,.0f} s left to read"

    def _print_start(self, progress: ImportProgress) -> None:
        if progress.batch:
            what = "Opened" if progress.is_new_batch else "Loading into"
            self._tell(f"{what} scope version {progress.batch}.")
        self._tell(f"Encoding: {progress.encoding}.")

    def summarise(self, taken: str) -> None:
        """Prints the counts of the last progress. `taken` is the word for rows that are taken."""
        done = self.last
        if done is None:
            return
        seconds = time.monotonic() - self._start
        self._tell(
            f"Rows read {done.rows_read:,}, "
            f"{taken} {done.rows_taken:,}, rejected {done.rows_rejected:,}. "
            f"New people {done.people_new:,}, exposures {done.exposures:,}. "
            f"{seconds:,.1f} s, {done.rows_read / seconds:,.0f} rows/s."
        )
        for note in done.notes():
            self._tell(f"{note}.")
        if done.without_contact:
            self._tell(
                f"{done.without_contact:,} rows have no address or number that can be used. "
                "If you expect fewer, rows of another table may be among them."
            )
        if done.second_people_without_phone:
            self._tell(
                f"{done.second_people_without_phone:,} rows name a second person "
                "with what is no phone number: the row was taken without that person."
            )
        if done.reject_file:
            self._tell(f"Rejected rows: {done.reject_file}")
