"""Determines how a CSV file separates, quotes and escapes its cells.

The separator is detected if the header and the rows agree on one. Quotes other than the double
quote, and escapes, are declared by a person; a file that evidently has them is refused with what to
declare.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from incidents.importing import column_names
from incidents.importing.escaped_rows import parsed
from incidents.importing.formats.base import Dialect
from incidents.importing.formats.comma_separated import CommaSeparated
from incidents.importing.formats.converted_rows import ConvertedRows
from incidents.importing.headers import name_key
from incidents.importing.reading import REJECT_COLUMNS, Declared, ImportRefusedError
from incidents.importing.refusals import RefusalMessages

SEPARATORS = (",", "\t", ";", "|")
# A separator is taken if this share of the rows has as many cells as the header.
_CONSISTENT = 0.5
TITLE_ROWS = 30  # that can stand above the header
FEWEST_KNOWN = 2  # names of columns that show a header, without a mapping
# Rows at the start of a sample. The last one of many may be cut.
_WHOLE_ROWS = 200
_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
_OTHER_QUOTES = (
    "`",
    "\u201c\u201d",
    "\u2018\u2019",
    "\u201e\u201c",
    "\u00ab\u00bb",
    "\u300c\u300d",
)
# What databases write after a backslash, besides the separator and the quote.
_AFTER_BACKSLASH = frozenset("\\'nrtbfv0Z\n")


class SampleRow(NamedTuple):
    """One of the first rows of a file, in a certain dialect."""

    line: int
    cells: list[str]
    defect: str


def dialect_of(sample: str, declared: Declared, hinted: str, *, name: str) -> Dialect:
    """Returns the dialect of a file that begins with `sample`, which consists of whole rows.

    `hinted` is the separator that the first line names, or "". Raises ImportRefusedError if more
    than one separator fits, or if the quotes or escapes of the file were not declared.
    """
    quote = '"' if declared.quote is None else declared.quote
    escape = declared.escape or ""
    separator = declared.separator or hinted
    if not separator:
        separator = _detected(sample, Dialect(quote=quote, escape=escape), declared, name=name)
    dialect = Dialect(separator, quote, escape)
    rows = sample_rows(sample, dialect)
    _refuse_quotes(rows, sample, quote, declared, name=name)
    if declared.escape is None and _has_escapes(sample, dialect, rows):
        raise _refused(RefusalMessages.ESCAPES, name)
    return dialect


def sample_rows(sample: str, dialect: Dialect) -> list[SampleRow]:
    """Returns the rows of a sample; those that could not be parsed have a defect."""
    if dialect.escape:
        text = b"".join(_until_refusal(sample, dialect)).decode()
        return [SampleRow(*row) for row in ConvertedRows().rows(text, 1, ())]
    return [SampleRow(*row) for row in CommaSeparated(dialect).rows(sample, 1, ())]


def _until_refusal(sample: str, dialect: Dialect) -> list[bytes]:
    rows: list[bytes] = []
    with suppress(ImportRefusedError):  # the sample may end inside a row
        rows.extend(parsed(iter([sample]), dialect, name=""))
    return rows


def _refused(why: RefusalMessages, name: str, **slots: object) -> ImportRefusedError:
    return ImportRefusedError(why.stored(file=name, **slots))


# ---------------------------------------------------------------- separators


def _detected(sample: str, dialect: Dialect, declared: Declared, *, name: str) -> str:
    """Returns the separator that the header and the rows agree on, "," for a single column."""
    tables = {
        separator: sample_rows(sample, dialect._replace(separator=separator))
        for separator in SEPARATORS
    }
    several = [
        separator
        for separator, rows in tables.items()
        if rows and not rows[0].defect and len(rows[0].cells) > 1
    ] or _of_header_below(tables, declared)
    for fits in (_names_columns(declared), _is_reject_header, _agrees):
        fitting = [separator for separator in several if fits(tables[separator])]
        if len(fitting) == 1:
            return fitting[0]
        several = fitting or several
    if len(several) > 1:
        signs = " ".join(json.dumps(separator) for separator in several)
        raise _refused(RefusalMessages.SEVERAL_SEPARATORS, name, separators=signs)
    return several[0] if several else ","


def _of_header_below(tables: dict[str, list[SampleRow]], declared: Declared) -> list[str]:
    """Returns the separators with which a row below a title names the columns of the mapping.

    Without a mapping, those with which it names some that are known.
    """
    names_columns = _names_known if declared.used is None else _names_columns(declared)
    return [
        separator
        for separator, rows in tables.items()
        if any(names_columns([row]) for row in rows[1:TITLE_ROWS])
    ]


def _names_columns(declared: Declared) -> Callable[[list[SampleRow]], bool]:
    """Returns a test whether the first row has the columns of the mapping."""
    wanted = {name_key(column) for column in declared.used or ()}

    def fits(rows: list[SampleRow]) -> bool:
        if declared.columns:
            return len(rows[0].cells) == len(declared.columns)
        return bool(wanted) and wanted <= set(map(name_key, rows[0].cells))

    return fits


def _names_known(rows: list[SampleRow]) -> bool:
    return column_names.known_in(rows[0].cells) >= FEWEST_KNOWN


def _is_reject_header(rows: list[SampleRow]) -> bool:
    return rows[0].cells[:2] == REJECT_COLUMNS


def _agrees(rows: list[SampleRow]) -> bool:
    width = len(rows[0].cells)
    return share_of_width(rows[1:], width) >= _CONSISTENT


def share_of_width(rows: Sequence[SampleRow], width: int) -> float:
    """Returns the share (0 to 1) of rows that have `width` cells; 1 if there are no rows."""
    return sum(len(row.cells) == width for row in rows) / len(rows) if rows else 1.0


# ---------------------------------------------------------------- quotes and escapes


def _refuse_quotes(
    rows: Sequence[SampleRow], sample: str, quote: str, declared: Declared, *, name: str
) -> None:
    """Raises ImportRefusedError if at least half of the cells stand in other quotes.

    These are one sign, or two. Quotes inside the `quote` of the dialect, as in `"«Ромашка»"`, are
    part of the text.
    """
    cells = [cell.strip() for row in rows[1:] for cell in row.cells if cell.strip()]
    ends = Counter((cell[0], cell[-1]) for cell in cells if len(cell) > 1)

    def stand_in(quotes: str) -> bool:
        quoted = ends[quotes[0], quotes[-1]]
        quoted -= sample.count(quote + quotes[0]) if quoted and quote else 0
        return quoted >= 2 and 2 * quoted >= len(cells)

    if declared.quote is None and stand_in("'"):
        raise _refused(RefusalMessages.SINGLE_QUOTES, name)
    for quotes in _OTHER_QUOTES:
        if stand_in(quotes):
            raise _refused(RefusalMessages.OTHER_QUOTES, name, quotes=quotes)
    if quote == "'" and stand_in('"'):
        raise _refused(RefusalMessages.DOUBLE_QUOTES, name)


def _has_escapes(sample: str, dialect: Dialect, rows: Sequence[SampleRow]) -> bool:
    """Returns whether backslashes evidently escape the next character.

    Either rows can be parsed only so, or every backslash of the sample stands where a database puts
    one. A cell that is NULL proves nothing.
    """
    if "\\" not in sample:
        return False
    known = _AFTER_BACKSLASH | {dialect.separator, dialect.quote}
    after = [
        found[1]
        for row in rows
        for cell in ([cell for cell in row.cells if cell.strip() != "\\N"])
        for found in _BACKSLASH.finditer(cell)
    ]
    if after and all(sign in known for sign in after):
        return True
    width = len(rows[0].cells)
    rows = rows[:_WHOLE_ROWS]
    faulty = [row for row in rows if row.defect or len(row.cells) != width]
    if not any("\\" in cell for row in faulty for cell in row.cells):
        return False
    escaped = sample_rows(sample, dialect._replace(escape="\\"))
    still_faulty = [row for row in escaped[:_WHOLE_ROWS] if row.defect or len(row.cells) != width]
    return len(still_faulty) < len(faulty)
