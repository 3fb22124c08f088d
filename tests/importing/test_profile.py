"""The profile of a file: what the operator sees before anything is loaded."""

import csv
import random
import string
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.importing import examining, mapping, previewing, profiling
from incidents.importing.blocks import blocks_of
from incidents.importing.cell_kinds import (
    CellKind,
    is_resident_number,
    kind_of,
    kind_of_number,
    masked,
)
from incidents.importing.column_profiles import ColumnProfile, FileProfile
from incidents.importing.previewing import Preview
from incidents.importing.profile_report import translate_profile
from incidents.importing.reading import ImportRefusedError
from incidents.management import profile_printer
from tests.korean_messages import in_korean

MAPPING = """
[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
phone = "phone"
contact_leaked = ["name", "email", "phone"]
"""
HEADER = ["id", "name", "email", "phone"]


@pytest.fixture
def look(tmp_path):
    """Writes rows to a file and looks at it."""

    def look(rows: list[list[str]], header: list[str] = HEADER, text: str = MAPPING) -> Preview:
        path: Path = tmp_path / "members.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows([header, *rows])
        return previewing.preview(path, mapping=mapping.parse(text, name="map.toml"))

    return look


def members(count: int, **columns: str) -> list[list[str]]:
    usual = {
        "id": "{n}",
        "name": "김민지",
        "email": "minji{n}@example.com",
        "phone": "010-1234-{n:04}",
    }
    return [
        [text.format(n=n) for text in (usual | columns).values()] for n in range(1000, 1000 + count)
    ]


def remarks(seen: Preview, name: str) -> str:
    return "\n".join(next(one for one in seen.report.columns if one.name == name).remarks)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (" ", CellKind.BLANK),
        ("NULL", CellKind.PLACEHOLDER),
        ("\\N", CellKind.PLACEHOLDER),
        ("없음", CellKind.PLACEHOLDER),
        ("minji@example.com", CellKind.EMAIL),
        ("minji@example", CellKind.ODD_EMAIL),
        ("m***@example.com", CellKind.MASKED),
        ("maxxx@example.com", CellKind.EMAIL),
        ("010-1234-5678", CellKind.PHONE),
        ("０１０-1234-5678", CellKind.PHONE),
        ("+44 20 7946 0106", CellKind.PHONE),
        ("010-****-5678", CellKind.MASKED),
        ("1012345678", CellKind.PHONE_LOST_ZERO),
        ("1700000000", CellKind.NUMBER),
        ("800101-1234500", CellKind.RESIDENT),
        ("8001011234500", CellKind.NUMBER),  # a wrong check digit: it may be any number
        ("123-45-6789", CellKind.RESIDENT),
        ("11010519491231002X", CellKind.RESIDENT),
        ("AB 12 34 56 C", CellKind.RESIDENT),
        ("4111-1111-1111-1111", CellKind.CARD),
        ("4111-1111-1111-1112", CellKind.TEXT),
        ("2025.11.18", CellKind.DATE),
        ("18/11/2025 09:00", CellKind.DATE),
        ("20251118", CellKind.DATE),
        ("1001.0", CellKind.NUMBER_POINT_ZERO),
        ("1012345678.0", CellKind.PHONE),
        ("007", CellKind.NUMBER),
        ("서울특별시 강남구 1", CellKind.TEXT),
        ("서울시 강남구 테헤란로 12", CellKind.PLACE),
        ("千代田区丸の内2丁目", CellKind.PLACE),
        ("Hauptstr. 5", CellKind.PLACE),
        ("建国路88号", CellKind.PLACE),
        ("via Roma 5", CellKind.PLACE),
        ("홍길동1", CellKind.TEXT),
        *((name, CellKind.TEXT) for name in ("테스트용 홍길동1", "휴면 홍길동 12", "친구 김길 3")),
        *((name, CellKind.TEXT) for name in ("임시 이길동2", "김 길동1", "Diane Lane 2")),
        ("중구 세종대로 110", CellKind.PLACE),
        ("부산 해운대로 3", CellKind.PLACE),
        ("정자동 178-1 그린빌딩", CellKind.PLACE),
        ("역삼동 12번지 가나빌라", CellKind.PLACE),
        ("테헤란로 152 강남빌딩", CellKind.PLACE),
        ("판교로 235 A동 101호", CellKind.PLACE),
        ("테헤란로 152 (역삼동)", CellKind.PLACE),
        ("12 Park Lane", CellKind.PLACE),
        ("이유리 2", CellKind.TEXT),
        ("st_1001", CellKind.TEXT),
        ("Ave 2", CellKind.TEXT),
        ("Platz1", CellKind.TEXT),
        ("用户1号", CellKind.TEXT),
        ("1番", CellKind.TEXT),
        ("12 High Street", CellKind.PLACE),
        ("Ulrich 2", CellKind.TEXT),
        ("Steve Streeter", CellKind.TEXT),
        ("XXXL", CellKind.TEXT),
    ],
)
def test_a_cell_has_a_kind(cell, kind):
    assert kind_of(cell) == kind


