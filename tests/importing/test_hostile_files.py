"""Hostile or broken files: refused in one line, in bounded memory, with nothing imported."""

import csv
import gzip
import tracemalloc
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.importing.row_messages import translate_reject
from incidents.importing.rows import is_blank
from tests.import_factory import refusal_of
from tests.korean_messages import in_korean

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "mobile"
contact_leaked = ["name", "email", "phone"]
"""
# Random content may look like another dialect.
AS_IT_IS = """separator = ","
quote = '"'
escape = ""
"""
HEADER = "member_id,name,email,mobile\n"
MEBIBYTE = 1 << 20


@pytest.fixture
def refusal(incident, tmp_path):
    """Imports content that must be refused; returns the line with the reason."""

    def refusal(content: bytes | str, name: str = "members.csv") -> str:
        path: Path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return refusal_of(path, incident=incident, mapping_text=MAPPING)

    return refusal


def members(*, count: int = 40, columns: str = "{n},김민지,minji{n}@example.com,010-1234-{n:04}"):
    return HEADER + "".join(columns.format(n=number) + "\n" for number in range(count))


def packed(chunk: bytes, times: int, kind: str) -> bytes:
    """Returns the header and `times` chunks, compressed piece by piece to save memory."""
    gzipped = zlib.compressobj(9, zlib.DEFLATED, 31)
    packer = zstandard.ZstdCompressor().compressobj() if kind == "zst" else gzipped
    pieces = [packer.compress(HEADER.encode())]
    pieces += [packer.compress(chunk) for _ in range(times)]
    return b"".join([*pieces, packer.flush()])


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize(
    "chunk", [b"\n" * MEBIBYTE, b"7,Minji,minji@example.com,010-1234-5678\n" * 25_000]
)
def test_a_bomb_is_refused_within_bounded_memory(refusal, kind, chunk):
    content = packed(chunk, 200, kind)
    assert len(content) < MEBIBYTE

    tracemalloc.start()
    message = refusal(content, f"members.csv.{kind}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "more than 300 times its size comes out of it" in message
    assert peak < 32 * MEBIBYTE


def test_a_dump_that_compresses_well_is_imported(incident, tmp_path):
    rows = "".join(f"{n},김민지,minji@example.com,010-1234-5678\n" for n in range(30_000))
    path = tmp_path / "members.csv.gz"
    path.write_bytes(gzip.compress((HEADER + rows).encode(), 9))

    loading.check_file(path, incident=incident, mapping_text=MAPPING)


def test_a_line_of_100_megabytes_is_refused_within_bounded_memory(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(HEADER.encode() + b"x" * 100_000_000)

    tracemalloc.start()
    with pytest.raises(ImportRefusedError, match="line 2: the row that begins here is longer"):
        loading.import_file(path, incident=incident, mapping_text=MAPPING)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * MEBIBYTE


CELLS = st.text(
    st.sampled_from(list("\r\n\",;'=@.+-\t<&\\ aZ09가힣\u00a0\u202e\u3000İ😀"))
    | st.characters(min_codepoint=0x100, codec="utf-8"),
    max_size=20,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=10))
def test_rows_with_any_content_are_taken_or_rejected(incident, tmp_path, table):
    path = tmp_path / "members.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(HEADER.strip().split(","))
        writer.writerows(table)

    if all(map(is_blank, table)):
        with pytest.raises(ImportRefusedError, match="no rows"):
            loading.check_file(path, incident=incident, mapping_text=AS_IT_IS + MAPPING)
        return
    found = loading.check_file(path, incident=incident, mapping_text=AS_IT_IS + MAPPING)

    filled = [row for row in table if not is_blank(row)]
    assert found.rows_read == len(filled) == found.rows_taken + found.rows_rejected
    blank = sum(not row[0].strip() for row in filled)
    assert found.rows_rejected >= blank
    for _line, reason in found.first_rejects:
        in_korean(reason, translate_reject)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (
            "{n},김민지,010-1234-{n:04},minji{n}@example.com",
            "takes column email for an e-mail address, but 40 of 40 cells hold a phone",
        ),
        (
            "{n},minji{n}@example.com,김민지,010-1234-{n:04}",
            "takes column name for a name, but 40 of 40 cells hold an e-mail address",
        ),
        (
            "{n},김민지,minji{n}@example.com,m{n}@example.org",
            "takes column mobile for a phone number, but 40 of 40 cells hold an e-mail",
        ),
    ],
)
def test_swapped_columns_are_refused_early(refusal, columns, says):
    message = refusal(members(columns=columns))

    assert says in message
    assert "minji" not in message
    assert "010" not in message


def test_masked_contacts_are_taken_as_they_leaked_once_they_are_accepted(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text(members(columns="{n},김민지,mi***@example.com,010-****-{n:04}"))

    message = refusal_of(path, incident=incident, mapping_text=MAPPING)
    assert "column email for an e-mail address, but 40 of 40 cells are none that can be" in message
    assert "column mobile for a phone number, but 40 of 40 cells are none" in message
    assert "mi***" not in message

    accepted = ["unusable:email", "unusable:mobile"]
    file = loading.import_file(path, incident=incident, mapping_text=MAPPING, accepted=accepted)
    assert file.rows_taken == 40


@pytest.mark.parametrize(
    "columns",
    [
        "{n},김민지,,",
        "{n},김민지,none,unknown",
        "{n},010,minji{n}@example.com,010-1234-{n:04}",
    ],
)
def test_odd_contacts_are_taken_as_they_leaked(incident, tmp_path, columns):
    path = tmp_path / "members.csv"
    path.write_text(members(columns=columns))

    file = loading.import_file(path, incident=incident, mapping_text=MAPPING)

    assert file.rows_taken == 40


def test_a_few_odd_rows_swap_no_columns(incident, tmp_path):
    path = tmp_path / "members.csv"
    odd = "".join(f"x{n},김민지,010-9999-{n:04},\n" for n in range(5))
    path.write_text(members() + odd)

    file = loading.import_file(path, incident=incident, mapping_text=MAPPING)
    assert file.rows_taken == 45


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_detected(incident, tmp_path, separator):
    path = tmp_path / "members.csv"
    path.write_text(members().replace(",", separator))

    assert loading.import_file(path, incident=incident, mapping_text=MAPPING).rows_taken == 40


def test_a_mapping_that_names_other_columns_says_which(refusal):
    assert "the header lacks email, mobile" in refusal("member_id,name\n7,김민지\n")
