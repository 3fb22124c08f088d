"""Files as companies really send them are read, or refused by what they are and the way out."""

import bz2
import gzip
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from incidents.importing import block_worker, examining, loading, mapping
from incidents.importing.blocks import blocks_of
from incidents.importing.reading import ImportRefusedError, Source
from incidents.importing.refusals import translate_refusal
from incidents.importing.rows import RowReader
from incidents.models import AffectedPerson, ExposureFile
from tests.import_factory import import_and_report, read_reject_file
from tests.korean_messages import in_korean

MESSY = Path(__file__).parent / "messy"
MAPPING = """
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "mobile"
contact_leaked = ["name", "email", "phone"]
"""
HEADER = "member_id,name,email,mobile,joined_on"
FIRST = ["1000", "김민준", "user0@naver.example", "010-1234-5000", "2025-11-18"]
TABLE = "member_id,name,email,mobile\n7,김민지,minji@example.com,010-1234-5678\n8,서준,,\n"
ROWS = [["7", "김민지", "minji@example.com", "010-1234-5678"], ["8", "서준", "", ""]]


def examined(path: Path, keys: str = "", encoding: str = "") -> Source:
    parsed = mapping.parse(keys + MAPPING, name="mapping")
    source = examining.examine(path, encoding, parsed.declared())
    parsed.check_source(source)
    return source


def rows(source: Source) -> list[tuple[int, list[str], str]]:
    reader = RowReader(source)
    return [row for block in blocks_of(source) for row in reader.rows(block)]


def read(content: bytes, tmp_path: Path, keys: str = "", name: str = "members.csv"):
    """Returns the cells of all rows, none of which may be faulty."""
    path = tmp_path / name
    path.write_bytes(content)
    found = rows(examined(path, keys))
    assert not any(defect for _, _, defect in found)
    return [cells for _, cells, _ in found]


def refusal(path: Path, keys: str = "", encoding: str = "") -> str:
    """Returns why a file is refused; the sentence is translated and begins with the file."""
    with pytest.raises(ImportRefusedError) as caught:
        rows(examined(path, keys, encoding))
    message = str(caught.value)
    assert message.startswith(path.name)
    assert "\n" not in message
    in_korean(message, translate_refusal)
    return message


def refusal_of(content: bytes, tmp_path: Path, keys: str = "", name: str = "members.csv") -> str:
    path = tmp_path / name
    path.write_bytes(content)
    return refusal(path, keys)


# ---------------------------------------------------------------- the collected files


@pytest.mark.parametrize(
    ("name", "first_line"),
    [
        ("15a_array.json", 1),
        ("15b_cr_only.csv", 2),
        ("15c_sep_line.csv", 3),
        ("15d_header_case.csv", 2),
        ("15i_gzip_of_gzip.csv.gz", 2),
        ("16a_excel_unicode.txt", 2),
        ("16b.tsv", 2),
        ("16d.zip", 2),
        ("18_trailing_comma.csv", 2),
    ],
)
def test_a_messy_file_is_read(name, first_line):
    found = rows(examined(MESSY / name))

    assert [line for line, _, _ in found] == list(range(first_line, first_line + 20))
    assert {defect for _, _, defect in found} == {""}
    assert found[0][1] == FIRST


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("04_enc_cp1252q.csv", "looks like windows-1252, which is a guess: if the names"),
        ("04_enc_latin1pt.csv", "may be windows-1252 or "),
        ("04_enc_sjis.csv", 'encoding = "shift_jis"'),
        ("04_enc_johab.csv", 'encoding = "johab"'),
        ("04_enc_iso2022kr.csv", 'encoding = "iso-2022-kr"'),
        ("10_mysql_outfile_escapes.csv", "escape = '\\' in the mapping, or escape = ''"),
        ("11a_single_quotes.csv", 'quote = "\'" in the mapping'),
        ("14a_mongo.jsonl", "email holds objects or lists"),
        ("15h_html.xls", "an HTML page, whatever its name says"),
        ("16g_encrypted.xlsx", "an encrypted spreadsheet; save it without a password"),
    ],
)
def test_a_messy_file_is_refused_with_the_way_out(name, says):
    assert says in refusal(MESSY / name)


