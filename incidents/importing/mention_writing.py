"""Writes the contacts that cells of other columns mention; see incidents.mentioned_contacts."""

from collections.abc import Collection, Sequence

from accounts.contacts import read_emails, read_phones
from incidents.importing import copy_format
from incidents.importing.mapping import ColumnMapping
from incidents.importing.row_context import RowContext
from incidents.mentioned_contacts import contacts_mentioned, may_mention
from incidents.uncertain_contacts import mention_of

_MOST_WRITTEN = 1 << 14  # contacts of one file that are remembered, such as those of its staff


class MentionWriter:
    """A writer of the contacts that a file mentions in columns that are not for contacts."""

    def __init__(self, mapping: ColumnMapping, context: RowContext) -> None:
        self._cipher, self._region, self._out = context.cipher, context.region, context.out
        self._has_lost_zeros = context.has_lost_zeros
        own = {column for person in mapping.people() for column in person.short_columns()}
        self._places = [
            place
            for column, place in context.place.items()
            if column not in own and column not in mapping.dates
        ]
        person = mapping.person
        self._emails, self._numbers = (
            [context.place[column] for cells in each for column in cells.columns()]
            for each in (person.email_cells, person.phone_cells)
        )
        self._written = set[tuple[str, str]]()

    def write(self, cells: Sequence[str], *, further: Sequence[int]) -> None:
        """Adds the contacts that cells of a row mention, unless they find the row's person.

        `further` are the places of cells of dates that hold none.
        """
        places = [*self._places, *further] if further else self._places
        if not may_mention("\n".join([cells[place] for place in places]), self._region):
            return
        known: Collection[tuple[str, str]] | None = None
        for cell in (cells[place] for place in places):
            for mentioned in self._mentioned(cell):
                known = self._contacts(cells) if known is None else known
                if mentioned not in known and mentioned not in self._written:
                    self._write(*mentioned)

    def _mentioned(self, cell: str) -> Sequence[tuple[str, str]]:
        may_mention_one = may_mention(cell, self._region)
        return contacts_mentioned(cell, self._region) if may_mention_one else ()

    def _contacts(self, cells: Sequence[str]) -> set[tuple[str, str]]:
        """Returns the contacts that find the first person of a row."""
        lost = self._has_lost_zeros
        emails = {one for at in self._emails for one in read_emails(cells[at]).addresses}
        numbers = {
            one.number
            for at in self._numbers
            for one in read_phones(cells[at], self._region, has_lost_zeros=lost).phones
        }
        return {("email", one) for one in emails} | {("phone", one) for one in numbers}

    def _write(self, kind: str, text: str) -> None:
        if len(self._written) < _MOST_WRITTEN:
            self._written.add((kind, text))
        index = self._cipher.blind_index(f"{kind}\0{mention_of(text)}")
        email, phone = (index, b"") if kind == "email" else (b"", index)
        self._out.unread.append(copy_format.unread_contact(0, b"", email, phone, b""))
