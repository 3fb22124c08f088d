"""Further small files of kinds that companies send, each with what is right for it.

See tests/importing/more_messy_files.py. `Case.table` is here the whole table of a mapping, or "".
"""

import base64
import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib

import zstandard

from tests.importing.binary_spreadsheets import compound_file, ods, open_cell, xls, xls_5, xlsb
from tests.importing.more_messy_files import (
    ALL,
    CELLS,
    GOOD,
    Case,
    csv,
    date_cell,
    lines_of,
    objects,
    xlsx,
    zipped_as,
)

NO_PHONES = {key: found.rpartition("|")[0] + "|" for key, found in ALL.items()}
NO_EMAILS = {
    key: "|".join([found.split("|")[0], "", found.split("|")[2]]) for key, found in ALL.items()
}


def mapped(**columns: str | list[str]) -> str:
    """Returns the table of a mapping with these columns; those left out are not used."""
    lines = [f"{key} = {json.dumps(name, ensure_ascii=False)}" for key, name in columns.items()]
    contacts = [one for one in columns if one != "reference"]
    return (
        '[person]\nrelation = "member"\n'
        + "\n".join(lines)
        + f"\ncontact_leaked = {json.dumps(contacts)}\n"
    )


def one(reference: str, name: str = "", email: str = "", phone: str = "") -> dict[str, str]:
    """Returns a person as a case names it."""
    return {reference: f"{name}|{email}|{phone}"}


def added(*rows: str) -> bytes:
    """Returns the good rows and others after them."""
    return csv([*GOOD, *rows])


# ---------------------------------------------------------------- spreadsheets


