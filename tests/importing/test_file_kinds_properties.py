"""Any table in any dialect and encoding gives the same rows."""

import csv
import io
import json
import tempfile
from pathlib import Path

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from incidents.importing import examining, json_documents, reading
from incidents.importing.blocks import blocks_of
from incidents.importing.common_hangul import COMMON_HANGUL
from incidents.importing.escaped_rows import parsed
from incidents.importing.formats.base import Dialect
from incidents.importing.formats.converted_rows import ConvertedRows
from incidents.importing.reading import Declared, ImportRefusedError
from incidents.importing.rows import RowReader

PLAIN = st.sampled_from(list("aZ09 .@-_\"',;|\t\\\n"))
KOREAN = st.sampled_from(sorted(COMMON_HANGUL))
# Characters whose second byte is a letter, a bar or a backslash in at least one encoding.
JAPANESE = st.sampled_from("ソ能表予申十あアー佐藤太郎一")
CHINESE = st.sampled_from("王小明陳大文功許蓋")
WESTERN = st.sampled_from("éßÀñçø")
ALPHABETS = {
    "utf-8": KOREAN | JAPANESE | WESTERN,
    "utf-8-sig": KOREAN | CHINESE,
    "utf-16": KOREAN | JAPANESE | WESTERN,
    "utf-16-le": KOREAN | WESTERN,
    "utf-16-be": KOREAN | CHINESE,
    "cp949": KOREAN,
    "johab": KOREAN,
    "iso-2022-kr": KOREAN,
    "shift_jis": JAPANESE,
    "euc-jp": JAPANESE,
    "iso-2022-jp": JAPANESE,
    "gb18030": CHINESE | JAPANESE,
    "windows-1252": WESTERN,
    "iso-8859-15": WESTERN,
}
ENCODINGS = st.sampled_from(sorted(ALPHABETS))
DETECTED = ("utf-8", "utf-8-sig", "utf-16")


def tables(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    return st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.text(alphabet, max_size=6), min_size=width, max_size=width),
            min_size=1,
            max_size=6,
        )
    )


ENCODED_TABLES = ENCODINGS.flatmap(
    lambda encoding: st.tuples(st.just(encoding), tables(PLAIN | ALPHABETS[encoding]))
)


def header_of(table: list[list[str]]) -> list[str]:
    return [f"column{number}" for number in range(len(table[0]))]


def read(content: bytes, declared: Declared, window: int) -> list[tuple[list[str], str]]:
    before, reading.READ_BYTES = reading.READ_BYTES, window
    try:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "dump"
            path.write_bytes(content)
            source = examining.examine(path, declared=declared)
            reader = RowReader(source)
            return [
                (cells, defect)
                for block in blocks_of(source)
                for _, cells, defect in reader.rows(block)
            ]
    finally:
        reading.READ_BYTES = before


@settings(max_examples=300, deadline=None)
@given(
    ENCODED_TABLES,
    st.sampled_from([",", ";", "\t", "|", "^"]),
    st.sampled_from(['"', "'"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(4, 40),
)
@example(("utf-16-be", [["문글대"] * 2]), ",", '"', csv.QUOTE_ALL, "\n", 4)  # zeros of U+AE00
@example(("euc-jp", [["佐佐佐佐"] * 2]), ",", '"', csv.QUOTE_ALL, "\n", 4)  # 병 in CP949
def test_any_table_is_read_as_it_was_written(encoded, separator, quote, quoting, end, window):
    encoding, table = encoded
    assume(end == "\n" or not any("\n" in cell for row in table for cell in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quotechar=quote, quoting=quoting)
    writer.writerows([header_of(table), *table])
    text = out.getvalue().replace("\r\n", end)
    declared = Declared(
        encoding="" if encoding in DETECTED else encoding,
        separator=separator,
        quote=quote,
        escape="",
    )

    found = read(text.encode({"shift_jis": "cp932"}.get(encoding, encoding)), declared, window)
    assert all(defect == "" or defect.startswith("text in UTF-8 in") for _, defect in found)
    assert [cells for cells, _ in found] == [row for row in table if row != [""]]


def escaped(cell: str, separator: str, quote: str, letters: bool) -> str:
    """Returns a cell as MySQL writes it, or with letters for breaks as PostgreSQL does."""
    named = {"\n": "n", "\t": "t"} if letters else {}
    signs = {"\\", "\n", separator, quote} | set(named)
    inner = "".join("\\" + named.get(sign, sign) if sign in signs else sign for sign in cell)
    return f"{quote}{inner}{quote}"


@settings(max_examples=300, deadline=None)
@given(
    tables(PLAIN | KOREAN),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(['"', ""]),
    st.booleans(),
    st.integers(1, 30),
)
def test_any_table_with_escapes_is_read_as_it_was_written(table, separator, quote, letters, size):
    table = [row for row in table if any(row)]
    lines = [
        separator.join(escaped(cell, separator, quote, letters) for cell in row) for row in table
    ]
    text = "".join(line + "\n" for line in lines)
    pieces = (text[at : at + size] for at in range(0, len(text), size))

    converted = b"".join(parsed(pieces, Dialect(separator, quote, "\\"), name="dump")).decode()
    found = list(ConvertedRows().rows(converted, 1, ()))
    assert [(cells, defect) for _, cells, defect in found] == [(row, "") for row in table]
    assert [line for line, _, _ in found] == [
        1 + sum(before.count("\n") + 1 for before in lines[:number]) for number in range(len(lines))
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('"\\{}[],:\n\u00e9가', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"', max_size=2), inner),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.text('ab"{', max_size=3), VALUES, max_size=3), max_size=5)


@settings(max_examples=300, deadline=None)
@given(OBJECTS, st.booleans(), st.sampled_from([None, 1]), st.booleans(), st.integers(1, 30))
def test_any_json_document_is_cut_into_its_objects(objects, is_array, indent, ascii_only, size):
    texts = [json.dumps(one, indent=indent, ensure_ascii=ascii_only) for one in objects]
    text = f"[{','.join(texts)}]" if is_array else "\n".join(texts)
    pieces = (text[at : at + size] for at in range(0, len(text), size))

    assert list(json_documents.objects_in(pieces, "dump")) == texts


@settings(max_examples=300, deadline=None)
@given(st.text('[]{}",:\\ a1\n', max_size=40), st.integers(1, 10))
def test_any_text_is_cut_into_objects_or_refused(text, size):
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    try:
        found = list(json_documents.objects_in(pieces, "dump"))
    except ImportRefusedError:
        return
    assert all(one.startswith("{") and one.endswith(("}", "]")) for one in found)
