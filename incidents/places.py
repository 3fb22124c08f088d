"""Postal addresses with what leaked together with them: entrance codes, delivery notes, etc.

A file lists an address and its entrance code in one row. People recognise the code by the
address, so "my data" shows both on one card.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from incidents.leaks import DecryptedRow, file_of
from incidents.models import DataClass

Dated = tuple[str, str]  # a text, and its ISO date or ""
Key = tuple[int, str, str]  # a class id, a text, and its ISO date or ""


@dataclass
class LeakedPlace:
    """One address of one date, how many rows hold it, and the other values of these rows."""

    data_class: DataClass
    value: Dated
    times: int = 0
    others: Counter[Key] = field(default_factory=Counter)


def places_in(
    rows: Sequence[DecryptedRow], catalogue: Mapping[int, DataClass]
) -> list[LeakedPlace]:
    """Returns the places of one person, the newest first.

    A row with several addresses gives each of them a place of its own, and its other values belong
    to none. Orders belong to no place either. A file that holds the same rows again adds nothing.
    """
    places: dict[Key, LeakedPlace] = {}
    for _file, file_rows in groupby(sorted(rows, key=file_of), key=file_of):
        times: Counter[Key] = Counter()
        others: defaultdict[Key, Counter[Key]] = defaultdict(Counter)
        for row in file_rows:
            addresses, beside = _parted(row, catalogue)
            times.update(addresses)
            if len(addresses) == 1:
                others[addresses[0]].update(beside)
        for key, count in times.items():
            class_id, *value = key
            place = places.setdefault(key, LeakedPlace(catalogue[class_id], (value[0], value[1])))
            place.times = max(place.times, count)
            place.others |= others[key]
    return sorted(places.values(), key=lambda place: place.value[1], reverse=True)


def _parted(row: DecryptedRow, catalogue: Mapping[int, DataClass]) -> tuple[list[Key], list[Key]]:
    """Returns the addresses of a row, and its other values that can belong to an address."""
    keys = [(entry[0], str(entry[1]), entry[2] if len(entry) > 2 else "") for entry in row.entries]
    addresses = [key for key in keys if _is_address(catalogue[key[0]])]
    ordered = DataClass.DateMeaning.ORDERED
    beside = [
        key for key in keys if key not in addresses and catalogue[key[0]].date_meaning != ordered
    ]
    return addresses, beside


def _is_address(data_class: DataClass) -> bool:
    return data_class.masking == DataClass.Masking.ADDRESS