@pytest.mark.parametrize(
    ("name", "encoding", "names"),
    [
        ("04_enc_cp1252q.csv", "windows-1252", ["O’Connor", "D’Angelo"]),
        ("04_enc_latin1pt.csv", "latin1", ["JOÃO SÃO", "ÅSA"]),
        ("04_enc_sjis.csv", "Shift_JIS", ["佐藤太郎", "鈴木一郎"]),
        ("04_enc_johab.csv", "johab", ["김민준", "이서연"]),
        ("04_enc_iso2022kr.csv", "ISO-2022-KR", ["김민준", "이서연"]),
    ],
)
def test_an_encoding_that_is_declared_is_read(name, encoding, names):
    found = rows(examined(MESSY / name, f'encoding = "{encoding}"\n'))

    assert [cells[1] for _, cells, _ in found][:2] == names
    assert {defect for _, _, defect in found} == {""}


@pytest.mark.parametrize(
    ("name", "said", "found"),
    [
        ("04_enc_sjis.csv", "cp949", "shift_jis"),
        ("04_enc_cp1252q.csv", "cp949", "windows-1252"),
        ("04_enc_cp1252q.csv", "iso-8859-1", "windows-1252"),
        ("16b.tsv", "windows-1252", "utf-8"),
        ("16b.tsv", "utf-16-le", "utf-8"),
        ("04_enc_mix3.csv", "big5", "cp949"),
    ],
)
def test_a_wrong_declaration_is_refused(name, said, found):
    assert f"said to be {said}, but its bytes are {found}" in refusal(MESSY / name, encoding=said)


def test_lines_of_utf8_in_a_cp949_file_are_rejected():
    found = {line: defect for line, _, defect in rows(examined(MESSY / "04_enc_mix3.csv"))}
    lines = (MESSY / "04_enc_mix3.csv").read_bytes().split(b"\n")

    for line, defect in found.items():
        try:
            lines[line - 1].decode()
        except UnicodeDecodeError:
            assert not defect
        else:
            assert defect in ("undecodable bytes", "text in UTF-8 in a CP949 file")


@pytest.mark.parametrize("name", ["Renôe", "Lãe", "Kim Antônio"])
def test_a_single_letter_of_utf8_in_a_cp949_file_is_rejected(tmp_path, name):
    korean = "member_id,name,email,mobile,joined_on\n" + "7,김민지,,,\n" * 20
    path = tmp_path / "mixed.csv"
    path.write_bytes(korean.encode("cp949") + f"8,{name},,,\n".encode())
    [*others, (_line, _cells, defect)] = rows(examined(path))

    assert defect == "text in UTF-8 in a CP949 file"
    assert not any(defect for _line, _cells, defect in others)


@pytest.mark.parametrize("name", ["08a_cat_two_boms.csv", "08b_cat_header_case.csv"])
def test_a_second_header_is_recognised(name):
    [line] = [line for line, _, defect in rows(examined(MESSY / name)) if defect == "header"]
    assert line > 2


@pytest.mark.parametrize(
    "header",
    [
        "\ufeffMEMBER_ID, Name ,E-mail,mobile,joined_on",
        "email,mobile,member_id,name,joined_on",
        "ＭＥＭＢＥＲ_ＩＤ,name,email,mobile,other",
        '"member_id","name","email","mobile","joined_on"',
        "name,email,mobile",
    ],
)
def test_a_second_header_in_another_form_is_recognised(tmp_path, header):
    path = tmp_path / "joined.csv"
    path.write_text(f"{HEADER}\n7,김민지,,,\n{header}\n8,서준,,,\n", encoding="utf-8")

    found = rows(examined(path))
    assert [line for line, _, defect in found if defect == "header"] == [3]


def test_escapes_are_read_when_they_are_declared():
    found = rows(examined(MESSY / "10_mysql_outfile_escapes.csv", "escape = '\\'\n"))

    assert [(line, *cells[1:4]) for line, cells, _ in found] == [
        (2, '홍 "길" 동', "a@b.example", "010-1234-5678"),
        (3, "김, 철수", "b@b.example", ""),
        (4, "이\n영희", "c@b.example", "010-1234-5670"),
        (6, "박\\", "d@b.example", "010-1234-5671"),
        (7, "정상", "e@b.example", "010-1234-5672"),
    ]


def test_single_quotes_are_read_when_they_are_declared():
    found = rows(examined(MESSY / "11a_single_quotes.csv", 'quote = "\'"\n'))

    assert found[0] == (2, ["0", "김민준0", "u0@b.example", "010-1234-5000", "2025-11-18"], "")


def test_other_quotes_than_declared_are_refused(tmp_path):
    content = TABLE.replace("김민지", '"김민지"').replace("서준", '"서준"').replace("8", '"8"')

    message = refusal_of(content.encode(), tmp_path, 'quote = "\'"\n')
    assert "cells stand in double quotes" in message


def test_a_duplicate_key_is_rejected():
    [row] = rows(examined(MESSY / "14b_duplicate_keys.jsonl"))

    assert row[2] == "a key occurs twice"


