"""Reads a spreadsheet in a process of its own, so that a hostile file cannot harm the import.

The spreadsheet is standard input, a regular file; the argument is the name of a sheet, or "". The
rows are written to standard output, each as a JSON array on the line of its number in the sheet.
The memory and the time of this process are limited: a few bytes of a file can claim billions of
cells. It imports nothing of the portal. A refusal is the JSON object on standard error, with exit
status 3.
"""

import datetime as dt
import json
import resource
import sys
from itertools import islice
from typing import Any, NoReturn

import python_calamine

# From here on a floating-point number does not hold every whole number.
_INEXACT = 2.0**53
MOST_BYTES, MOST_SECONDS = 2 << 30, 600
REFUSED = 3
# A title stands above the header, in a single cell of these first rows.
_TITLE_ROWS = 20


def main() -> None:
    """Writes the rows, or refuses."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdin.buffer.seek(0)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(sys.stdin.buffer)
        sheet = _choose(workbook, sys.argv[1])
    except python_calamine.PasswordError:
        _refuse("encrypted")
    except (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError):
        _refuse("damaged")
    _write_rows(sheet)


def _refuse(why: str, names: list[str] | None = None) -> NoReturn:
    sys.stderr.write(json.dumps({"why": why, "names": names or []}))
    sys.exit(REFUSED)


def _choose(workbook: Any, wanted: str) -> Any:
    """Returns the wanted sheet, or the only one that has cells."""
    kinds = python_calamine.SheetTypeEnum
    names = [one.name for one in workbook.sheets_metadata if one.typ == kinds.WorkSheet]
    if wanted:
        if wanted not in names:
            _refuse("no such sheet", names)
        return workbook.get_sheet_by_name(wanted)
    filled = [
        sheet for name in names if (sheet := workbook.get_sheet_by_name(name)).end is not None
    ]
    if not filled:
        _refuse("empty")
    if len(filled) > 1:
        _refuse("several sheets", [sheet.name for sheet in filled])
    return filled[0]


def _write_rows(sheet: Any) -> None:
    rows = ([_text(cell) for cell in row] for row in sheet.iter_rows())
    first = list(islice(rows, _TITLE_ROWS))
    filled = [sum(map(bool, row)) for row in first]
    is_table = max(filled, default=0) > 1
    is_title = True
    for row, count in zip(first, filled, strict=True):
        is_title &= is_table and count <= 1
        sys.stdout.write("\n" if is_title or not count else json.dumps(row) + "\n")
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n" if any(row) else "\n")


def _text(cell: Any) -> str:
    """Returns a cell as text: whole numbers without a fraction, dates and times in ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        if abs(cell) >= _INEXACT:  # digits are lost: the text must not look like a whole number
            return f"{cell:.15e}"
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        is_day = cell.time() == dt.time()
        return (cell.date() if is_day else cell).isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell)


if __name__ == "__main__":
    main()