@pytest.mark.parametrize(
    ("cell", "region"),
    [
        ("이유리 010-1234-5678", "KR"),
        ("Drive 415-555-0109", "US"),
        ("512/202511", "PL"),
        ("212/2025111", "US"),
        ("06/12/34/56/77", "FR"),
    ],
)
def test_some_cells_are_numbers_only_in_a_column_of_phones(cell, region):
    assert kind_of(cell, region) in (CellKind.TEXT, CellKind.PLACE)
    assert kind_of_number(cell, region) == CellKind.PHONE


def test_a_korean_number_without_hyphen_needs_its_check_digit():
    digits = "800101123450"
    assert [last for last in string.digits if is_resident_number(digits + last)] == ["7"]


@given(st.text(max_size=40) | st.from_regex(r"[0-9@.+\- a-z]{3,20}", fullmatch=True))
def test_a_shown_cell_is_never_the_whole_value(cell):
    kind = kind_of(cell)
    shown = masked(cell, kind)
    if kind not in (CellKind.BLANK, CellKind.PLACEHOLDER):
        assert shown != cell.strip() or set(cell.strip()) <= set("*9.-/: +•T年")
        assert not set("012345678") & set(shown) or kind in (
            *(CellKind.PHONE, CellKind.TEXT, CellKind.MASKED),
            *(CellKind.EMAIL, CellKind.ODD_EMAIL),
            *(CellKind.ENCODED, CellKind.LOST),  # as a text: its first character is shown
        )


def test_no_value_is_in_the_profile(look):
    rows = members(
        50, id="k{n}", name="송민지", email="seojun{n}@gmail.example", phone="010-9876-{n:04}"
    )
    seen = look(rows)

    printed = "\n".join(profile_printer.lines_of(seen.report))
    shown = printed + str(seen.report.first_rows)
    assert "members.csv: csv, utf-8; 50 rows on 50 lines, 4 columns." in printed
    assert "100 % filled: 100 % e-mail addresses; such as s***@g***.example" in printed
    for row in rows:
        assert not any(cell in shown for cell in row)


def test_shares_and_examples_show_each_kind(look):
    odd = [["7", "", "none@", "02-123-4567"], ["8", "-", "a***@example.com", "N/A"]]
    seen = look([*members(98), *odd])

    email = next(one for one in seen.report.columns if one.name == "email")
    assert email.kinds == [
        ("98 %", "e-mail addresses"),
        ("1 %", "unusable e-mail addresses"),
        ("1 %", "masked values"),
    ]
    assert email.examples == ["m***@e***.com", "n***", "a****"]
    assert "no address that can be used: 1, the first on line 100" in remarks(seen, "email")
    assert "masked cells: 1, the first on line 101" in remarks(seen, "email")
    assert 'cells that hold "N/A": 1; do they mean "no value"?' in remarks(seen, "phone")
    assert 'write nulls = ["-", "N/A"] in the mapping, without those that are values' in _all(seen)


def test_proposed_nulls_hold_those_that_are_blank_already(look):
    seen = look([["1", "NULL", "-", ""], ["2", "b", "!!#?", ""]])

    assert _all(seen) == [
        'write nulls = ["-", "NULL"] in the mapping, without those that are values'
    ]
    assert seen.profile.column("email").placeholders == {"-": 1}


