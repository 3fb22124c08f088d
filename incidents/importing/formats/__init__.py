"""The file formats that an import reads. See docs/how-to/add-a-file-format.md."""

from typing import TYPE_CHECKING

from incidents.importing.formats.base import Format
from incidents.importing.formats.comma_separated import CommaSeparated
from incidents.importing.formats.converted_rows import ConvertedRows
from incidents.importing.formats.json_lines import JsonLines

if TYPE_CHECKING:
    from incidents.importing.reading import Source

CONVERTED_ROWS = ConvertedRows()
# The order in which the formats are tried. CSV comes last, because it matches any text.
FORMATS: list[Format] = [CONVERTED_ROWS, JsonLines(), CommaSeparated()]


def recognise(start: bytes) -> Format:
    """Returns the first format that matches a file with these first bytes; see Format.matches."""
    return next(form for form in FORMATS if form.matches(start))


def named(name: str) -> Format:
    """Returns the format of this name."""
    return next(form for form in FORMATS if form.name == name)


def of(source: "Source") -> Format:
    """Returns the format of the content that `source.file` yields, in the dialect of the source."""
    return (
        CONVERTED_ROWS if source.has_plain_rows else named(source.format).in_dialect(source.dialect)
    )
