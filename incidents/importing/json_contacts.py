"""Finds contacts in a cell of JSON that no other cell of its row holds."""

import json
from collections.abc import Iterator, Sequence

from accounts.contacts import read_emails, read_phones
from incidents.importing.cell_kinds import PHONE_REGION, CellKind, kind_of

STARTS = frozenset("{[")  # of such a cell
_MOST_CHARACTERS = 320  # of a text that may be a contact


def kind_held(cells: Sequence[str], place: int, region: str) -> CellKind | None:
    """Returns EMAIL or PHONE if the cell at `place` holds one that no other cell of the row holds.

    Returns EMAIL if it holds both, and None if it is not JSON. `region` is that of phone numbers
    without a country code.
    """
    try:
        texts = list(_texts_in(json.loads(cells[place])))
    except (ValueError, RecursionError):
        return None
    kinds = {text: kind_of(text, region) for text in texts}
    found = [text for text, kind in kinds.items() if kind in (CellKind.EMAIL, CellKind.PHONE)]
    if not found:
        return None
    others = _contacts([*cells[:place], *cells[place + 1 :]], region)
    further = {kinds[text] for text in found if not _contacts([text], region) <= others}
    return next((one for one in (CellKind.EMAIL, CellKind.PHONE) if one in further), None)


def _texts_in(value: object) -> Iterator[str]:
    """Yields the texts in a value of JSON, without keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(inner)


def _contacts(cells: Sequence[str], region: str) -> set[str]:
    """Returns the addresses and numbers of some cells in the form in which they are compared."""
    short = [cell for cell in cells if len(cell) <= _MOST_CHARACTERS]
    emails = {one for cell in short if "@" in cell for one in read_emails(cell).addresses}
    phones = (read_phones(cell, region or PHONE_REGION, has_lost_zeros=True) for cell in short)
    return emails | {phone.number for found in phones for phone in found.phones}
