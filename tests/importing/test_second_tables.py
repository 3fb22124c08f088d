"""The labels of a second table, in any language, are no person; rows of words about people are."""

import csv

import pytest

from incidents.importing import references, second_tables
from incidents.importing.second_tables import Labels, RowsAround

PEOPLE = [
    "1,Kim,q1@b.example,010-2345-6701",
    "2,Lee,q2@b.example,010-2345-6702",
    "3,Park,q3@b.example,010-2345-6703",
]
WORDS = [row.replace(row[0], "abc"[place] + "x", 1) for place, row in enumerate(PEOPLE)]


def judged(*lines: str, contacts: tuple[int, ...] = (2, 3)) -> Labels:
    """Returns what the row after "|" is; a blank line is a gap, and one cell alone is a fault."""
    place = next(number for number, line in enumerate(lines) if line.startswith("|"))
    cells = list(csv.reader(line.lstrip("|") for line in lines))
    rows = [(number, row, "x" * (len(row) == 1)) for number, row in enumerate(cells)]
    assert second_tables.may_be_labels(["" if cell == "NULL" else cell for cell in cells[place]])
    around = RowsAround(rows, frozenset(["NULL"]))
    return around.judged(place, reference=0, contacts=contacts)


@pytest.mark.parametrize(
    "lines",
    [
        [*PEOPLE, "", "|bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"],
        [*PEOPLE, "|bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"],
        [*PEOPLE, "|order,item,date,price", "5001,Bike,2025-01-02,2025-01-02"],
        [*PEOPLE, "|!VEND,NAME,PRINTAS,ADDR", "VEND,ACME,ACME Inc,Street 1"],
        [*PEOPLE, "|품목,창고,재고,단가", "A100,용인,30,1200"],
        [*PEOPLE, "|lid,lidmaatschap,punten,niveau", "1,goud,120,3"],
        [*WORDS, "|bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"],
        [PEOPLE[0], "|bestelling,,aantal,prijs 2025", "5001,,1,199.00"],
        [*PEOPLE, "", "|szállító,ügyintéző,levélcím,mellék", "9,Nagy,r1@c.example,02-345-6781"],
        [*PEOPLE, "|artikel,aantal,,", "Fiets,3,,", "Bel,4,,"],
        [*PEOPLE, "", "|soort,kleur,,", "fiets,rood,,"],
        [*PEOPLE, "", "Orders", "|soort,kleur,,", "fiets,rood,,"],
        [*PEOPLE, *["ax,Choi,,"] * 60, "|bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"],
        [*PEOPLE, "|bestelling,artikel,NULL,prijs", "5001,Fiets,NULL,199.00"],
    ],
)
def test_labels_of_another_table_refuse_the_file(lines):
    assert judged(*lines) == Labels.OF_TABLE


@pytest.mark.parametrize(
    "lines",
    [
        [*PEOPLE, "|front desk,Reception,internal,by post", *PEOPLE],
        [*PEOPLE, "|front desk,Reception,internal,by post"],
        ["|Antwort-ID,Ihr Name,Ihre Mailadresse,Ihr Telefon", *PEOPLE],
        # The one number of the second column of numbers shows no other table.
        [*PEOPLE[:2], "3,Park,q3@b.example,", "|front desk,Reception,internal,by post"]
        + ["4,Choi,q4@b.example,"] * 3,
        # The contacts of the last people are the names of the services where they signed in.
        [*PEOPLE, "|front desk,Reception,internal,by post", "5,Kim,,", "6,Lee,,"],
        [*PEOPLE, "|minji,Kim,kakao,", "9,Choi,naver,"],
        [*PEOPLE, "broken", "|front desk,Reception,internal,by post", *PEOPLE],
        [*PEOPLE, "|front desk,Reception,NULL,by post", *PEOPLE],
    ],
)
def test_a_row_of_words_for_contacts_is_in_doubt(lines):
    assert judged(*lines) == Labels.DOUBTFUL


