"""The parts of a synthetic export: CSV files that consist of blocks of rows.

A block depends only on the plan and its number. Therefore any process can make any block, and the
same plan gives the same bytes. Valid rows are made in bulk. Rows to reject are inserted between
them, so that their line numbers are known without counting every row.
"""

import re
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

FILES = ("members", "addresses")
COLUMNS = {
    "members": ("member_id", "name", "email", "mobile", "joined_on", "status", "lang"),
    "addresses": (
        "member_id", "address_id", "label", "recipient_name", "recipient_phone", "postcode",
        "address1", "address2", "entrance_code", "delivery_note", "updated_at",
    ),
}  # fmt: skip
# The encodings of the sample's files.
ENCODINGS = {"members": "utf-8-sig", "addresses": "cp949"}
ROW_END = "\r\n"
# The ids are as in the sample: seven apart, so that id + 1 and 99,999,999 belong to no member.
FIRST_MEMBER, MEMBER_STEP = 70_000_000, 7
UNKNOWN_MEMBER = "unknown member_id"
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parameters of an export. They determine every byte."""

    people: int
    addresses_per_person: float = 4.4
    seed: int = 1
    people_per_block: int = 10_000  # a multiple of 100

    @property
    def blocks(self) -> int:
        """The number of blocks in each file."""
        return -(-self.people // self.people_per_block)

    def people_of(self, block: int) -> range:
        """Returns the people of a block, numbered from 0."""
        first = block * self.people_per_block
        return range(first, min(first + self.people_per_block, self.people))


@dataclass
class RowBlock:
    """A part of a file, and what an import must find in it."""

    data: bytes = b""
    rows: int = 0
    lines: int = 0  # physical
    # (line in the block from 0, reason)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    people: Counter[str] = field(default_factory=Counter)  # by the names in expected.json
    recipients: "array[int]" = field(default_factory=lambda: array("I"))  # numbers of people


class Extra(NamedTuple):
    """A row that is inserted between the valid ones."""

    row: str
    reason: str = ""  # why an import must reject it; "" if it only repeats another row


def header_of(file: str) -> bytes:
    """Returns the encoded header row of a file."""
    return row_of(COLUMNS[file]).encode(ENCODINGS[file])


def row_of(cells: Sequence[str]) -> str:
    """Returns a row of CSV with its line end."""
    return ",".join(map(cell_of, cells)) + ROW_END


def cell_of(text: str) -> str:
    """Returns a cell of CSV, with quotes if it needs them."""
    if _NEEDS_QUOTES.search(text) is None:
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def fill(
    block: RowBlock, file: str, rows: list[str], extras: Mapping[int, Sequence[Extra]]
) -> RowBlock:
    """Inserts each extra row after the row at its position, and encodes the block.

    Sets the counts of `block` and the lines of its rejected rows. Returns `block`.
    """
    pieces = []
    begin = 0
    for position in sorted(extras):
        pieces.append("".join(rows[begin : position + 1]))
        begin = position + 1
        block.lines += pieces[-1].count("\n")
        for extra in extras[position]:
            if extra.reason:
                block.rejected.append((block.lines, extra.reason))
            pieces.append(extra.row)
            block.lines += extra.row.count("\n")
    pieces.append("".join(rows[begin:]))
    block.lines += pieces[-1].count("\n")
    block.rows = len(rows) + sum(map(len, extras.values()))
    # Only the header has the byte order mark.
    encoding = ENCODINGS[file].removesuffix("-sig")
    block.data = "".join(pieces).encode(encoding, "surrogateescape")
    return block


def member_id(person: int) -> str:
    """Returns the member id of a person, numbered from 0."""
    return str(FIRST_MEMBER + MEMBER_STEP * person)
