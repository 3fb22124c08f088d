"""The import reads blocks in parallel and finds the same rows as a simple reader."""

import csv
import gzip
import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import zstandard
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from incidents.importing import blocks, examining, reading
from incidents.importing.formats import base
from incidents.importing.reading import Declared, ImportRefusedError, Source
from incidents.importing.rows import HEADER, RowReader, rows_of
from tests.importing import row_oracle
from tests.importing.row_oracle import OracleRow, RefusedAtError

Row = TypeVar("Row")
COLUMNS = ["a", "b"]
# Random content may look like another dialect.
AS_IT_IS = Declared(separator=",", quote='"', escape="")
ROW_BYTES = 1 << 20
TRICKY = st.sampled_from(
    [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"a", "가".encode(), b" ", b'",']
)
BYTES = st.lists(TRICKY, max_size=60).map(b"".join)
WELL_FORMED = st.lists(
    st.tuples(st.text("ab\",\n\r '가", max_size=8), st.text("12", max_size=3)), max_size=12
)
# Content of a malformed file in any encoding: whole rows, parts of rows and undecodable bytes.
MESS = st.lists(
    TRICKY
    | st.sampled_from([b"a,b\n", b" a,b\n", b"1,2\n", b'"1\n2",3\n', b"\n\n", b"\r\n\r\n"])
    | st.sampled_from(["가,나\n".encode(), "가,나\n".encode("cp949"), b"\xff,1\n", b"\x81"])
    | st.sampled_from([b"x" * 30, b"x,y\n" * 9, b'"' + b"x\n" * 15])
    | st.binary(max_size=3),
    max_size=40,
).map(b"".join)
JSON_MESS = st.lists(
    st.sampled_from([b"\n", b"\r\n", b" ", b"[1]\n", b"{", b"7\n", b"\xff", b"\x81", b"\0"])
    | st.sampled_from([b'{"a":"1","b":2.50}\n', b'{"b":null}\n', b'{"a":{"b":[1, "x"]}}\n'])
    | st.sampled_from([b'{"a":"\xff"}\n', b'{"a":"\\ud800"}\n', b'{"c":1,"a":"1","a":"2"}\n'])
    | st.sampled_from(['{"a":"가"}\n'.encode(), '{"a":"가"}\n'.encode("cp949"), b"x" * 30]),
    max_size=30,
).map(b"".join)
PACKED = st.sampled_from([bytes, gzip.compress, zstandard.compress])
KIND_OF_PACKING = {bytes: "", gzip.compress: "gzip", zstandard.compress: "zstd"}
ENCODINGS = st.sampled_from(["utf-8", "cp949"])


@contextmanager
def source_of(content: bytes) -> Iterator[Source]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "dump.csv"
        path.write_bytes(content)
        yield examining.examine(path, declared=AS_IT_IS)


@contextmanager
def source_with(content: bytes, **fields: Any) -> Iterator[Source]:
    """Context manager: gives a source with these fields set, without examining the content."""
    with source_of(b"a,b\n1,2\n") as source:
        source.path.write_bytes(content)
        status = source.path.stat()
        yield replace(source, size=status.st_size, changed_ns=status.st_mtime_ns, **fields)


@contextmanager
def cut_small(window: int, block: int, most: int = ROW_BYTES) -> Iterator[None]:
    before = reading.READ_BYTES, blocks.BLOCK_BYTES, base.MAX_ROW_BYTES
    reading.READ_BYTES, blocks.BLOCK_BYTES, base.MAX_ROW_BYTES = window, block, most
    try:
        yield
    finally:
        reading.READ_BYTES, blocks.BLOCK_BYTES, base.MAX_ROW_BYTES = before


def imported(source: Source) -> Iterator[OracleRow]:
    """Yields the rows as an import reads them."""
    reader = RowReader(source)
    is_empty = True
    for block in blocks.blocks_of(source):
        for line, cells, defect in reader.rows(block):
            is_empty = False
            if defect == HEADER:
                raise reading.header_again(source, line)
            yield line, cells, defect
    if is_empty:
        raise reading.no_rows(source)


def outcome(rows: Iterator[Row]) -> tuple[list[Row], Exception | None]:
    """Returns the rows up to the end or the refusal, and the refusal."""
    found: list[Row] = []
    try:
        found.extend(rows)
    except (ImportRefusedError, RefusedAtError) as error:
        return found, error
    return found, None


def assert_same(source: Source, expected: Iterator[OracleRow]) -> None:
    wanted, refused = outcome(expected)
    found, refusal = outcome(imported(source))
    assert found == wanted
    why, line = refused.args if refused else ("None", 0)
    assert why in str(refusal)
    assert not line or f", line {line}: " in str(refusal)


