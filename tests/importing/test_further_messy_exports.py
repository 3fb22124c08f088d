"""Exports of several files as companies send them, and any bytes after any known signature."""

import gzip
import threading
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.models import AffectedPerson, ExposureFile, Incident
from tests.import_factory import import_and_report
from tests.importing.binary_spreadsheets import compound_file, ods, xls, xlsb
from tests.importing.more_messy_files import (
    ALL,
    CELLS,
    GOOD,
    HEADER,
    csv,
    lines_of,
    names,
    objects,
    xlsx,
    zipped_as,
)
from tests.importing.test_more_messy_files import MAPPING, reachable

pytestmark = pytest.mark.django_db
FIRST, LAST = GOOD[:3], GOOD[3:]


@pytest.fixture
def send(incident, tmp_path):
    """A function that imports files, given by their names, with one call of the command."""
    mapping = tmp_path / "map.toml"
    mapping.write_text(MAPPING, encoding="utf-8")

    def run(files: dict[str, bytes], *words: str) -> str:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        out = StringIO()
        paths = words or [str(tmp_path / name) for name in files]
        options = ["--incident", incident.slug, "--mapping", str(mapping)]
        call_command("import_exposures", *paths, *options, stdout=out)
        return out.getvalue()

    return run


def people_of(incident: Incident) -> dict[str, str]:
    """Returns the people of the good rows that the store holds, as a case names them."""
    references = {incident.cipher().person_id("member", key): key for key in ALL}
    return {references.get(key, "?"): found for key, found in reachable(incident).items()}


def reordered(rows: list[str]) -> bytes:
    """Returns the rows with their columns in reverse order."""
    lines = [HEADER, *rows]
    return "".join(",".join(reversed(line.split(","))) + "\r\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("second", "suffix"),
    [
        (reordered(LAST), ".csv"),
        (csv(LAST, header="MEMBER_ID, Name ,EMAIL,Mobile"), ".csv"),
        (csv(LAST, encoding="cp949"), ".csv"),
        (csv(LAST, encoding="utf-16"), ".csv"),
        (csv(LAST, separator=";"), ".csv"),
        (csv(LAST, separator="\t", end="\n"), ".tsv"),
        (csv(LAST, end="\r"), ".csv"),
        (b"\xef\xbb\xbf" + csv(LAST), ".csv"),
        (gzip.compress(csv(LAST)), ".csv.gz"),
        (zipped_as({"b.csv": csv(LAST)}), ".zip"),
        (xlsx([CELLS[0], *CELLS[4:]]), ".xlsx"),
        (xls([CELLS[0], *CELLS[4:]]), ".xls"),
        (xlsb([CELLS[0], *CELLS[4:]]), ".xlsb"),
        (ods([CELLS[0], *CELLS[4:]]), ".ods"),
        (lines_of(objects()[3:]), ".jsonl"),
        (csv([*FIRST[1:], *LAST]), ".csv"),
        (csv(list(reversed(GOOD))), ".csv"),
        (xlsx(CELLS), ".xlsx"),
    ],
)
def test_parts_of_an_export_in_different_forms_make_the_same_people(send, incident, second, suffix):
    send({"a.csv": csv(FIRST), f"b{suffix}": second})

    assert people_of(incident) == ALL


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (csv(LAST, header="member_id,name,e_mail,mobile"), "b.csv, line 1: the header lacks email"),
        (csv(LAST, header=HEADER.replace("mobile", "phone")), "the header lacks mobile"),
        (csv(LAST)[len(HEADER) + 2 :], "so that this is no header row"),
        (csv(FIRST), "loaded"),
        (csv(FIRST, end="\n"), "loaded"),
        (csv(FIRST, encoding="cp949"), "loaded"),
        (gzip.compress(csv(FIRST)), "loaded"),
        (gzip.compress(csv(LAST))[:-9], "cut short"),
        (csv(names("Zoë", "José", "Müller"), encoding="cp1252"), "b.csv: neither UTF-8 nor CP949"),
        (b"", "b.csv: the file is empty"),
        (csv([]), "b.csv: no rows after the header"),
    ],
)
def test_a_part_that_does_not_fit_is_named_and_the_parts_before_it_stay(
    send, incident, second, why
):
    with pytest.raises(CommandError) as caught:
        send({"a.csv": csv(FIRST), "b.csv": second, "c.csv": csv(LAST)})

    message = str(caught.value)
    assert "\n" not in message
    assert why in message
    assert "done before it: a.csv · not read: c.csv" in message
    assert people_of(incident) == dict(list(ALL.items())[:3])


def test_exports_that_overlap_and_disagree_keep_the_first_contact(send, incident):
    other = GOOD[0].replace("user1@", "other@")

    printed = send({"a.csv": csv(), "b.csv": csv([other, *LAST])})

    assert "taken 3, rejected 1" in printed
    assert people_of(incident) == ALL


