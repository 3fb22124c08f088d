"""Small files of kinds that companies send, each with what is right for it.

A case says either who is found afterwards and which lines are rejected, or why the file is refused.
"""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

HEADER = "member_id,name,email,mobile"
GOOD = [
    "1001,김민준,user1@naver.example,010-2345-6781",
    "1002,이서연,user2@naver.example,010-2345-6782",
    "1003,박도윤,user3@naver.example,010-2345-6783",
    "1004,최하은,user4@naver.example,010-2345-6784",
    "1005,정지우,user5@naver.example,010-2345-6785",
    "1006,강서준,user6@naver.example,010-2345-6786",
]
ONLY_REFERENCE = '[person]\nrelation = "member"\nreference = "member_id"\ncontact_leaked = []\n'
CELLS = [row.split(",") for row in [HEADER, *GOOD]]


class Case(NamedTuple):
    """A file, and what is right for it."""

    name: str  # of the kind
    content: bytes
    people: dict[str, str] | None = None  # by reference: "name|addresses|numbers"
    rejected: tuple[int, ...] = ()  # lines
    refused: str = ""  # a pattern of the refusal
    suffix: str = ".csv"
    mapping: str = ""  # keys before the tables of the mapping
    table: str = ""  # the tables of the mapping, if they are not those of nodate.toml


def person(row: str) -> tuple[str, str]:
    """Returns the reference of a good row, and what is found of it."""
    reference, name, email, phone = row.split(",")
    return reference, f"{name}|{email}|+82{phone.replace('-', '')[1:]}"


ALL = dict(map(person, GOOD))


def without(*numbers: int) -> dict[str, str]:
    """Returns the people without those with these references."""
    return {key: found for key, found in ALL.items() if int(key) not in numbers}


def text(
    rows: Sequence[str] = GOOD, *, header: str = HEADER, separator: str = ",", end: str = "\r\n"
) -> str:
    return "".join(row.replace(",", separator) + end for row in [header, *rows])


def csv(rows: Sequence[str] = GOOD, *, encoding: str = "utf-8", **form: str) -> bytes:
    return text(rows, **form).encode(encoding)


def inserted(place: int, *rows: str) -> list[str]:
    """Returns the good rows with others between them."""
    return [*GOOD[:place], *rows, *GOOD[place:]]


def names(*people: str) -> list[str]:
    """Returns good rows with other names."""
    return [
        ",".join([cells[0], name, *cells[2:]])
        for cells, name in zip(CELLS[1:], people, strict=False)
    ]


def found_of(rows: Sequence[str]) -> dict[str, str]:
    return dict(map(person, rows))


# ---------------------------------------------------------------- spreadsheets


def xlsx(
    *sheets: Sequence[Sequence[object]],
    hidden: Sequence[int] = (),
    more: str = "",
    is_1904: bool = False,
    macro: bool = False,
) -> bytes:
    """Returns a workbook. A cell is text, a number, or XML in bytes; None is left out."""
    buffer = io.BytesIO()
    kind = (
        "application/vnd.ms-excel.sheet.macroEnabled"
        if macro
        else ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    )
    numbers = range(1, len(sheets) + 1)
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    packages = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{packages}/content-types"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
            f'ContentType="{kind}.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r" '
            f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"'
            f"{' state=' + chr(34) + 'hidden' + chr(34) if n in hidden else ''}/>"
            for n in numbers
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{relations}">'
            f'<workbookPr date1904="{int(is_1904)}"/>'
            f"<sheets>{listed}</sheets></workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{packages}/relationships">'
            + "".join(
                f'<Relationship Id="r{n}" Type="{relations}/worksheet" '
                f'Target="worksheets/sheet{n}.xml"/>'
                for n in numbers
            )
            + f'<Relationship Id="s" Type="{relations}/styles" Target="styles.xml"/>'
            "</Relationships>",
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
            '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        )
        for n, rows in zip(numbers, sheets, strict=True):
            archive.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{"".join(_rows(rows))}</sheetData>{more}'
                "</worksheet>",
            )
    return buffer.getvalue()


def _rows(rows: Sequence[Sequence[object]]) -> Iterable[str]:
    for number, row in enumerate(rows, start=1):
        hide = ' hidden="1"' if row and row[0] == b"hidden" else ""
        cells = row[1:] if hide else row
        yield (
            f'<row r="{number}"{hide}>'
            + "".join(_cell(f"{chr(65 + place)}{number}", cell) for place, cell in enumerate(cells))
            + "</row>"
        )


