"""Reads a spreadsheet in a process of its own, so that a hostile file cannot harm the import.

The spreadsheet is standard input, a regular file; the argument is the name of a sheet, or "". The
rows are written to standard output, each as a JSON array on the line of its number in the sheet.
A report is written to standard error, as a JSON object. With a second argument, only the names of
the filled sheets are written to standard error, as a JSON array.
The memory and the time of this process are limited: a few bytes of a file can claim billions of
cells. It imports nothing of the portal. A refusal is the JSON object on standard error, with exit
status 3.
"""

import datetime as dt
import html
import json
import re
import resource
import struct
import sys
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, NoReturn
from xml.etree import ElementTree

import python_calamine

# From here on a floating-point number does not hold every whole number.
_INEXACT = 2.0**53
MOST_BYTES, MOST_SECONDS = 2 << 30, 600
REFUSED = 3
# A title stands above the header, in a single cell of these first rows.
_TITLE_ROWS = 20
Range = tuple[tuple[int, int], tuple[int, int]]  # the row and the column of two corners, from 0


def main() -> None:
    """Writes the rows, or refuses."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdin.buffer.seek(0)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(sys.stdin.buffer)
        names = _names(workbook)
        if sys.argv[2:]:
            sys.stderr.write(json.dumps([sheet.name for sheet in _filled(workbook, names)]))
            return
        sheet = _choose(workbook, names, sys.argv[1])
    except python_calamine.PasswordError:
        _refuse("encrypted")
    except (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError):
        _refuse("damaged")
    _write_rows(sheet)
    uncomputed = _of_written(_uncomputed(sys.stdin.buffer, sheet.name), sheet)
    report = {
        "sheet": sheet.name,
        "has_others": len(names) > 1,
        "uncomputed": uncomputed,
        "merged": _merged(sheet, _merged_ranges(sys.stdin.buffer, sheet)),
        "counts_from_1904": _counts_from_1904(sys.stdin.buffer),
    }
    sys.stderr.write(json.dumps(report))


def _refuse(why: str, names: list[str] | None = None) -> NoReturn:
    sys.stderr.write(json.dumps({"why": why, "names": names or []}))
    sys.exit(REFUSED)


def _names(workbook: Any) -> list[str]:
    kinds = python_calamine.SheetTypeEnum
    return [one.name for one in workbook.sheets_metadata if one.typ == kinds.WorkSheet]


def _filled(workbook: Any, names: list[str]) -> list[Any]:
    """Returns the sheets that have cells."""
    return [sheet for name in names if (sheet := workbook.get_sheet_by_name(name)).end is not None]


def _choose(workbook: Any, names: list[str], wanted: str) -> Any:
    """Returns the wanted sheet, or the only one that has cells."""
    if wanted:
        if wanted not in names:
            _refuse("no such sheet", names)
        return workbook.get_sheet_by_name(wanted)
    filled = _filled(workbook, names)
    if not filled:
        _refuse("empty")
    if len(filled) > 1:
        _refuse("several sheets", [sheet.name for sheet in filled])
    return filled[0]


# ---------------------------------------------------------------- formulas without values


def _uncomputed(stream: BinaryIO, name: str) -> dict[int, int]:
    """Returns the columns of a sheet with formulas that were never computed, and the first rows.

    Programs that write a workbook without computing it leave the value out, or write a zero and
    ask the spreadsheet to compute all formulas when it opens the file. Such a cell would be blank.
    Columns are counted from 0, rows from 1.
    """
    if not zipfile.is_zipfile(stream):
        return {}
    with zipfile.ZipFile(stream) as archive:
        names = set(archive.namelist())
        if "content.xml" in names:
            return _first_rows(_open_rows(archive, name), _OPEN_UNCOMPUTED)
        if "xl/workbook.xml" not in names:
            return {}
        book = archive.read("xl/workbook.xml")
        is_to_compute = re.search(rb'fullCalcOnLoad="(1|true)"', book)
        cell = _UNCOMPUTED_OR_ZERO if is_to_compute else _UNCOMPUTED
        return _first_rows(enumerate(_pieces(archive, _part_of(archive, book, name))), cell)


def _counts_from_1904(stream: BinaryIO) -> bool:
    """Returns whether the days of a workbook count from 1904, as those of Excel for Mac did."""
    if not zipfile.is_zipfile(stream):
        return _has_old_book_from_1904(stream)
    with zipfile.ZipFile(stream) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" in names:
            return _FROM_1904.search(archive.read("xl/workbook.xml")) is not None
        if "content.xml" in names:
            before_rows = next(_pieces(archive, "content.xml"), b"")
            return _OPEN_FROM_1904.search(before_rows) is not None
        properties = (
            data for kind, data in _records(archive.read("xl/workbook.bin")) if kind == _BOOK
        )
        return any(data[:1] and data[0] & 1 for data in properties)


def _has_old_book_from_1904(stream: BinaryIO) -> bool:
    """Returns whether a workbook of Excel 97 to 2003 has the record that says so."""
    stream.seek(0)
    before = b""
    while data := stream.read(_READ_BYTES):
        if _OLD_FROM_1904 in before + data:
            return True
        before = data[-len(_OLD_FROM_1904) :]
    return False


def _part_of(archive: zipfile.ZipFile, book: bytes, name: str) -> str:
    """Returns the name of the part of the archive that holds a sheet."""
    places = [
        value
        for sheet in _elements(book)
        if sheet.tag.endswith("}sheet") and sheet.get("name") == name
        for key, value in sheet.items()
        if key.endswith("}id")
    ]
    return _target(archive, "xl/_rels/workbook.xml.rels", places[0] if places else "")


def _target(archive: zipfile.ZipFile, relations: str, place: str) -> str:
    """Returns the name of the part of the archive to which an entry of `relations` leads."""
    targets = {one.get("Id"): one.get("Target", "") for one in _elements(archive.read(relations))}
    target = targets.get(place, "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _elements(xml: bytes) -> Iterator[ElementTree.Element]:
    # The limits of this process stop what entities could do.
    return ElementTree.fromstring(xml).iter()  # noqa: S314


def _first_rows(rows: Iterable[tuple[int, bytes]], cell: re.Pattern[bytes]) -> dict[int, int]:
    """Returns the columns that have such a cell, and the first row of each.

    `rows` holds the number and the text of each row of a sheet.
    """
    found: dict[int, int] = {}
    for number, row in rows:
        for one in cell.finditer(row):
            place = _PLACE.search(one[0])
            line = int(place[2]) if place else number
            found.setdefault(_column(place, row[: one.start()]), line)
    return found


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yields the text before the first row of a part, and then each row without its first word."""
    text = b""
    with archive.open(part) as stream:
        while data := stream.read(_READ_BYTES):
            text += data
            *whole, text = _ROW.split(text)
            yield from whole


