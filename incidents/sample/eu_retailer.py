"""The export of the invented retailer in the European Union and the United Kingdom.

Telephone numbers are those that Germany, France and the United Kingdom reserve for fiction. Spain
and Ireland reserve none that is a valid number: Spanish ones are invented, Irish people have none.
Streets and towns are real, their combinations are not.
"""

import random
from collections.abc import Iterator

from incidents.sample.dialects import ExportDialect

CONTINENT, KINGDOM, ORDERS = "kunden-eu.csv", "customers-uk.csv", "bestellungen.csv"
DIALECTS = {
    CONTINENT: ExportDialect("cp1252", ";"),
    KINGDOM: ExportDialect("utf-8", ";"),
    ORDERS: ExportDialect("cp1252", ";"),
}
_GERMANS, _FRENCH, _SPANISH, _BRITISH, _IRISH = 90, 50, 40, 60, 20
_HASH = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

_NAMES = {
    "DE": (
        ["Jürgen", "Käthe", "Anneliese", "Björn", "Sören", "Ayse", "Zoë"],
        ["Müller", "Schröder", "Weiß", "Großmann", "von der Heide", "Köhler", "Yilmaz"],
    ),
    "FR": (
        ["Élodie", "François", "Zoé", "Jean-Noël", "Maëlys", "Benoît", "Chloé"],
        ["Lefèvre", "de La Tour", "Gonçalves", "Béranger", "D'Haëne", "Œuvrard"],
    ),
    "ES": (
        ["José María", "Iñaki", "María del Carmen", "Ángel", "Núria", "Begoña"],
        ["García Márquez", "Muñoz Ibáñez", "de la Peña Ruiz", "Núñez Òliver", "López i Güell"],
    ),
    "GB": (
        ["Siân", "Oliver", "Aoife", "Mohammed", "Priya", "Zoë", "Hamish"],
        ["O'Connor", "Smith-Jones", "MacLeod", "Llewellyn", "Patel", "Featherstonehaugh"],
    ),
    "IE": (
        ["Seán", "Róisín", "Caoimhe", "Pádraig"],
        ["Ó Súilleabháin", "Ní Dhomhnaill", "Byrne", "Mac Giolla Phádraig"],
    ),
}
_PLACES = {
    "DE": [
        ("Königstraße", "70173", "Stuttgart"),
        ("Große Bleichen", "20354", "Hamburg"),
        ("Straße des 17. Juni", "10623", "Berlin"),
        ("Am Rübenfeld", "01067", "Dresden"),
    ],
    "FR": [
        ("rue de l'Église", "75015", "Paris"),
        ("allée des Érables", "06000", "Nice"),
        ("quai de l'Hôtel-de-Ville", "67000", "Strasbourg"),
    ],
    "ES": [
        ("Calle de Alcalá", "28009", "Madrid"),
        ("Avinguda Diagonal", "08019", "Barcelona"),
        ("Plaza de España", "01001", "Vitoria-Gasteiz"),
    ],
    "GB": [
        ("High Street", "EC1A 1BB", "London"),
        ("Station Road", "M1 1AE", "Manchester"),
        ("Castle Street", "EH2 3AH", "Edinburgh"),
        ("Heol y Frenhines", "CF10 2BY", "Caerdydd"),
    ],
    "IE": [("O'Connell Street", "D01 F5P2", "Dublin"), ("Shop Street", "H91 E2K8", "Galway")],
}
_ITEMS = ["Teekessel", "Kerzenständer", "Wolldecke", "Bücherregal", "Gießkanne", "Käsemesser"]


def files() -> dict[str, list[list[str]]]:
    """Returns the rows of each file with the header first, in the order of import."""
    chance = random.Random(20260914)  # noqa: S311  # not for secrets
    continent = [*_continent(chance)]
    kingdom = [*_kingdom(chance)]
    numbers = [row[0] for row in continent[1:] if len(row) > 1] + [row[0] for row in kingdom[1:]]
    return {CONTINENT: continent, KINGDOM: kingdom, ORDERS: [*_orders(chance, numbers)]}