def _cell(reference: str, cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        return cell.decode().replace("<c", f'<c r="{reference}"', 1)
    if isinstance(cell, int | float):
        return f'<c r="{reference}"><v>{cell}</v></c>'
    held = f'<is><t xml:space="preserve">{escape(str(cell))}</t></is>'
    return f'<c r="{reference}" t="inlineStr">{held}</c>'


def error(code: str) -> bytes:
    return f'<c t="e"><f>X1</f><v>{code}</v></c>'.encode()


def formula(value: str) -> bytes:
    return f'<c t="str"><f>A1</f><v>{escape(value)}</v></c>'.encode()


def date_cell(serial: int) -> bytes:
    return f'<c s="1"><v>{serial}</v></c>'.encode()


# ---------------------------------------------------------------- archives and JSON


def zipped_as(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(content: bytes, mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo("members.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def objects(**changes: object) -> list[dict[str, object]]:
    return [dict(zip(CELLS[0], row, strict=True)) | changes for row in CELLS[1:]]


def lines_of(rows: Iterable[dict[str, object]], *, is_ascii: bool = False) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=is_ascii) + "\n" for row in rows).encode()


XML_SHEET = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="a">'
    "<Table><Row><Cell><Data>member_id</Data></Cell></Row></Table></Worksheet></Workbook>"
)
PHONE_NUMBERS = [[*row[:3], int("1" + row[3].replace("-", "")[2:])] for row in CELLS[1:]]

# ---------------------------------------------------------------- the table

SPREADSHEETS = [
    Case(
        "phones as numbers",
        xlsx([CELLS[0], *PHONE_NUMBERS]),
        refused="write lost_zeros = true in the mapping",
        suffix=".xlsx",
    ),
    Case(
        "phones as numbers, told",
        xlsx([CELLS[0], *PHONE_NUMBERS]),
        ALL,
        suffix=".xlsx",
        mapping="lost_zeros = true\n",
    ),
    Case(
        "ids as numbers",
        xlsx([CELLS[0], *[[int(r[0]), *r[1:]] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case("title above", xlsx([["회원 명부"], [], *CELLS]), ALL, suffix=".xlsx"),
    Case(
        "title of two cells",
        xlsx([["회원 명부", None, None, "2025-11-18"], [], *CELLS]),
        refused="header|line",
        suffix=".xlsx",
    ),
    Case("empty leading column", xlsx([[None, *row] for row in CELLS]), ALL, suffix=".xlsx"),
    Case("empty leading rows", xlsx([[], [], [], *CELLS]), ALL, suffix=".xlsx"),
    Case("hidden row", xlsx([*CELLS[:3], [b"hidden", *CELLS[3]], *CELLS[4:]]), ALL, suffix=".xlsx"),
    Case(
        "hidden second sheet",
        xlsx(CELLS, [["x"], ["y"]], hidden=[2]),
        refused="several sheets.*S2",
        suffix=".xlsx",
    ),
    Case(
        "hidden sheet named",
        xlsx(CELLS, [["x"], ["y"]], hidden=[2]),
        ALL,
        suffix=".xlsx",
        mapping='sheet = "S1"\n',
    ),
    Case("empty second sheet", xlsx(CELLS, []), ALL, suffix=".xlsx"),
    Case(
        "formula errors",
        xlsx(
            [
                *CELLS[:1],
                ["1001", error("#N/A"), CELLS[1][2], CELLS[1][3]],
                ["1002", error("#REF!"), CELLS[2][2], CELLS[2][3]],
                ["1003", error("#VALUE!"), CELLS[3][2], CELLS[3][3]],
                ["1004", error("#DIV/0!"), CELLS[4][2], CELLS[4][3]],
                ["1005", error("#NAME?"), CELLS[5][2], CELLS[5][3]],
            ]
        ),
        {k: "|" + f.partition("|")[2] for k, f in without(1006).items()},
        suffix=".xlsx",
    ),
    Case(
        "errors as ids",
        xlsx([*CELLS, [error("#REF!"), "가", "r@b.example", ""]]),
        ALL,
        (8,),
        suffix=".xlsx",
    ),
    Case(
        "formulas",
        xlsx([CELLS[0], *[[formula(cell) for cell in row] for row in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "two tables below",
        xlsx([*CELLS, [], ["order_id", "item"], ["1", "책"], ["2", "컵"]]),
        refused="line 9|header",
        suffix=".xlsx",
    ),
    Case("totals row", xlsx([*CELLS, ["합계", 6]]), ALL, (8,), suffix=".xlsx"),
    Case("total in English", xlsx([*CELLS, ["Total:", "6 members"]]), ALL, (8,), suffix=".xlsx"),
    Case(
        "merged head",
        xlsx(
            [["회원", None, "연락처", None], *CELLS],
            more='<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="C1:D1"/></mergeCells>',
        ),
        refused="header",
        suffix=".xlsx",
    ),
    Case("macro workbook", xlsx(CELLS, macro=True), ALL, suffix=".xlsm"),
    Case("workbook named csv", xlsx(CELLS), ALL),
    Case("workbook named xls", xlsx(CELLS), ALL, suffix=".xls"),
    Case("csv named xlsx", csv(), ALL, suffix=".xlsx"),
    Case("tab text named xls", csv(separator="\t"), ALL, suffix=".xls"),
    Case("cp949 tab text named xls", csv(separator="\t", encoding="cp949"), ALL, suffix=".xls"),
    Case(
        "html named xls",
        b"<html><table><tr><td>member_id</td></tr></table></html>",
        refused="HTML",
        suffix=".xls",
    ),
    Case(
        "html with a mark",
        b"\xef\xbb\xbf\r\n<table border=1><tr><th>member_id</th></tr></table>",
        refused="HTML",
        suffix=".xls",
    ),
    Case(
        "html in utf-16",
        "<html><table><tr><td>a</td></tr></table></html>".encode("utf-16"),
        refused="HTML",
        suffix=".xls",
    ),
    Case(
        "mht",
        b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related; "
        b'boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<html></html>\r\n',
        refused="HTML|web",
        suffix=".xls",
    ),
    Case("xml of 2003", XML_SHEET.encode(), refused="2003", suffix=".xls"),
    Case("xml of 2003 in utf-16", XML_SHEET.encode("utf-16"), refused="2003", suffix=".xls"),
    Case("cut workbook", xlsx(CELLS)[:-200], refused="damaged|spreadsheet", suffix=".xlsx"),
    Case("empty workbook", xlsx([]), refused="without cells", suffix=".xlsx"),
    Case(
        "apostrophes",
        xlsx([CELLS[0], *[["'" + r[0], *r[1:3], "'" + r[3]] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "spaces around ids",
        xlsx([CELLS[0], *[[f" {r[0]} ", *r[1:]] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "no-break space ids",
        xlsx([CELLS[0], *[[f"{r[0]}\u00a0", *r[1:]] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "invisible ids",
        xlsx([CELLS[0], *[[f"\u200b{r[0]}", *r[1:]] for r in CELLS[1:]]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "full-width ids",
        xlsx(
            [CELLS[0], *[["".join(chr(ord(d) + 0xFEE0) for d in r[0]), *r[1:]] for r in CELLS[1:]]]
        ),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "two addresses on lines",
        xlsx([*CELLS, ["7", "가", "a@b.example\nc@b.example", ""]]),
        ALL,
        (8,),
        suffix=".xlsx",
    ),
    Case(
        "long ids as floats",
        xlsx([CELLS[0], [2.0251118000000123e19, "가", "f@b.example", ""], *CELLS[1:]]),
        ALL,
        (2,),
        suffix=".xlsx",
    ),
    Case(
        "long ids in exponents",
        csv(inserted(0, "2.02511E+15,가,f@b.example,", "2.02511E+15,나,g@b.example,")),
        ALL,
        (2, 3),
    ),
]

TEXTS = [
    Case("mark", b"\xef\xbb\xbf" + csv(), ALL),
    Case("two marks", b"\xef\xbb\xbf\xef\xbb\xbf" + csv(), ALL),
    Case("utf-16 le no mark", csv(encoding="utf-16-le"), ALL),
    Case("utf-16 be no mark", csv(encoding="utf-16-be"), ALL),
    Case("utf-16 be mark", b"\xfe\xff" + csv(encoding="utf-16-be"), ALL),
    Case("utf-32", csv(encoding="utf-32"), refused="UTF-32"),
    Case("utf-32 no mark", csv(encoding="utf-32-le"), refused="NUL"),
    Case("utf-7", csv(encoding="utf-7"), refused="hold their text encoded"),
    Case("odd utf-16", csv(encoding="utf-16")[:-1], ALL, (8,)),
    Case("cp949", csv(encoding="cp949"), ALL),
    Case("euc-kr", csv(encoding="euc-kr"), ALL),
    Case(
        "rare syllable",
        csv(names("똠방각하", "펲시", "햏자"), encoding="cp949"),
        found_of(names("똠방각하", "펲시", "햏자")),
    ),
    Case("decomposed names", csv(names("김민준", "이서연")), found_of(names("김민준", "이서연"))),
    Case(
        "gb18030",
        csv(names("王伟", "李娜", "张敏", "刘洋", "陈静"), encoding="gb18030"),
        refused="gb18030",
    ),
    Case(
        "gb18030 named",
        csv(names("王伟", "李娜", "张敏", "刘洋", "陈静"), encoding="gb18030"),
        found_of(names("王伟", "李娜", "张敏", "刘洋", "陈静")),
        mapping='encoding = "gbk"\n',
    ),
    Case(
        "big5",
        csv(names("王大偉", "林雅婷", "張淑芬", "陳志明", "黃怡君"), encoding="big5"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "shift_jis",
        csv(names("さとう", "スズキ", "たかはし", "タナカ"), encoding="shift_jis"),
        refused="shift_jis",
    ),
    Case(
        "half-width kana",
        csv(names("ｻﾄｳ", "ｽｽﾞｷ", "ﾀｶﾊｼ", "ﾀﾅｶ"), encoding="cp932"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "euc-jp",
        csv(names("さとう", "スズキ", "たかはし", "タナカ"), encoding="euc-jp"),
        refused="euc-jp",
    ),
    Case(
        "koi8-r",
        csv(names("Иван Петров", "Ольга Смирнова", "Анна", "Пётр"), encoding="koi8-r"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "windows-1251",
        csv(names("Иван Петров", "Ольга Смирнова", "Анна", "Юрий"), encoding="windows-1251"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "windows-1250",
        csv(names("Łukasz", "Żaneta Święs", "Jiří Dvořák"), encoding="cp1250"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "windows-1252",
        csv(names("José", "Zoë", "François", "Müller"), encoding="cp1252"),
        refused="windows-1252",
    ),
    Case(
        "windows-1254",
        csv(names("Ayşe Yılmaz", "Çağrı", "Gökhan"), encoding="cp1254"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "windows-1256",
        csv(names("محمد علي", "فاطمة", "أحمد"), encoding="cp1256"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "tis-620",
        csv(names("สมชาย ใจดี", "สมหญิง", "ณัฐ"), encoding="cp874"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "mac roman",
        csv(names("José", "Zoë", "François"), encoding="mac-roman"),
        refused="neither UTF-8 nor CP949",
    ),
    Case(
        "cp437",
        csv(names("José", "Zoë", "François"), encoding="cp437"),
        refused="neither UTF-8 nor CP949",
    ),
    Case("mojibake saved", csv().decode("latin-1").encode(), refused="twice"),
    Case(
        "cp949 mojibake saved",
        csv(encoding="cp949").decode("latin-1").encode(),
        refused="encoded|unreadable",
    ),
    Case(
        "question marks",
        csv(names("???", "???", "???", "???", "???", "???")),
        refused="question marks|lost",
    ),
    Case(
        "replacement characters",
        csv(
            names(
                "\ufffd\ufffd",
                "\ufffd\ufffd\ufffd",
                "\ufffd",
                "\ufffd\ufffd",
                "\ufffd\ufffd",
                "\ufffd",
            )
        ),
        refused="lost|unreadable",
    ),
    Case(
        "mixed ends",
        "\r\n".join([HEADER, GOOD[0]]).encode()
        + b"\n"
        + "\n".join(GOOD[1:4]).encode()
        + b"\r\n"
        + "\r\n".join(GOOD[4:]).encode(),
        ALL,
    ),
    Case(
        "three kinds of ends",
        f"{HEADER}\r\n{GOOD[0]}\n{GOOD[1]}\r{GOOD[2]}\r\n".encode(),
        found_of(GOOD[:1]),
        (3,),
    ),
    Case("cr cr lf", csv(end="\r\r\n"), ALL),
    Case("next line ends", csv(end="\x85"), refused="line|header|lacks"),
    Case("nul inside", csv().replace(b"1003", b"10\x0003"), refused="NUL"),
    Case("nuls at the end", csv() + b"\0" * 600, refused="NUL"),
    Case("control z at the end", csv() + b"\x1a", ALL, (8,)),
    Case("no end of last line", csv()[:-2], ALL),
    Case("sep=;", b"sep=;\r\n" + csv(separator=";"), ALL),
    Case("sep=tab", b"sep=\t\r\n" + csv(separator="\t"), ALL),
    Case("semicolons", csv(separator=";"), ALL),
    Case("bars", csv(separator="|"), ALL),
    Case("double bars", csv(separator="||"), people=ALL),
    Case("carets", csv(separator="^"), refused="header|separat"),
    Case("carets named", csv(separator="^"), ALL, mapping='separator = "^"\n'),
    Case("control a", csv(separator="\x01"), refused="header|separat"),
    Case("comma and blank", csv(separator=", "), ALL),
    Case("padded", csv([",".join(f"{c:<20}" for c in r.split(",")) for r in GOOD]), ALL),
    Case("all quoted", csv(['"' + r.replace(",", '","') + '"' for r in GOOD]), ALL),
    Case(
        "all quoted, blank after comma",
        csv(['"' + r.replace(",", '", "') + '"' for r in GOOD]),
        refused="hold their text encoded",
    ),
    Case(
        "doubled quotes",
        csv(inserted(6, '7,"김 ""짱"" 구",q@b.example,')),
        ALL | {"7": '김 "짱" 구|q@b.example|'},
    ),
    Case(
        "quote in the middle",
        csv(inserted(6, '7,김 "짱" 구,q@b.example,')),
        ALL | {"7": '김 "짱" 구|q@b.example|'},
    ),
    Case("quote begins, not closed", csv(inserted(2, '7,"김,q@b.example,')), refused="quote"),
    Case(
        "rows in quotes",
        csv(['"' + r + '"' for r in GOOD], header=f'"{HEADER}"'),
        refused="quote|header",
    ),
    Case(
        "typographic quotes",
        csv(["“" + r.replace(",", "”,“") + "”" for r in GOOD]),
        refused="stand in “”",
    ),
    Case(
        "texts as formulas",
        csv(['="' + r.replace(",", '",="') + '"' for r in GOOD]),
        refused="hold their text encoded",
    ),
    Case(
        "quoted texts as formulas",
        csv(['"=""' + r.replace(",", '""","=""') + '"""' for r in GOOD]),
        refused="hold their text encoded",
    ),
    Case("trailing separators", csv([r + "," for r in GOOD]), ALL),
    Case(
        "trailing separators everywhere", csv([r + ",," for r in GOOD], header=HEADER + ",,"), ALL
    ),
    Case("a short row", csv(inserted(2, "7,가")), ALL, (4,)),
    Case("a long row", csv(inserted(2, "7,가,나,q@b.example,")), ALL, (4,)),
    Case("a comma in a name", csv(inserted(2, "7,Kim, Minji,q@b.example")), ALL, (4,)),
    Case("rows of blanks", csv(inserted(2, ",,,", "  ,,, ", "", ",,", '"",,,,')), ALL),
    Case(
        "comment rows above",
        ("# 회원 명부\r\n# 2025-11-18\r\n" + text()).encode(),
        refused="line 3",
    ),
    Case("title above csv", ("회원 명부,,,\r\n,,,\r\n" + text()).encode(), refused="line 3"),
    Case("blank lines above", b"\r\n\r\n" + csv(), ALL),
    Case("comment row inside", csv(inserted(3, "# 여기까지 1차")), ALL, (5,)),
    Case("header again", csv(inserted(3, HEADER)), refused="header"),
    Case("header again in capitals", csv(inserted(3, HEADER.upper())), refused="header"),
    Case("header again quoted, marked", csv(inserted(3, "\ufeff" + HEADER)), refused="header"),
    Case(
        "files joined, other order",
        csv([*GOOD, "email,mobile,name,member_id", "z@b.example,,가,9"]),
        refused="header",
    ),
    Case("files joined without break", csv()[:-2] + csv(), ALL, (7,)),
    Case("mark inside", csv(inserted(3)).replace(b"1004", b"\xef\xbb\xbf1004"), ALL),
    Case("labels under the header", csv(["회원번호,이름,이메일,휴대폰", *GOOD]), refused="header"),
    Case(
        "types under the header",
        csv(["int,varchar,varchar,varchar", *GOOD]),
        refused="header|types",
    ),
    Case(
        "types with lengths",
        csv(["NUMBER(10),VARCHAR2(50),VARCHAR2(100),VARCHAR2(20)", *GOOD]),
        refused="header|types",
    ),
    Case(
        "column twice",
        csv([r + "," + r.split(",")[2] for r in GOOD], header=HEADER + ",email"),
        refused="alike",
    ),
    Case("unused column twice", csv([r + ",x,y" for r in GOOD], header=HEADER + ",memo,memo"), ALL),
    Case("column with line break", csv(header='member_id,name,email,"mo\nbile"'), ALL),
    Case("column with mark", csv(header="member_id,name,e\u200bmail,mobile"), ALL),
    Case("columns with spaces", csv(header=" member_id , name,email ,mobile"), ALL),
    Case("columns in capitals", csv(header="MEMBER_ID,NAME,EMAIL,MOBILE"), ALL),
    Case("columns with table", csv(header="m.member_id,m.name,m.email,m.mobile"), refused="lacks"),
    Case("columns in brackets", csv(header="[member_id],[name],[email],[mobile]"), ALL),
    Case("columns in backticks", csv(header="`member_id`,`name`,`email`,`mobile`"), ALL),
    Case(
        "row numbers first", csv([f"{n},{r}" for n, r in enumerate(GOOD)], header="," + HEADER), ALL
    ),
    Case("no header", csv(header=GOOD[0], rows=GOOD[1:]), refused="header"),
    Case(
        "entities",
        csv(
            names(
                "O&#39;Brien",
                "Kim &amp; Lee",
                "&#44608;&#48124;",
                "&lt;b&gt;",
                "J&eacute;r",
                "&#x27;x",
            )
        ),
        refused="hold their text encoded",
    ),
    Case(
        "url-encoded",
        csv(
            [
                "1001,%EA%B9%80%EB%AF%BC%EC%A4%80,user1%40naver.example,",
                "1002,%EC%9D%B4%EC%84%9C,user2%40naver.example,",
                "1003,%EB%B0%95%EB%8F%84,user3%40naver.example,",
            ]
        ),
        refused="hold their text encoded",
    ),
    Case(
        "unicode escapes",
        csv(
            [
                r"1001,\uae40\ubbfc\uc900,user1@naver.example,",
                r"1002,\uc774\uc11c\uc5f0,user2@naver.example,",
                r"1003,\ubc15\ub3c4\uc724,user3@naver.example,",
            ]
        ),
        refused="hold their text encoded",
    ),
    Case(
        "quoted-printable",
        csv(
            [
                "1001,=EA=B9=80=EB=AF=BC,user1@naver.example,",
                "1002,=EC=9D=B4=EC=84=9C,user2@naver.example,",
                "1003,=EB=B0=95=EB=8F=84,user3@naver.example,",
            ]
        ),
        refused="hold their text encoded",
    ),
]

DATABASES = [
    Case("mysql inserts", b"INSERT INTO `m` VALUES (1,'a','a@b.example','');\n", refused="SQL"),
    Case(
        "mysql dump",
        b"-- MySQL dump 10.13\n--\n-- Host: h\n\n/*!40101 SET NAMES utf8 */;\n"
        b"DROP TABLE IF EXISTS `m`;\n",
        refused="SQL",
    ),
    Case(
        "mariadb dump",
        b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n--\n"
        b"/*!40101 SET @OLD=1 */;\nCREATE TABLE `m` (a int);\n",
        refused="SQL",
    ),
    Case(
        "pg dump",
        b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n",
        refused="SQL",
    ),
    Case(
        "pg dump 17",
        b"--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n",
        refused="SQL",
    ),
    Case(
        "pg copy block",
        (
            "COPY public.m (member_id, name, email, mobile) FROM stdin;\n"
            + "\n".join(r.replace(",", "\t") for r in GOOD)
            + "\n\\.\n"
        ).encode(),
        refused="COPY|SQL",
    ),
    Case(
        "mssql script", b"USE [shop]\r\nGO\r\nINSERT [dbo].[m] ([a]) VALUES (1)\r\n", refused="SQL"
    ),
    Case(
        "mssql script, utf-16",
        "USE [shop]\r\nGO\r\nINSERT [dbo].[m] ([a]) VALUES (1)\r\n".encode("utf-16"),
        refused="SQL",
    ),
    Case(
        "oracle script",
        b"REM INSERTING into M\nSET DEFINE OFF;\nInsert into M (A) values (1);\n",
        refused="SQL",
    ),
    Case(
        "sqlite dump",
        b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE m (a);\n",
        refused="SQL",
    ),
    Case("replace into", b"REPLACE INTO m VALUES (1);\n", refused="SQL"),
    Case(
        "mysql null text",
        csv([r"1001,\N,user1@naver.example,\N", GOOD[1], GOOD[2]], separator="\t", end="\n"),
        {"1001": "|user1@naver.example|", **found_of(GOOD[1:3])},
    ),
    Case("copy end mark", csv(end="\n") + b"\\.\n", refused="escape"),
    Case(
        "sqlcmd",
        text(header=HEADER + "\r\n---------,----,-----,------").encode()
        + b"\r\n(6 rows affected)\r\n",
        refused="drawn",
    ),
    Case("rows affected", csv() + b"\r\n(6 rows affected)\r\n", ALL, (9,)),
    Case("rows selected", csv() + b"\r\n6 rows selected.\r\n", ALL, (9,)),
    Case("psql footer", csv() + b"(6 rows)\r\n", ALL, (8,)),
    Case("timing footer", csv() + b"Time: 12.345 ms\r\n", ALL, (8,)),
    Case(
        "footer of one column",
        b"member_id\r\n"
        + b"".join(r.split(",")[0].encode() + b"\r\n" for r in GOOD)
        + b"(6 rows affected)\r\n",
        dict.fromkeys(ALL, "||"),
        (8,),
        table=ONLY_REFERENCE,
    ),
    Case(
        "fixed width",
        "\n".join("".join(f"{c:<24}" for c in row) for row in CELLS).encode(),
        refused="lacks|fixed",
    ),
    Case(
        "db2 fixed width",
        b"MEMBER_ID   NAME      \n----------- ----------\n       1001 Kim       \n\n"
        b"  1 record(s) selected.",
        refused="drawn",
    ),
    Case(
        "markdown",
        b"| member_id | name |\n|---|---|\n| 1 | a |",
        refused="drawn",
    ),
    Case(
        "mysql batch with box",
        b"+-----------+------+\n| member_id | name |\n+-----------+------+\n",
        refused="drawn",
    ),
    Case(
        "vertical output",
        b"*************************** 1. row ***************************\n"
        b"member_id: 1001\n     name: Kim\n",
        refused="drawn",
    ),
    Case(
        "psql expanded",
        b"-[ RECORD 1 ]----------\nmember_id | 1001\nname      | Kim\n",
        refused="drawn",
    ),
]

JSONS = [
    Case("array", json.dumps(objects()).encode(), ALL, suffix=".json"),
    Case("array with mark", b"\xef\xbb\xbf" + json.dumps(objects()).encode(), ALL, suffix=".json"),
    Case(
        "array pretty",
        json.dumps(objects(), indent=4, ensure_ascii=False).encode(),
        ALL,
        suffix=".json",
    ),
    Case(
        "array in utf-16",
        json.dumps(objects(), ensure_ascii=False).encode("utf-16"),
        ALL,
        suffix=".json",
    ),
    Case("lines", lines_of(objects()), ALL, suffix=".jsonl"),
    Case("lines escaped", lines_of(objects(), is_ascii=True), ALL, suffix=".json"),
    Case("lines in cp949", lines_of(objects()).decode().encode("cp949"), ALL, suffix=".json"),
    Case(
        "data list",
        json.dumps({"data": objects(), "total": 6}).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "data list pretty",
        json.dumps({"page": 1, "data": objects()}, indent=2).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "by id",
        json.dumps({row["member_id"]: row for row in objects()}).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case("array of arrays", json.dumps(CELLS).encode(), refused="array|object", suffix=".json"),
    Case(
        "elastic hits",
        lines_of({"_index": "m", "_id": "1", "_source": row} for row in objects()),
        refused="lack|inside",
        suffix=".json",
    ),
    Case(
        "nested contact",
        lines_of(
            {
                "member_id": r["member_id"],
                "name": r["name"],
                "email": {"address": r["email"]},
                "mobile": r["mobile"],
            }
            for r in objects()
        ),
        refused="objects or lists",
        suffix=".json",
    ),
    Case(
        "nested id",
        lines_of(row | {"member_id": {"id": row["member_id"]}} for row in objects()),
        refused="objects or lists",
        suffix=".json",
    ),
    Case(
        "nested name",
        lines_of(row | {"name": {"first": "a", "last": "b"}} for row in objects()),
        refused="objects or lists",
        suffix=".json",
    ),
    Case(
        "number ids",
        lines_of(row | {"member_id": int(str(row["member_id"]))} for row in objects()),
        ALL,
        suffix=".json",
    ),
    Case(
        "big ids",
        lines_of(
            [
                {
                    "member_id": 12345678901234567890123,
                    "name": "가",
                    "email": "f@b.example",
                    "mobile": None,
                }
            ]
        ),
        {"12345678901234567890123": "가|f@b.example|"},
        suffix=".json",
    ),
    Case(
        "float ids",
        lines_of(
            [
                *objects(),
                {"member_id": 1.5e20, "name": "가", "email": "f@b.example", "mobile": None},
            ]
        ),
        ALL,
        (7,),
        suffix=".json",
    ),
    Case(
        "number phones",
        lines_of(
            row | {"mobile": int("1" + str(row["mobile"])[2:].replace("-", ""))}
            for row in objects()
        ),
        refused="write lost_zeros = true in the mapping",
        suffix=".json",
    ),
    Case(
        "nulls",
        lines_of([{"member_id": "1", "name": None, "email": "n@b.example", "mobile": None}]),
        {"1": "|n@b.example|"},
        suffix=".json",
    ),
    Case(
        "null texts",
        lines_of(
            [{"member_id": "1", "name": "null", "email": "n@b.example", "mobile": "undefined"}]
        ),
        {"1": "|n@b.example|"},
        suffix=".json",
    ),
    Case(
        "booleans",
        lines_of(
            [
                *objects(),
                {"member_id": True, "name": "가", "email": "t@b.example", "mobile": ""},
                {"member_id": False, "name": "나", "email": "u@b.example", "mobile": ""},
            ]
        ),
        ALL,
        (7, 8),
        suffix=".json",
    ),
    Case(
        "duplicate keys",
        lines_of(objects()) + b'{"member_id":"7","email":"a@b.example","email":"c@b.example"}\n',
        ALL,
        (7,),
        suffix=".json",
    ),
    Case(
        "keys by case",
        lines_of(objects()) + b'{"member_id":"7","Email":"a@b.example","email":"c@b.example"}\n',
        ALL,
        (7,),
        suffix=".json",
    ),
    Case(
        "keys by case in each row",
        lines_of(
            [row | {"NAME": row["name"], "EMAIL": str(row["email"]).upper()} for row in objects()]
        ),
        ALL,
        suffix=".json",
    ),
    Case(
        "keys by case with other texts in each row",
        lines_of([row | {"EMAIL": f"x{row['email']}"} for row in objects()]),
        refused="email and a key that differs in its spelling only hold different texts",
        suffix=".json",
    ),
    Case(
        "nan",
        lines_of(
            [
                *objects(),
                {"member_id": float("nan"), "name": "가", "email": "z@b.example", "mobile": ""},
            ]
        ),
        ALL,
        (7,),
        suffix=".json",
    ),
    Case("cut", lines_of(objects())[:-20], without(1006), (6,), suffix=".jsonl"),
    Case("array cut", json.dumps(objects()).encode()[:-20], refused="too early", suffix=".json"),
    Case(
        "trailing comma",
        b"[" + b",\n".join(lines_of(objects()).splitlines()) + b",\n]",
        ALL,
        suffix=".json",
    ),
    Case(
        "lines with commas",
        b",\n".join(lines_of(objects()).splitlines()) + b"\n",
        ALL,
        suffix=".json",
    ),
    Case(
        "comments",
        b"// members\n" + lines_of(objects()),
        refused="header|lacks|JSON",
        suffix=".json",
    ),
    Case("single quotes", str(objects()).encode(), refused="JSON", suffix=".json"),
    Case(
        "lists of contacts",
        lines_of(
            [
                *objects(),
                {
                    "member_id": "7",
                    "name": "가",
                    "email": ["a@b.example", "c@b.example"],
                    "mobile": "",
                },
            ]
        ),
        ALL,
        (7,),
        suffix=".json",
    ),
    Case(
        "record separators",
        b"".join(b"\x1e" + line + b"\n" for line in lines_of(objects()).splitlines()),
        refused="JSON|lacks|header",
        suffix=".json",
    ),
]

OTHERS = [
    Case(
        "xml",
        b"<?xml version='1.0'?><members><member id='1'/></members>",
        refused="XML",
        suffix=".xml",
    ),
    Case(
        "xml in utf-16",
        "<?xml version='1.0'?><m><n id='1'/></m>".encode("utf-16"),
        refused="XML",
        suffix=".xml",
    ),
    Case("pdf", b"%PDF-1.7\n%\xe2\xe3\n", refused="PDF", suffix=".pdf"),
    Case("parquet", b"PAR1\x15\x04" + b"\0" * 50 + b"PAR1", refused="Parquet"),
    Case("orc", b"ORC\x08\x03" + b"\0" * 50, refused="ORC"),
    Case("feather", b"ARROW1\0\0" + b"\xff" * 50, refused="Arrow"),
    Case("pickle", b"\x80\x04\x95\x10\0\0\0\0\0\0\0]\x94.", refused="pickle|binary|NUL|CP949"),
    Case("sqlite", b"SQLite format 3\0" + b"\0" * 84, refused="SQLite"),
    Case(
        "dbase",
        b"\x03\x7b\x0b\x12\x06\0\0\0\xa1\0\x29\0" + b"\0" * 20 + b"MEMBER_ID\0\0C",
        refused="dBase",
    ),
    Case("spss", b"$FL2@(#) SPSS DATA FILE" + b"\0" * 50, refused="SPSS"),
    Case("png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, refused="picture"),
    Case("jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 40, refused="picture"),
    Case("tar", tarred(csv(), "w"), refused="tar", suffix=".tar"),
    Case("tar.gz", tarred(csv(), "w:gz"), refused="tar", suffix=".tar.gz"),
    Case("tgz", tarred(csv(), "w:gz"), refused="tar", suffix=".tgz"),
    Case("tar.xz", tarred(csv(), "w:xz"), refused="xz", suffix=".tar.xz"),
    Case("7z", b"7z\xbc\xaf\x27\x1c\0\x04", refused="7z", suffix=".7z"),
    Case("rar", b"Rar!\x1a\x07\x01\0", refused="RAR", suffix=".rar"),
    Case("egg", b"EGGA\0\x01" + b"\0" * 40, refused="archive", suffix=".egg"),
    Case("alz", b"ALZ\x01\x0a\0\0\0" + b"\0" * 40, refused="archive", suffix=".alz"),
    Case("lz4", b"\x04\x22\x4d\x18" + b"\0" * 40, refused="archive"),
    Case("cab", b"MSCF\0\0\0\0" + b"\0" * 40, refused="(?i)cab|archive"),
    Case("gzip", gzip.compress(csv()), ALL, suffix=".csv.gz"),
    Case(
        "gzip members",
        gzip.compress(csv()[:100]) + gzip.compress(csv()[100:]),
        ALL,
        suffix=".csv.gz",
    ),
    Case("zip", zipped_as({"m.csv": csv()}), ALL, suffix=".zip"),
    Case("zip of workbook", zipped_as({"m.xlsx": xlsx(CELLS)}), ALL, suffix=".zip"),
    Case("zip in directory", zipped_as({"a/": b"", "a/m.csv": csv()}), ALL, suffix=".zip"),
    Case(
        "zip from a Mac",
        zipped_as({"m.csv": csv(), "__MACOSX/": b"", "__MACOSX/._m.csv": b"\0\x05\x16\x07"}),
        ALL,
        suffix=".zip",
    ),
    Case(
        "zip with store",
        zipped_as({"m.csv": csv(), ".DS_Store": b"\0\0\0\1Bud1"}),
        ALL,
        suffix=".zip",
    ),
    Case(
        "zip with thumbs",
        zipped_as({"m.csv": csv(), "Thumbs.db": b"x", "desktop.ini": b"[x]"}),
        ALL,
        suffix=".zip",
    ),
    Case(
        "zip of two",
        zipped_as({"a.csv": csv(), "b.csv": csv()}),
        refused="2 files.*a.csv",
        suffix=".zip",
    ),
    Case("zip of zip", zipped_as({"a.zip": zipped_as({"m.csv": csv()})}), ALL, suffix=".zip"),
    Case("empty zip", zipped_as({}), refused="ZIP|nothing", suffix=".zip"),
    Case("zip of directory", zipped_as({"a/": b""}), refused="ZIP|nothing", suffix=".zip"),
    Case(
        "docx",
        zipped_as({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}),
        refused="Word",
        suffix=".docx",
    ),
    Case(
        "numbers",
        zipped_as({"Index/Document.iwa": b"x", "preview.jpg": b"x"}),
        refused="Numbers",
        suffix=".numbers",
    ),
    Case(
        "hwpx",
        zipped_as({"mimetype": b"application/hwp+zip", "Contents/section0.xml": b"<x/>"}),
        refused="Hangul",
        suffix=".hwpx",
    ),
    Case(
        "mail",
        b"From: a@b.example\r\nTo: c@b.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\nx",
        refused="(?i)e-mail|message",
        suffix=".eml",
    ),
    Case(
        "ldif",
        b"dn: uid=1001,ou=people,dc=b\nuid: 1001\ncn: Kim\nmail: a@b.example\n",
        refused="LDIF",
        suffix=".ldif",
    ),
    Case(
        "yaml",
        b"- member_id: 1001\n  name: Kim\n  email: a@b.example\n",
        refused="YAML|lacks",
        suffix=".yaml",
    ),
    Case("php serialised", b'a:1:{i:0;a:1:{s:9:"member_id";s:1:"1";}}', refused="PHP"),
    Case("empty", b"", refused="empty"),
    Case("blank lines", b"\r\n\r\n \r\n", refused="blank|header"),
    Case("header only", csv([]), refused="no rows"),
    Case("mark only", b"\xef\xbb\xbf", refused="blank|empty"),
    Case(
        "web error page", b"<!DOCTYPE html>\n<html><body>504 Gateway</body></html>", refused="HTML"
    ),
    Case(
        "git lfs pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 5\n",
        refused="lacks|header",
    ),
]

ROWS = [
    Case("same row twice", csv([*GOOD, GOOD[0]]), ALL),
    Case("id with other contact", csv([*GOOD, "1001,김민준,other@b.example,"]), ALL, (8,)),
    Case(
        "leading zeros differ",
        csv([*GOOD, "01001,한지민,z@b.example,"]),
        ALL | {"01001": "한지민|z@b.example|"},
    ),
    Case(
        "resident number as phone",
        csv(inserted(6, "7,가,q@b.example,900101-1234567")),
        ALL | {"7": "가|q@b.example|"},
    ),
    Case("columns moved in a row", csv(inserted(6, "가,q@b.example,7,010-2345-6789")), None, (8,)),
    Case(
        "date as id",
        csv(inserted(6, "1900-01-01,가,q@b.example,", "0000-00-00,나,r@b.example,")),
        ALL,
        (8, 9),
    ),
    Case("sum row", csv([*GOOD, "총 6명,,,"]), ALL, (8,)),
    Case("count row", csv([*GOOD, "Count: 6,,,"]), ALL, (8,)),
    Case("page footer", csv([*GOOD, "Page 1 of 3,,,"]), ALL, (8,)),
    Case("end of file row", csv([*GOOD, "*** END OF FILE ***,,,"]), ALL, (8,)),
    Case("eof row", csv([*GOOD, "EOF,,,"]), ALL, (8,)),
]
EMPTY_REFERENCES = [
    *("NULL", "-", "guest", "0", "0000", "n/a", "N/A", "없음", "없음.", "미입력", "해당없음", "-1"),
    *("k.A.", "keine", "無", "なし", "n/d", "s/n", "#REF!", "#VALUE!", "none"),
    *("لا يوجد", "ei ole", "není", "nincs", "κανένα", "немає", "không rõ", "ไม่ระบุ"),
    *("null", "(null)", "undefined", "None", "nil", "N.A.", "unbekannt", "inconnu", "ninguno"),
    *(
        "desconocido",
        "нет",
        "brak",
        "yok",
        "不详",
        "暂无",
        "該当なし",
        "미확인",
        "알수없음",
        "알 수 없음",
    ),
    *("TBD", "not available", "not set", "no data", "(blank)", "(empty)", "(비어 있음)", "(공백)"),
    *("0.0", "1970-01-01", "9999-12-31", "00000000-0000-0000-0000-000000000000", "?", "--", "."),
]
FOOTERS = [
    *("Totaux", "Totales: 6", "tổng cộng", "건수", "Anzahl: 6", "сумма", "Celkem 6", "Összesen"),
    *(
        "Yhteensä",
        "รวมทั้งหมด",
        "المجموع",
        "以上",
        "sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
    ),
]