def _open_rows(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[int, bytes]]:
    """Yields the number and the text of each row of a sheet of OpenDocument."""
    is_wanted, number = False, 1
    for piece in _pieces(archive, "content.xml"):
        if is_wanted and (head := _HEAD.match(piece)):
            yield number, piece
            repeated = _ROWS_REPEATED.search(head[0])
            number += int(repeated[1]) if repeated else 1
        for table in _TABLE.finditer(piece):
            is_wanted, number = html.unescape(table[2].decode()) == name, 1


def _column(place: re.Match[bytes] | None, before: bytes) -> int:
    """Returns the number of a cell's column: from its place, or from the cells before it."""
    if not place:
        repeated = sum(int(number) - 1 for number in _REPEATED.findall(before))
        return len(_CELL.findall(before)) + repeated
    number = 0
    for letter in place[1]:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


_READ_BYTES = 1 << 20
_FROM_1904 = re.compile(rb"""\bdate1904\s*=\s*["'](?:1|true)["']""")
_OPEN_FROM_1904 = re.compile(rb"""<table:null-date\b[^>]*\bdate-value=["']1904-""")
# The records Date1904 and the head of CalcPrecision, which follows it; see [MS-XLS].
_OLD_FROM_1904 = struct.pack("<HHHHH", 0x22, 2, 1, 0x0E, 2)
_ROW = re.compile(rb"<(?:\w+:)?(?:table-)?row\b(?!-)|</(?:\w+:)?(?:sheetData|table)>")
_HEAD = re.compile(rb"[^<>]*>")  # the rest of the tag of a row
_TABLE = re.compile(rb"""<table:table\b[^>]*\btable:name=(["'])(.*?)\1""", re.DOTALL)
_ROWS_REPEATED = re.compile(rb"""number-rows-repeated=["'](\d{1,7})["']""")
_CELL = re.compile(rb"<(?:\w+:)?(?:covered-)?(?:table-cell|c)\b")
_REPEATED = re.compile(rb"""number-columns-repeated=["'](\d{1,5})["']""")
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
# A cell without a type that has a formula and no value; in the second pattern, or a zero.
_FORMULA = (
    rb"<(?:\w+:)?c\b(?![^>]*\bt=)[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
)
_VALUE = rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>%s</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
_ANY_FORMULA = _FORMULA.replace(rb"(?![^>]*\bt=)", b"") + rb"</(?:\w+:)?c>"
_UNCOMPUTED, _UNCOMPUTED_OR_ZERO = (
    re.compile(_FORMULA + _VALUE % zero + b"|" + _ANY_FORMULA) for zero in (b"", b"0?")
)
_OPEN_UNCOMPUTED = re.compile(
    rb"<table:table-cell\b(?=[^>]*\btable:formula=)(?![^>]*\boffice:value-type=)[^>]*>"
)


