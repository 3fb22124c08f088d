"""The checks that show whether a row is a person's, and whether its cells stand in their columns.

Labels, totals and records that stand among the rows of people would otherwise become people.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from accounts.contacts import read_emails
from incidents.importing import formats, references, second_tables
from incidents.importing.bare_rows import RowsOfBlock
from incidents.importing.blocks import FileBlock
from incidents.importing.column_habits import Habits, Shape
from incidents.importing.mapping import ColumnMapping
from incidents.importing.person_rows import PersonWriter
from incidents.importing.reading import Source
from incidents.importing.row_messages import RejectMessages
from incidents.importing.rows import RowReader
from incidents.importing.second_tables import Labels, TableFinder

MAY_BE_CONTACT = re.compile(r"[@\d]")
_LIKE_NUMBER = re.compile(r"(?:0(?!0)|\+)[\d-]{8,15}", re.ASCII)
_CONTACTS = frozenset([Shape.ADDRESS, Shape.PHONE])
_BLANK_LINE = re.compile(rb"\n[\r\t ,;|\"]*\n")


class RowRejectedError(Exception):
    """A row is rejected; the message is a stored RejectMessages sentence.

    `identity` is the reference of the row, if it is certain.
    """

    def __init__(self, reason: str, identity: str = "") -> None:
        super().__init__(reason)
        self.identity = identity


class HeaderError(Exception):
    """A row is another header: of labels or of types, or of a second table."""

    def __init__(self, *, is_of_table: bool = False) -> None:
        super().__init__()
        self.is_of_table = is_of_table


class RowChecks:
    """The checks of the rows of one file, in one block after the other."""

    def __init__(
        self,
        source: Source,
        mapping: ColumnMapping,
        reader: RowReader,
        person: PersonWriter,
        habits: Habits | None,
    ) -> None:
        """`person` writes the first person of a row. Without `habits`, rows are not compared."""
        self._habits, self._reader, self._nulls = habits, reader, mapping.nulls
        self._rows: RowsOfBlock | None = None
        self._has_gaps = False
        self._person, self._takes_known_only = person, mapping.takes_known_only
        place = {name: number for number, name in enumerate(source.header)}
        used = set(mapping.used_columns())
        self._unused_places = {at for name, at in place.items() if name not in used}
        self._column = mapping.person.identity
        self._identity = place[self._column]
        self._email_places = [
            place[column] for cells in mapping.person.email_cells for column in cells.columns()
        ]
        phones = [column for cells in mapping.person.phone_cells for column in cells.columns()]
        self._phone_columns = frozenset(phones)
        self._phone_places = [place[column] for column in phones]
        names = list(mapping.person.name_cells.columns() if mapping.person.name_cells else ())
        self._name_places = [place[column] for column in names if column != self._column]
        self._no_email_places = [(place[column], column) for column in (*phones, *names)]
        self._contact_places = [*self._email_places, *self._phone_places]
        # A reference that is a contact may be mistyped, as other contacts may be.
        self._own_places = {self._identity, *self._name_places}.difference(self._contact_places)
        # A person has looked at the rows of a reject file; `known` rejects unknown people.
        self._tables = None
        has_header = formats.named(source.format).has_header
        if has_header and not (source.is_reject_file or self._takes_known_only):
            self._tables = TableFinder(
                reader,
                reference=self._identity,
                contacts=self._contact_places,
                nulls=mapping.nulls,
            )

    def begin(self, block: FileBlock) -> None:
        """Takes the next block. Its rows are read again only if one of them is odd."""
        if self._habits:
            self._rows = RowsOfBlock(
                self._reader,
                block,
                habits=self._habits,
                nulls=self._nulls,
                is_bare=self._is_bare,
            )
            self._has_gaps = bool(_BLANK_LINE.search(block.data))
        if self._tables:
            self._tables.begin(block)

    def refuse_moved(self, cells: Sequence[str]) -> None:
        """Raises RowRejectedError if an address stands where a number or a name belongs.

        A comma in a name moves the cells after it. The owner of the address would not be found. A
        name can be an address, if the row has another one that finds the person; see PersonWriter.
        """
        for place, column in self._no_email_places:
            if "@" not in cells[place] or not self._email_places:
                continue
            found = set(read_emails(cells[place]).addresses)
            others = [cells[other] for other in self._email_places]
            known = {one for cell in others for one in read_emails(cell).addresses}
            if found - known and (column in self._phone_columns or not known):
                raise RowRejectedError(RejectMessages.MOVED.stored(column=column))

    def refuse_no_reference(self, identity: str, cells: Sequence[str]) -> None:
        """Raises RowRejectedError if the text cannot be a person's reference."""
        column = self._column
        if not identity:
            raise RowRejectedError(RejectMessages.MISSING.stored(column=column))
        if references.is_shortened(identity):
            raise RowRejectedError(RejectMessages.SHORTENED.stored(column=column))
        is_footer = references.is_footer(identity) or references.is_remark(identity, cells)
        if is_footer or self._is_total(identity, cells) or self._is_trailer(identity, cells):
            raise RowRejectedError(RejectMessages.FOOTER.stored(column=column))
        if references.is_label(identity) or self._has_label_as_contact(cells):
            filled = [cell for cell in cells if cell.strip()]
            labels = sum(map(references.is_label, filled))
            if labels > 1 and labels * 2 >= len(filled):
                raise HeaderError
            if identity.casefold() == column.casefold():
                if second_tables.may_be_labels(cells):  # further labels: of another table
                    raise HeaderError
                raise RowRejectedError(RejectMessages.FOOTER.stored(column=column))

    def labels(self, line: int, cells: Sequence[str]) -> Labels:
        """Returns whether a row holds the labels of a second table."""
        if self._tables and second_tables.may_be_labels(cells):
            return self._tables.judge(line)
        return Labels.NONE

    def refuse_other_table(self, line: int, cells: Sequence[str], *, is_odd: bool) -> None:
        """Raises RowRejectedError if the cells of a row are of another kind than their columns.

        `is_odd` says whether a cell of a date cannot be read.
        """
        if not (habits := self._habits) or not (rows := self._rows):
            return
        if self._is_bare(cells):
            self._refuse_bare(line, cells, habits, rows)
            return
        is_odd = is_odd or habits.is_odd_reference(cells[self._identity].strip())
        if is_odd and habits.is_exchanged(cells):
            raise RowRejectedError(RejectMessages.OTHER_TABLE.stored())

    def _refuse_bare(
        self, line: int, cells: Sequence[str], habits: Habits, rows: RowsOfBlock
    ) -> None:
        """Raises RowRejectedError if a row without a contact is of another table.

        So it is if its reference or its name is unlike the others, or two other cells are, one of
        them not a contact; if its contacts are, in different ways, as in the next row; or if it
        stands below blank lines, with rows without contacts only. A cell like those of rows with a
        contact near it is not odd. A contact that cannot be read costs a person the contact only.
        """
        odd = habits.odd_places(cells)
        others = [cell for at, cell in enumerate(cells) if at != self._identity and cell.strip()]
        is_sum = odd and (self._has_sum_as_address(cells) or self._are_sums(others))
        if is_sum or self._is_subtotal(cells, others):
            raise RowRejectedError(RejectMessages.FOOTER.stored(column=self._column))
        odd = {at: shape for at, shape in odd.items() if not rows.hold(at, shape)}
        contacts = {at for at, shape in odd.items() if shape in _CONTACTS}
        has_unread = not contacts.isdisjoint(self._unused_places)  # its owner would not be found
        if contacts and not has_unread and not habits.is_exchanged(cells):
            return  # a person whose address or number stands in another column
        has_other_cells = len(odd) > 1 and not odd.keys() <= set(self._contact_places)
        is_other = has_unread or has_other_cells or not self._own_places.isdisjoint(odd)
        if is_other or self._is_of_part(line, odd, habits, rows):
            raise RowRejectedError(RejectMessages.OTHER_TABLE.stored())

    def _has_sum_as_address(self, cells: Sequence[str]) -> bool:
        # Not a digest: it may stand for an address that is kept from the reader.
        return any(
            references.is_sum(cells[place]) and not any(map(str.isalpha, cells[place]))
            for place in self._email_places
        )

    def _is_subtotal(self, cells: Sequence[str], others: Sequence[str]) -> bool:
        """Returns whether a cell names a sum, and all others hold sums, the reference too."""
        if not references.is_sum(cells[self._identity]):
            return False
        words = [cell for cell in others if not references.is_sum(cell)]
        return len(words) == 1 and references.is_subtotal(words[0])

    def _are_sums(self, cells: Collection[str]) -> bool:
        return bool(cells) and all(map(references.is_sum, cells))

    def _is_bare(self, cells: Sequence[str]) -> bool:
        """Returns whether a row has no contact that can be used; fast for usual ones."""
        for place in self._email_places:
            if "@" in cells[place]:
                return False
        for place in self._phone_places:
            if _LIKE_NUMBER.fullmatch(cells[place]):
                return False
        return not self._person.has_contact(cells)

    def _is_of_part(
        self, line: int, odd: Mapping[int, Shape], habits: Habits, rows: RowsOfBlock
    ) -> bool:
        """Returns whether a row without a contact is one of several of another table."""
        if self._has_gaps and rows.is_in_bare_part(line):
            return True
        in_place = {at: odd[at] for at in self._contact_places if at in odd}
        return len(set(in_place.values())) > 1 and rows.are_like(
            line, lambda cells: in_place.items() <= habits.odd_places(cells).items()
        )

    def _is_total(self, identity: str, cells: Sequence[str]) -> bool:
        """Returns whether a row holds totals or a checksum.

        `antal`, `page77` and `sha256:9f86…` are references, too: of people in rows with a contact,
        or with any other cell if that is a checksum or the file names known people only.
        """
        is_checksum = references.is_checksum(identity)
        if not is_checksum and not references.is_total(identity):
            return False
        if is_checksum or self._takes_known_only:
            return sum(map(bool, map(str.strip, cells))) == 1
        return not self._person.has_contact(cells)

    def _is_trailer(self, identity: str, cells: Sequence[str]) -> bool:
        """Returns whether a row counts the rows or adds them up, as `T,6` and `Σ,120` do.

        All its other cells are small numbers or a digest, and one stands in place of a name or
        contact. In a record such as `H,20251118,members,1`, names have no letter. A row with a
        contact that can be used is a person's.
        """
        if self._takes_known_only or not references.may_be_trailer(identity):
            return False
        others = [cell for at, cell in enumerate(cells) if at != self._identity and cell.strip()]
        places = (*self._email_places, *(place for place, _column in self._no_email_places))
        is_in_place = any(cells[at].strip() for at in places if at != self._identity)
        name = "".join(cells[at] for at in self._name_places).strip()
        has_name = not name or any(map(str.isalpha, name))
        is_count = is_in_place and all(map(references.is_sum, others))
        is_record = not has_name and references.is_record(identity)
        return (is_count or is_record) and not self._person.has_contact(cells)

    def _has_label_as_contact(self, cells: Sequence[str]) -> bool:
        """Returns whether a label stands in place of an address or number, in a row without data.

        Labels in other columns may be values, such as `required` or `City`.
        """
        labels = (references.is_label(cells[place]) for place in self._contact_places)
        return not MAY_BE_CONTACT.search("".join(cells)) and any(labels)
