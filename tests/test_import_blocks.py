"""Blocks for processes that work side by side hold what a plain reader finds."""

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.importing import blocks, reading
from incidents.importing.reading import ImportRefusedError, Row, Source
from incidents.importing.row_preparation import RowReader

TRICKY = st.sampled_from(
    [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"a", "가".encode(), b" ", b'",']
)
BYTES = st.lists(TRICKY, max_size=60).map(b"".join)
WELL_FORMED = st.lists(
    st.tuples(st.text("ab\",\n\r '가", max_size=8), st.text("12", max_size=3)), max_size=12
)


_EVERY = range(1, 1_000_000)


@contextmanager
def source_of(content: bytes) -> Iterator[Source]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "dump.csv"
        path.write_bytes(content)
        yield reading.examine(path)


@contextmanager
def cut_small(window: int, block: int) -> Iterator[None]:
    before = reading.READ_BYTES, blocks.BLOCK_BYTES
    reading.READ_BYTES, blocks.BLOCK_BYTES = window, block
    try:
        yield
    finally:
        reading.READ_BYTES, blocks.BLOCK_BYTES = before


def outcome(read) -> list[Row] | str:
    try:
        return list(read())
    except ImportRefusedError as error:
        return str(error)


def in_blocks(source: Source) -> Iterator[Row]:
    rows = RowReader(source)
    found = False
    for block in blocks.blocks_of(source):
        for row, (_, _, defect) in zip(rows.raw_rows(block, _EVERY), rows.rows(block), strict=True):
            if defect == reading.HEADER:
                raise reading.header_again(source, row.line)
            found = True
            yield row
    if not found:
        raise reading.no_rows(source)


@settings(max_examples=400, deadline=None)
@given(BYTES, st.integers(1, 30), st.integers(1, 60))
def test_any_bytes_give_the_same_rows(content, window, block):
    with source_of(b"a,b\n" + content) as source, cut_small(window, block):
        assert outcome(lambda: in_blocks(source)) == outcome(lambda: reading.rows(source))


@settings(max_examples=200, deadline=None)
@given(WELL_FORMED, st.integers(1, 30), st.sampled_from(["utf-8", "utf-8-sig", "cp949"]))
def test_quoted_rows_are_never_cut(rows, window, encoding):
    import io

    out = io.StringIO(newline="")
    csv.writer(out).writerows([("a", "b"), *rows])
    content = out.getvalue().encode(encoding)
    with source_of(content) as source, cut_small(window, 40):
        assert outcome(lambda: in_blocks(source)) == outcome(lambda: reading.rows(source))


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=8).filter(lambda data: not set(data) & set(b'\0",\r\n'))))
def test_bytes_of_another_encoding_spoil_their_own_row_only(encoding, cells):
    good = "가,나\n".encode(encoding)
    content = b"a,b\n" + good * 99 + b"".join(b"x" + cell + b",y\n" for cell in cells)
    with source_of(content) as source:
        assert source.encoding == encoding
        for block in blocks.blocks_of(source):
            for line, _, defect in RowReader(source).rows(block):
                cell = content.split(b"\n")[line - 1]
                try:
                    cell.decode(encoding)
                except UnicodeDecodeError:
                    assert defect == "undecodable bytes"
                else:
                    assert defect == ""


def test_a_long_row_is_refused_where_it_begins():
    row = b'1,"' + b"x\n" * 700_000 + b'"\n'
    with source_of(b"a,b\n" + b"1,2\n" * 9 + row + b"3,4\n") as source:
        expected = "dump.csv, line 11: the row that begins here is longer than 1 MiB"
        assert str(outcome(lambda: in_blocks(source))).startswith(expected)
