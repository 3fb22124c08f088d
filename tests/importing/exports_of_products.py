"""Small files as products and people export them, each with what is right for it.

See tests/importing/more_messy_files.py. Each expectation was written before the file was read.
"""

import gzip
import io
import json
import struct
import zipfile

from tests.importing.binary_spreadsheets import ods, xls, xlsb
from tests.importing.further_messy_files import NO_EMAILS, NO_PHONES, mapped, one
from tests.importing.more_messy_files import (
    ALL,
    CELLS,
    GOOD,
    Case,
    csv,
    lines_of,
    text,
    without,
    xlsx,
)

USUAL = mapped(reference="member_id", name="name", email="email", phone="mobile")


def several(**columns: str | list[str]) -> str:
    """Returns the table of a mapping whose contacts may be several columns each."""
    lines = [f"{key} = {json.dumps(name, ensure_ascii=False)}" for key, name in columns.items()]
    contacts = [one for one in columns if one != "reference"]
    leaked = f"contact_leaked = {json.dumps(contacts)}\n"
    return '[person]\nrelation = "member"\n' + "\n".join(lines) + "\n" + leaked


def with_contacts(emails: str = "", phones: str = "") -> dict[str, str]:
    """Returns the good people, each with further contacts; "#" is the number of the person."""
    found = {}
    for number, (reference, seen) in enumerate(ALL.items(), 1):
        name, email, phone = seen.split("|")
        further = emails.replace("#", str(number)), phones.replace("#", str(number))
        found[reference] = f"{name}|{' '.join([email, *further[0].split()])}|" + " ".join(
            [phone, *further[1].split()]
        )
    return found


def rows(form: str) -> list[str]:
    """Returns a line for each good row: `form` with its cells and its number."""
    return [form.format(*cells, n=number) for number, cells in enumerate(CELLS[1:], 1)]


def joined(header: str, form: str, *, end: str = "\r\n", encoding: str = "utf-8") -> bytes:
    return "".join(line + end for line in [header, *rows(form)]).encode(encoding)


SHOPS = [
    Case(  # the names of the columns are the product's; all of them are quoted
        "cafe24 members",
        joined(
            "아이디,이름,이메일,휴대전화,일반전화,회원가입일,총구매금액",
            '"{0}","{1}","{2}","{3}","02-345-678{n}","2024-01-0{n} 10:00:00","12,{n}00"',
            encoding="cp949",
        ),
        with_contacts(phones="+822345678#"),
        table=several(
            reference="아이디", name="이름", email="이메일", phone=["휴대전화", "일반전화"]
        ),
    ),
    Case(  # a sentence for the reader stands above the header, in a row of its own
        "smartstore orders",
        xlsx([["다운로드 받으신 파일로 일괄 발송 처리가 가능합니다."], *CELLS]),
        ALL,
        suffix=".xlsx",
    ),
    Case(  # ids are masked: those of two people are alike, and both people stay apart
        "smartstore, masked ids",
        csv([f"use*****,{row.partition(',')[2]}" for row in GOOD[:2]] + GOOD[2:]),
        {"use*****": ALL["1001"], **without(1001, 1002)},
        rejected=(3,),
    ),
    Case(  # a number with its country, written with a blank
        "kakao users",
        csv([row.replace(",010-", ",+82 10-") for row in GOOD]),
        ALL,
    ),
    Case(  # masked numbers are kept as they leaked, and no message reaches them
        "kakao gift, masked",
        csv([f"{row[:-9]}****{row[-5:]}" for row in GOOD]),
        refused="unusable:mobile",
    ),
    Case(  # an apostrophe before the plus; tags with commas in quotes
        "shopify customers",
        joined(
            "Customer ID,First Name,Last Name,Email,Phone,Tags,Note",
            '"\'{0}",{1},,{2},\'{3},"vip, 2024, newsletter",',
        ),
        ALL,
        table=mapped(
            reference="Customer ID", name="{Last Name}{First Name}", email="Email", phone="Phone"
        ),
    ),
    Case(  # JSON with doubled quotes in a cell
        "stripe customers",
        joined(
            "id,Description,Email,Name,Created (UTC),mobile (metadata),metadata",
            '{0},,{2},{1},2025-11-18 09:00,{3},"{{""plan"":""a,b"",""n"":{n}}}"',
            end="\n",
        ),
        ALL,
        table=mapped(reference="id", name="Name", email="Email", phone="mobile (metadata)"),
    ),
    Case(  # serialised PHP in a cell
        "wordpress users",
        joined(
            "member_id,name,email,mobile,wp_capabilities",
            '{0},{1},{2},{3},"a:1:{{s:8:""customer"";b:1;}}"',
            end="\n",
        ),
        ALL,
    ),
    Case(  # an address of two lines in a quoted cell
        "magento customers",
        joined(
            "_website,_store,member_id,name,email,mobile,_address_street",
            'base,default,{0},{1},{2},{3},"테헤란로 {n}\n2층"',
            end="\n",
        ),
        ALL,
        table=USUAL + '[[leaked]]\nclass = "physical-addresses"\nvalue = "{_address_street}"\n',
    ),
    Case(  # three columns hold one number; alone they are none
        "number in three columns, one mapped",
        csv(
            [row.replace("-", ",") for row in GOOD],
            header="member_id,name,email,mobile,mobile2,mobile3",
        ),
        NO_PHONES,
    ),
]

