"""Writes a synthetic export: the files, and what an import of them must find.

Worker processes make the blocks, this one puts them into the files in order. No more blocks exist
at a time than the workers need, so memory stays flat whatever the size.
"""

import json
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.synthetic import words
from benchmarks.synthetic.addresses import make_addresses
from benchmarks.synthetic.blocks import FILES, Plan, RowBlock, header_of
from benchmarks.synthetic.members import make_members
from foundations.process_pool import Workers, workers

EXPECTED = "expected.json"
# Past this many, rejected rows are counted by reason only.
LISTED_REJECTS = 10_000
_SECTIONS = {"members": "members", "addresses": "address_book"}
_MAKERS: dict[str, Callable[[Plan, int], RowBlock]] = {
    "members": make_members,
    "addresses": make_addresses,
}


@dataclass
class FileTally:
    """What stands in one file, so far."""

    rows: int = 0
    lines: int = 0  # physical
    rejected: list[tuple[int, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    # One bit for each telephone number there is: flat, and quicker than a set.
    recipients: bytearray = field(default_factory=bytearray)

    def add(self, block: RowBlock) -> None:
        """Counts a block, the next one in file order."""
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
            self.recipients = bytearray(words.PHONE_NUMBERS // 8)
        for number in recipients:
            self.recipients[number >> 3] |= 1 << (number & 7)

    def distinct_recipients(self) -> int:
        """How many people the address book names, each once."""
        return int.from_bytes(self.recipients).bit_count()

    def section(self) -> dict[str, Any]:
        """The file's section of expected.json."""
        counts = {"rows": self.rows, "rejected_by_reason": dict(sorted(self.reasons.items()))}
        if self.reasons.total() > LISTED_REJECTS:
            return counts
        return counts | {"rejected": self.rejected}


def write_export(
    directory: Path, plan: Plan, *, files: tuple[str, ...] = FILES, processes: int = 0
) -> dict[str, FileTally]:
    """Writes the files and `expected.json` into a directory; returns what stands in each file.

    With `processes` 0, this process makes all. Files of these names are replaced.
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
    """Returns expected.json in the sample's shape, without what the files do not tell."""
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