# ---------------------------------------------------------------- merged cells


def _merged(sheet: Any, merged: Iterable[Range]) -> dict[int, int]:
    """Returns the columns with a cell that is merged over several rows, and the last one's row.

    Only its first row holds the value, which the other rows lose. A cell without a value, or with
    no value in the rows below, such as a note below the table, loses nothing. Columns are counted
    from the first that is written, rows from 1.
    """
    ranges = [one for one in merged if one[1][0] > one[0][0]]
    if not ranges:
        return {}
    corners, filled_corners = {corner for corner, _end in ranges}, set()
    filled_before = [0]  # how many rows are filled before each row
    for number, row in enumerate(sheet.iter_rows()):
        places = [place for place, cell in enumerate(row, sheet.start[1]) if str(cell).strip()]
        filled_corners |= corners & {(number, place) for place in places}
        filled_before.append(filled_before[-1] + bool(places))
    found: dict[int, int] = {}
    for (first, left), (last, right) in ranges:
        below = filled_before[min(last + 1, len(filled_before) - 1)]
        if (first, left) in filled_corners and below > filled_before[first + 1]:
            for column in range(left, right + 1):
                found[column] = max(first + 1, found.get(column, 0))
    return _of_written(found, sheet)


def _merged_ranges(stream: BinaryIO, sheet: Any) -> Iterable[Range]:
    """Returns the ranges of merged cells of a sheet, in any order."""
    ranges: list[Range] | None = sheet.merged_cell_ranges
    if ranges is not None or not zipfile.is_zipfile(stream):
        return ranges or ()
    with zipfile.ZipFile(stream) as archive:
        if "content.xml" in archive.namelist():
            return list(_open_ranges(archive, sheet.name))
        return list(_binary_ranges(archive, sheet.name))


def _open_ranges(archive: zipfile.ZipFile, name: str) -> Iterator[Range]:
    """Yields the ranges of a sheet of OpenDocument that have several rows."""
    for number, row in _open_rows(archive, name):
        for cell in _SPANNED.finditer(row):
            row_place, column = number - 1, _column(None, row[: cell.start()])
            columns = _COLUMNS_SPANNED.search(cell[0])
            last = column + int(columns[1]) - 1 if columns else column
            yield (row_place, column), (row_place + int(cell[1]) - 1, last)


def _binary_ranges(archive: zipfile.ZipFile, name: str) -> Iterator[Range]:
    """Yields the ranges of a sheet of xlsb. The records are those of [MS-XLSB]."""
    for kind, data in _records(archive.read("xl/workbook.bin")):
        if kind == _BUNDLE_SHEET:
            place, end = _text_at(data, 8)
            if _text_at(data, end)[0] == name:
                part = _target(archive, "xl/_rels/workbook.bin.rels", place)
                break
    else:
        return
    for kind, data in _records(archive.read(part)):
        if kind == _MERGE_CELL:
            first, last, left, right = struct.unpack_from("<4I", data)
            yield (first, left), (last, right)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the kind and the content of each record. The last one may be cut short."""
    at = 0
    while at + 1 < len(data):
        kind, at = _number_at(data, at)
        size, at = _number_at(data, at)
        yield kind, data[at : at + size]
        at += size


def _number_at(data: bytes, at: int) -> tuple[int, int]:
    """Returns a number of seven bits a byte, and the position after it."""
    number = shift = 0
    while at < len(data):
        byte = data[at]
        number, shift, at = number | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            break
    return number, at


def _text_at(data: bytes, at: int) -> tuple[str, int]:
    """Returns a text with its length before it, and the position after it."""
    end = at + 4 + 2 * int.from_bytes(data[at : at + 4], "little")
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


_BOOK, _BUNDLE_SHEET, _MERGE_CELL = 153, 156, 176
_SPANNED = re.compile(
    rb"""<table:table-cell\b[^>]*\bnumber-rows-spanned=["'](?!1["'])(\d{1,7})["'][^>]*>"""
)
_COLUMNS_SPANNED = re.compile(rb"""number-columns-spanned=["'](\d{1,5})["']""")


def _of_written(columns: dict[int, int], sheet: Any) -> dict[int, int]:
    """Returns the columns counted from the first one that is written, without those before it."""
    first = sheet.start[1] if sheet.start else 0
    return {column - first: row for column, row in columns.items() if column >= first}


# ---------------------------------------------------------------- rows


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
        return cell if "\0" not in cell else _refuse("old")  # of a code page, before Excel 97
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        if abs(cell) >= _INEXACT:  # digits are lost: the text must not look like a whole number
            return f"{cell:.15e}"
        # A spreadsheet shows 15 digits of a fraction: 1001.0000000000001 is 1001.
        shown = cell if cell.is_integer() else float(f"{cell:.15g}")
        return str(int(shown)) if shown.is_integer() else repr(shown)
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