def test_nan_and_infinity_are_blank():
    first, second = rows(examined(MESSY / "14d_nan.jsonl"))

    assert dict(zip(examined(MESSY / "14d_nan.jsonl").header, first[1], strict=True)) == {
        "member_id": "1",
        "name": "",
        "email": "",
        "mobile": "",
        "joined_on": "",
    }
    assert second[2] == ""


def test_a_spreadsheet_is_read_by_its_rows():
    source = examined(MESSY / "16e.xlsx")

    assert (source.format, source.encoding) == ("spreadsheet", "utf-8")
    assert rows(source) == [
        (2, ["70000001", "김민준", "a@b.example", "1012345678", "2025-11-18", ""], ""),
        (3, ["007", "이서연", "b@b.example", "010-1234-5679", "2025-11-18", "x\ny"], ""),
        (4, ["1.5", "박", "c@b.example", "821012345678", "45979", ""], ""),
    ]


def test_an_old_spreadsheet_is_read():
    assert rows(examined(MESSY / "16f_old_excel.xls")) == [
        (2, ["7", "김민지", "minji@example.com", "010-1234-5678", "2025-11-18"], "")
    ]


# ---------------------------------------------------------------- files of the same kinds


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(*sheets: list[Any], names: str = "ABC") -> bytes:
    """Returns a minimal xlsx file with these rows; None leaves a cell out."""

    def cell(place: str, value: object) -> str:
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        return "" if value is None else f'<c r="{place}"><v>{value}</v></c>'

    def sheet(table: list[list[object]]) -> str:
        lines = (
            f'<row r="{number}">'
            + "".join(cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(row))
            + "</row>"
            for number, row in enumerate(table, 1)
            if row
        )
        return f'<worksheet xmlns="{space}"><sheetData>{"".join(lines)}</sheetData></worksheet>'

    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{relations}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{relations}"><sheets>'
        + "".join(f'<sheet name="{names[n - 1]}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{relations}/worksheet" Target="worksheets/s{n}.xml"/>'
            for n in numbers
        )
        + "</Relationships>",
        **{
            f"xl/worksheets/s{n}.xml": sheet(table)
            for n, table in zip(numbers, sheets, strict=True)
        },
    }
    return zipped(**{name: text.encode() for name, text in parts.items()})


SHEET: list[list[object]] = [
    ["member_id", "name", "email", "mobile"],
    [7, "김민지", "minji@example.com", None],
]


def test_a_sheet_may_have_a_title_and_blank_rows_above_its_header(tmp_path):
    path = tmp_path / "members.xlsx"
    path.write_bytes(workbook([[], ["Members, November"], [], *SHEET, [], [8.0, "a\nb", 1.5, 1e3]]))

    assert rows(examined(path)) == [
        (5, ["7", "김민지", "minji@example.com", ""], ""),
        (7, ["8", "a\nb", "1.5", "1000"], ""),
    ]


def test_one_of_several_sheets_is_named(tmp_path):
    content = workbook(SHEET, [["other"]], [])

    assert "several sheets are filled (A, B)" in refusal_of(content, tmp_path)
    assert read(content, tmp_path, 'sheet = "A"\n') == [["7", "김민지", "minji@example.com", ""]]
    assert "no sheet is named 'X'; it has A, B, C" in refusal_of(content, tmp_path, 'sheet = "X"\n')
    assert "a spreadsheet without cells" in refusal_of(workbook([], []), tmp_path)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(m=data)])
def test_a_packed_spreadsheet_is_read(tmp_path, pack):
    assert read(pack(workbook(SHEET)), tmp_path) == [["7", "김민지", "minji@example.com", ""]]


def test_a_sheet_that_claims_billions_of_cells_is_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    sheet = b'<c r="XFD1048576"><v>1</v></c>'
    source = zipfile.ZipFile(io.BytesIO(workbook([["member_id"]])))
    parts = {name: source.read(name) for name in source.namelist()}
    name = "xl/worksheets/s1.xml"
    parts[name] = parts[name].replace(b"</row>", b'</row><row r="1048576">' + sheet + b"</row>")
    path.write_bytes(zipped(**parts))

    assert "damaged, or far too large" in refusal(path)


