"""Reads the e-mail addresses and the phone numbers of a person in a row."""

from collections.abc import Callable, Iterable, Sequence

from accounts import phones
from accounts.contacts import MASKED, MISTYPED, NOT_AN_ADDRESS, Phone, read_emails, read_phones
from incidents.importing.cell_fillers import contact_filler
from incidents.importing.person_columns import PersonColumns
from incidents.importing.placeholders import is_placeholder
from incidents.importing.row_context import RowContext
from incidents.importing.row_messages import CellMessages
from incidents.kinds import Reach

MISSING, UNUSABLE, USABLE = int(Reach.MISSING), int(Reach.UNUSABLE), int(Reach.USABLE)
LANDLINE = int(Reach.LANDLINE)
NO_NUMBER_DIGITS = 7  # a text of fewer characters can be a placeholder; a longer one is a number
_ODD_EMAILS = {
    MASKED: CellMessages.MASKED_EMAIL,
    MISTYPED: CellMessages.MISTYPED_EMAIL,
    NOT_AN_ADDRESS: CellMessages.NO_EMAIL,
}
_ODD_PHONES = {
    phones.NOT_A_NUMBER: CellMessages.NO_PHONE,
    phones.NO_PERSONS_NUMBER: CellMessages.NO_PERSONS_PHONE,
    phones.LOST_ZERO: CellMessages.LOST_ZERO,
}
# The e-mail addresses or the phone numbers of a person in one row, the reach of the first one, and
# how many have an index. These come first, in their normal form; the others are as they leaked. It
# is a plain tuple, because each row makes two.
Texts = tuple[tuple[str, ...], int, int]
_NONE: Texts = ((), MISSING, 0)
# Reads one contact of a row; and the columns that it reads, for messages.
CellReader = tuple[Callable[[Sequence[str]], str], str]


class ContactReader:
    """A reader of the contacts of one person of each row. It counts the cells that are none."""

    def __init__(self, columns: PersonColumns, context: RowContext) -> None:
        place = context.place
        self._region, self._has_lost_zeros = context.region, context.has_lost_zeros
        self._odd_cells = context.odd_cells
        emails, numbers = columns.email_cells, columns.phone_cells
        self.email_readers = [(contact_filler(cells, place), cells.label) for cells in emails]
        self.phone_readers = [(contact_filler(cells, place), cells.label) for cells in numbers]

    def finds_contact(self, cells: Sequence[str]) -> bool:
        """Returns whether a row has an e-mail address or a phone number that can be used."""
        lost = self._has_lost_zeros
        # Numbers first: most rows with an odd address have a usual number.
        return any(
            read_phones(read(cells), self._region, has_lost_zeros=lost).phones
            for read, _ in self.phone_readers
        ) or any(read_emails(read(cells)).addresses for read, _ in self.email_readers)

    def emails(self, cells: list[str]) -> Texts:
        """Returns the e-mail addresses of a row. A cell without one stays as it leaked."""
        usable, others = list[str](), list[str]()
        for read, column in self.email_readers:
            text = read(cells).strip()
            if not text:
                continue
            found, oddity = read_emails(text)
            if found:
                usable += found
            elif not is_placeholder(text):
                others.append(text)
                self._odd_cells[column, _ODD_EMAILS[oddity]] += 1
        return _texts(usable, others, USABLE)

    def phones(self, cells: list[str]) -> Texts:
        """Returns the phone numbers of a row. A cell without one stays as it leaked."""
        usable, others = list[Phone](), list[str]()
        for read, column in self.phone_readers:
            text = read(cells).strip()
            if not text:
                continue
            found, oddity = read_phones(text, self._region, has_lost_zeros=self._has_lost_zeros)
            if found:
                usable += found
            elif len(text) >= NO_NUMBER_DIGITS or not is_placeholder(text):
                others.append(text)
                self._odd_cells[column, _ODD_PHONES[oddity]] += 1
        ordered = usable if len(usable) < 2 else in_order(usable)
        reach = LANDLINE if ordered and ordered[0].is_landline else USABLE
        return _texts([phone.number for phone in ordered], others, reach)


def in_order(found: Iterable[Phone]) -> list[Phone]:
    """Returns the numbers with those first that take text messages."""
    return sorted(found, key=lambda phone: phone.is_landline)


def _texts(usable: Sequence[str], others: Sequence[str], reach: int) -> Texts:
    kept = tuple(dict.fromkeys(usable))
    texts = (*kept, *dict.fromkeys(others))
    if not texts:
        return _NONE
    return texts, reach if kept else UNUSABLE, len(kept)
