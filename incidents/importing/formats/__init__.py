"""The file formats that an import reads. See docs/how-to/add-a-file-format.md."""

from incidents.importing.formats.base import Format
from incidents.importing.formats.comma_separated import CommaSeparated
from incidents.importing.formats.json_lines import JsonLines

# In the order in which a file is tried. CSV comes last: it takes any text.
FORMATS: list[Format] = [JsonLines(), CommaSeparated()]


def recognise(start: bytes) -> Format:
    """Returns the first format that a file which begins so matches; see Format.matches."""
    return next(form for form in FORMATS if form.matches(start))


def named(name: str) -> Format:
    """Returns the format of this name."""
    return next(form for form in FORMATS if form.name == name)