def test_an_encrypted_workbook_is_named(tmp_path):
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600_000)
    name = "EncryptedPackage".encode("utf-16-le").ljust(64, b"\0")  # [MS-CFB] pads it

    message = refusal_of(ole + name, tmp_path)
    assert "an encrypted spreadsheet; save it without a password" in message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(a=b"x", b=b"y"), "a ZIP file with 2 files (a, b), where one is needed"),
        (zipped(), "a ZIP file with 0 files ()"),
        (zipped(**{"__MACOSX/._a": b"x"}), "a ZIP file with 0 files"),
        (zipped(**{"word/document.xml": b"x"}), "a Word document"),
        (zipped(a=b""), "nothing inside the zip file"),
        (b"PK\x03\x04 and nothing else", "the zip data is cut short or damaged"),
        (zipped(a=TABLE.encode())[:-30], "the zip data is cut short or damaged"),
        (zipped(a=zipped(b=zipped(c=zipped(d=b"x")))), "compressed more than three times"),
        (b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'>",
         "an XML spreadsheet of 2003"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html>", "an HTML page"),
        (b"<?xml version='1.0'?><members><member id='7'/></members>", "an XML file"),
        (b"-- MySQL dump 10.13\n\nINSERT INTO `m` VALUES (7,'x');\n", "a dump of SQL statements"),
        (b"PGDMP\x01", "a dump of pg_dump"),
        (b" id | name \n----+------\n  7 | x\n(1 row)\n", "a table drawn for reading"),
        (b"+----+------+\n| id | name |\n+----+------+\n| 7  | x    |\n", "a table drawn for"),
        (b"id,name\n--,----\n7,x\n", "a table drawn for reading"),
        (b"| id | name |\n|----|------|\n| 7 | x |\n", "a table drawn for reading"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"{\\rtf1\\ansi", "an RTF document"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"BEGIN:VCARD\n", "a vCard file"),
        (bz2.compress(b"x"), "compressed with bzip2"),
        (gzip.compress(bz2.compress(b"x")), "inside gzip: compressed with bzip2"),
    ],
)  # fmt: skip
def test_another_kind_of_file_is_named(tmp_path, content, says):
    assert says in refusal_of(content, tmp_path)


def test_an_encrypted_zip_file_is_named(tmp_path):
    content = bytearray(zipped(a=TABLE.encode()))
    content[6] |= 1  # the flag in the header of the member, and in the directory
    content[content.rfind(b"PK\x01\x02") + 8] |= 1

    assert "an encrypted ZIP file" in refusal_of(bytes(content), tmp_path)


def test_a_zip_file_of_windows_with_deflate64_is_named(tmp_path):
    content = bytearray(zipped(a=TABLE.encode()))
    content[8] = content[content.rfind(b"PK\x01\x02") + 10] = 9

    assert "an unknown kind of compression" in refusal_of(bytes(content), tmp_path)


def test_a_zip_bomb_is_refused(tmp_path):
    content = zipped(a=b"member_id,name,email,mobile\n" + b"7,x,,\n" * 20_000_000)

    assert "more than 300 times its size" in refusal_of(content, tmp_path)


@pytest.mark.parametrize(
    "pack",
    [
        lambda data: zipped(**{"a.csv": data, "__MACOSX/._a.csv": b"x", "b/.DS_Store": b"x"}),
        lambda data: zipped(**{"a.csv.gz": gzip.compress(data)}),
        lambda data: gzip.compress(zipped(**{"a.csv": data})),
        lambda data: zstandard.compress(gzip.compress(data)),
    ],
)
def test_layers_of_compression_are_read(tmp_path, pack):
    assert read(pack(TABLE.encode()), tmp_path) == ROWS


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_certain_encoding_needs_no_declaration(tmp_path, encoding, end):
    assert read(TABLE.replace("\n", end).encode(encoding), tmp_path) == ROWS


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("gb18030", "王小明"),
        ("big5", "陳大文"),
        ("euc-jp", "鈴木さん"),
        ("shift_jis", "ソ表能"),
        ("iso-2022-jp", "鈴木"),
        ("johab", "김민준"),
        ("windows-1252", "Zoë “O’Hara”"),
        ("iso-8859-15", "Zoë €"),
        ("windows-1251", "Иван"),
    ],
)
def test_a_declared_encoding_is_read_and_an_undeclared_one_is_refused(tmp_path, encoding, name):
    content = TABLE.replace("김민지", name).replace("서준", name).replace(",", "|")
    data = content.encode({"shift_jis": "cp932"}.get(encoding, encoding))

    found = read(data, tmp_path, f'encoding = "{encoding}"\nseparator = "|"\n')
    assert [cells[1] for cells in found] == [name, name]
    message = refusal_of(data, tmp_path)
    assert "neither UTF-8 nor CP949 text" in message


