"""What a synthetic export consists of: files of blocks of rows, in one of two forms.

A block is made from the plan and its number alone, so any process can make any block, and the same
plan gives the same bytes. Rows that can be taken are made in bulk; rows that must be rejected are
put between them, which is how their lines are known without counting every row.
"""

import json
import re
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import add
from typing import NamedTuple

FILES = ("members", "addresses", "orders")
FORMATS = ("csv", "jsonl")
COLUMNS = {
    "members": ("member_id", "name", "email", "mobile", "joined_on", "status", "lang"),
    "addresses": (
        "member_id", "address_id", "label", "recipient_name", "recipient_phone", "postcode",
        "address1", "address2", "entrance_code", "delivery_note", "updated_at",
    ),
    "orders": ("order_id", "member_id", "ordered_at", "item", "qty"),
}  # fmt: skip
# The sample's ids: seven apart, so that neither the next number nor 99,999,999 is anybody's.
FIRST_MEMBER, MEMBER_STEP = 70_000_000, 7
UNKNOWN_MEMBER = "unknown member_id"
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What decides every byte of an export."""

    people: int
    addresses_per_person: float = 4.4
    orders_per_person: float = 2.5
    seed: int = 1
    format: str = "csv"
    people_per_block: int = 10_000  # a multiple of 100

    @property
    def blocks(self) -> int:
        """In each file."""
        return -(-self.people // self.people_per_block)

    def people_of(self, block: int) -> range:
        """The block's share of all people, numbered from 0."""
        first = block * self.people_per_block
        return range(first, min(first + self.people_per_block, self.people))


@dataclass
class SyntheticBlock:
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


@dataclass(frozen=True)
class Form:
    """How the rows of one file are written down."""

    header: bytes
    encoding: str
    frame: tuple[str, ...]  # what stands before, between and after the cells
    cell: Callable[[str], str]  # escapes what needs it
    row_end: str
    damage: str  # the reason for a row that was cut off

    def row(self, cells: list[str]) -> str:
        """A row with every cell."""
        return self._beginning(cells) + self.frame[-1]

    def cut_row(self, cells: list[str]) -> str:
        """A row that ends after the cells given."""
        return self._beginning(cells) + self.row_end

    def _beginning(self, cells: list[str]) -> str:
        return "".join(map(add, self.frame, map(self.cell, cells)))


@cache
def form_of(file: str, file_format: str) -> Form:
    """The encodings and line ends of the sample for CSV; JSON Lines is UTF-8 by definition."""
    columns = COLUMNS[file]
    if file_format == "jsonl":
        opened = tuple(f'", "{column}": "' for column in columns[1:])
        frame = (f'{{"{columns[0]}": "', *opened, '"}\n')
        return Form(b"", "utf-8", frame, _json_cell, "\n", "not a JSON object")
    end = "\n" if file == "orders" else "\r\n"
    encoding = "cp949" if file == "addresses" else "utf-8"
    mark = b"\xef\xbb\xbf" if file == "members" else b""
    header = mark + (",".join(columns) + end).encode()
    frame = ("", *[","] * (len(columns) - 1), end)
    return Form(header, encoding, frame, _csv_cell, end, "wrong number of columns")


def _csv_cell(text: str) -> str:
    if _NEEDS_QUOTES.search(text) is None:
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _json_cell(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def fill(
    block: SyntheticBlock, form: Form, rows: list[str], extras: Mapping[int, Sequence[Extra]]
) -> SyntheticBlock:
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
    block.data = "".join(pieces).encode(form.encoding, "surrogateescape")
    return block


def member_id(person: int) -> str:
    """The id of a person, numbered from 0."""
    return str(FIRST_MEMBER + MEMBER_STEP * person)
