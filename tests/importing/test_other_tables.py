"""Rows of another table, without labels, and counts of rows are no people, by the real command."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from incidents.importing.column_habits import Columns, Shape, habits_of
from incidents.models import AffectedPerson, RejectedRow
from tests.import_factory import read_reject_file
from tests.importing.more_messy_files import ALL, GOOD, HEADER, csv
from tests.importing.test_more_messy_files import MAPPING, reachable

pytestmark = pytest.mark.django_db
COLUMNS = Columns(reference=0, names=frozenset([1]), emails=frozenset([2]), phones=frozenset([3]))


@pytest.fixture
def run(incident, tmp_path):
    """A function that imports rows by the command; returns the people and the rejected lines."""

    def run_import(
        content: bytes, *more: str, mapping_text: str = MAPPING
    ) -> tuple[dict[Any, Any], list[int]]:
        dump, mapping = tmp_path / "members.csv", tmp_path / "members.toml"
        dump.write_bytes(content)
        mapping.write_text(mapping_text, encoding="utf-8")
        words = ("import_exposures", dump, "--incident", incident.slug, "--mapping", mapping, *more)
        call_command(*map(str, words), stdout=StringIO())
        rejects = tmp_path / "members.csv.rejects.csv"
        lines = [int(row[0]) for row in read_reject_file(rejects)[1:]] if rejects.exists() else []
        return reachable(incident), lines

    return run_import


def ids(incident, people: dict[str, str]) -> dict[Any, str]:
    return {incident.cipher().person_id("member", ref): found for ref, found in people.items()}


TABLES = {
    "orders": ["5001,Fiets,1,199.00", "5002,Bel,2,9.00"],
    "words above blank contacts": ["fiets,rood,,", "bel,blauw,,"],
    "orders of words and numbers": ["5001,Fiets,rood,12", "5002,Bel,blauw,7"],
    "addresses in place of numbers": ["2001,유나,010-3333-4441,a@b.example"] * 2,
    "names before references": ["유나,2001,a@b.example,010-3333-4441"] * 2,
    "numbers of phones before references": ["010-3333-4441,유나,a@b.example,2001"] * 2,
    "addresses first": ["a@b.example,유나,2001,010-3333-4441"] * 2,
    "days in place of names": ["5001,2025-11-18,Fiets,3", "5002,2025-11-19,Bel,4"],
    "more columns": ["2001,유나,여,a@b.example,010-3333-4441"] * 2,
    "fewer columns": ["2001,a@b.example"] * 2,
}


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_rows_of_another_table_are_rejected(incident, run, rows):
    people, lines = run(csv([*GOOD, *rows]))

    assert people == ids(incident, ALL)
    assert lines == [8, 9]


MOVED_TO_UNUSED = [
    (
        "member_id,name,city,email,mobile",
        "{id},Han,Seoul,{email},{phone}",
        "9,Han,{email},{phone},",
    ),
    ("member_id,name,email,mobile,city", "{id},Han,{email},{phone},Jeju", "9,Han,,,{email}"),
]


@pytest.mark.parametrize(("header", "usual", "moved"), MOVED_TO_UNUSED)
def test_a_contact_in_a_column_without_use_rejects_a_row_without_another(run, header, usual, moved):
    """A missing or a further comma moved it, so that its owner would not be found."""
    contacts = [(f"h{number}@b.example", f"010-2345-678{number}") for number in range(6)]
    rows = [usual.format(id=i, email=mail, phone=phone) for i, (mail, phone) in enumerate(contacts)]
    rows.append(moved.format(email="q3@b.example", phone="010-2345-6793"))
    people, lines = run("\n".join([header, *rows, ""]).encode())
    assert len(people) == 6
    assert lines == [8]


@pytest.mark.parametrize(
    "rows",
    [
        ["5001,Fiets,rood,groot", "5002,Bel,blauw,klein"],
        ["5001,Fiets,rood,", "5002,Bel,blauw,"],
        ["5001,유나,010-3333-4441,", "5002,하나,010-3333-4442,"],
        ["a@b.example,유나,,", "c@d.example,하나,,"],
        ["5001,유나,0b4e7a0e5fe84ad35fb5f95b9ceeac79,", "5002,하나,x#b.example,"],
    ],
)
def test_contacts_that_cannot_be_read_cost_a_person_the_contact_only(incident, run, rows):
    people, lines = run(csv([*GOOD, *rows]))

    without = {row.split(",")[0]: row.split(",")[1] + "||" for row in rows}
    assert people == ids(incident, ALL | without)
    assert lines == []


@pytest.mark.parametrize(
    "rows", [TABLES["orders"], ["2001,유나,,", "2002,하나,,"]], ids=["orders", "no contacts"]
)
def test_rows_without_a_contact_below_blank_lines_are_rejected(incident, run, rows):
    people, lines = run(csv([*GOOD, "", *rows]))

    assert people == ids(incident, ALL)
    assert lines == [9, 10]


def test_a_second_table_of_words_below_blank_lines_refuses_the_file(run):
    with pytest.raises(CommandError, match="line 9: the header of another table"):
        run(csv([*GOOD, "", *TABLES["words above blank contacts"]]))
    assert not AffectedPerson.objects.exists()


@pytest.mark.parametrize(
    "row",
    ["99,6", "99,6,,", "99,,6,", "99,,,6", "99,6,,7", '"99","000006","",""', "99;6", "합계,99,,"]
    + ["20251118,6,,", "99,20251118,000006,", "99,members,6,", "#6,,,", "T6,,,", "TRL,6,6,6"],
)
def test_a_count_of_rows_at_the_end_is_rejected(incident, run, row):
    people, lines = run(csv([*GOOD, row]))

    assert people == ids(incident, ALL)
    assert lines == [8]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("7,한지민,,", "한지민||"),
        ("7,한지민,hanjimin,", "한지민||"),  # one cell proves nothing
        ("7,한지민,010-3333-4441,", "한지민||"),
        ("7,한지민,,114", "한지민||"),
        ("7,한지민,q@b.example,114", "한지민|q@b.example|"),
        ("admin,Administrator,q@b.example,", "Administrator|q@b.example|"),
        ("7,1234,q@b.example,", "1234|q@b.example|"),
        ("7,,,", "||"),
    ],
)
def test_one_odd_cell_of_a_person_is_taken(incident, run, row, found):
    people, lines = run(csv([*GOOD, row]))

    assert people == ids(incident, ALL | {row.split(",")[0]: found})
    assert lines == []


@pytest.mark.parametrize(
    "rows", [["kim,김민준,q1@b.example,", "lee7,이서연,q2@b.example,", "minji,민지,,"]]
)
def test_user_names_with_and_without_digits_are_alike(run, rows):
    assert run(csv(rows))[1] == []


def members(numbers: Sequence[int], reference: str = "{}", *, guests: int = 0) -> list[str]:
    """Returns rows of people; one in `guests` is without a contact."""
    return [f"{reference.format(number)},{person(number, guests)}" for number in numbers]


def person(number: int, guests: int) -> str:
    is_guest = guests and number % guests == 0
    return "유나,," if is_guest else f"유나,u{number}@b.example,010-2345-{number:04}"


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("{}", "5f3a-{}-e4c1"),
        ("user{}", "{}"),
        ("{}", "{}@k"),  # as people have who sign in with another account
        ("{:010}", "1{:09}"),  # the zeros make no number of a phone
    ],
)
def test_references_that_change_their_form_are_those_of_people(run, first, later):
    rows = [*members(range(1001, 1221), first), *members(range(2001, 2101), later, guests=10)]

    assert run(csv(rows))[1] == []


def test_guests_of_another_form_are_rejected_if_no_row_with_a_contact_has_it(run):
    rows = [*members(range(1001, 1011)), "guest1,유나,,", *members(range(1011, 1021))]

    assert run(csv(rows))[1] == [12]


def test_levels_that_change_with_the_references_move_no_cells(run):
    old = [f"{row},gold" for row in members(range(1001, 1221))]
    new = [f"{row},3" for row in members(range(2001, 2101), "5f3a-{}-e4c1")]

    assert run(csv([*old, *new], header=f"{HEADER},level"))[1] == []


def test_rows_without_a_contact_at_the_beginning_do_not_hide_the_habits(run):
    rows = [*(f"{number},유나,," for number in range(3001, 3251)), *GOOD, *TABLES["orders"]]

    assert run(csv(rows))[1] == [258, 259]


@pytest.mark.parametrize(
    "row", ["a@b.example,유나,user77,010-3333-4441", "010-3333-4441,유나,a@b.example,user77"]
)
@pytest.mark.parametrize("references", [("user1", "minji", "lee7"), ("1001", "minji", "1003")])
def test_exchanged_cells_are_found_among_user_names(run, row, references):
    rows = [
        ",".join([reference, *good.split(",")[1:]])
        for reference, good in zip(references, GOOD, strict=False)
    ]

    assert run(csv([*rows, row]))[1] == [5]


def test_what_was_read_before_does_not_decide_about_exchanged_cells(run):
    people = members(range(1001, 1041), "user{}")
    rows = [
        f"{row},{'2025-11-18' if place % 8 else '20251118'}" for place, row in enumerate(people)
    ]
    odd = "2001,유나,q1@b.example,010-3333-4441,later"
    like = "user7,한지민,q2@b.example,010-3333-4442,later"

    assert run(csv([*rows, like, odd], header=f"{HEADER},joined"))[1] == [43]


def test_a_text_that_the_mapping_takes_for_nothing_is_like_no_other(run):
    rows = [*GOOD, "7,한지민,hanjimin,", "8,유나,withheld,"]

    assert run(csv(rows), mapping_text=f'nulls = ["withheld"]\n{MAPPING}')[1] == []


def test_a_mistyped_address_that_is_the_reference_is_a_persons(run):
    rows = [*GOOD, "7,한지민,hanjimin.example,", "8,유나,q@b.example,"]
    by_address = MAPPING.replace('reference = "member_id"', 'reference = "email"')

    assert run(csv(rows), mapping_text=by_address)[1] == []


def test_a_row_that_is_right_is_loaded_from_the_reject_file_as_it_is(incident, run, tmp_path):
    run(csv([*GOOD, "admin,Administrator,,"]))
    rejects = (tmp_path / "members.csv.rejects.csv").read_bytes()
    people, _lines = run(rejects)

    assert people == ids(incident, ALL | {"admin": "Administrator||"})
    assert not RejectedRow.objects.filter(settled_by=None).exists()


def habits(rows: Sequence[str]):
    return habits_of([row.split(",") for row in rows], COLUMNS, ["NULL"])


def test_rows_of_another_table_do_not_change_what_the_columns_hold():
    exchanged = ["유나,2001,a@b.example,010-3333-4441"] * 20
    found = habits([*GOOD[:3], *exchanged, *TABLES["orders"]])

    assert [set(shapes) for shapes in found.shapes] == [
        {Shape.NUMBER},
        {Shape.TEXT},
        {Shape.ADDRESS},
        {Shape.PHONE},
    ]


def test_of_one_person_only_the_mapping_says_what_columns_hold():
    found = habits([GOOD[0]])

    assert found.odd_places(["5001", "2025-11-18", "rood", "9"]) == {
        2: Shape.TEXT,
        3: Shape.NUMBER,
    }


def test_without_a_contact_nothing_is_known():
    assert habits(["5001,Fiets,,", "5002,NULL,NULL,NULL"]) is None