FIREBASE = ["id", "mail", "ok", "h", "s", "n", *[f"c{n}" for n in range(13)], "tel"]
SERVICES = [
    Case(  # numbers as ids; objects and lists in columns that are not used
        "zendesk users",
        lines_of(
            {
                "id": int(r[0]),
                "name": r[1],
                "email": r[2],
                "phone": r[3],
                "tags": ["a"],
                "user_fields": {"x": {"y": 1}},
            }
            for r in CELLS[1:]
        ),
        ALL,
        suffix=".json",
        table=mapped(reference="id", name="name", email="email", phone="phone"),
    ),
    Case(  # further addresses in one cell, separated by semicolons
        "hubspot contacts",
        joined(
            "Record ID,Name,Email,Additional email addresses,Mobile",
            "{0},{1},{2},a{n}@b.example;c{n}@b.example,{3}",
        ),
        with_contacts(emails="a#@b.example c#@b.example"),
        table=several(
            reference="Record ID",
            name="Name",
            email=["Email", "Additional email addresses"],
            phone="Mobile",
        ),
    ),
    Case(  # Google separates several values of a field by three colons
        "google contacts",
        joined(
            "Id,Name,E-mail 1 - Value,Phone 1 - Value",
            "{0},{1},{2} ::: a{n}@b.example,{3} ::: 02-345-678{n}",
        ),
        with_contacts(emails="a#@b.example", phones="+822345678#"),
        table=mapped(
            reference="Id", name="Name", email="E-mail 1 - Value", phone="Phone 1 - Value"
        ),
    ),
    Case(  # an address as a link of Markdown is one address
        "notion",
        csv([row.replace(mail := row.split(",")[2], f"[{mail}](mailto:{mail})") for row in GOOD]),
        ALL,
    ),
    Case(  # an id with a bar in it
        "auth0 users",
        lines_of(
            {
                "user_id": f"auth0|{r[0]}",
                "email": r[2],
                "email_verified": True,
                "name": r[1],
                "phone_number": "+82" + r[3][1:].replace("-", ""),
                "identities": [{"connection": "x"}],
            }
            for r in CELLS[1:]
        ),
        {f"auth0|{key}": found for key, found in ALL.items()},
        suffix=".json",
        table=mapped(reference="user_id", name="name", email="email", phone="phone_number"),
    ),
    Case(  # no header, many blank cells; the mapping names the columns
        "firebase auth:export",
        "".join(
            f"{r[0]},{r[2]},true,aGFzaA==,c2FsdA==,{r[1]},,,,,,,,,,,,1700000000000,,"
            f"+82{r[3][1:].replace('-', '')}\n"
            for r in CELLS[1:]
        ).encode(),
        ALL,
        mapping=f"columns = {json.dumps(FIREBASE)}\n",
        table=mapped(reference="id", name="n", email="mail", phone="tel"),
    ),
    Case(  # names of columns with colons
        "cognito users",
        joined(
            "cognito:username,name,email,email_verified,phone_number,phone_number_verified",
            "{0},{1},{2},true,{3},false",
        ),
        ALL,
        table=mapped(
            reference="cognito:username", name="name", email="email", phone="phone_number"
        ),
    ),
    Case(  # a name with commas and backslashes in quotes
        "csvde of a directory",
        joined(
            "DN,objectClass,sAMAccountName,displayName,mail,mobile",
            '"CN={1}\\, A,OU=a,DC=b,DC=c",user,{0},{1},{2},{3}',
        ),
        ALL,
        table=mapped(reference="sAMAccountName", name="displayName", email="mail", phone="mobile"),
        mapping="escape = ''\n",
    ),
    Case(  # what stands around the rows is no row
        "elasticdump",
        lines_of(
            {"_index": "m", "_id": r[0], "_source": dict(zip(CELLS[0], r, strict=True))}
            for r in CELLS[1:]
        ),
        refused="inside another object",
        suffix=".json",
    ),
    Case(  # a change, with what was before
        "debezium changes",
        lines_of(
            {"before": None, "after": dict(zip(CELLS[0], r, strict=True)), "op": "c"}
            for r in CELLS[1:]
        ),
        refused="inside another object",
        suffix=".json",
    ),
    Case(  # a pointer to a document, which is not in the file
        "google drive pointer",
        b'{"url":"https://docs.google.com/open?id=1a","doc_id":"1a","email":"owner@b.example"}',
        refused="lack member_id, mobile, name",
        suffix=".json",
    ),
]