@pytest.mark.parametrize("declared", ["windows-1252", "iso-8859-1"])
def test_a_korean_word_that_repeats_refuses_a_western_encoding(tmp_path, declared):
    rows = "".join(f"{line},Kim{line},,{'남여'[line % 2]}\n" for line in range(100))
    data = f"{HEADER}\n{rows}".encode("cp949")
    message = refusal_of(data, tmp_path, f'encoding = "{declared}"\n')
    assert "its bytes are cp949" in message


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("windows-1252", "LEGO® Wars™ Mon–Fri Disney© Pokémon® Preis€"),
        ("windows-1252", "l'Église D'Étienne O‘Brien d’Été l'Île O‘Neil D‘Arcy"),
        ("windows-1252", "ÉricÉtienne LéaÉlise ZoëÉmile ÉvaÎsa AnaÉlla JoÉric"),
        ("windows-1251", "VIPклиент USBкабель SMSрассылка CDдиск DVDфильм WEBсайт"),
        ("windows-1251", "ИвановИван ПетровПётр СидоровСидор АннаИванова ЮрийИванов ОльгаЮ"),
        ("windows-1254", "ÖÇŞ ÜŞÇ ĞÜÖ İŞÇ ÇŞİ ŞÖÜ"),
        ("windows-1252", "ÀÈÉÎÔÛ " * 9),  # one value that repeats
    ],
)
def test_words_with_odd_signs_are_no_proof_of_another_encoding(tmp_path, encoding, words):
    text = "".join(f"{line},{word},,\n" for line, word in enumerate(words.split()))
    data = f"member_id,name,email,mobile\n{text}".encode(encoding)

    found = read(data, tmp_path, f'encoding = "{encoding}"\n')
    assert [cells[1] for cells in found] == words.split()


@pytest.mark.parametrize("encoding", ["shift_jis", "gb18030", "big5", "utf-16-le", "johab"])
def test_an_undecodable_byte_of_a_converted_file_rejects_its_row(tmp_path, encoding):
    bad = {"utf-16-le": b"\x00\xd8", "shift_jis": b"\x81 "}.get(encoding, b"\xff")
    name = {"johab": "김민준", "utf-16-le": "김민준"}.get(encoding, "山田")
    lines = [f"{number},{name},,".encode(encoding) for number in range(9)]
    lines[3] = lines[3].replace("3,".encode(encoding), "3,".encode(encoding) + bad)
    text = [HEADER[:27].encode(encoding), *lines]
    path = tmp_path / "members.csv"
    path.write_bytes("\n".encode(encoding).join(text))

    found = rows(examined(path, f'encoding = "{encoding}"\n'))
    assert [line for line, _, defect in found if defect == "undecodable bytes"] == [5]
    assert len(found) == 9


@pytest.mark.parametrize("name", ["CONCEIÇÃO", "ASSUNÇÃO E GLÓRIA", "ENCARNAÇÃO", "AÇÕES"])
def test_accented_capitals_are_not_taken_for_korean(tmp_path, name):
    content = TABLE.replace("김민지", name).replace("서준", name).encode("windows-1252")

    assert 'encoding = "windows-1252"' in refusal_of(content, tmp_path)


@pytest.mark.parametrize("name", ["김민지", "Zoë", "€uro"])
def test_text_that_was_encoded_twice_is_refused(tmp_path, name):
    content = TABLE.replace("김민지", name).replace("서준", name).encode()
    twice = b"".join(
        (bytes([byte]).decode("windows-1252", "ignore") or chr(byte)).encode() for byte in content
    )

    assert "was encoded as UTF-8 twice" in refusal_of(twice, tmp_path)
    assert "was encoded as UTF-8 twice" in refusal_of(b"\xef\xbb\xbf" + twice, tmp_path)


def test_an_undecodable_byte_in_a_column_that_is_not_used_costs_nothing(tmp_path):
    path = tmp_path / "members.csv"
    text = "member_id,label,name,email,mobile\n7,김,민지,,\n8,서,준,,\n".encode()
    path.write_bytes(text.replace("서".encode(), b"\xff\xfe"))

    assert [defect for _, _, defect in rows(examined(path))] == ["", ""]
    assert [defect for _, _, defect in rows(examined(path, "strict = true\n"))] == [
        "",
        "undecodable bytes",
    ]


# ---------------------------------------------------------------- separators and columns


@pytest.mark.parametrize("separator", [";", "\t", "|", "^"])
def test_a_declared_separator_is_read(tmp_path, separator):
    content = TABLE.replace(",", separator).encode()

    assert read(content, tmp_path, f"separator = {json.dumps(separator)}\n") == ROWS


