"""The writer of a synthetic export: its files, and `expected.json` with what an import must find.

Worker processes make the blocks, and this process writes them in order. Only as many blocks exist
at the same time as the worker processes need, so that memory does not grow with the size.
"""

import json
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.synthetic import sample_values
from benchmarks.synthetic.addresses import make_addresses
from benchmarks.synthetic.blocks import FILES, Plan, RowBlock, header_of
from benchmarks.synthetic.members import make_members
from foundations.process_pool import Workers, workers

EXPECTED = "expected.json"
# If there are more rejected rows, they are only counted by reason.
LISTED_REJECTS = 10_000
_SECTIONS = {"members": "members", "addresses": "address_book"}
_MAKERS: dict[str, Callable[[Plan, int], RowBlock]] = {
    "members": make_members,
    "addresses": make_addresses,
}


@dataclass
class FileTally:
    """The counts of one file while it is written."""

    rows: int = 0
    lines: int = 0  # physical
    rejected: list[tuple[int, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    # One bit for each possible phone number: of constant size, and faster than a set.
    recipients: bytearray = field(default_factory=bytearray)

    def add(self, block: RowBlock) -> None:
        """Adds the next block of the file to the counts."""
        self.reasons.update(reason for _, reason in block.rejected)
        if self.reasons.total() <= LISTED_REJECTS:
            self.rejected += [(self.lines + line + 1, reason) for line, reason in block.rejected]
        else:
            self.rejected.clear()
        self.rows += block.rows
        self.lines += block.lines
        self.people += block.people
        self._mark(block.recipients)

    def _mark(self, recipients: "array[int]") -> None:
        if recipients and not self.recipients:
            self.recipients = bytearray(sample_values.PHONE_NUMBERS // 8)
        for number in recipients:
            self.recipients[number >> 3] |= 1 << (number & 7)

    def distinct_recipients(self) -> int:
        """Returns the number of distinct people that the address book names."""
        return int.from_bytes(self.recipients).bit_count()

    def section(self) -> dict[str, Any]:
        """Returns the file's section of expected.json."""
        counts = {"rows": self.rows, "rejected_by_reason": dict(sorted(self.reasons.items()))}
        if self.reasons.total() > LISTED_REJECTS:
            return counts
        return counts | {"rejected": self.rejected}


def write_export(
    directory: Path, plan: Plan, *, files: tuple[str, ...] = FILES, processes: int = 0
) -> dict[str, FileTally]:
    """Writes the files and `expected.json` into a directory. Returns the counts of each file.

    With 0 `processes`, this process makes all blocks. Existing files of these names are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with workers(processes) as pool:
        tallies = {file: _write_file(directory, plan, file, pool) for file in files}
    expected = json.dumps(_expected(plan, tallies), ensure_ascii=False, indent=1)
    (directory / EXPECTED).write_text(expected + "\n", encoding="utf-8")
    return tallies


def _write_file(directory: Path, plan: Plan, file: str, pool: Workers) -> FileTally:
    header = header_of(file)
    tally = FileTally(lines=header.count(b"\n"))
    with (directory / f"{file}.csv").open("wb") as out:
        out.write(header)
        for block in pool.map(partial(_MAKERS[file], plan), range(plan.blocks)):
            out.write(block.data)
            tally.add(block)
    return tally


def _expected(plan: Plan, tallies: dict[str, FileTally]) -> dict[str, Any]:
    """Returns expected.json in the sample's shape, with the figures of the written files only."""
    sections = {_SECTIONS[file]: tally.section() for file, tally in tallies.items()}
    people: dict[str, int] = {}
    if "members" in tallies:
        people |= _expected_members(tallies["members"].people)
    if "addresses" in tallies:
        people["recipients_by_distinct_phone"] = tallies["addresses"].distinct_recipients()
        people["entrance_codes"] = tallies["addresses"].people["entrance_codes"]
    made_with = {"people": plan.people, "seed": plan.seed}
    return {**sections, "people": people, "made_with": made_with}


def _expected_members(counted: Counter[str]) -> dict[str, int]:
    keys = (
        "members_without_email",
        "members_with_unusable_email",
        "members_without_phone",
        "members_with_unusable_phone",
    )
    reachable = counted["members"] - counted[keys[0]] - counted[keys[1]]
    return {
        "members": counted["members"],
        "members_mailable": reachable,
        **{key: counted[key] for key in keys},
    }