def test_phones_are_those_of_the_region_that_the_mapping_names(look):
    rows = members(40, phone="020 7946 {n}")

    assert [one.code for one in look(rows).findings] == ["unusable:phone"]
    assert not look(rows, text=f'region = "GB"{MAPPING}').findings


def test_phones_without_their_zero_can_be_used_if_the_mapping_says_so(look):
    rows = members(40, phone="101234{n}")

    assert [one.code for one in look(rows).findings] == ["unusable:phone"]
    assert not look(rows, text=f"lost_zeros = true{MAPPING}").findings


def test_addresses_that_an_import_peels_are_usable(look):
    seen = look(members(20, email="김민지 <minji{n}@example.com>"))

    assert seen.profile.column("email").kinds == {CellKind.EMAIL: 20}
    assert not seen.findings


def test_ids_that_a_spreadsheet_changed_are_named(look):
    rows = [["0012", "a", "", ""], *members(30, id="{n}.0"), *members(9)]
    seen = look([*rows, ["7", "b", "", ""]])

    assert "numbers that end in .0: 30, the first on line 3; a spreadsheet" in remarks(seen, "id")
    assert "numbers that are shorter than most: 1, while 1 begin with a zero" in remarks(seen, "id")


def test_phones_without_their_zero_are_named_and_times_are_not(look):
    seen = look(
        [[*row, "1700000000"] for row in members(40, phone="101234{n}")], [*HEADER, "seen_at"]
    )

    assert "phone numbers without their first zero: 40, the first on line 2" in (
        remarks(seen, "phone")
    )
    assert remarks(seen, "seen_at") == ""


def test_contacts_on_many_rows_are_counted(look):
    seen = look(members(3) + members(12, email="none@none.example", phone="010 1234 0000"))

    assert "contacts on more than 3 rows: 1, one of them on 12 rows" in remarks(seen, "email")
    assert "contacts on more than 3 rows: 1, one of them on 12 rows" in remarks(seen, "phone")


@pytest.mark.parametrize(
    "last", [["합계", "", "", "30"], ["30 rows", "", "", ""], ["30 rows in set"]]
)
def test_an_odd_last_row_is_named(look, last):
    seen = look([*members(30), last])

    assert any("the last row, on line 32, is unlike the others" in one for one in _all(seen))
    assert not any("the last row" in one for one in _all(look(members(30))))


def _all(seen: Preview) -> list[str]:
    return [*seen.report.remarks, *seen.report.advice]


def test_rows_over_several_lines_are_named(look):
    seen = look([*members(5), ["9", "홍,a@b.example\n10,김", "", ""]])

    assert seen.report.found.endswith("6 rows on 7 lines, 4 columns")
    assert any("rows of several lines: 1, the first on line 7" in one for one in _all(seen))


def test_resident_numbers_that_are_mapped_as_phones_are_a_finding(look):
    seen = look(members(20, phone="800101-123{n}"))

    assert [one.code for one in seen.findings] == ["swapped:phone"]
    assert "20 of 20 cells hold a resident registration number" in seen.findings[0].message
    assert "data of the class government-issued-ids" in remarks(seen, "phone")


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"email": "010-1234-{n:04}", "phone": ""}, "email"),
        ({"phone": "800101-123{n}"}, "phone"),
        ({"phone": "m{n}@example.com"}, "phone"),
        ({"name": "010-1234-{n:04}"}, "name"),
        ({"name": "테헤란로 {n}길 12"}, "name"),
        ({"name": "m{n}@example.com"}, ""),  # a name may be an address
    ],
)
def test_few_cells_show_another_column_if_nearly_all_are_of_another_kind(look, columns, code):
    codes = [f"swapped:{code}"] if code else []

    assert [one.code for one in look(members(2, **columns)).findings] == codes
    assert [one.code for one in look(members(3, **columns) + members(1)).findings] == codes
    assert not look(members(1, **columns)).findings
    assert not look(members(2, **columns) + members(1)).findings


