"""Prepares the rows of a block for loading: people and exposures, encrypted, as rows for COPY.

It needs only the bytes, the mapping and the keys, and neither the database nor another block. It
can therefore run in any process and in any order. It returns bytes for PostgreSQL's binary COPY.
It runs for every row of a nation, so its inner functions cache all that they need again.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingType
from functools import lru_cache
from typing import NamedTuple

from accounts.contacts import Phone, read_phones
from foundations.plain_references import plain_reference
from incidents.bulk_encryption import BulkEncryptor
from incidents.importing import (
    copy_format,
    days,
    formats,
    other_spellings,
    references,
    rejects,
)
from incidents.importing.block_output import BlockOutput
from incidents.importing.blocks import FileBlock
from incidents.importing.column_habits import Habits
from incidents.importing.contact_reading import in_order
from incidents.importing.line_breaks import LineBreaks
from incidents.importing.mapping import ColumnMapping
from incidents.importing.mention_writing import MentionWriter
from incidents.importing.person_rows import FIRST, SECOND, PersonWriter
from incidents.importing.placeholders import NULLS, is_placeholder, is_zero
from incidents.importing.reading import Source
from incidents.importing.rejected_contacts import RejectedContacts
from incidents.importing.row_checks import (
    MAY_BE_CONTACT,
    HeaderError,
    RowChecks,
    RowRejectedError,
)
from incidents.importing.row_context import RowContext
from incidents.importing.row_messages import CellMessages, RejectMessages, may_join_rows
from incidents.importing.rows import HEADER, RowReader, is_blank
from incidents.importing.second_tables import Labels
from incidents.kinds import Relation

# Values of all columns together, and characters of one, that are remembered of good rows.
_MOST_KNOWN, _LONGEST_KNOWN = 1 << 17, 64


class Prepared(NamedTuple):
    """The prepared rows of a block, as COPY rows for the staging tables, with counts."""

    position: int  # FileBlock.position
    rows: int
    lines: int  # on which these rows stand, without blank ones
    taken: int  # rows that have no fault of their own; other rows may still reject them
    people_rows: int
    exposure_rows: int
    people: bytes
    exposures: bytes
    second_exposures: bytes
    mentions: bytes
    further: bytes
    rejects: bytes
    unread: bytes  # contacts of the rejected rows, and uncertain ones of the others
    faulty: int  # rows that are rejected here
    without_phone: int  # second people without a usable phone number
    without_contact: int  # taken rows without a contact that can be used; 0 if no column has one
    zeros: int  # rows with the reference 0, 00 and so on
    odd_cells: dict[tuple[str, CellMessages], int]  # by column and kind
    spellings: list[tuple[bytes, bytes]]  # of some people, and of the same ids spelled otherwise
    header_again: int  # the line that repeats the header; 0 for none
    other_table: int  # the line with the labels of another table; 0 for none


class Preparer:
    """A preparer of the blocks of one file."""

    def __init__(
        self,
        source: Source,
        mapping: ColumnMapping,
        *,
        cipher: BulkEncryptor,
        class_ids: MappingType[str, int],
        long_classes: Collection[str],
        region: str,
        time_zone: str,
        languages: tuple[str, ...],
        default_language: str,
        file_id: int,
        secret: bytes,
        habits: Habits | None = None,
    ) -> None:
        """Takes what BlockTask holds. `region` is that of phone numbers without a country code."""
        form = formats.named(source.format)
        self._reader = RowReader(source)
        self._mapping, self._region = mapping, region
        self._nulls, self._takes_known_only = mapping.nulls, mapping.takes_known_only
        place = {name: number for number, name in enumerate(source.header)}
        self._identity_column = mapping.person.identity
        self._identity = place[self._identity_column]
        self._is_recipient = mapping.person.relation == Relation.RECIPIENT
        readers = {
            column: days.reader(formats, time_zone) for column, formats in mapping.dates.items()
        }
        self._dates = [(place[column], column, read) for column, read in readers.items()]
        self._date_places = [place[column] for column in readers]
        self._starts_oddly = _odd_cell(mapping.nulls).search
        separator = source.dialect.separator if form.has_header else ""
        self._line_breaks = LineBreaks(
            source.header, mapping, long_classes=long_classes, separator=separator, region=region
        )
        # Strict mappings reject such a row before it comes here.
        self._describing = [(place[column], column) for column in mapping.columns_that_describe()]
        self._odd_cells = Counter[tuple[str, CellMessages]]()
        self._out = BlockOutput(file_id)
        context = RowContext(
            cipher=cipher,
            class_ids=class_ids,
            secret=secret,
            place=place,
            days=readers,
            languages=languages,
            default_language=default_language,
            region=region,
            nulls=mapping.nulls,
            has_lost_zeros=mapping.lost_zeros,
            odd_cells=self._odd_cells,
            out=self._out,
        )
        known_only = self._takes_known_only
        self._first = PersonWriter(mapping.person, context, slot=FIRST, takes_known_only=known_only)
        second = mapping.second_person
        self._second = second and PersonWriter(
            second, context, slot=SECOND, takes_known_only=known_only
        )
        usual = {self._identity, *self._first.usual_places}
        self._may_be_usual = not (
            second
            or self._is_recipient
            or any(map(MAY_BE_CONTACT.search, mapping.nulls - NULLS))
            or any(column in usual for column, _name, _read in self._dates)
        ) and bool(self._first.usual_places)
        # A row whose reference is odd gets all checks, so that each process rejects the same.
        self._is_odd_reference = habits.is_odd_reference if habits else _never
        self._are_digits_usual = not self._is_odd_reference("1")
        others = [one for one in range(len(source.header)) if one not in usual]
        # Each other place, with values that were seen in rows that passed all checks.
        self._known = [(one, set[str]()) for one in others if self._may_be_usual]
        self._most_known = _MOST_KNOWN // max(8, len(others))
        self._second_identity = place[second.identity] if second else 0
        self._mentions = MentionWriter(mapping, context)
        self._checks = RowChecks(source, mapping, self._reader, self._first, habits)
        self._contacts = RejectedContacts(source.header, mapping, cipher, region=region)
        self._has_contacts = bool(mapping.person.email_cells or mapping.person.phone_cells)
        self._may_hold_surrogates = form.may_hold_surrogates
        self._may_be_blank = form.has_header  # an object of JSON may hold other keys
        self._without_phone = self._zeros = self._blank = 0

    def prepare(self, block: FileBlock) -> Prepared:
        """Returns the prepared rows of a block. Stops at a row that repeats the header."""
        self._begin(block)
        rows = header_again = other_table = 0
        rejected: list[tuple[int, str]] = []
        spellings: list[tuple[bytes, bytes]] = []
        may_be_blank, write = self._may_be_blank, self._row
        for line, cells, defect in self._reader.rows(block):
            if may_be_blank and not (cells and cells[0].strip()) and is_blank(cells):
                self._blank += 1
                continue
            rows += 1
            if defect == HEADER:
                header_again = line
                break
            try:
                write(line, cells, defect)
            except RowRejectedError as error:
                rejected.append((line, str(error)))
                self._out.unread.append(self._unread(line, cells, error, is_whole=not defect))
            except HeaderError as error:
                header_again, other_table = (0, line) if error.is_of_table else (line, 0)
                break
            else:
                if self._takes_known_only and rows <= other_spellings.IDS_OF_A_BLOCK:
                    spellings += self._other_spellings(cells[self._identity].strip())
        return self._out.prepared(
            Prepared,
            position=block.position,
            rows=rows,
            lines=_lines_of_rows(block.data, rows + self._blank) - self._blank,
            taken=rows - len(rejected),
            rejects=b"".join(copy_format.reject(line, _reason(why)) for line, why in rejected),
            faulty=len(rejected),
            without_phone=self._without_phone,
            without_contact=self._first.without_contact if self._has_contacts else 0,
            zeros=self._zeros,
            odd_cells=dict(self._odd_cells),
            spellings=spellings,
            header_again=header_again,
            other_table=other_table,
        )

    def _begin(self, block: FileBlock) -> None:
        """Removes what is left of the block before."""
        self._out.clear()
        self._odd_cells.clear()
        self._without_phone = self._zeros = self._blank = self._first.without_contact = 0
        self._checks.begin(block)

    def _unread(
        self, line: int, cells: list[str], error: RowRejectedError, *, is_whole: bool
    ) -> bytes:
        """Returns COPY rows with the contacts of a rejected row."""
        is_whole = is_whole and not may_join_rows(str(error))
        person = self._first.person_id(error.identity) if error.identity else b""
        return self._contacts.rows(line, cells, person=person, is_whole=is_whole)

    def _row(self, line: int, cells: list[str], defect: str) -> None:
        """Writes the people and exposures of a row to the output. Raises RowRejectedError."""
        if defect:
            raise RowRejectedError(defect)
        if contact := self._usual_contact(cells):
            identity, first = cells[self._identity], self._first
            if not (traits := first.usual_traits(cells, contact)):
                raise self._undecided(first, identity)
            first.write_usual(line, identity, traits, contact)
        else:
            self._unusual_row(line, cells)

    def _usual_contact(self, cells: list[str]) -> tuple[str, str, str] | None:
        """Returns name, address and number of a row in which nothing can be odd; None for others.

        That is most rows. They hold at most one contact of each kind, in a usual form. Each other
        cell is like one of a row that passed all checks, or is plain.
        """
        if not self._may_be_usual:
            return None
        identity = cells[self._identity]
        if identity.isdigit() and identity.isascii() and identity[0] != "0":
            if not self._are_digits_usual:
                return None
        elif not self._is_plain_reference(identity):
            return None
        for place, known in self._known:
            if cells[place] not in known:
                return self._plain_contact(cells)
        return self._first.usual_contact(cells)

    def _is_plain_reference(self, text: str) -> bool:
        is_plain = references.is_plain(text) and text not in self._nulls
        return is_plain and not self._is_odd_reference(text)

    def _plain_contact(self, cells: list[str]) -> tuple[str, str, str] | None:
        """Does what `_usual_contact` does, for a row with a value that is not known."""
        contact = self._first.usual_contact(cells)
        if not contact or not self._are_plain("|".join(cells)):
            return None
        if any(read(cells[place]) is None for place, _column, read in self._dates):
            return None
        self._mentions.write(cells, further=())
        self._remember(cells)
        return contact

    def _unusual_row(self, line: int, cells: list[str]) -> None:
        """Does what `_row` does, with all checks."""
        is_plain = self._are_plain("|".join(cells))
        if not is_plain:
            cells = self._cleaned(cells)
        labels = self._checks.labels(line, cells)
        if labels == Labels.OF_TABLE:
            raise HeaderError(is_of_table=True)
        identity = self._identify(cells)
        if labels == Labels.DOUBTFUL:
            raise RowRejectedError(RejectMessages.FOOTER.stored(column=self._identity_column))
        self._checks.refuse_moved(cells)
        are_dates_read = self._check_dates(cells, identity)
        self._checks.refuse_other_table(line, cells, is_odd=not are_dates_read)
        self._mentions.write(cells, further=() if are_dates_read else self._date_places)
        if are_dates_read and is_plain:
            self._remember(cells)
        self._write(line, cells, identity)

    def _remember(self, cells: list[str]) -> None:
        """Notes the values of a row that passed all checks, for `_usual_contact`."""
        for place, known in self._known:
            if len(known) < self._most_known and len(cells[place]) <= _LONGEST_KNOWN:
                known.add(cells[place])

    def _write(self, line: int, cells: list[str], identity: str) -> None:
        """Writes the people and exposures of a row. Raises RowRejectedError."""
        first, second = self._first, self._second
        if not (language := first.language(cells)):
            raise self._undecided(first, identity)
        if second and not second.language(cells):
            raise self._undecided(second, identity)
        mark = self._out.mark() if self._may_hold_surrogates else None
        try:
            first.write(line, cells, identity, language)
            if second:
                self._write_second(line, cells, second)
        except UnicodeEncodeError:  # half a character, written as \ud800 in JSON
            self._out.go_back(mark or ())
            raise RowRejectedError(rejects.UNDECODABLE) from None

    def _are_plain(self, text: str) -> bool:
        """Returns whether `_cleaned` has nothing to do for the cells of a row.

        `text` holds them with "|" between them. A line break, an undecodable byte and any
        space but the usual one are not printable. Cells that hold "|" may be taken for odd ones.
        """
        text = f"|{text}|"
        return text.isprintable() and " |" not in text and not self._starts_oddly(text)

    def _cleaned(self, cells: list[str]) -> list[str]:
        """Returns the cells of a row, blank where one stands for nothing or cannot be decoded.

        Raises RowRejectedError if a line break shows that the cells may be of several rows.
        """
        if why := self._line_breaks.reject_reason(cells):
            raise RowRejectedError(why)
        nulls = self._nulls
        if not nulls.isdisjoint(map(str.strip, cells)):
            cells = ["" if cell.strip() in nulls else cell for cell in cells]
        return self._without_undecodable(cells)

    def _without_undecodable(self, cells: list[str]) -> list[str]:
        """Returns the cells, blank where a column that only describes cannot be decoded."""
        for place, column in self._describing:
            if cells[place].isascii() or not _SURROGATE.search(cells[place]):
                continue
            cells = [*cells[:place], "", *cells[place + 1 :]]
            self._odd_cells[column, CellMessages.UNDECODABLE] += 1
        return cells

    def _check_dates(self, cells: Sequence[str], identity: str) -> bool:
        """Returns whether all dates can be read, and counts the others.

        Raises RowRejectedError if one cannot be read and the mapping is strict.
        """
        are_read = True
        for place, column, read in self._dates:
            if read(cells[place]) is None:
                if self._mapping.strict:
                    raise RowRejectedError(RejectMessages.BAD_DATE.stored(), identity)
                self._odd_cells[column, CellMessages.NO_DAY] += 1
                are_read = False
        return are_read

    def _undecided(self, person: PersonWriter, identity: str) -> RowRejectedError:
        """Returns the error of a row with a language of which nothing says what its people get."""
        reason = RejectMessages.LANGUAGE.stored(column=person.language_column)
        return RowRejectedError(reason, identity)

    def _identify(self, cells: Sequence[str]) -> str:
        """Returns the reference of the row, or the phone number of a recipient.

        Raises RowRejectedError if the row identifies no person.
        """
        identity, column = cells[self._identity].strip(), self._identity_column
        if not identity:
            raise RowRejectedError(RejectMessages.MISSING.stored(column=column))
        if self._is_recipient:
            phones = self._phones(identity)
            if not phones:
                raise RowRejectedError(RejectMessages.NO_PHONE.stored(column=column))
            return phones[0].number
        if identity.isdigit() and identity[0] != "0" and identity.isascii():
            return identity
        if not references.is_usual(identity):
            identity = plain_reference(identity)
            self._checks.refuse_no_reference(identity, cells)
        if is_zero(identity) and not self._takes_known_only:
            self._zeros += 1  # the first of a series, or nothing: the other rows decide
        elif is_placeholder(identity):
            raise RowRejectedError(RejectMessages.PLACEHOLDER.stored(column=column))
        return identity

    def _phones(self, cell: str) -> Sequence[Phone]:
        lost = self._mapping.lost_zeros
        return in_order(read_phones(cell, self._region, has_lost_zeros=lost).phones)

    def _write_second(self, line: int, cells: list[str], second: PersonWriter) -> None:
        """Writes the other person in a row, if the row has a phone number that identifies them.

        If the cell is not a phone number, the row is still taken for the first person. If it names
        the other one, the case is counted, and the import reports the count.
        """
        cell = cells[self._second_identity].strip()
        if cell and (phones := self._phones(cell)):
            second.write(line, cells, phones[0].number, second.language(cells))
        else:
            self._without_phone += second.write_without_number(line, cells, cell)

    def _other_spellings(self, reference: str) -> list[tuple[bytes, bytes]]:
        """Returns pairs of the person's id and the id of the same reference spelled otherwise."""
        person = self._first.person_id(reference)
        others = other_spellings.of(reference)
        return [(person, self._first.person_id(other)) for other in others]


def _never(_reference: str) -> bool:
    return False


def _lines_of_rows(data: bytes, rows: int) -> int:
    """Returns the number of lines that are not blank, in a block of so many rows."""
    lines = data.count(b"\n")
    if lines == rows:
        return lines
    has_blank = data[:1] in b"\r\n" or b"\n\n" in data or b"\n\r" in data
    return lines - len(_BLANK_LINE.findall(data)) if has_blank else lines


def _odd_cell(nulls: Collection[str]) -> re.Pattern[str]:
    """Returns a pattern for cells between "|" that begin with a space, or are one of `nulls`.

    Comparing with a set takes longer, because each cell must be hashed for it.
    """
    texts = sorted(filter(None, nulls))
    starts = re.escape("".join({text[0] for text in texts}))
    return re.compile(rf"\|(?=[ {starts}])(?: |(?:{'|'.join(map(re.escape, texts))})\|)")


_BLANK_LINE = re.compile(rb"^\r*\n", re.MULTILINE)
# An undecodable byte, or half a character that is written as \ud800 in JSON.
_SURROGATE = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=1 << 10)
def _reason(reason: str) -> bytes:
    return copy_format.text_field(reason)
