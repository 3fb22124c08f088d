"""Reject files: safe to open in a spreadsheet, corrected, and imported again."""

import os
import stat

import pytest
from django.db import DatabaseError, connection
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from foundations import formulas
from incidents.importing import examining, rejects
from incidents.importing.formats import base
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.models import AffectedPerson, ExposureFile
from tests.import_factory import import_and_report, read_reject_file

MAPPING = """
encoding = "cp949"
[person]
relation = "member"
reference = "member_id"
name = "name"
phone = "mobile"
contact_leaked = ["name", "phone"]
"""


@pytest.fixture
def load(db, incident):
    def load(path, **options) -> ImportProgress:
        return import_and_report(path, incident=incident, mapping_text=MAPPING, **options)

    return load


@pytest.fixture
def dump(tmp_path):
    """A dump with three rejects: no member_id, a missing cell, bytes that are not CP949."""
    path = tmp_path / "members.csv"
    path.write_bytes(
        "member_id,name,mobile\n1,김민지,010-1111-2222\n"
        ',=SUM(A1),+82 10-3333-4444\n3,\'quoted\n4,"이,지호\xff",\n'.encode(
            "cp949", "replace"
        ).replace(b"?", b"\xff\xff")
    )
    return path


@pytest.mark.parametrize("stem", ["가" * 83, "x" + "가" * 83, "x" * 251])
def test_a_name_as_long_as_a_disk_takes_still_gets_a_reject_file(load, dump, tmp_path, stem):
    long = dump.replace(tmp_path / f"{stem}.csv")
    first = load(long).reject_file
    long.write_bytes(long.read_bytes() + b"5,Minji,010-2222-3333\n")
    second = load(long).reject_file

    assert first
    assert second
    assert first.parent == second.parent == tmp_path
    assert first.name.endswith(".csv.rejects.csv")
    assert second.name.endswith(".csv.rejects-2.csv")
    assert len(read_reject_file(first)) == len(read_reject_file(second)) == 4


def test_rejects_are_written_for_a_spreadsheet(load, dump, tmp_path):
    report = load(dump)

    assert report.reject_file == tmp_path / "members.csv.rejects.csv"
    assert read_reject_file(report.reject_file) == [
        ["line", "reason", "member_id", "name", "mobile"],
        ["3", "missing member_id", "", "'=SUM(A1)", "'+82 10-3333-4444"],
        ["4", "wrong number of columns", "3", "''quoted"],
        ["5", "undecodable bytes", "4", "이,지호\\xff\\xff", ""],
    ]
    assert stat.S_IMODE(report.reject_file.stat().st_mode) == 0o600


def test_corrected_rejects_load_again(load, dump, incident):
    written = load(dump).reject_file
    text = written.read_text(encoding="utf-8-sig")
    text = text.replace('"이,지호\\xff\\xff"', "이지호").replace("id,,", "id,2,")
    text = text.replace("3,''quoted", "3,''quoted,")
    written.write_text(text, encoding="utf-8-sig")

    report = load(written)

    assert (report.rows_taken, report.rows_rejected) == (3, 0)
    cipher = incident.cipher()

    def contact(reference: str) -> dict[str, str]:
        return AffectedPerson.objects.get(
            pk=cipher.person_id("member", reference)
        ).decrypt_contact()

    assert contact("2") == {"n": "=SUM(A1)", "p": "+821033334444"}
    assert contact("3") == {"n": "'quoted"}
    assert contact("4") == {"n": "이지호"}


def test_rejects_not_corrected_are_rejected_again_under_a_new_name(load, dump, tmp_path):
    written = load(dump).reject_file
    again = load(written)

    assert again.rows_rejected == 3
    assert again.reject_file == tmp_path / "members.csv.rejects-2.csv"
    assert [row[1:] for row in read_reject_file(again.reject_file)] == [
        row[1:] for row in read_reject_file(written)
    ]


def test_rejects_saved_by_a_korean_spreadsheet_load_again(load, dump):
    written = load(dump).reject_file
    text = written.read_text(encoding="utf-8-sig").replace("id,,", "id,2,")
    written.write_text(text, encoding="cp949")

    assert load(written).rows_taken == 1


def test_an_existing_reject_file_is_never_overwritten(load, dump, tmp_path):
    wanted = tmp_path / "mine.csv"
    wanted.write_text("keep me", encoding="utf-8")

    with pytest.raises(ImportRefusedError, match="already there"):
        load(dump, rejects_path=wanted)
    assert wanted.read_text(encoding="utf-8") == "keep me"
    assert not AffectedPerson.objects.exists()


