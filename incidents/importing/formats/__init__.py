"""The file formats that an import reads. See docs/how-to/add-a-file-format.md."""

from incidents.importing.formats.base import Format
from incidents.importing.formats.comma_separated import CommaSeparated
from incidents.importing.formats.json_lines import JsonLines

# The order in which the formats are tried. CSV comes last, because it matches any text.
FORMATS: list[Format] = [JsonLines(), CommaSeparated()]


def recognise(start: bytes) -> Format:
    """Returns the first format that matches a file with these first bytes; see Format.matches."""
    return next(form for form in FORMATS if form.matches(start))


def named(name: str) -> Format:
    """Returns the format of this name."""
    return next(form for form in FORMATS if form.name == name)