def test_a_column_may_hold_addresses_and_numbers(look):
    text = MAPPING.replace('name = "name"\n', "").replace('["name", ', "[")
    text = text.replace('"email"\n', '"contact"\n').replace('"phone"\n', '"contact"\n')

    def codes(*cells: tuple[str, str, str]) -> list[str]:
        found = look([list(row) for row in cells], ["id", "kind", "contact"], text).findings
        return [one.code for one in found]

    numbers = [(id_, "phone", f"010-1234-567{id_}") for id_ in "12"]
    assert codes(*((id_, "email", f"m{id_}@example.com") for id_ in "123"), numbers[0]) == []
    assert codes(*((id_, "email", f"m{id_}@example.com") for id_ in "12"), *numbers) == []
    residents = [(id_, "phone", f"800101-123450{id_}") for id_ in "123"]
    assert codes(*residents) == ["swapped:contact"]
    with pytest.raises(ImportRefusedError, match="kind names attributes"):
        codes(("1", "email", "m1@example.com"), ("1", "name", "Kim"))


def test_a_column_of_which_most_is_unusable_is_a_finding(look):
    seen = look(members(31, email="none@") + members(9))

    assert [one.code for one in seen.findings] == ["unusable:email"]
    assert "31 of 40 cells are none that can be used" in seen.findings[0].message
    assert not look(members(31, email="N/A") + members(9)).findings


def test_the_desk_shows_every_sentence_in_korean(look):
    rows = [*members(30, id="{n}.0", email="none@none.example"), ["9", "a\nb", "-", "N/A"], ["sum"]]
    seen = look(rows)

    for sentence in [seen.report.found, *_all(seen)]:
        in_korean(sentence, translate_profile)
    for column in seen.report.columns:
        for sentence in [*column.remarks, *(kind for _, kind in column.kinds)]:
            in_korean(sentence, translate_profile)


def test_a_large_file_is_sampled_and_shared_contacts_are_counted_in_all_rows(look, monkeypatch):
    monkeypatch.setattr(profiling, "SAMPLED_FROM", 1_000)
    seen = look(members(900) + members(100, email="none@none.example"))

    assert seen.report.remarks == ["the cells of one row in 10 were looked at"]
    assert seen.profile.rows == 1_000
    assert seen.profile.column("email").cells == 100
    assert "one of them on 100 rows" in remarks(seen, "email")


def test_a_sketch_never_counts_too_much_and_finds_what_is_frequent():
    numbers, counters = random.Random(7), 50  # noqa: S311  not a secret
    truth: Counter[int] = Counter()
    column = ColumnProfile(name="email")
    for _block in range(40):
        part = Counter(numbers.choice([1, 2, numbers.randrange(3, 100_000)]) for _ in range(500))
        truth += part
        column.add(ColumnProfile(name="email", contacts=part), counters=counters)

    assert len(column.contacts) <= 2 * counters
    assert all(count <= truth[value] for value, count in column.contacts.items())
    least = truth.total() / counters
    assert all(value in column.contacts for value, count in truth.items() if count > least)


def test_blocks_add_up_to_the_same_profile(look, monkeypatch):
    rows = [*members(300), *members(20, email="none@none.example"), ["9", "x", "-", "+"]]
    whole = without_examples(look(rows))
    monkeypatch.setattr("incidents.importing.blocks.BLOCK_BYTES", 500)
    monkeypatch.setattr("incidents.importing.reading.READ_BYTES", 500)

    assert without_examples(look(rows)) == whole


def without_examples(seen: Preview) -> FileProfile:
    """Returns the profile without its examples, which are the first few of each block."""
    for column in seen.profile.columns:
        column.examples.clear()
    return seen.profile


def test_a_file_without_rows_is_refused(look):
    with pytest.raises(ImportRefusedError, match="no rows after the header"):
        look([])


def test_a_quick_profile_looks_at_every_part_of_a_file(tmp_path):
    path = tmp_path / "members.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number in range(40_000):
            phone = f"010-1234-{number % 10_000:04}" if number < 20_000 else "모름"
            writer.writerow([f"M-{number}", "김민지", f"m{number}@naver.example", phone])
    source = examining.examine(path, "")
    expected = profiling.quick_profile(source, region="KR")
    blocks = list(blocks_of(source))
    assert expected.rows == 1_000 + 10 * (len(blocks) - 1)
    kinds = expected.column("phone").kinds
    assert kinds[CellKind.PHONE] > 1_000
    assert kinds[CellKind.PLACEHOLDER] > 0
    assert not expected.first_rows
