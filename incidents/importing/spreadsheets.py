"""Converts a spreadsheet (xlsx, xls, xlsb, ods) into rows, in a process with limits.

See spreadsheet_process.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, NamedTuple

from incidents.importing.compressions import MOST_EXPANSION
from incidents.importing.reading import (
    READ_BYTES,
    File,
    ImportRefusedError,
    refusing_read_errors,
)
from incidents.importing.refusals import RefusalMessages
from incidents.importing.spools import Spool
from incidents.importing.spreadsheet_process import REFUSED

_PROCESS = Path(__file__).with_name("spreadsheet_process.py")
_LITTLE_BYTES = 1 << 27  # up to this size of the rows, the ratio to the file is not checked
_LONGEST_REPORT = 1 << 20
_WHY = {
    "encrypted": RefusalMessages.LOCKED_SHEET,
    "no such sheet": RefusalMessages.NO_SHEET,
    "several sheets": RefusalMessages.SHEETS,
    "empty": RefusalMessages.EMPTY_SHEET,
    "old": RefusalMessages.OLD_SHEET,
}


class Sheet(NamedTuple):
    """A sheet whose rows were converted."""

    file: File  # the rows, in the format ConvertedRows
    name: str
    has_others: bool  # whether the workbook has other sheets, filled or not
    # The columns, from 0, with formulas that were never computed, so that their cells are blank;
    # each with the line of the first.
    uncomputed: dict[int, int]
    # Those with cells that are merged over several rows; each with the line of the last.
    merged: dict[int, int]
    counts_from_1904: bool  # whether a number that is a day counts from 1904


def converted(file: File, sheet: str) -> Sheet:
    """Returns one sheet of a spreadsheet.

    `sheet` is its name; "" for the only one that is not empty. Raises ImportRefusedError.
    """
    with refusing_read_errors(file), file.open() as raw, tempfile.TemporaryFile() as errors:
        spool = Spool()
        handle = file.spool.fileno() if file.spool else raw.fileno()
        command = [sys.executable, "-I", str(_PROCESS), sheet]
        with subprocess.Popen(
            command, stdin=handle, stdout=subprocess.PIPE, stderr=errors, env={}
        ) as process:
            try:
                _copy(process.stdout, spool, file)
                process.wait()
            finally:
                process.kill()
        errors.seek(0)
        report = errors.read(_LONGEST_REPORT)
        if process.returncode:
            raise ImportRefusedError(_why(process.returncode, report, file, sheet))
    found = json.loads(report)
    uncomputed, merged = (
        {int(column): line for column, line in found[key].items()}
        for key in ("uncomputed", "merged")
    )
    rows = File(file.path, "", spool, is_converted=True)
    return Sheet(
        rows,
        found["sheet"],
        found["has_others"],
        uncomputed,
        merged,
        counts_from_1904=found["counts_from_1904"],
    )


def filled_sheets(file: File) -> list[str]:
    """Returns the names of the sheets that have cells; none if the spreadsheet cannot be read.

    Raises OSError.
    """
    with file.open() as raw:
        handle = file.spool.fileno() if file.spool else raw.fileno()
        command = [sys.executable, "-I", str(_PROCESS), "", "names"]
        ended = subprocess.run(command, stdin=handle, capture_output=True, env={}, check=False)
    return [] if ended.returncode else list(json.loads(ended.stderr))


def _copy(rows: IO[bytes] | None, spool: Spool, file: File) -> None:
    size = file.spool.size if file.spool else file.path.stat().st_size
    while data := rows.read(READ_BYTES) if rows else b"":
        spool.write(data)
        if spool.size > max(_LITTLE_BYTES, MOST_EXPANSION * size):
            why = RefusalMessages.BOMB.stored(place_words=file.path.name, times=MOST_EXPANSION)
            raise ImportRefusedError(why)


def _why(status: int, report: bytes, file: File, sheet: str) -> str:
    found: dict[str, Any] = json.loads(report) if status == REFUSED else {"why": "", "names": []}
    why = _WHY.get(found["why"], RefusalMessages.DAMAGED_SHEET)
    names = ", ".join(found["names"])
    place = file.path.name
    return why.stored(place_words=place, file=place, sheet=repr(sheet), names=names)
