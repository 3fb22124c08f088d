"""The export of the invented pharmacy in California and Texas.

Telephone numbers are 555-0100 to 555-0199, which the North American plan reserves for fiction.
Social Security numbers begin with 666, which is never issued. Cities and ZIP codes are real, their
combinations with people are not.
"""

import random
from collections.abc import Iterator

from incidents.sample.dialects import ExportDialect

PATIENTS, PRESCRIPTIONS = "patients.csv", "prescriptions.csv"
DIALECTS = {PATIENTS: ExportDialect("cp1252", ","), PRESCRIPTIONS: ExportDialect("utf-8", "|")}
_PEOPLE = 160

_FIRST = ["Emily", "DeShawn", "María José", "Mary-Kate", "Quang", "Renée", "Jesús", "Priya"]
_LAST = ["O'Brien", "Hernández", "Nguyen", "Smith Jr.", "St. John", "Van Buren", "Peña-López"]
_PLACES = [
    ("415", "Valencia St Apt 4", "San Francisco", "CA", "94110"),
    ("213", "W 7th St #1203", "Los Angeles", "CA", "90017"),
    ("512", "E Riverside Dr", "Austin", "TX", "78741"),
    ("713", "Montrose Blvd", "Houston", "TX", "77006"),
]
_DRUGS = [("Lisinopril", "10 mg"), ("Levothyroxine", "50 mcg"), ("Insulin", "100 units/mL")]
_PRESCRIBERS = ["Dr. A. Sample", "Dr. B. Muestra", "Jane Example, NP"]


def files() -> dict[str, list[list[str]]]:
    """Returns the rows of each file with the header first, in the order of import."""
    chance = random.Random(20261006)  # noqa: S311  # not for secrets
    patients = [*_patients(chance)]
    numbers = [row[0] for row in patients[1:]]
    return {PATIENTS: patients, PRESCRIPTIONS: [*_prescriptions(chance, numbers)]}


def _patients(chance: random.Random) -> Iterator[list[str]]:
    """Yields the patients; every fourth reads Spanish, one in twenty a language without a text."""
    yield ["PatientID", "FirstName", "LastName", "DOB", "SSN", "MemberNo", "Email", "Phone"] + [
        "Street",
        "City",
        "State",
        "ZIP",
        "PreferredLanguage",
        "PatientSince",
    ]
    for place in range(_PEOPLE):
        area, street, city, state, postcode = _PLACES[place % len(_PLACES)]
        yield [
            *(f"P-{place + 1:06}", chance.choice(_FIRST), chance.choice(_LAST)),
            *(_day(chance, 1938, 2008), _ssn(chance, place), f"SBW{chance.randint(0, 10**9):09}"),
            *(f"patient{place:03}@mail.example", _phone(area, place)),
            *(f"{chance.randint(1, 9999)} {street}", city, state, postcode),
            "vi" if place % 20 == 7 else "es" if place % 4 == 1 else "en",
            _day(chance, 2024, 2025),
        ]


def _prescriptions(chance: random.Random, numbers: list[str]) -> Iterator[list[str]]:
    yield ["PatientID", "Filled", "Drug", "Strength", "Prescriber"]
    for number in numbers:
        for _order in range(chance.randint(0, 3)):
            clock = f"{chance.randint(1, 12)}:{chance.randint(0, 59):02}"
            at = f"{_day(chance, 2024, 2025)} {clock} {chance.choice(['AM', 'PM'])}"
            yield [number, at, *chance.choice(_DRUGS), chance.choice(_PRESCRIBERS)]


def _ssn(chance: random.Random, place: int) -> str:
    """Returns a number with or without its hyphens; one in five is not known."""
    group, serial = f"{chance.randint(1, 99):02}", f"{chance.randint(1, 9999):04}"
    written = f"666-{group}-{serial}" if place % 2 else f"666{group}{serial}"
    return "" if place % 5 == 4 else written


def _phone(area: str, place: int) -> str:
    """Returns a number as people in the United States write it; one in nine is blank."""
    line = f"01{place // len(_PLACES):02}"
    written = [f"({area}) 555-{line}", f"{area}-555-{line}", f"+1 {area}.555.{line}"]
    return "" if place % 9 == 8 else written[place % 3]


def _day(chance: random.Random, first: int, last: int) -> str:
    return f"{chance.randint(1, 12):02}/{chance.randint(1, 28):02}/{chance.randint(first, last)}"
