"""The labels of a second table, in any language, are no person; rows of words about people are."""

import csv

import pytest

from incidents.importing import references, second_tables
from incidents.importing.second_tables import Labels

PEOPLE = [
    "1,Kim,q1@b.example,010-2345-6701",
    "2,Lee,q2@b.example,010-2345-6702",
    "3,Park,q3@b.example,010-2345-6703",
]
WORDS = [row.replace(row[0], "abc"[place] + "x", 1) for place, row in enumerate(PEOPLE)]


def judged(*lines: str) -> Labels:
    """Returns what the row after "|" is; a blank line is a gap."""
    place = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = [
        (number, cells)
        for number, cells in enumerate(csv.reader(line.lstrip("|") for line in lines))
        if any(cells)
    ]
    at = [number for number, _ in rows].index(place)
    assert second_tables.may_be_labels(rows[at][1])
    return second_tables.judged(rows, at, reference=0, contacts=[2, 3])


@pytest.mark.parametrize(
    "lines",
    [
        [*PEOPLE, "", "|bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"],
        [*PEOPLE, "|bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"],
        [*PEOPLE, "|품목,창고,재고,단가", "A100,용인,30,1200"],
        [*PEOPLE, "|lid,lidmaatschap,punten,niveau", "1,goud,120,3"],
        [*WORDS, "|bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"],
        [PEOPLE[0], "|bestelling,,aantal,prijs 2025", "5001,,1,199.00"],
        [*PEOPLE, "", "|szállító,ügyintéző,levélcím,mellék", "9,Nagy,r1@c.example,02-345-6781"],
        [*PEOPLE, "|artikel,aantal,,", "Fiets,3,,", "Bel,4,,"],
        [*PEOPLE, "", "|soort,kleur,,", "fiets,rood,,"],
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
    ],
)
def test_a_person_without_a_contact_is_no_label(lines):
    assert judged(*lines) == Labels.NONE


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