@pytest.mark.parametrize(
    "lines",
    [
        [*PEOPLE, "|admin,Administrator,,", *PEOPLE],
        [*PEOPLE, "|admin,Administrator,,"],
        [*PEOPLE, "|admin,Administrator,,", "tester,Test Account,,"],
        [*PEOPLE, "|admin,Administrator,,", "4,Choi,,", "5,Jung,,"],
        [*WORDS, "|dx,Choi,,", "ex,Jung,,"],
        [WORDS[0], "", WORDS[1], "", "|dx,Choi,,", "", "ex,Jung,,"],
        ["|dx,Choi,,", "ex,Jung,,"],
        [*PEOPLE, "|admin,Administrator,,", "test1,Test User 1,,"],
        [*PEOPLE, "broken", "|admin,Administrator,,", "tester,Test Account,,"],
        [*PEOPLE, "|minji,Minji Park,NULL,NULL", *PEOPLE],
        [*PEOPLE, "|minji,Minji Park,NULL,NULL", "seojun,Seojun Lee,NULL,NULL"],
    ],
)
def test_a_person_without_a_contact_is_no_label(lines):
    assert judged(*lines) == Labels.NONE


LIVING = [f"kim{place},Kim,q{place}@b.example,,Jeju {place}" for place in range(1, 6)]
SCORED = [f"{place},Kim,q{place}@b.example,,{place}0" for place in range(1, 6)]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([*LIVING, "|minji,Minji Park,,,Busan Haeundae", "kim7,Kim B,,,Jeju 3"], Labels.NONE),
        ([*LIVING, "|minji,Minji Park,,,Busan Haeundae", *LIVING], Labels.NONE),
        ([*SCORED, "|artikel,kleur,,,prijs", "Fiets,rood,,,199.00"], Labels.DOUBTFUL),
        ([*SCORED, "|artikel,aantal,,,prijs", "Fiets,3,,,199.00", "Bel,4,,,9.00"], Labels.OF_TABLE),
        ([*SCORED, "|admin,Administrator,,,", "guest2,1234,,,"], Labels.DOUBTFUL),
    ],
)
def test_other_columns_show_a_table_by_numbers_only(lines, found):
    assert judged(*lines) == found


MAILED = [f"{place},Kim,q{place}@b.example" for place in range(1, 6)]


def test_one_column_of_contacts_shows_a_table_of_words():
    assert judged(*MAILED, "|item,colour,town", *["fiets,rood,Delft"] * 60, contacts=(2,)) == (
        Labels.OF_TABLE
    )
    assert judged(*MAILED, "|item,colour,town", *MAILED, contacts=(2,)) == Labels.DOUBTFUL


@pytest.mark.parametrize("contacts", [(2, 3), ()])
def test_a_person_below_a_blank_line_is_no_table(contacts):
    people = [f"{place},Kim,q{place}@b.example,,Jeju {place}" for place in range(1, 6)]
    person = "|minji,Minji Park,,,Busan Haeundae"
    assert judged(*people, "", person, *people, contacts=contacts) != Labels.OF_TABLE


def test_without_columns_of_contacts_words_for_numbers_are_in_doubt():
    found = judged(*SCORED, "|artikel,kleur,,,prijs", "Fiets,rood,,,9", contacts=())
    assert found == Labels.DOUBTFUL


def test_each_of_many_equal_rows_is_judged_alike():
    row = "front desk,Reception,internal,by post"
    found = judged(*[*PEOPLE, row, *PEOPLE] * 40, f"|{row}", *PEOPLE)
    assert found == Labels.DOUBTFUL


@pytest.mark.parametrize(
    "row",
    ["minji,Kim,none,none", "x,Kim,-,-", "admin,admin,,", "1,Kim,,", "7,,a@b.c,", "x,,,"],
)
def test_placeholders_numbers_and_one_word_are_no_labels(row):
    assert not second_tables.may_be_labels(row.split(","))


@pytest.mark.parametrize("text", ["6", "120", "000003", "1,234.50", "12 %", "3명", "9e107d9d372b"])
def test_counts_and_digests_are_sums(text):
    assert references.is_sum(text)


@pytest.mark.parametrize(
    "text", ["", "Kim", "010-2345-6701", "01023456701x", "deadbeef", "01023456701", "19900101"]
)
def test_names_and_numbers_of_phones_are_no_sums(text):
    assert not references.is_sum(text)
