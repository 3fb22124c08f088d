"""Reads the rows of a dump in the simplest way; the import must read the same rows.

It shares no code with the product, only the table of common Hangul. It holds the whole file in
memory and reads it line by line.
"""

import csv
import json
import unicodedata
from collections.abc import Iterator

from incidents.importing.common_hangul import COMMON_HANGUL

MARK = b"\xef\xbb\xbf"
csv.field_size_limit(1 << 22)

OracleRow = tuple[int, list[str], str]  # first line, cells, defect


class RefusedAtError(Exception):
    """The file is refused; the arguments are the reason and the line (0 if there is none)."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why, line)


def read_csv(
    data: bytes, columns: list[str], *, encoding: str, most: int, extra: int = 0
) -> Iterator[OracleRow]:
    """Yields the rows after the header; a row may have at most `most` bytes.

    `extra` blank cells at the end of a row do not count. Undecodable bytes become surrogates in the
    cells. Raises RefusedAtError.
    """
    rows = _csv_rows(data.removeprefix(MARK), most)
    next(rows, None)  # the header
    is_empty = True
    for line, raw, defect in rows:
        is_empty = False
        cells = [_decoded(cell, encoding) for cell in raw]
        if extra and not defect and len(cells) > extra and not any(cells[-extra:]):
            cells = cells[:-extra]
        if not defect and sorted(map(_as_name, cells)) == sorted(columns):
            raise RefusedAtError("the header stands here again", line)
        yield line, cells, defect or _defect(raw, cells, columns, encoding)
    if is_empty:
        raise RefusedAtError("no rows")


def _as_name(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell).replace("\ufeff", "").strip().lower()


def _defect(raw: list[bytes], cells: list[str], columns: list[str], encoding: str) -> str:
    if len(cells) != len(columns):
        return "wrong number of columns"
    if any(_is_undecodable(cell) for cell in cells):
        return "undecodable bytes"
    is_mixed = encoding == "cp949" and any(map(_is_utf8, raw[: len(columns)], cells))
    return "text in UTF-8 in a CP949 file" if is_mixed else ""


def _is_utf8(raw: bytes, as_cp949: str) -> bool:
    """Returns whether a cell in a CP949 file makes sense as UTF-8 only."""
    text = raw.decode("utf-8", "replace")
    signs = [sign for sign in as_cp949 if sign > "\x7f"]
    if any("\ud800" <= sign <= "\udfff" for sign in as_cp949):
        return False
    if "\ufffd" in text or not signs or any("\x80" <= sign <= "\x9f" for sign in text):
        return False
    common = sum(_is_common_hangul(place, as_cp949) for place in range(len(as_cp949)))
    return common < 0.6 * len(signs) or max(text) >= "\u0800"


def _csv_rows(data: bytes, most: int) -> Iterator[tuple[int, list[bytes], str]]:
    """Yields every row that is not blank, with its cells as bytes."""
    lines = _Lines(data, most)
    parser = csv.reader(lines, strict=True)
    while True:
        lines.begin_row()
        try:
            cells = next(parser)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise RefusedAtError("ends inside a quote", lines.row_begins_on) from None
            is_quote = "expected after" in str(error)
            defect = "misplaced quote" if is_quote else "misplaced line break"
            yield lines.row_begins_on, [lines.row.rstrip(b"\r\n")], defect
            continue
        if cells:
            yield lines.row_begins_on, [cell.encode("latin-1") for cell in cells], ""


class _Lines(Iterator[str]):
    """Gives physical lines to the csv module as Latin-1, one character a byte."""

    def __init__(self, data: bytes, most: int) -> None:
        self._lines = iter(_split(data))
        self._number, self._most = 0, most
        self.row, self.row_begins_on = b"", 1

    def begin_row(self) -> None:
        self.row, self.row_begins_on = b"", self._number + 1

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        _refuse_line(self.row, line, self.row_begins_on, self._number, self._most)
        self.row += line
        return line.decode("latin-1")


def _split(data: bytes) -> list[bytes]:
    """Returns the lines with their line feeds; a carriage return alone ends no line."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _refuse_line(row: bytes, line: bytes, begins_on: int, number: int, most: int) -> None:
    until_nul = line.partition(b"\0")[0]
    if len(row) + len(until_nul) > most:
        raise RefusedAtError("longer than", begins_on)
    if b"\0" in line:
        raise RefusedAtError("a NUL byte", number)


def _is_common_hangul(place: int, cell: str) -> bool:
    """Returns whether a character is common Hangul, and not between Latin letters."""
    before, after = cell[:place][-1:], cell[place + 1 :][:1]
    is_inside_word = all(sign.isascii() and sign.isalpha() for sign in (before, after))
    return cell[place] in COMMON_HANGUL and not is_inside_word


def read_json(data: bytes, columns: list[str], *, encoding: str, most: int) -> Iterator[OracleRow]:
    """Yields the rows of JSON Lines, which have no header. Raises RefusedAtError."""
    is_empty = True
    for number, line in enumerate(_split(data.removeprefix(MARK)), start=1):
        _refuse_line(b"", line, number, number, most)
        text = _decoded(line.removesuffix(b"\n"), encoding)
        if not text.strip():
            continue
        is_empty = False
        yield number, *_json_row(text, columns, encoding)
    if is_empty:
        raise RefusedAtError("no rows")


def _json_row(text: str, columns: list[str], encoding: str) -> tuple[list[str], str]:
    try:
        found = json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=lambda _: None,
            object_pairs_hook=_unique,
        )
    except KeyError:
        return [text.rstrip("\r")], "a key occurs twice"
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return [text.rstrip("\r")], "not a JSON object"
    cells = [_as_text(found.get(column)) for column in columns]
    if any(map(_is_undecodable, cells)):
        return cells, "undecodable bytes"
    raw = [cell.encode(encoding, "ignore") for cell in cells]
    return cells, _defect(raw, cells, columns, encoding)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for place, (key, _) in enumerate(pairs):
        if any(key == other for other, _ in pairs[:place]):
            raise KeyError(key)
    return dict(pairs)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _decoded(cell: bytes, encoding: str) -> str:
    return cell.decode(encoding, "surrogateescape")


def _is_undecodable(text: str) -> bool:
    return any("\udc80" <= sign <= "\udcff" for sign in text)
