"""How a file of an invented export is written."""

from typing import NamedTuple


class ExportDialect(NamedTuple):
    """The encoding (a name of Python) and the separator of a file."""

    encoding: str
    separator: str
