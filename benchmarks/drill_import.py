"""The drill that kills an import at random moments, repeats it, and compares the store digests.

    make drill-import PEOPLE=1000000 KILLS=20
    make drill-import PEOPLE=4000 KILLS=40 FORKED=1     # no kill hits the start of a process

The last line of the output is one JSON object. The exit status is 1 if a digest differs.
"""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.bench_import import ROOT, mapping_of, new_incident, own_var, say, write_export
from benchmarks.command_line import read_command_line

SECONDS_TO_NOTICE = 120.0
SLUG = "drill"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The file that is imported repeatedly, with its mapping and environment."""

    source: Path
    mapping: Path
    environment: dict[str, str]

    def command(self) -> list[str]:
        """Returns the operator's command line."""
        command = [sys.executable, str(ROOT / "manage.py"), "import_exposures", str(self.source)]
        rejects = ["--rejects", str(self.source.parent)]
        return [*command, "--incident", SLUG, "--mapping", str(self.mapping), *rejects]

    @property
    def processes(self) -> int:
        """The number of processes that compute a digest; 0 for this one alone."""
        return os.cpu_count() or 1

    def start(self) -> subprocess.Popen[str]:
        """Starts an import in a new process."""
        return subprocess.Popen(
            self.command(),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> None:
        """Runs an import to its end.

        Repeats it while the database has not noticed the death of a killed import. Raises
        RuntimeError if the import fails for another reason or after SECONDS_TO_NOTICE.
        """
        deadline = time.monotonic() + SECONDS_TO_NOTICE
        while True:
            process = self.start()
            output, _ = process.communicate()
            if process.returncode == 0:
                return
            if "is being imported" not in output or time.monotonic() > deadline:
                raise RuntimeError(f"the import did not start again:\n{output[-2000:]}")
            time.sleep(0.5)

    def kill_after(self, seconds: float) -> bool:
        """Starts an import and kills it after `seconds`. Returns False if it ended before."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        return process.returncode == -signal.SIGKILL


class ForkedSubject(Subject):
    """The same import in copies of this process, which need not start Python and Django.

    So each kill hits the import itself, and many fit into a minute.
    """

    processes = 0

    def start(self) -> "subprocess.Popen[str]":
        """Starts an import in a copy of this process."""
        from django.db import connections

        connections.close_all()  # a copy must not share them
        return cast("subprocess.Popen[str]", _Forked(self.command()[2:]))


class _Forked:
    """A copy of this process that runs a command of Django, used like a Popen."""

    def __init__(self, arguments: list[str]) -> None:
        self._output = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 until it is read
        self._process = multiprocessing.get_context("fork").Process(
            target=_run_command, args=(arguments, self._output)
        )
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def wait(self, seconds: float) -> None:
        self._process.join(seconds)
        if self._process.is_alive():
            raise subprocess.TimeoutExpired("import_exposures", seconds)

    def send_signal(self, number: int) -> None:
        os.kill(self._process.pid or 0, number)

    def communicate(self) -> tuple[str, str]:
        self._process.join()
        self._output.seek(0)
        return self._output.read(), ""


def _run_command(arguments: list[str], output: IO[str]) -> None:
    from django.core.management import CommandError, call_command

    try:
        call_command(*arguments, stdout=output, stderr=output)
    except CommandError as error:
        output.write(str(error))
        output.flush()
        sys.exit(1)


def empty_store() -> None:
    """Deletes the imported rows. The incident and its keys stay, so that digests are comparable."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE incidents_affectedperson, incidents_exposurebatch CASCADE")


def drill(subject: Subject, *, kills: int, seed: int) -> dict[str, Any]:
    """Runs one undisturbed import, then `kills` imports that are killed and repeated.

    Returns the figures of the JSON object. `seed` determines the moments of the kills. An import
    that ends before its moment, as on a machine that was busy before, is killed at half the time.
    """
    draw = random.Random(seed)  # noqa: S311
    began = time.monotonic()
    subject.finish()
    seconds = time.monotonic() - began
    expected = _digest(subject)
    say(f"undisturbed: {seconds:.1f} s, {expected}")
    found, moments = list[str](), list[float]()
    for number in range(1, kills + 1):
        empty_store()
        moment = draw.uniform(0, seconds)
        while not subject.kill_after(moment):
            empty_store()
            moment /= 2
        subject.finish()
        found.append(_digest(subject))
        moments.append(round(moment, 1))
        verdict = "the same" if found[-1] == expected else f"DIFFERENT: {found[-1]}"
        say(f"{number}: killed after {moment:.1f} s, started again: {verdict}")
    return {
        "kills": kills,
        "same_digests": sum(digest == expected for digest in found),
        "different_digests": sum(digest != expected for digest in found),
        "seconds_undisturbed": round(seconds, 1),
        "killed_after_s": moments,
    }


def _digest(subject: Subject) -> str:
    from incidents.models import Incident
    from incidents.store_digest import compute_store_digest

    found = compute_store_digest(Incident.objects.get(slug=SLUG), processes=subject.processes)
    return f"{found.hexadecimal[:16]}, {found.people:,} people, {found.exposures:,} exposures"


def main() -> None:
    """Runs the drill in the requested size."""
    people = int((os.environ.get("PEOPLE") or "1000000").replace("_", ""))
    kills = int(os.environ.get("KILLS") or 20)
    with own_var() as var:
        exported = var / "export"
        write_export(exported, people, addresses=0)
        mapping = var / "members.toml"
        mapping.write_text(mapping_of("members"), encoding="utf-8")
        new_incident(SLUG)
        subject = (ForkedSubject if os.environ.get("FORKED") else Subject)(
            source=exported / "members.csv", mapping=mapping, environment=dict(os.environ)
        )
        seed = int(os.environ.get("SEED") or time.time())
        figures = {"people": people, "seed": seed, **drill(subject, kills=kills, seed=seed)}
    print(json.dumps(figures), flush=True)
    sys.exit(1 if figures["different_digests"] else 0)


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
