"""Reads the contacts of a rejected row, so that its person counts among those who share them.

Of a row whose cells stand in their columns, the mapped columns are read. Of any other row every
piece of text that is an address or a number counts, because its place is not certain.
"""

import re
from collections.abc import Iterator, Sequence

from accounts.contacts import read_emails, read_phones
from incidents.bulk_encryption import BulkEncryptor
from incidents.importing import copy_format
from incidents.importing.cell_fillers import contact_filler, filler
from incidents.importing.mapping import ColumnMapping
from incidents.importing.person_columns import PersonColumns
from incidents.person_names import normal_name

MOST_PIECES = 400  # of one row; a row of a file has far fewer
_FEWEST_DIGITS = 7  # of a number
_BETWEEN = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029,;\t|\"']")


class RejectedContacts:
    """A reader of the contacts of one file's rejected rows."""

    def __init__(
        self,
        columns: Sequence[str],
        mapping: ColumnMapping,
        cipher: BulkEncryptor,
        *,
        region: str,
    ) -> None:
        place = {name: number for number, name in enumerate(columns)}
        self._cipher, self._nulls = cipher, mapping.nulls
        self._region, self._has_lost_zeros = region, mapping.lost_zeros
        people = [one for one in (mapping.person, mapping.second_person) if one]
        self._people = [_PersonReader(one, place) for one in people]

    def rows(self, line: int, cells: Sequence[str], *, person: bytes, is_whole: bool) -> bytes:
        """Returns COPY rows with the blind indexes of a rejected row's contacts.

        `person` is the key of the row's person, or b"". `is_whole` tells whether each cell stands
        in its column and holds no other row.
        """
        found = self._of_columns(cells, person) if is_whole else self._of_pieces(cells)
        return b"".join(copy_format.unread_contact(line, *fields) for fields in found)

    def _of_columns(self, cells: Sequence[str], first_person: bytes) -> Iterator[tuple[bytes, ...]]:
        cells = ["" if cell.strip() in self._nulls else cell for cell in cells]
        for person, reader in enumerate(self._people):
            emails = [one for read in reader.emails for one in self._emails(read(cells))]
            phones = [one for read in reader.phones for one in self._phones(read(cells))]
            if emails or phones:
                key = first_person if person == 0 else b""
                first = (*emails[:1], b"")[0], (*phones[:1], b"")[0]
                yield key, *first, self._name(reader, cells)
                yield from ((key, email, b"", b"") for email in emails[1:])
                yield from ((key, b"", phone, b"") for phone in phones[1:])

    def _of_pieces(self, cells: Sequence[str]) -> Iterator[tuple[bytes, ...]]:
        pieces = [piece for cell in cells for piece in _BETWEEN.split(cell) if piece.strip()]
        for piece in pieces[:MOST_PIECES]:
            yield from ((b"", email, b"", b"") for email in self._emails(piece))
            yield from ((b"", b"", phone, b"") for phone in self._phones(piece))

    def _emails(self, text: str) -> list[bytes]:
        if "@" not in text:
            return []
        return [self._cipher.blind_index(f"email\0{one}") for one in read_emails(text).addresses]

    def _phones(self, text: str) -> list[bytes]:
        if sum(map(str.isnumeric, text)) < _FEWEST_DIGITS:  # superscript digits are read, too
            return []
        found = read_phones(text, self._region, has_lost_zeros=self._has_lost_zeros).phones
        return [self._cipher.blind_index(f"phone\0{one.number}") for one in found]

    def _name(self, reader: "_PersonReader", cells: Sequence[str]) -> bytes:
        name = normal_name(reader.name(cells)) if reader.name else ""
        try:
            return self._cipher.blind_index(f"name\0{name}") if name else b""
        except UnicodeEncodeError:  # bytes that could not be decoded
            return b""


class _PersonReader:
    """The functions that read the contacts of one person of a row from its cells."""

    def __init__(self, columns: PersonColumns, place: dict[str, int]) -> None:
        self.emails = [contact_filler(cells, place) for cells in columns.email_cells]
        self.phones = [contact_filler(cells, place) for cells in columns.phone_cells]
        self.name = filler(columns.name_cells, place) if columns.name_cells else None