def test_the_last_row_of_a_part_that_is_cut_short_is_rejected(send, incident):
    send({"a.csv": csv(FIRST), "b.csv": csv(LAST, end="\n")[:-24]})

    assert people_of(incident) == {key: ALL[key] for key in ALL if key != "1006"}


def test_a_pattern_reads_each_file_once(send, incident, tmp_path):
    pattern = str(tmp_path / "[ab].csv")

    send({"a.csv": csv(FIRST), "b.csv": csv(LAST)}, pattern, str(tmp_path / "a.csv"))

    assert people_of(incident) == ALL
    assert ExposureFile.objects.filter(state=ExposureFile.State.LOADED).count() == 2


def test_a_file_that_grows_while_it_is_read_is_refused(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(csv())
    grown = threading.Event()

    def grow(_progress: object) -> None:
        with path.open("ab") as stream:
            stream.write(b"1007,\xea\xb0\x80,q@b.example,\r\n")
        grown.set()

    with pytest.raises(ImportRefusedError, match="changed while it was read"):
        loading.import_file(
            path,
            incident=incident,
            mapping_text=MAPPING,
            rejects_path=tmp_path / "rejects.csv",
            report=grow,
        )

    assert grown.is_set()
    assert not AffectedPerson.objects.exists()


def test_a_name_with_a_line_break_in_json_is_one_line_of_the_reject_file(incident, tmp_path):
    path = tmp_path / "members.jsonl"
    rows = objects()
    rows[0]["name"] = "가\n나"
    path.write_bytes(lines_of(rows))

    import_and_report(
        path, incident=incident, mapping_text=MAPPING, rejects_path=tmp_path / "rejects.csv"
    )

    rejected = (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in rejected if line[:1].isdigit()] == ["1"]
    assert "1001" in "".join(rejected)
    assert "1002" not in "".join(rejected)


# ---------------------------------------------------------------- any bytes

_STARTS = [
    *(b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"),
    *(b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"BZh9"),
    *(b"\xfd7zXZ\0", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-", b"{\\rtf"),
    *(b"SQLite format 3\0", b"PGDMP", b"PAR1", b"Obj\x01", b"\x04\x22\x4d\x18", b"MSCF"),
    *(b"<?xml ", b"<html>", b"<table>", b"BEGIN:VCARD\n", b"dn: a=b\n", b"INSERT INTO ", b"-- "),
    *(b"COPY a (b) FROM stdin;\n", b"[", b"[{", b"{", b'{"', b'{"member_id":', b"[[", b"sep="),
    *(b"id;pwxl\n", b"TABLE\n0,1\n", b"-----BEGIN PGP", b"SCDSA002", b"From a@b c\n", b"\x1b$B"),
    *(HEADER.encode() + b"\r\n", HEADER.encode().replace(b",", b"\t") + b"\n", b"line,reason\n"),
    *(csv()[:60], csv(encoding="utf-16")[:60], csv(encoding="cp949")[:60], xlsx(CELLS)[:400]),
    *(xls(CELLS)[:1600], xlsb(CELLS)[:600], ods(CELLS)[:500], gzip.compress(csv())[:60]),
    *(zipped_as({"a.csv": csv()})[:-40], compound_file("Workbook", b"\x09\x08\x10\0")),
]
_PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b'"', b"'", b"\\", b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"|", b"\0", b"{", b"}", b"["]
        + [b"]", b'":', b"\\N", b"\\u", b"1001,", b"a@b.example", "가나다".encode(), b"\xb0\xa1"]
        + [row.encode() + b"\n" for row in GOOD]
    ),
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=st.sampled_from(_STARTS), pieces=st.lists(_PIECES, max_size=12))
@example(start=b"[", pieces=[b"[" * 60] * 12)
@example(start=b'{"a":', pieces=[b'{"a":' * 12] * 12)
def test_a_check_of_any_bytes_raises_nothing_but_a_refusal(incident, tmp_path, start, pieces):
    path, mapping = tmp_path / "members.csv", tmp_path / "map.toml"
    path.write_bytes(start + b"".join(pieces))
    mapping.write_text(MAPPING, encoding="utf-8")
    words = [str(path), "--check", "--incident", incident.slug, "--mapping", str(mapping)]
    try:
        call_command("import_exposures", *words, stdout=StringIO())
    except CommandError as error:
        _assert_is_a_refusal(str(error), path)


def _assert_is_a_refusal(message: str, path: Path) -> None:
    assert message
    for line in message.split("\n"):
        assert line.startswith((path.name, "map.toml", "an import is refused")), line
        assert len(line) < 1000
