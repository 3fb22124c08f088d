"""Everything that a database writes into a CSV is read back, with its line number."""

import csv
import gzip
import io
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.importing import examining, reading
from incidents.importing.common_hangul import COMMON_HANGUL
from incidents.importing.reading import Declared
from incidents.importing.rows import rows_of

HANGUL = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
TRICKY = st.sampled_from(list("\r\n\",;'=+-@\t<>&\\ aZ09가힣"))


def _cells(alphabet) -> st.SearchStrategy[str]:
    return st.text(alphabet, max_size=12)


# Two Latin letters can be one that was encoded twice, which refuses the file.
UTF8_CELLS = _cells(TRICKY | HANGUL | st.characters(min_codepoint=0x100, codec="utf-8"))
COMMON = st.sampled_from(sorted(COMMON_HANGUL))
CP949_CELLS = _cells(COMMON | COMMON | COMMON | st.sampled_from(list("\r\n\",;'=+-@\t<>& aZ09")))
# Random content may look like another dialect.
AS_IT_IS = Declared(separator=",", quote='"', escape="")


def _tables(cells) -> st.SearchStrategy[list[list[str]]]:
    return st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8
        )
    )


def _written(table: list[list[str]], terminator: str) -> tuple[str, list[int]]:
    """Returns the CSV, and the physical line on which each row begins."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=terminator, quoting=csv.QUOTE_ALL)
    writer.writerow([f"column{number}" for number in range(len(table[0]))])
    lines = []
    for row in table:
        lines.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    return out.getvalue(), lines


def _read_back(content: bytes, encoding: str) -> tuple[list[list[str]], list[int]]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "dump.csv"
        path.write_bytes(content)
        source = examining.examine(path, encoding, AS_IT_IS)
        rows = list(rows_of(source))
    assert not any(row.defect for row in rows)
    return [[source.decode(cell) for cell in row.cells] for row in rows], [r.line for r in rows]


@settings(max_examples=150, deadline=None)
@given(_tables(UTF8_CELLS), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_utf8_rows_are_read_with_their_lines(table, terminator, has_mark):
    text, lines = _written(table, terminator)
    content = text.encode("utf-8-sig" if has_mark else "utf-8")

    assert _read_back(content, "") == (table, lines)


@settings(max_examples=150, deadline=None)
@given(_tables(CP949_CELLS), st.sampled_from(["\n", "\r\n"]))
def test_cp949_rows_are_read_with_their_lines(table, terminator):
    text, lines = _written(table, terminator)

    assert _read_back(text.encode("cp949"), "cp949") == (table, lines)


@settings(max_examples=30, deadline=None)
@given(_tables(UTF8_CELLS))
def test_gzip_changes_nothing(table):
    text, lines = _written(table, "\n")

    assert _read_back(gzip.compress(text.encode()), "") == (table, lines)


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_read_or_refused(content):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "dump.csv"
        path.write_bytes(content)
        with suppress(reading.ImportRefusedError):
            list(rows_of(examining.examine(path)))


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_the_last_row_needs_no_line_break(tmp_path, end):
    path = tmp_path / "dump.csv"
    path.write_text(f"a,b\n1,2{end}", encoding="utf-8", newline="")

    [row] = rows_of(examining.examine(path))
    assert (row.line, row.cells) == (2, ["1", "2"])


def _content_digest(content: bytes, name: str = "dump.csv") -> str:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_bytes(content)
        return examining.examine(path, declared=AS_IT_IS).content_sha256


@settings(max_examples=100, deadline=None)
@given(_tables(_cells(st.sampled_from("\n,가힣나 a"))), st.integers(3, 40))
def test_the_same_rows_have_the_same_content_digest(table, window):
    text, _ = _written(table, "\n")
    as_sent = _content_digest(text.encode())
    before, reading.READ_BYTES = reading.READ_BYTES, window
    try:
        assert _content_digest(gzip.compress(text.encode()), "dump.csv.gz") == as_sent
        assert _content_digest(text.encode("utf-8-sig") + b"\n\n") == as_sent
        assert _content_digest(text.rstrip("\n").replace("\n", "\r\n").encode()) == as_sent
        assert _content_digest(("x" + text).encode()) != as_sent
    finally:
        reading.READ_BYTES = before


def test_other_encodings_have_the_same_content_digest():
    text = "이름,나이\n가,1\n나,2\n"

    assert _content_digest(text.encode("cp949")) == _content_digest(text.encode())
