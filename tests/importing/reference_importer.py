"""Reads an export in the simplest way and says who may see what; the product must agree.

It shares no code with the product. It holds everything in memory, is written for clarity, and knows
the one layout that `messy_exports.py` beside it writes. The rules are those of docs/import.md:

- A row is a line. A line break in a short cell rejects the row with all its lines, and so does a
  long cell with lines that are rows themselves.
- Placeholders are blank. A row without a reference is rejected.
- A row that counts the others is rejected.
- Of two numbers of which the second is cut to its last digit, the first one counts.
- The first row of a reference wins; a later one with another e-mail address or number is rejected.
- A contact opens a row if it is one person's. A contact of several people opens nothing by itself,
  and a second contact of the row opens it; one of more people than the bound does not count at all.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import phonenumbers

COLUMNS = ["member_id", "name", "email", "mobile", "code", "note", "joined_on"]
SHORT = {"member_id", "name", "email", "mobile", "code", "joined_on"}
VALUES = ("name", "email", "mobile", "code", "note")
BLANKS = {"", "NULL", "\\N", "(null)", "[null]", "<null>", "nan", "NaN", "#N/A"}
NO_REFERENCES = BLANKS | {"0", "00", "-", "guest", "비회원", "null", "none", "N/A", "없음"}
_BREAK = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_ADDRESS = re.compile(r"[a-z0-9.+_-]+@[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass
class Member:
    """A person of the export: what their page may show, and which contacts find them."""

    reference: str
    name: str = ""
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    texts: set[str] = field(default_factory=set)  # every cell that leaked of them

    @property
    def contacts(self) -> frozenset[str]:
        return self.emails | self.phones


@dataclass
class Reading:
    """What a file holds: its rows in order, and the first lines of those that are rejected."""

    rows: list[dict[str, str]] = field(default_factory=list)
    rejected: set[int] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)  # of the whole file
    ends: dict[int, int] = field(default_factory=dict)  # the last line of a row, by its first one

    def rejected_texts(self) -> list[str]:
        """Returns the rejected rows as they stand in the file."""
        return ["".join(self.lines[line - 1 : self.ends[line]]) for line in self.rejected]


def read(text: str, *, separator: str, blanks: Iterable[str] = ()) -> Reading:
    """Reads the text of one file, whose first line is the header."""
    reading = Reading()
    lines = _Lines(text)
    reading.lines = list(_Lines(text))
    parser = csv.reader(lines, delimiter=separator, strict=True)
    header = next(parser)
    for line, cells in _rows(lines, parser):
        reading.ends[line] = lines.number
        row = dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
        if row is None or not _is_a_row(row, separator):
            reading.rejected.add(line)
            continue
        row = {name: "" if _is_blank(cell, blanks) else cell for name, cell in row.items()}
        is_count = row["name"] == "총합계" and not row["email"] + row["mobile"]
        if is_count or row["member_id"].strip() in NO_REFERENCES:
            reading.rejected.add(line)
        else:
            reading.rows.append(row | {"line": str(line)})
    return reading


class _Lines(Iterator[str]):
    """The lines of a text, and the number of the last one that was read."""

    def __init__(self, text: str) -> None:
        self._lines = iter(re.findall(r"[^\n]*\n|[^\n]+$", text))
        self.number = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


def _rows(lines: _Lines, parser: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yields the first line and the cells of each row; no cells for a row that is no CSV."""
    while True:
        line = lines.number + 1
        try:
            cells = next(parser)
        except StopIteration:
            return
        except csv.Error:
            cells = [""]
        if cells:
            yield line, cells


def _is_a_row(row: dict[str, str], separator: str) -> bool:
    """Returns whether every cell belongs to one row of the file."""
    if any(_BREAK.search(row[name].strip()) for name in SHORT):
        return False
    for lines in (_BREAK.split(row["note"]), row["note"].split("\n")):
        if len(lines) > 1 and any(_is_like_a_row(line, separator) for line in lines):
            return False
    return True


def _is_like_a_row(line: str, separator: str) -> bool:
    return line.count(separator) >= len(COLUMNS) - 1


def _is_blank(cell: str, blanks: Iterable[str]) -> bool:
    return cell.strip() in BLANKS or cell.strip() in blanks


def emails_of(cell: str) -> frozenset[str]:
    """Returns the addresses of a cell, or none if one of its parts is no address."""
    parts = [part.strip().lower() for part in cell.split(";") if part.strip()]
    return frozenset(parts) if all(map(_ADDRESS.fullmatch, parts)) else frozenset()


def phones_of(cell: str) -> frozenset[str]:
    """Returns the numbers of a cell in E.164, or none if one of its parts is no number."""
    parts = [_phone(part) for part in re.split("[;/]", cell) if part.strip()]
    return frozenset(parts) if all(parts) else frozenset()


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text.partition("~")[0], "KR")
    except phonenumbers.NumberParseException:
        return ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    is_placeholder = len(set(written[-7:])) == 1
    is_one = phonenumbers.is_valid_number(number) and not is_placeholder
    return written if is_one else ""


def members(readings: Iterable[Reading]) -> dict[str, Member]:
    """Returns the people of the files by reference. Adds the rows in conflict to the rejects."""
    found: dict[str, Member] = {}
    for reading in readings:
        for row in reading.rows:
            reference = row["member_id"].strip()
            member = found.setdefault(reference, Member(reference))
            emails, phones = emails_of(row["email"]), phones_of(row["mobile"])
            if _disagree(member.emails, emails) or _disagree(member.phones, phones):
                reading.rejected.add(int(row["line"]))
                continue
            member.emails, member.phones = member.emails or emails, member.phones or phones
            member.name = member.name or row["name"]
            member.texts |= {row[name] for name in VALUES if row[name].strip()}
    return found


def _disagree(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other and one != other)


def is_unread(contacts: Iterable[str], unread: Iterable[str]) -> bool:
    """Returns whether the text of an unread row holds one of the contacts, in any spelling.

    Another person may stand in that row, so that a row with this contact may stay closed.
    """
    texts = [text.lower() for text in unread]
    digits = [re.sub(r"\D", "", text) for text in texts]
    return any(
        any(contact[3:] in text for text in digits)
        if contact.startswith("+82")
        else any(contact in text for text in texts)
        for contact in contacts
    )


def shown_in_full(
    contacts: Iterable[str], people: Iterable[Member], *, bound: int = 3
) -> list[Member]:
    """Returns those of `opened_by` that an e-mail address found: a number alone shows masks."""
    everyone = list(people)
    emails = [one for one in contacts if sum(one in who.contacts for who in everyone) <= bound]
    opened = opened_by(contacts, everyone, bound=bound)
    return [member for member in opened if member.emails & set(emails)]


def opened_by(contacts: Iterable[str], people: Iterable[Member], *, bound: int = 3) -> list[Member]:
    """Returns the people whose values a user with these verified contacts may see."""
    everyone = list(people)
    finds = {one: [who for who in everyone if one in who.contacts] for one in contacts}
    usable = {one: found for one, found in finds.items() if len(found) <= bound}
    opened = []
    for member in everyone:
        by = [found for one, found in usable.items() if one in member.contacts]
        if by and all(who is member for who in by[0] if all(who in found for found in by)):
            opened.append(member)
    return opened
