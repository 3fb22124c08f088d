"""The values that the writers and readers of the rows of one file share."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from incidents.bulk_encryption import BulkEncryptor
from incidents.importing.block_output import BlockOutput
from incidents.importing.days import DayReader
from incidents.importing.row_messages import CellMessages


class RowContext(NamedTuple):
    """The values that all writers and readers of rows share."""

    cipher: BulkEncryptor
    class_ids: Mapping[str, int]
    secret: bytes
    place: dict[str, int]  # the index of its cell, by column
    days: Mapping[str, DayReader]  # by column
    languages: tuple[str, ...]  # of the incident
    default_language: str  # of people whose language is not given
    region: str  # of phone numbers without a country code
    nulls: frozenset[str]  # texts of cells that are blank
    has_lost_zeros: bool  # whether a spreadsheet removed the zero before phone numbers
    odd_cells: Counter[tuple[str, CellMessages]]
    out: BlockOutput