def parts(book: bytes, **changes: tuple[str, str]) -> bytes:
    """Returns a workbook in whose parts a text is replaced by another: name=(old, new)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = old.read(name).decode()
            for part, (before, after) in changes.items():
                if name.replace(".", "_").endswith(part):
                    assert before in content
                    content = content.replace(before, after)
            new.writestr(name, content)
    return buffer.getvalue()


def with_part(book: bytes, name: str, content: str) -> bytes:
    buffer = io.BytesIO(book)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def inline(markup: str) -> bytes:
    """Returns a cell of rich text."""
    return f'<c t="inlineStr"><is>{markup}</is></c>'.encode()


def uncomputed(formula: str) -> bytes:
    """Returns a cell with a formula and no value, as programs write it that compute nothing."""
    return f"<c><f>{formula}</f></c>".encode()


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
WITH_DATE = mapped(reference="member_id", name="name", email="email", phone="mobile") + (
    '[dates]\njoined = "date"\n[[leaked]]\nclass = "purchases"\nvalue = "{joined}"\n'
)
GROUPED = (
    "<table:table-row-group>"
    + "".join(
        f"<table:table-row>{''.join(map(open_cell, row))}</table:table-row>" for row in CELLS[1:]
    )
    + "</table:table-row-group>"
).encode()
BLANK_ROWS = (
    b'<table:table-row table:number-rows-repeated="1048000">'
    b'<table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
)
SPREADSHEETS = [
    Case("xls", xls(CELLS), ALL, suffix=".xls"),
    Case("xls named csv", xls(CELLS), ALL),
    Case("xls with empty sheets", xls(CELLS, [], []), ALL, suffix=".xls"),
    Case("xls of two sheets", xls(CELLS, CELLS), refused="several sheets.*S1, S2", suffix=".xls"),
    Case(
        "xls with a hidden sheet",
        xls(CELLS, [["코드"], ["1"]], hidden=[2]),
        refused="several sheets.*S2",
        suffix=".xls",
    ),
    Case("xls, sheet named", xls(CELLS, CELLS), ALL, suffix=".xls", mapping='sheet = "S2"\n'),
    Case(
        "xls, no such sheet",
        xls(CELLS),
        refused="no sheet is named",
        suffix=".xls",
        mapping='sheet = "회원"\n',
    ),
    Case("xls with a password", xls(CELLS, password=True), refused="encrypted", suffix=".xls"),
    Case("xls cut short", xls(CELLS)[:2000], refused="damaged|spreadsheet", suffix=".xls"),
    Case(
        "xls of Excel 5 in Korean",
        xls_5(CELLS, codepage=949, encoding="cp949"),
        refused="spreadsheet",
        suffix=".xls",
    ),
    Case(
        "xls of Excel 5, code page not said",
        xls_5(CELLS, codepage=1252, encoding="cp949"),
        refused="spreadsheet|encoded|lost",
        suffix=".xls",
    ),
    Case("xls gzipped", gzip.compress(xls(CELLS)), ALL, suffix=".xls.gz"),
    Case("xls in zip", zipped_as({"회원.xls": xls(CELLS)}), ALL, suffix=".zip"),
    Case(
        "xls with ids and phones as numbers",
        xls([CELLS[0], *[[int(r[0]), *r[1:3], int(r[3].replace("-", ""))] for r in CELLS[1:]]]),
        refused="write lost_zeros = true in the mapping",
        suffix=".xls",
    ),
    Case("xlsb", xlsb(CELLS), ALL, suffix=".xlsb"),
    Case("xlsb named xlsx", xlsb(CELLS), ALL, suffix=".xlsx"),
    Case("xlsb of two sheets", xlsb(CELLS, CELLS), refused="several sheets", suffix=".xlsb"),
    Case(
        "xlsb with numbers",
        xlsb([CELLS[0], *[[int(r[0]), *r[1:]] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsb",
    ),
    Case(
        "xlsb with truth values",
        xlsb([[*CELLS[0], "vip"], *[[*r, True] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsb",
    ),
    Case("ods", ods(CELLS), ALL, suffix=".ods"),
    Case("ods of two sheets", ods(CELLS, CELLS), refused="several sheets", suffix=".ods"),
    Case("ods with an empty sheet", ods(CELLS, []), ALL, suffix=".ods"),
    Case("ods with a password", ods(CELLS, is_encrypted=True), refused="encrypted", suffix=".ods"),
    Case(
        "ods with a comment at a cell",
        ods(
            [
                CELLS[0],
                [
                    "1001",
                    b'<table:table-cell office:value-type="string"><office:annotation>'
                    b"<dc:creator>Park</dc:creator>"
                    b"<text:p>VIP, call first</text:p></office:annotation>"
                    + "<text:p>김민준</text:p></table:table-cell>".encode(),
                    *CELLS[1][2:],
                ],
                *CELLS[2:],
            ]
        ),
        ALL,
        suffix=".ods",
    ),
    Case(
        "ods with linked addresses",
        ods(
            [
                CELLS[0],
                *[
                    [
                        *r[:2],
                        f'<table:table-cell office:value-type="string"><text:p><text:a xlink:href='
                        f'"mailto:{r[2]}">{r[2]}</text:a></text:p></table:table-cell>'.encode(),
                        r[3],
                    ]
                    for r in CELLS[1:]
                ],
            ]
        ),
        ALL,
        suffix=".ods",
    ),
    Case(
        "ods with a cell of two lines",
        ods(
            [
                *CELLS,
                [
                    "7",
                    '<table:table-cell office:value-type="string"><text:p>가</text:p>'
                    "<text:p>나</text:p></table:table-cell>".encode(),
                    "q@b.example",
                    None,
                ],
            ]
        ),
        ALL,
        (8,),
        suffix=".ods",
    ),
    Case(
        "ods with a repeated cell",
        ods(
            [
                ["member_id", "name", "email", "mobile", "email2"],
                *[
                    [
                        *r[:2],
                        f'<table:table-cell office:value-type="string"><text:p>{r[2]}</text:p>'
                        "</table:table-cell>".encode(),
                        r[3],
                        b'<table:table-cell table:number-columns-repeated="1000"/>',
                    ]
                    for r in CELLS[1:]
                ],
            ]
        ),
        ALL,
        suffix=".ods",
    ),
    Case(
        "ods with a million blank rows",
        ods([*CELLS, [BLANK_ROWS]]),
        ALL,
        suffix=".ods",
    ),
    Case("ods with rows of a group", ods([CELLS[0], [GROUPED]]), ALL, suffix=".ods"),
    Case(
        "flat ods",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<office:document '
        b'xmlns:office="urn:oasis:names:tc:'
        b'opendocument:xmlns:office:1.0" office:mimetype="application/vnd.oasis.opendocument.'
        b'spreadsheet"><office:body/></office:document>',
        refused="XML",
        suffix=".fods",
    ),
    Case(
        "addresses as formulas that were not computed",
        xlsx([CELLS[0], *[[*r[:2], uncomputed('A2&amp;"@b.example"'), r[3]] for r in CELLS[1:]]]),
        refused="formula",
        suffix=".xlsx",
    ),
    Case(
        "one formula that was not computed",
        xlsx([*CELLS[:6], [uncomputed("A6+1"), *CELLS[6][1:]]]),
        refused="formula",
        suffix=".xlsx",
    ),
    Case(
        "a formula without a value in a column that is not used",
        xlsx([[*CELLS[0], "age"], *[[*r, uncomputed("TODAY()-1")] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "formulas as XlsxWriter leaves them",
        parts(
            xlsx([CELLS[0], *[[*r[:3], b"<c><f>A2</f><v>0</v></c>"] for r in CELLS[1:]]]),
            workbook_xml=("</sheets>", '</sheets><calcPr fullCalcOnLoad="1"/>'),
        ),
        refused="line 2: mobile holds a formula",
        suffix=".xlsx",
    ),
    Case(
        "formulas without places of cells",
        parts(
            xlsx([CELLS[0], *[[*r[:2], uncomputed("A2"), r[3]] for r in CELLS[1:]]]),
            sheet1_xml=(' r="', ' x="'),
        ),
        refused="line 2: email holds a formula",
        suffix=".xlsx",
    ),
    Case(
        "formulas of ods without values",
        ods(
            [
                CELLS[0],
                *[
                    [*r[:2], b'<table:table-cell table:formula="of:=[.A2]"/>', r[3]]
                    for r in CELLS[1:]
                ],
            ]
        ),
        refused="line 2: email holds a formula",
        suffix=".ods",
    ),
    Case(
        "formulas of text without a value",
        xlsx([CELLS[0], ["7", "가", b'<c t="str"><f>A1</f></c>', ""], *CELLS[1:]]),
        refused="line 2: email holds a formula",
        suffix=".xlsx",
    ),
    Case(
        "formulas with blank results",
        xlsx([[*CELLS[0], "memo"], *[[*r, b'<c t="str"><f>""</f><v></v></c>'] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "names in rich text",
        xlsx(
            [
                CELLS[0],
                *[
                    [
                        r[0],
                        inline(f"<r><t>{r[1][0]}</t></r><r><rPr><b/></rPr><t>{r[1][1:]}</t></r>"),
                        *r[2:],
                    ]
                    for r in CELLS[1:]
                ],
            ]
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "names with their reading",
        xlsx(
            [
                CELLS[0],
                *[
                    [r[0], inline(f'<t>{r[1]}</t><rPh sb="0" eb="1"><t>カナ</t></rPh>'), *r[2:]]
                    for r in CELLS[1:]
                ],
            ]
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "carriage returns as _x000D_",
        xlsx([*CELLS, ["7", "가_x000D_\n나", "q@b.example", ""]]),
        ALL,
        (8,),
        suffix=".xlsx",
    ),
    Case(
        "control characters as _x0009_ in addresses",
        xlsx([CELLS[0], *[[*r[:2], f"{r[2]}_x0009_", r[3]] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "days since 1904",
        xlsx([[*CELLS[0], "joined"], *[[*r, date_cell(44517)] for r in CELLS[1:]]], is_1904=True),
        ALL,
        suffix=".xlsx",
        table=WITH_DATE,
    ),
    Case(
        "said to be smaller than it is",
        parts(xlsx(CELLS), sheet1_xml=("<sheetData>", '<dimension ref="A1:B2"/><sheetData>')),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "cells without places",
        parts(xlsx(CELLS), sheet1_xml=(' r="', ' x="')),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "strict Open XML",
        parts(
            xlsx(CELLS),
            sheet1_xml=(_MAIN, _STRICT),
            workbook_xml=(_MAIN, _STRICT),
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "a hidden column",
        parts(
            xlsx(CELLS),
            sheet1_xml=("<sheetData>", '<cols><col min="3" max="3" hidden="1"/></cols><sheetData>'),
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "very hidden second sheet",
        parts(xlsx(CELLS, [["x"], ["y"]], hidden=[2]), workbook_xml=('"hidden"', '"veryHidden"')),
        refused="several sheets.*S2",
        suffix=".xlsx",
    ),
    Case(
        "a filter that hides rows",
        xlsx(
            [CELLS[0], *[[b"hidden", *r] for r in CELLS[1:5]], *CELLS[5:]],
            more='<autoFilter ref="A1:D7"/>',
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "ids merged over two rows",
        xlsx(
            [*CELLS, ["7", "가", "q@b.example", ""], [None, "나", "r@b.example", ""]],
            more='<mergeCells><mergeCell ref="A8:A9"/></mergeCells>',
        ),
        refused="line 8: member_id is merged with the rows below",
        suffix=".xlsx",
    ),
    Case(
        "company merged over its people",
        xlsx(
            [["company", *CELLS[0]], *[[None if n else "A", *r] for n, r in enumerate(CELLS[1:])]],
            more='<mergeCells><mergeCell ref="A2:A7"/></mergeCells>',
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "header of two lines",
        xlsx(
            [["회원", None, "연락처", None], ["member_id", "name", "email", "mobile"], *CELLS[1:]]
        ),
        refused="line 2",
        suffix=".xlsx",
    ),
    Case(
        "header in row 5",
        xlsx([["㈜한빛"], ["회원 명부"], ["작성: 2025-11-18"], [], *CELLS]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "header in row 5, label and value above",
        xlsx([["작성일", "2025-11-18"], ["작성자", "김"], [], [], *CELLS]),
        refused="line 5",
        suffix=".xlsx",
    ),
    Case(
        "transposed",
        xlsx([list(row) for row in zip(*CELLS, strict=True)]),
        refused="lacks",
        suffix=".xlsx",
    ),
    Case(
        "two tables side by side",
        xlsx([[*CELLS[0], None, *CELLS[0]], *[[*r, None, *r] for r in CELLS[1:]]]),
        refused="alike",
        suffix=".xlsx",
    ),
    Case(
        "notes beside the table",
        xlsx([CELLS[0], [*CELLS[1], None, "확인 요망"], *CELLS[2:]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "phones as shortened text",
        xlsx([CELLS[0], *[[*r[:3], "1.02E+09"] for r in CELLS[1:]]]),
        NO_PHONES,
        suffix=".xlsx",
    ),
    Case(
        "phones with a fraction",
        xlsx([CELLS[0], *[[*r[:3], f"{r[3].replace('-', '')[1:]}.0"] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "ids with a fraction",
        xlsx([CELLS[0], *[[float(r[0]) + 0.5, *r[1:]] for r in CELLS[1:]]]),
        {f"{key}.5": found for key, found in ALL.items()},
        suffix=".xlsx",
    ),
    Case(
        "a chart sheet beside",
        parts(
            xlsx(CELLS, [["x"]]),
            workbook_xml_rels=(
                'worksheet" Target="worksheets/sheet2.xml',
                'chartsheet" Target="chartsheets/sheet2.xml',
            ),
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "an OLE file of Hangul",
        compound_file("FileHeader", b"HWP Document File".ljust(256, b"\0")),
        refused="Hangul",
        suffix=".hwp",
    ),
    Case(
        "an OLE file of Word",
        compound_file("WordDocument", b"\xec\xa5"),
        refused="Word",
        suffix=".doc",
    ),
    Case(
        "an OLE file of PowerPoint",
        compound_file("PowerPoint Document", b"\x0f\0"),
        refused="presentation",
        suffix=".ppt",
    ),
    Case(
        "an OLE file of Outlook",
        compound_file("__properties_version1.0", b"\0" * 32),
        refused="e-mail message",
        suffix=".msg",
    ),
    Case(
        "an encrypted workbook",
        compound_file("EncryptedPackage", b"\x13" * 64),
        refused="encrypted",
        suffix=".xlsx",
    ),
    Case(
        "an OLE file of something else",
        compound_file("CONTENTS", b"\0" * 32),
        refused="spreadsheet",
        suffix=".xls",
    ),
    Case(
        "workbook in a zip in a zip",
        zipped_as({"a.zip": zipped_as({"b.xlsx": xlsx(CELLS)})}),
        ALL,
        suffix=".zip",
    ),
    Case(
        "html table with a byte order mark in utf-16",
        '\ufeff<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table>'.encode("utf-16-be"),
        refused="HTML",
        suffix=".xls",
    ),
    Case(
        "html fragment of rows",
        b"<tr><td>member_id</td><td>name</td></tr>\n<tr><td>1</td><td>a</td></tr>",
        refused="HTML",
        suffix=".xls",
    ),
    Case(
        "html after a style",
        b"<style>td{mso-number-format:'\\@'}</style><table><tr><td>a</td></tr></table>",
        refused="HTML",
        suffix=".xls",
    ),
    Case(
        "html with php warning before",
        b"<br />\n<b>Warning</b>:  Undefined variable in <b>/var/www/x.php</b> on line <b>3</b><br "
        b"/>\n" + csv(),
        refused="HTML|line 3",
        suffix=".xls",
    ),
    Case(
        "center html",
        b"<center><font><table><tr><th>member_id</th></tr></table></font></center>",
        refused="HTML|XML",
        suffix=".xls",
    ),
    Case(
        "sylk",
        b'ID;PWXL;N;E\nP;PGeneral\nC;Y1;X1;K"member_id"\nC;X2;K"name"\nE\n',
        refused="SYLK",
        suffix=".slk",
    ),
    Case(
        "dif",
        b'TABLE\n0,1\n"EXCEL"\nVECTORS\n0,7\n""\nTUPLES\n0,4\n""\nDATA\n0,0\n""\n-1,0\nBOT\n',
        refused="DIF|header|lacks",
        suffix=".dif",
    ),
    Case(
        "xls of Excel 2",
        b"\x09\x00\x04\x00\x02\x00\x10\x00" + b"\x00" * 60,
        refused="Excel|spreadsheet|NUL",
        suffix=".xls",
    ),
    Case(
        "xls of Excel 4",
        b"\x09\x04\x06\x00\x00\x00\x10\x00" + b"\x00" * 60,
        refused="Excel|spreadsheet|NUL",
        suffix=".xls",
    ),
    Case(
        "lotus",
        b"\x00\x00\x1a\x00\x00\x10\x04\x00" + b"\x00" * 60,
        refused="Lotus|NUL",
        suffix=".wk3",
    ),
]

# ---------------------------------------------------------------- archives

_7Z = b"7z\xbc\xaf\x27\x1c\0\x04"
ENCRYPTED_ZIP = bytearray(zipped_as({"members.csv": csv()}))
ENCRYPTED_ZIP[6] |= 1
ENCRYPTED_ZIP[ENCRYPTED_ZIP.index(b"PK\x01\x02") + 8] |= 1
ARCHIVES = [
    Case("bz2", bz2.compress(csv()), refused="bzip2", suffix=".csv.bz2"),
    Case("xz", lzma.compress(csv()), refused="xz", suffix=".csv.xz"),
    Case(
        "lzma",
        lzma.compress(csv(), format=lzma.FORMAT_ALONE),
        refused="LZMA|archive|NUL",
        suffix=".lzma",
    ),
    Case("zstd", zstandard.ZstdCompressor().compress(csv()), ALL, suffix=".csv.zst"),
    Case(
        "zstd with a skippable frame",
        b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstandard.ZstdCompressor().compress(csv()),
        refused="zstd|archive|NUL",
        suffix=".csv.zst",
    ),
    Case(
        "compress", b"\x1f\x9d\x90" + b"m\xca\x94" * 20, refused="archive|compress", suffix=".csv.Z"
    ),
    Case("lz4", b"\x04\x22\x4d\x18" + b"\0" * 40, refused="archive", suffix=".lz4"),
    Case("zlib", zlib.compress(csv()), refused="zlib|CP949|neither|NUL|archive", suffix=".csv.z"),
    Case("encrypted zip", bytes(ENCRYPTED_ZIP), refused="encrypted ZIP", suffix=".zip"),
    Case(
        "zip in zip in zip in zip",
        zipped_as(
            {"a.zip": zipped_as({"b.zip": zipped_as({"c.zip": zipped_as({"d.csv": csv()})})})}
        ),
        refused="more than three",
        suffix=".zip",
    ),
    Case(
        "zip with files of a Mac in folders",
        zipped_as(
            {
                "회원/m.csv": csv(),
                "회원/.DS_Store": b"\0\0\0\1Bud1",
                "__MACOSX/회원/._m.csv": b"\0\5\x16\7",
            }
        ),
        ALL,
        suffix=".zip",
    ),
    Case(
        "zip with resource forks beside",
        zipped_as({"m.csv": csv(), "._m.csv": b"\0\5\x16\7"}),
        ALL,
        suffix=".zip",
    ),
    Case(
        "zip with a read-me",
        zipped_as({"README.txt": b"read me", "m.csv": csv()}),
        refused="2 files",
        suffix=".zip",
    ),
    Case(
        "zip with an empty file",
        zipped_as({"m.csv": b""}),
        refused="nothing inside|empty",
        suffix=".zip",
    ),
    Case("zip cut short", zipped_as({"m.csv": csv()})[:-30], refused="zip", suffix=".zip"),
    Case(
        "zip with names in cp949", zipped_as({"m.csv": csv(encoding="cp949")}), ALL, suffix=".zip"
    ),
    Case(
        "zip after a program",
        b"MZ\x90\0" + b"\0" * 200 + zipped_as({"m.csv": csv()}),
        refused="program|NUL",
        suffix=".exe",
    ),
    Case(
        "zip with text before it",
        b"HTTP/1.1 200 OK\r\n\r\n" + zipped_as({"m.csv": csv()}),
        refused="NUL|header|HTTP",
        suffix=".zip",
    ),
    Case(
        "first volume of a split zip",
        b"PK\x07\x08" + zipped_as({"m.csv": csv()})[:120],
        refused="zip",
        suffix=".z01",
    ),
    Case("gzip cut short", gzip.compress(csv())[:-12], refused="gzip", suffix=".csv.gz"),
    Case(
        "gzip with text after it",
        gzip.compress(csv()) + b"garbage",
        refused="gzip",
        suffix=".csv.gz",
    ),
    Case("gzip with zeros after it", gzip.compress(csv()) + b"\0" * 512, ALL, suffix=".csv.gz"),
    Case("gzip of json", gzip.compress(lines_of(objects())), ALL, suffix=".json.gz"),
    Case("gzip of utf-16", gzip.compress(csv(encoding="utf-16")), ALL, suffix=".csv.gz"),
    Case("named gz, not compressed", csv(), refused="not compressed", suffix=".csv.gz"),
    Case(
        "gzip of gzip of zip",
        gzip.compress(gzip.compress(zipped_as({"m.csv": csv()}))),
        ALL,
        suffix=".gz",
    ),
    Case(
        "cpio",
        b"070701" + b"0" * 104 + b"members.csv\0" + csv(),
        refused="archive|NUL",
        suffix=".cpio",
    ),
    Case(
        "ar",
        b"!<arch>\nmembers.csv/    0           0     0     644     300       `\n" + csv(),
        refused="archive|header",
        suffix=".ar",
    ),
    Case("rpm of nothing", b"\xed\xab\xee\xdb" + b"\0" * 92, refused="archive|NUL|binary"),
    Case("iso image", b"\0" * 32769 + b"CD001" + b"\0" * 100, refused="NUL", suffix=".iso"),
    Case("base64 of a csv", base64.encodebytes(csv()), refused="header|lacks", suffix=".txt"),
    Case(
        "pgp message",
        b"-----BEGIN PGP MESSAGE-----\n\nhQEMA5x\n=ab12\n-----END PGP MESSAGE-----\n",
        refused="(?i)PGP|encrypted",
        suffix=".asc",
    ),
    Case(
        "pgp binary",
        b"\x85\x01\x0c\x03" + bytes(range(128, 255)) * 3,
        refused="neither|NUL|PGP",
        suffix=".gpg",
    ),
    Case(
        "openssl enc", b"Salted__" + bytes(range(256)), refused="(?i)encrypted|NUL", suffix=".enc"
    ),
    Case(
        "openssl enc in base64",
        b"U2FsdGVkX1" + b"8abc" * 30,
        refused="(?i)encrypted|header|lacks",
        suffix=".enc",
    ),
    Case(
        "age",
        b"age-encryption.org/v1\n-> X25519 abc\n" + bytes(range(200)),
        refused="(?i)encrypted|NUL|header",
        suffix=".age",
    ),
]