def test_columns_that_two_separators_could_divide_are_refused(tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("a,b;c,d\n1,2;3,4\n")

    with pytest.raises(ImportRefusedError, match=r'could be separated by "," ";"; write'):
        examining.examine(path)
    with pytest.raises(ImportRefusedError, match="the header lacks member_id"):
        examined(path, 'separator = ";"\n')


def test_a_semicolon_in_every_value_separates_nothing(tmp_path):
    content = TABLE.replace("김민지", "김;민지").replace("서준", "서;준")

    assert [cells[1] for cells in read(content.encode(), tmp_path)] == ["김;민지", "서;준"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_separator_in_the_first_line_is_taken(tmp_path, line):
    content = f"{line}\r\n" + TABLE.replace(",", ";").replace("\n", "\r\n")

    assert read(content.encode(), tmp_path) == ROWS


def test_a_file_without_header_is_read_by_position(tmp_path):
    keys = 'columns = ["member_id", "name", "email", "mobile"]\n'
    body = TABLE.partition("\n")[2]

    assert read(body.encode(), tmp_path, keys) == ROWS
    assert "the file has a header; remove columns" in refusal_of(TABLE.encode(), tmp_path, keys)
    other = TABLE.replace("member_id,name,email,mobile", "번호,이름,메일,전화")
    assert "the file has a header; remove columns" in refusal_of(other.encode(), tmp_path, keys)
    wrong = body.replace(",", ",x,") * 2
    assert "4 columns are named, but the row has" in refusal_of(wrong.encode(), tmp_path, keys)


def test_a_file_whose_rows_have_all_another_width_is_refused(tmp_path):
    content = TABLE.partition("\n")[0] + "\n" + "7,김민지,,,x\n" * 3

    message = refusal_of(content.encode(), tmp_path)
    assert "line 2: 4 columns are named, but the row has 5 cells" in message


def test_one_filled_cell_too_many_is_rejected_also_beside_blank_ones(tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("member_id,name,email,mobile\n" + "7,김,,,\n" * 30 + "8,서,준,,\n9,지,호,,x\n")

    found = rows(examined(path))
    assert {defect for _, _, defect in found[:30]} == {""}
    assert [defect for _, _, defect in found[31:]] == ["wrong number of columns"]


def test_a_row_that_lacks_a_cell_is_rejected_also_if_all_rows_have_one_too_many(tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("member_id,name,email,mobile\n" + "7,김,,010,\n" * 30 + "8,서준,010,\n")

    assert rows(examined(path))[-1][2] == "wrong number of columns"


def test_a_single_row_with_a_blank_cell_too_many_is_rejected(tmp_path):
    """A comma in a name may have moved all later cells."""
    path = tmp_path / "members.csv"
    path.write_text(TABLE + "9,Kim, Jiho,jiho@example.com,\n")

    assert rows(examined(path))[-1][2] == "wrong number of columns"


@pytest.mark.parametrize(
    "header",
    [
        "MEMBER_ID,Name,E-MAIL,mobile",
        "member_id,name , email,mobile",
        "ＭＥＭＢＥＲ_id,name,email,mobile",
    ],
)
def test_names_match_without_case_form_and_spaces(tmp_path, header):
    content = TABLE.replace("member_id,name,email,mobile", header.replace("E-MAIL", "EMAIL"))

    assert read(content.encode(), tmp_path) == ROWS


def test_a_decomposed_korean_header_matches(tmp_path):
    import unicodedata

    path = tmp_path / "members.csv"
    header = unicodedata.normalize("NFD", "회원번호")
    path.write_text(f"{header},이름\n7,김민지\n", encoding="utf-8")
    text = '[person]\nrelation = "member"\nreference = "회원번호"\n'

    source = examining.examine(path, declared=mapping.parse(text, name="mapping").declared())
    assert source.header == ["회원번호", "이름"]


def test_columns_alike_are_refused_only_if_they_are_used(tmp_path):
    assert read(b"x,x,member_id,name,email,mobile\n1,2,7,,,\n", tmp_path) == [
        ["1", "2", "7", "", "", ""]
    ]
    message = refusal_of(b"name,name,member_id,email,mobile\n1,2,7,,\n", tmp_path)
    assert "names columns 1, 2 alike" in message
    message = refusal_of(b"Name,NAME,member_id,email,mobile\n1,2,7,,\n", tmp_path)
    assert "names columns 1, 2 alike" in message


# ---------------------------------------------------------------- escapes


def test_the_text_format_of_postgresql_is_read(tmp_path):
    content = "member_id\tname\temail\tmobile\n7\ta\\tb\\\\c\\nd\t\\N\t010\n8\tx\t\ty\n\\.\n"

    assert read(content.encode(), tmp_path, "escape = '\\'\n") == [
        ["7", "a\tb\\c\nd", "", "010"],
        ["8", "x", "", "y"],
    ]
    assert "where MySQL and PostgreSQL write them" in refusal_of(content.encode(), tmp_path)


def test_a_dump_of_mysql_without_header_is_read(tmp_path):
    keys = 'columns = ["member_id", "name", "email", "mobile"]\nescape = \'\\\'\n'
    content = "7\tA\\\tB\\\nC\t\\N\t010\n8\tx\t\t\n"

    assert read(content.encode(), tmp_path, keys) == [
        ["7", "A\tB\nC", "", "010"],
        ["8", "x", "", ""],
    ]


def test_a_backslash_in_a_cell_that_ends_after_the_sample_is_no_escape(tmp_path):
    content = TABLE + "9,x,,\n" * 300 + '9,"' + "a\\q\n" * 60_000 + '",,\n'

    assert len(read(content.encode(), tmp_path)) == 303


def test_a_header_that_is_too_long_is_refused(tmp_path):
    message = refusal_of(b"x" * 200_000 + b",y\n1,2\n", tmp_path)
    assert "line 1: the row that begins here is longer" in message
    wide: list[object] = ["y" * 30_000 for _ in range(10)]
    assert "line 1: the row" in refusal_of(workbook([wide, [1, 2]]), tmp_path)


def test_a_backslash_may_belong_to_the_values(tmp_path):
    content = TABLE.replace("김민지", "A\\B")
    assert read(content.encode(), tmp_path)[0][1] == "A\\B"

    content = TABLE.replace("김민지", "A\\nB")
    assert read(content.encode(), tmp_path, "escape = ''\n")[0][1] == "A\\nB"


def test_a_misplaced_quote_in_a_file_with_escapes_rejects_its_line(tmp_path):
    path = tmp_path / "members.csv"
    path.write_text(TABLE + '9,"Ji"ho,,\n10,"a\\"b\nc",,\n', encoding="utf-8")

    found = rows(examined(path, "escape = '\\'\n"))
    assert found[2] == (4, ['9,"Ji"ho,,'], "misplaced quote")
    assert found[3] == (5, ["10", 'a"b\nc', "", ""], "")


def test_an_escaped_file_cut_short_is_refused(tmp_path):
    content = TABLE + '9,"Jiho'

    message = refusal_of(content.encode(), tmp_path, "escape = '\\'\n")
    assert "line 4: the row that begins here ends inside a quote" in message


# ---------------------------------------------------------------- JSON


OBJECTS: list[dict[str, object]] = [
    {"member_id": 7, "name": '김{민"지', "email": "[x]", "mobile": None},
    {"member_id": "8"},
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2, ensure_ascii=False),
        "\n".join(json.dumps(one, indent=1) for one in OBJECTS),
        "\n[" + ",\n".join(map(json.dumps, OBJECTS)) + "]\n",
        "".join(json.dumps(one) + "\n" for one in OBJECTS),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_json_document_is_read(tmp_path, text, encoding):
    path = tmp_path / "members.json"
    path.write_bytes(text.encode(encoding))

    found = rows(examined(path))
    assert found == [
        (1 + text.startswith("\n{"), ["7", '김{민"지', "[x]", ""], ""),
        (2, ["8", "", "", ""], ""),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (json.dumps(OBJECTS)[:-1], "object 3: the file ends here too early"),
        (json.dumps(OBJECTS)[:-9], "object 2: the file ends here too early"),
        ('[{"member_id": 7}, 8]', "object 2: something else than an object"),
        ('[{"member_id": 7}] [', "object 2: something else than an object"),
        ('[{"member_id": 7, "x": "' + "x" * (1 << 20) + '"}]', "longer than"),
        ('{"rows": [\n' + '{"member_id": 7},\n' * 90_000 + "]}", "inside another object"),
        ("[" + '{"a":' * 300_000, "inside another object"),
        ("[]", "no rows"),
    ],
)
def test_a_json_document_that_cannot_be_read_is_refused(tmp_path, text, says):
    assert says in refusal_of(text.encode(), tmp_path, name="members.json")


def test_a_nested_contact_is_rejected(tmp_path):
    path = tmp_path / "members.jsonl"
    lines = [{"member_id": number, "name": "x", "email": "", "mobile": ""} for number in range(5)]
    lines[3]["email"] = ["minji@example.com"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert [defect for _, _, defect in rows(examined(path))][3] == "email is no single text"


# ---------------------------------------------------------------- the whole way


def test_a_converted_file_is_loaded_and_its_rejects_come_back(incident, tmp_path, db, settings):
    path = tmp_path / "members.txt"
    text = (TABLE + "9,지\udc80호,,\n,민지,,\n").replace(",", "\t").replace("\n", "\r\n")
    path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le", "surrogatepass"))

    report = import_and_report(path, incident=incident, mapping_text=MAPPING)
    assert (report.rows_read, report.rows_taken) == (4, 2)
    assert report.reject_file
    header, *rejected = read_reject_file(report.reject_file)
    assert header == ["line", "reason", "member_id", "name", "email", "mobile"]
    assert [row[:2] for row in rejected] == [["4", "undecodable bytes"], ["5", "missing member_id"]]

    corrected = report.reject_file.read_text(encoding="utf-8-sig").replace("\\xff", "")
    again = tmp_path / "corrected.csv"
    again.write_text(corrected.replace("member_id,,", "member_id,10,"), encoding="utf-8")
    assert import_and_report(again, incident=incident, mapping_text=MAPPING).rows_taken == 2


def test_a_large_converted_file_is_read_by_worker_processes(incident, tmp_path, db, settings):
    path = tmp_path / "members.txt"
    lines = [f"{number}\t{'김민지' * 20}\tm{number}@example.com\t" for number in range(20_000)]
    lines[15_000] = "\t서준\t\t"
    text = "\r\n".join(["member_id\tname\temail\tmobile", *lines])
    path.write_text(text, encoding="utf-16", newline="")
    left: list[list[Path]] = []

    def look(_progress: object) -> None:
        left.append(list((settings.VAR / "import").iterdir()))

    assert block_worker.process_count(path) > 0
    file = loading.import_file(path, incident=incident, mapping_text=MAPPING, report=look)
    assert (file.rows_read, file.rows_taken) == (20_000, 19_999)
    [_, rejected] = read_reject_file(tmp_path / "members.txt.rejects.csv")
    assert rejected[:2] == ["15002", "missing member_id"]
    # The converted file has no name, so nothing is left after kill -9.
    assert left
    assert not any(left)


@pytest.mark.parametrize("kind", ["utf-16", "json", "escapes"])
def test_memory_does_not_grow_with_a_converted_file(tmp_path, kind):
    path, keys, name = tmp_path / "members", "", "김" * 5_000
    if kind == "utf-16":
        path.write_text(TABLE + f"7,{name},,\n" * 2_000, encoding="utf-16")
    elif kind == "json":
        path.write_text("[" + ",\n".join([json.dumps({**OBJECTS[0], "name": name})] * 1_000) + "]")
    else:
        path.write_text(TABLE + f"7,\\\\{name},,\n" * 2_000, encoding="utf-8")
        keys = "escape = '\\'\n"

    tracemalloc.start()
    source = examined(path, keys)
    count = sum(block.data.count(b"\n") for block in blocks_of(source))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count >= 1_000
    assert peak < 16 << 20  # the files are twice as large


def test_a_reject_file_comes_back_as_a_spreadsheet(incident, tmp_path, db):
    dump = tmp_path / "members.csv"
    dump.write_text(f"{TABLE.splitlines()[0]}\n006,Minji,,\n,Jiho,,\n", encoding="utf-8")
    import_and_report(dump, incident=incident, mapping_text=MAPPING)
    path = tmp_path / "corrected.xlsx"
    header = ["line", "reason", *TABLE.split("\n")[0].split(",")]
    path.write_bytes(workbook([header, [3, "missing member_id", "007", "'=Jiho", "", ""]]))
    keys = 'columns = ["member_id", "name", "email", "mobile"]\nencoding = "cp949"\n'

    assert import_and_report(path, incident=incident, mapping_text=keys + MAPPING).rows_taken == 1
    names = {person.decrypt_contact()["n"] for person in AffectedPerson.objects.all()}
    assert names == {"Minji", "=Jiho"}


def test_a_spreadsheet_is_loaded(incident, tmp_path, db):
    path = tmp_path / "members.xlsx"
    path.write_bytes(workbook([*SHEET, [None, "Jiho"]]))
    mapping_text = 'format = "spreadsheet"\n' + MAPPING

    report = import_and_report(path, incident=incident, mapping_text=mapping_text)
    assert (report.rows_read, report.rows_taken) == (2, 1)
    assert report.reject_file
    [_, rejected] = read_reject_file(report.reject_file)
    assert rejected == ["3", "missing member_id", "", "Jiho", "", ""]
    assert ExposureFile.objects.get().encoding == "utf-8"
