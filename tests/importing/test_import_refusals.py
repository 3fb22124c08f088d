"""Files that are not what they claim: refused in one line, with nothing imported."""

import gzip
import tracemalloc

import pytest

from incidents.importing import examining, loading
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.importing.rows import rows_of
from incidents.models import AffectedPerson, ExposureFile
from tests.import_factory import refusal_of

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "member_id"
name = "name"
contact_leaked = ["name"]
"""
HEADER = b"member_id,name\n"
KOREAN = "7,김민지\n8,박서준\n9,이지호\n"


@pytest.fixture
def refusal(incident, tmp_path):
    """Imports bytes that must be refused; returns the line with the reason."""

    def refusal(content: bytes, name: str = "members.csv", **options) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        message = refusal_of(path, incident=incident, mapping_text=MAPPING, **options)
        assert list(tmp_path.iterdir()) == [path]
        return message

    return refusal


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "blank lines only"),
        (b"\n\n\n", "blank lines only"),
        (b"PK\x03\x04zipzip", "the zip data is cut short or damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "cannot be read as a spreadsheet"),
        (b"\x28\xb5\x2f\xfdzstd", "the zstd data is cut short or damaged"),
        (gzip.compress(b""), "nothing inside the gzip file"),
        (gzip.compress(b"%PDF-1.7"), "inside gzip: a PDF document"),
        (b"\x1f\x8bnot gzip at all", "cut short or damaged"),
        (HEADER, "no rows after the header"),
        (HEADER + b"\n\n", "no rows after the header"),
        (b"member_id,name,name\n7,Minji,Kim\n", "line 1: the header names columns 2, 3 alike"),
        (
            b"member_id,name" + b",x" * 1999 + b"\n7,Minji\n",
            "line 1: the header names 2,001 columns; at most 2,000 can be read",
        ),
        (b"member_id\rname\r7\rMinji\r", "line 1: the header is one cell and lacks name, which"),
        (b"7,Minji\n8,Seojun\n", "line 1: the header lacks member_id, name, which mapping names"),
        (HEADER + b"7,Minji\n" + HEADER + b"8,Seojun\n", "line 3: the header stands here again"),
        (HEADER + b"7,Min\0ji\n", "line 2: a NUL byte"),
        (b"\x7fELF\0\0\0\0", "line 1: a NUL byte"),
        (HEADER + b'7,Minji\n8,"Seojun\n', "line 3: the row that begins here ends inside a quote"),
        (HEADER + b"\xff\xff,\xff\xff\n", "neither UTF-8 nor CP949"),
    ],
)
def test_refused_with_one_line(refusal, content, says):
    assert says in refusal(content)


def test_a_gz_file_that_is_not_gzip_is_refused(refusal):
    assert "named .gz but not compressed" in refusal(HEADER + b"7,Minji\n", "members.csv.gz")


@pytest.mark.parametrize("cut", [20, -9, -3])
def test_gzip_cut_short_is_refused(refusal, cut):
    rows = b"".join(b"%d,Minji %d\n" % (number, number * 7919) for number in range(20_000))

    assert "cut short or damaged" in refusal(gzip.compress(HEADER + rows)[:cut], "members.csv.gz")


def test_a_refusal_contains_no_value(refusal):
    assert "Minji" not in refusal(b"7,Minji\n8,Seojun\n")
    assert "Minji" not in refusal(b"7,Minji,Minji\n8,Seojun,Seojun\n")


def test_a_file_that_is_not_there_is_refused(incident, tmp_path):
    with pytest.raises(ImportRefusedError, match="No such file or directory; check the path"):
        loading.import_file(tmp_path / "none.csv", incident=incident, mapping_text=MAPPING)


def test_a_directory_is_refused(incident, tmp_path):
    with pytest.raises(ImportRefusedError, match="not a regular file"):
        loading.import_file(tmp_path, incident=incident, mapping_text=MAPPING)


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (KOREAN.encode("cp949"), "utf-8", "said to be utf-8, but its bytes are cp949"),
        (KOREAN.encode(), "latin-1", "said to be iso-8859-1, but its bytes are utf-8"),
        (KOREAN.encode(), "utf-7", "unknown encoding 'utf-7'"),
        (b"7,\xed\x95\x9c\xea\xb8\x80\n" * 3, "cp949", "said to be cp949, but its bytes are utf-8"),
    ],
)
def test_a_wrong_encoding_is_refused(refusal, content, encoding, says):
    assert says in refusal(HEADER + content, encoding=encoding)


def test_cp949_with_a_utf8_mark_is_refused(refusal):
    encoding = refusal(b"\xef\xbb\xbf" + HEADER + KOREAN.encode(), encoding="cp949")

    assert "begins with a UTF-8 mark" in encoding


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp949", "cp949")]
)
def test_encoding_is_detected(tmp_path, encoding, found):
    path = tmp_path / "members.csv"
    path.write_bytes(("member_id,name\n" + KOREAN).encode(encoding))

    source = examining.examine(path)

    assert source.encoding == found
    assert source.decode(next(rows_of(source)).cells[1]) == "김민지"


def test_encoding_is_detected_far_into_a_file(tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(HEADER + b"7,Minji\n" * 400_000 + KOREAN.encode("cp949"))

    assert examining.examine(path).encoding == "cp949"


@pytest.mark.parametrize("compressed", [False, True])
def test_a_huge_line_is_refused_within_bounded_memory(refusal, compressed):
    content = HEADER + b"7," + b"x" * 60_000_000 + b"\n"
    content = gzip.compress(content) if compressed else content
    tracemalloc.start()
    message = refusal(content, "members.csv.gz" if compressed else "members.csv")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "line 2: the row that begins here is longer than 1 MiB" in message
    assert peak < 16 * 1024 * 1024


def test_a_quote_never_closed_is_refused_within_bounded_memory(refusal):
    message = refusal(HEADER + b'7,"Minji\n' + b"8,Seojun\n" * 500_000)

    assert "line 2: the row that begins here is longer than 1 MiB" in message


def test_a_refusal_before_the_first_row_is_recorded_as_a_failed_file(refusal):
    refusal(b"id,name\n7,Minji\n")

    file = ExposureFile.objects.get()
    assert (file.state, file.batch.state) == ("failed", "open")


def test_a_file_that_changes_under_the_import_is_refused(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(HEADER + b"7,Minji\n")

    def change(progress: ImportProgress) -> None:
        if not progress.rows_read:
            path.write_bytes(HEADER + b"8,Seojun\n9,Jiho\n")

    with pytest.raises(ImportRefusedError, match="changed while it was read"):
        loading.import_file(path, incident=incident, mapping_text=MAPPING, report=change)
    assert not AffectedPerson.objects.exists()