def _continent(chance: random.Random) -> Iterator[list[str]]:
    """Yields the customers of three countries as a German shop system exports them."""
    yield [
        "Kundennr",
        "Vorname",
        "Nachname",
        "E-Mail",
        "Telefon",
        "Straße",
        "PLZ",
        "Ort",
        "Land",
    ] + ["Sprache", "Kunde seit", "Passwort-Hash", "Karte Ende", "Karte gültig bis"]
    countries = ["DE"] * _GERMANS + ["FR"] * _FRENCH + ["ES"] * _SPANISH
    for place, country in enumerate(countries):
        first, last = _name(chance, country)
        street, postcode, town = chance.choice(_PLACES[country])
        yield [
            *(f"{100001 + place}", first, last, f"kunde{place:03}@post.example"),
            *(_phone(country, place), _street(chance, country, street), postcode, town, country),
            *(country.lower(), f"{chance.randint(1, 28):02}.{chance.randint(1, 12):02}.2024"),
            *(_hash(chance), *_card(chance, place)),
        ]
    yield ["100001;abgeschnitten"]  # a row that the export cut off


def _kingdom(chance: random.Random) -> Iterator[list[str]]:
    """Yields the customers of the British branch, from its own system."""
    yield ["customer_id", "name", "email", "phone", "address_line_1", "town", "postcode"] + [
        "country",
        "language",
        "customer_since",
        "password_hash",
        "card_last4",
        "card_expiry",
    ]
    for place, country in enumerate(["GB"] * _BRITISH + ["IE"] * _IRISH):
        name = " ".join(_name(chance, country))
        street, postcode, town = chance.choice(_PLACES[country])
        yield [
            *(f"{200001 + place}", name, f"customer{place:03}@mail.example"),
            *(_phone(country, place), f"{chance.randint(1, 199)} {street}", town, postcode),
            *(country, "en", f"{chance.randint(13, 28)}/{chance.randint(1, 12):02}/2024"),
            *(_hash(chance), *_card(chance, place)),
        ]


def _orders(chance: random.Random, numbers: list[str]) -> Iterator[list[str]]:
    """Yields orders; the price has a decimal comma and the euro sign."""
    yield ["Kundennr", "Bestellt am", "Artikel", "Menge", "Preis"]
    for number in numbers:
        for _order in range(chance.randint(0, 3)):
            day = f"{chance.randint(1, 28):02}.{chance.randint(1, 8):02}.2026"
            price = f"{chance.randint(5, 180)},{chance.randint(0, 99):02} €"
            yield [number, day, chance.choice(_ITEMS), str(chance.randint(1, 3)), price]


def _name(chance: random.Random, country: str) -> tuple[str, str]:
    first, last = _NAMES[country]
    return chance.choice(first), chance.choice(last)


def _street(chance: random.Random, country: str, street: str) -> str:
    number = str(chance.randint(1, 199))
    return f"{number}, {street}" if country == "FR" else f"{street} {number}"


def _phone(country: str, place: int) -> str:
    """Returns a number as people of the country write it; every seventh is blank."""
    written = {
        "DE": [f"0176 040 690 {place:02}", f"0171/39200{place:02}", f"+49 (0)176 040690{place:02}"][
            place % 3
        ],
        "FR": f"+33 1 99 00 {place // 100:02} {place % 100:02}",
        "ES": f"+34 655 550 {place:03}",
        "GB": f"020 7946 0{place:03}",
        "IE": "",
    }
    return "" if place % 7 == 6 else written[country]


def _hash(chance: random.Random) -> str:
    """Returns a text in the form of a bcrypt hash, of no password."""
    return "$2b$12$" + "".join(chance.choices(_HASH, k=53))


def _card(chance: random.Random, place: int) -> tuple[str, str]:
    """Returns the last four digits and the month of expiry; every third person has no card."""
    if place % 3 == 2:
        return "", ""
    return f"{chance.randint(0, 9999):04}", f"{chance.randint(1, 12):02}/{chance.randint(27, 31)}"