def test_rejects_may_go_to_a_directory(load, dump, tmp_path):
    directory = tmp_path / "elsewhere"
    directory.mkdir()

    assert load(dump, rejects_path=directory).reject_file == directory / "members.csv.rejects.csv"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_rejects_go_to_var_if_nothing_can_be_written_beside_the_dump(load, dump, settings):
    dump.parent.chmod(0o500)
    try:
        assert load(dump).reject_file.parent == settings.VAR / "rejects"
    finally:
        dump.parent.chmod(0o700)


@pytest.fixture
def failing_commit(transactional_db):
    """A database trigger that raises an error at the commit."""
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON incidents_exposure
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
        """)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION refuse CASCADE")


@pytest.mark.django_db(transaction=True)
def test_an_import_that_fails_at_the_commit_leaves_nothing(failing_commit, load, dump, tmp_path):
    with pytest.raises(DatabaseError, match="disk full"):
        load(dump)
    assert list(tmp_path.iterdir()) == [dump]
    assert not AffectedPerson.objects.exists()
    assert ExposureFile.objects.get().state == ExposureFile.State.FAILED


@given(st.text())
def test_escaped_cells_are_restored_and_never_start_a_formula(cell):
    safe = formulas.neutralised(cell)

    assert formulas.restored(safe) == cell
    assert not safe.startswith(tuple("=+-@\t\r\n＝＋－＠"))


def test_a_reject_file_is_known_by_its_first_columns(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text('"line","reason","member_id"\n"3","bad date","7"\n', encoding="utf-8")

    assert examining.examine(path, "cp949").is_reject_file


def test_a_reject_file_with_formulas_brings_none_into_the_next_one(load, dump, tmp_path):
    load(dump)
    changed = tmp_path / "members.csv.rejects.csv"
    changed.write_text(
        "line,reason,member_id,name,mobile,=HYPERLINK(1)\n3,x,,=SUM(A1),+82,@cmd\n",
        encoding="utf-8",
    )
    written = read_reject_file(load(changed).reject_file)

    assert written == [
        ["line", "reason", "member_id", "name", "mobile", "'=HYPERLINK(1)"],
        ["3", "missing member_id", "", "'=SUM(A1)", "'+82", "'@cmd"],
    ]


def test_a_file_that_only_looks_like_a_reject_file_is_refused(load, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("line,reason,member_id,name,mobile\n2,x,1,Minji,\n", encoding="utf-8")

    with pytest.raises(ImportRefusedError, match="no file of hanbit-2025 rejected all"):
        load(path)


def test_column_names_that_are_formulas_are_escaped_and_restored(load, tmp_path):
    dump = tmp_path / "members.csv"
    dump.write_text("=cmd,'quoted,member_id,name,mobile\nx,y,,김민지,\n", encoding="cp949")
    written = load(dump).reject_file

    header = read_reject_file(written)[0]
    assert header[2:4] == ["'=cmd", "''quoted"]
    assert examining.examine(written).header[2:4] == ["=cmd", "'quoted"]
    again = load(written).reject_file
    assert read_reject_file(again)[0] == header


def test_a_corrected_row_that_is_still_malformed_is_kept_complete(load, dump):
    written = load(dump).reject_file
    with written.open("a", encoding="utf-8") as stream:
        stream.write('5,bad date,7,"김"민지,\n')
    again = read_reject_file(load(written).reject_file)

    assert again[-1] == ["5", "misplaced quote", '5,bad date,7,"김"민지,']


def test_a_long_cell_of_undecodable_bytes_is_shown_with_its_reason_translated():
    """Each byte is an escape of four characters."""
    cell = r"\xff" * base.MAX_ROW_BYTES
    written = f"line,reason,note\r\n2,missing note,{cell}\r\n".encode("utf-8-sig")
    with override("ko"):
        shown = rejects.translated(written).decode("utf-8-sig").splitlines()
    assert shown[1:] == [f"2,note 값이 없음,{cell}"]


def test_shown_rejects_are_in_the_order_of_the_file():
    rejected = [(3, "bad date"), (4, "missing email"), (9, "bad date")]
    shown = rejects.RejectedLines(rejected)

    assert list(shown) == rejected
    assert len(shown) == 3
    assert not rejects.RejectedLines([])