def oracle(content: bytes, source: Source, *, most: int = ROW_BYTES) -> Iterator[OracleRow]:
    encoding = source.encoding.removesuffix("-sig")
    if source.format != "csv":
        return row_oracle.read_json(content, COLUMNS, encoding=encoding, most=most)
    extra = source.extra_cells
    return row_oracle.read_csv(content, COLUMNS, encoding=encoding, most=most, extra=extra)


@settings(max_examples=400, deadline=None)
@given(BYTES, st.integers(1, 30), st.integers(1, 60))
def test_any_bytes_give_the_same_rows(content, window, block):
    content = b"a,b\n1,2\n" + content
    with source_of(content) as source, cut_small(window, block):
        assert_same(source, oracle(content, source))


@settings(max_examples=200, deadline=None)
@given(WELL_FORMED, st.integers(1, 30), st.sampled_from(["utf-8", "utf-8-sig", "cp949"]))
def test_quoted_rows_are_never_cut(rows, window, encoding):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("a", "b"), *rows])
    assume(not re.search("[ab]가[ab]", out.getvalue()))  # taken for another encoding
    content = out.getvalue().encode(encoding)
    with source_of(content) as source, cut_small(window, 40):
        assert_same(source, oracle(content, source))


BEGINNINGS = st.sampled_from([b"", b"\xef\xbb\xbf"]).flatmap(
    lambda mark: st.sampled_from([b"", b"\n", b"\r\n\n"]).map(lambda blank: mark + blank)
)


@settings(max_examples=600, deadline=None)
@given(BEGINNINGS, MESS, ENCODINGS, PACKED, st.integers(3, 40), st.integers(1, 60))
@example(b"", b"1,2\n\0", "utf-8", bytes, 3, 1)
@example(b"", b"a,b\n\0", "utf-8", bytes, 40, 60)
@example(b"", b"1,2\n" + b"x" * 41, "utf-8", bytes, 40, 60)
@example(b"", b"1,2\n" + b"x" * 40 + b"\0", "utf-8", bytes, 40, 60)
@example(b"", b"1,2\n" + b'"' + b"x\n" * 30, "utf-8", bytes, 40, 60)
def test_a_messy_csv_gives_the_same_rows(beginning, content, encoding, pack, window, block):
    content = beginning + b"a,b\n" + content
    packed, kind = pack(content), KIND_OF_PACKING[pack]
    with (
        source_with(packed, format="csv", encoding=encoding, compression=kind) as source,
        cut_small(window, block, most=40),
    ):
        assert_same(source, oracle(content, source, most=40))


@settings(max_examples=400, deadline=None)
@given(BEGINNINGS, JSON_MESS, ENCODINGS, PACKED, st.integers(3, 40), st.integers(1, 60))
@example(b"", b'{"a":"1"}\n' + b"x" * 41, "utf-8", bytes, 40, 60)
def test_messy_json_lines_give_the_same_rows(beginning, content, encoding, pack, window, block):
    content = beginning + content
    assume(content)
    packed, kind = pack(content), KIND_OF_PACKING[pack]
    with (
        source_with(packed, format="jsonl", encoding=encoding, compression=kind) as source,
        cut_small(window, block, most=40),
    ):
        assert_same(source, oracle(content, source, most=40))


@settings(max_examples=200, deadline=None)
@given(MESS, ENCODINGS, st.integers(3, 40), st.integers(1, 60))
def test_rows_for_reject_files_hold_the_bytes_of_the_file(content, encoding, window, block):
    content = b"a,b\n" + content
    with (
        source_with(content, format="csv", encoding=encoding, compression="") as source,
        cut_small(window, block),
    ):
        found, _ = outcome(rows_of(source))
        wanted, _ = outcome(oracle(content, source))
        for row, (line, cells, defect) in zip(found, wanted, strict=False):
            as_text = [source.decode(cell, "surrogateescape") for cell in row.cells]
            assert row.line == line
            # Text in UTF-8 in a CP949 file is written as it reads.
            assert encoding == "cp949" or as_text == cells or "UTF-8" in defect


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=8).filter(lambda data: not set(data) & set(b'\0",\r\n'))))
def test_bytes_of_another_encoding_reject_their_own_row_only(encoding, cells):
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
                    assert defect in ("", "text in UTF-8 in a CP949 file")


def test_a_long_row_is_refused_where_it_begins():
    row = b'1,"' + b"x\n" * 700_000 + b'"\n'
    with source_of(b"a,b\n" + b"1,2\n" * 9 + row + b"3,4\n") as source:
        expected = "dump.csv, line 11: the row that begins here is longer than 1 MiB"
        assert str(outcome(imported(source))[1]).startswith(expected)