LINE = "-" * 60
DATABASES = [
    Case(  # semicolons, all quoted, NULL without quotes
        "phpmyadmin for excel",
        joined('"member_id";"name";"email";"mobile"', '"{0}";"{1}";"{2}";NULL'),
        NO_PHONES,
    ),
    Case(  # tabs in cells stand behind a backslash; \N is nothing; there is no header
        "mysqldump --tab",
        "".join(f"{r[0]}\t{r[1][0]}\\\t{r[1][1:]}\t{r[2]}\t\\N\n" for r in CELLS[1:]).encode(),
        {key: found.replace(found[0], f"{found[0]}\t", 1) for key, found in NO_PHONES.items()},
        suffix=".txt",
        mapping='escape = \'\\\'\ncolumns = ["member_id", "name", "email", "mobile"]\n',
    ),
    Case(
        "pg_dump in gzip",
        gzip.compress(b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"),
        refused="a dump of",
        suffix=".sql.gz",
    ),
    Case(
        "pg_dump --column-inserts",
        b"INSERT INTO public.m (member_id, name) VALUES (1001, 'a');\n" * 6,
        refused="a dump of SQL statements",
        suffix=".sql",
    ),
    Case(  # names of columns with dots
        "mongoexport csv, nested fields",
        joined("_id,name,contact.email,contact.phone", "{0},{1},{2},{3}", end="\n"),
        ALL,
        table=mapped(reference="_id", name="name", email="contact.email", phone="contact.phone"),
    ),
    Case(  # UNLOAD ends each row with a bar
        "informix unload",
        "".join(f"{'|'.join(r)}|\n" for r in CELLS[1:]).encode(),
        ALL,
        suffix=".unl",
        mapping='separator = "|"\ncolumns = ["member_id", "name", "email", "mobile", "end"]\n',
    ),
    Case(
        "cubrid unloaddb",
        b"%id [m] 45\n%class [m] ([member_id] [name])\n" + b"1001 'a'\n" * 6,
        refused="the header is one cell",
        suffix=".txt",
    ),
    Case(
        "oracle exp",
        b"\x03\x03\x69EXPORT:V11.02.00\nDSHOP\nRTABLES\n2048\n0\n" + bytes(64),
        refused="the header is one cell",
        suffix=".dmp",
    ),
    Case(  # SAP lists draw their table
        "sap list",
        "\n".join(
            [LINE, "|" + "|".join(CELLS[0]) + "|", LINE]
            + [f"|{'|'.join(row)}|" for row in CELLS[1:]]
            + [LINE, ""]
        ).encode(),
        refused="line 2: the columns of the mapping are named here",
        suffix=".txt",
    ),
    Case(  # a list with a title, blank lines and a first column without a name
        "sap list with tabs",
        (
            "2025.11.18\tDynamic List Display\t1\n\n\t"
            + "\t".join(CELLS[0])
            + "\n\n"
            + "".join("\t" + "\t".join(r) + "\n" for r in CELLS[1:])
        ).encode("cp949"),
        refused="line 3: the columns of the mapping are named here",
        suffix=".xls",
    ),
    Case(  # ids keep their zeros
        "sap ids of ten digits",
        csv([f"000000{row}" for row in GOOD]),
        {f"000000{key}": found for key, found in ALL.items()},
    ),
    Case(  # a cell of a fixed width, filled with NUL
        "mainframe, low values",
        csv([row.replace(",", "\0\0\0,", 1) for row in GOOD]),
        refused="a NUL byte",
    ),
    Case(  # the sign stands in the last digit
        "mainframe, zoned numbers",
        csv([row[:-1] + "{" for row in GOOD]),
        NO_PHONES,
    ),
]

SPREADSHEETS = [
    Case(  # a mark, and the line that Excel reads
        "csv utf-8 with sep=;",
        b"\xef\xbb\xbf" + ("sep=;\r\n" + text(separator=";")).encode(),
        ALL,
    ),
    Case(  # Google writes no quotes around cells: a quote is a letter
        "sheets tsv, quotes in names",
        csv([row.replace(",김", ',김"', 1) for row in GOOD], separator="\t", end="\n"),
        {**ALL, "1001": ALL["1001"].replace("김", '김"')},
        suffix=".tsv",
    ),
    Case(  # two names that begin with a quote: the rows between them are no part of a name
        "sheets tsv, names that begin with a quote",
        csv(
            [
                row.replace(",", ',"', 1) if number in (1, 4) else row
                for number, row in enumerate(GOOD)
            ],
            separator="\t",
            end="\n",
        ),
        refused="",
        people=None,
        suffix=".tsv",
        rejected=(3, 4, 5, 6),
    ),
    Case(  # cells too narrow for their numbers, and errors, saved as text
        "csv of what excel shows",
        csv(
            [
                "1001,김민준,#VALUE!,########",
                "1002,이서연,#N/A,#REF!",
                "1003,박도윤,#NAME?,1.02E+09",
                *GOOD[3:],
            ]
        ),
        {**without(1001, 1002, 1003)}
        | one("1001", "김민준")
        | one("1002", "이서연")
        | one("1003", "박도윤"),
    ),
]

LETTERS = [
    Case(  # a capital i with a dot is no i, and a small one without a dot is none
        "dotted and dotless i",
        csv(
            [
                "1001,김민준,USER1@GMAİL.COM,010-2345-6781",
                "1002,이서연,userı@naver.example,010-2345-6782",
                "1003,박도윤,useri@naver.example,010-2345-6783",
                *GOOD[3:],
            ]
        ),
        {
            **ALL,
            "1001": NO_EMAILS["1001"],
            "1002": NO_EMAILS["1002"],
            "1003": "박도윤|useri@naver.example|+821023456783",
        },
    ),
    Case(  # programs with Turkish rules write the small form of the I in GMAIL.COM without a dot
        "domains that were lowered in Turkish",
        csv(
            [
                "1001,김민준,user1@gmaıl.com,010-2345-6781",
                "1002,이서연,user2@xn--gmal-nza.com,010-2345-6782",
                "1003,박도윤,user3@ışık.example,010-2345-6783",
                *GOOD[3:],
            ]
        ),
        {
            **ALL,
            "1001": NO_EMAILS["1001"],
            "1002": "이서연|user2@xn--gmal-nza.com|+821023456782",
            "1003": "박도윤|user3@xn--k-ekaa7p.example|+821023456783",
        },
    ),
    Case(  # a full-width sign means the same
        "full-width at",
        csv([row.replace("@", "＠") for row in GOOD]),
        ALL,
    ),
    Case(  # digits of other scripts are digits
        "devanagari digits",
        csv(
            [
                row.partition(",0")[0]
                + ","
                + row[-13:].translate({48 + d: 0x966 + d for d in range(10)})
                for row in GOOD
            ]
        ),
        ALL,
    ),
]


def _zip64() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("m.csv", "w", force_zip64=True) as m:
        m.write(csv())
    return buffer.getvalue()


class _Stream(io.RawIOBase):
    """A file that cannot seek, so that the ZIP file has data descriptors."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.content += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


def _streamed_zip() -> bytes:
    stream = _Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m.csv", csv())
    return stream.content


def _named_zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, csv())
    return buffer.getvalue()


def _gzip_with_names() -> bytes:
    plain = gzip.compress(csv(), mtime=0)
    extra = struct.pack("<H", 4) + b"ab\x00\x00"
    return plain[:3] + b"\x1c" + plain[4:10] + extra + b"members.csv\0a comment\0" + plain[10:]


ARCHIVES = [
    Case("zip64", _zip64(), ALL, suffix=".zip"),
    Case("zip written as a stream", _streamed_zip(), ALL, suffix=".zip"),
    Case("zip with a path upwards", _named_zip("../../etc/m.csv"), ALL, suffix=".zip"),
    Case("gzip with names and a comment", _gzip_with_names(), ALL, suffix=".csv.gz"),
    Case(
        "two gzip members, the second cut short",
        gzip.compress(csv(GOOD[:3])) + gzip.compress(csv(GOOD[3:]))[:-12],
        refused="cut short or damaged",
        suffix=".csv.gz",
    ),
]


def _repacked(book: bytes, old: str, new: str) -> bytes:
    """Returns a workbook in which the names of the parts are others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as one, zipfile.ZipFile(buffer, "w") as other:
        for name in one.namelist():
            member = zipfile.ZipInfo(name)
            member.filename = name.replace(old, new)
            other.writestr(member, one.read(name))
    return buffer.getvalue()


def _dated(spelling: str) -> str:
    """Returns a mapping with a value that has a date in the column `on`."""
    leaked = '[[leaked]]\nclass = "purchases"\nvalue = "{name}"\ndate = "on"\n'
    return f'{USUAL}[dates]\non = "{spelling}"\n{leaked}'


_DAYS: list[list[object]] = [[*CELLS[0], "on"], *([*row, 44517] for row in CELLS[1:])]
SYSTEMS = [
    *(
        Case(  # 44517 days after 1904 are in 2025
            f"{kind}, numbered days from 1904",
            made(_DAYS, is_1904=True),
            refused="count from 1904, so on would be read four years too early",
            suffix=f".{kind}",
            table=_dated("excel"),
        )
        for kind, made in (("xlsx", xlsx), ("xls", xls), ("xlsb", xlsb), ("ods", ods))
    ),
    *(
        Case(
            f"{kind}, numbered days",
            made(_DAYS),
            ALL,
            suffix=f".{kind}",
            table=_dated("excel"),
        )
        for kind, made in (("xls", xls), ("xlsb", xlsb), ("ods", ods))
    ),
    Case(
        "excel, numbered days from 1904, not used", xlsx(_DAYS, is_1904=True), ALL, suffix=".xlsx"
    ),
    Case(
        "excel, parts named with backslashes",
        _repacked(xlsx(CELLS), "/", "\\"),
        refused="cannot be read as a spreadsheet",
        suffix=".xlsx",
    ),
    Case(
        "excel, the workbook named otherwise",
        _repacked(xlsx(CELLS), "xl/workbook.xml", "xl/Workbook.xml"),
        refused="cannot be read as a spreadsheet",
        suffix=".xlsx",
    ),
    Case(  # a web grid writes its filters below the header
        "a grid with its filters",
        xlsx([CELLS[0], ["전체"] * 4, *CELLS[1:]]),
        ALL,
        rejected=(2,),
        suffix=".xlsx",
    ),
    Case(
        "bcp, empty texts",
        csv([f"{row[:-13]}\0" for row in GOOD], separator="\t"),
        refused="bcp writes an empty text so: export NULLIF",
        suffix=".txt",
    ),
]
CASES = [*SHOPS, *SERVICES, *DATABASES, *SPREADSHEETS, *LETTERS, *ARCHIVES, *SYSTEMS]
