"""What a synthetic export consists of: CSV files of blocks of rows.

A block is made from the plan and its number alone, so any process can make any block, and the same
plan gives the same bytes. Rows that can be taken are made in bulk; rows that must be rejected are
put between them, which is how their lines are known without counting every row.
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
# As those of the sample.
ENCODINGS = {"members": "utf-8-sig", "addresses": "cp949"}
ROW_END = "\r\n"
# The sample's ids: seven apart, so that neither the next number nor 99,999,999 is a member's.
FIRST_MEMBER, MEMBER_STEP = 70_000_000, 7
UNKNOWN_MEMBER = "unknown member_id"
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What decides every byte of an export."""

    people: int
    addresses_per_person: float = 4.4
    seed: int = 1
    people_per_block: int = 10_000  # a multiple of 100

    @property
    def blocks(self) -> int:
        """The number of blocks in each file."""
        return -(-self.people // self.people_per_block)

    def people_of(self, block: int) -> range:
        """The block's share of all people, numbered from 0."""
        first = block * self.people_per_block
        return range(first, min(first + self.people_per_block, self.people))


@dataclass
class RowBlock:
    """A stretch of a file and what an import must find in it."""

    data: bytes = b""
    rows: int = 0
    lines: int = 0  # physical
    rejected: list[tuple[int, str]] = field(default_factory=list)  # lines from 0, in the block
    people: Counter[str] = field(default_factory=Counter)  # as expected.json counts them
    recipients: "array[int]" = field(default_factory=lambda: array("I"))  # persons' numbers


class Extra(NamedTuple):
    """A row that is put in beside the good ones."""

    row: str
    reason: str = ""  # why it must be rejected; "" if it is only superfluous


def header_of(file: str) -> bytes:
    """The first row of a file, as bytes."""
    return row_of(COLUMNS[file]).encode(ENCODINGS[file])


def row_of(cells: Sequence[str]) -> str:
    """A row of CSV."""
    return ",".join(map(cell_of, cells)) + ROW_END


def cell_of(text: str) -> str:
    """A cell of CSV, in quotes where it needs them."""
    if _NEEDS_QUOTES.search(text) is None:
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def fill(
    block: RowBlock, file: str, rows: list[str], extras: Mapping[int, Sequence[Extra]]
) -> RowBlock:
    """Puts extras behind the rows at their positions, and finds the lines of the rejected."""
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
    # The mark stands in the header alone.
    encoding = ENCODINGS[file].removesuffix("-sig")
    block.data = "".join(pieces).encode(encoding, "surrogateescape")
    return block


def member_id(person: int) -> str:
    """The id of a person, numbered from 0."""
    return str(FIRST_MEMBER + MEMBER_STEP * person)
