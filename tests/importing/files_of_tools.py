"""Files as shells, tools of developers, forms and spreadsheets with sums write them.

See tests/importing/more_messy_files.py. `Case.table` is here the whole table of a mapping.
"""

import base64
import bz2
import gzip
import json
import lzma
import zipfile
from io import BytesIO

from tests.importing.further_messy_files import mapped
from tests.importing.more_messy_files import ALL, CELLS, GOOD, HEADER, Case, csv, xlsx, zipped_as
from tests.importing.sent_files import ID, KR1, of

LINES = [HEADER, *GOOD]
KIM, LEE = ("1", "Kim", "q1@b.example", "+821023456791"), ("2", "Lee", "q2@b.example")
NEW = "2001,한지민,h1@b.example,010-2345-6701"
WITH_NEW = ALL | of(("2001", "한지민", "h1@b.example", "+821023456701"))
NO_HEADER = "line 1: .* so that this is no header row"
AGAIN = "the header stands here again"
ONE_CELL = "the header is one cell"
INSIDE = "object 1: the rows stand inside another object"


def lines(*rows: str, end: str = "\n") -> bytes:
    return "".join(row + end for row in rows).encode()


def separated(separator: str) -> bytes:
    return lines(*(row.replace(",", separator) for row in LINES))


def quoted(sign: str = '"', close: str = "") -> list[str]:
    return [",".join(f"{sign}{cell}{close or sign}" for cell in row) for row in CELLS]


def objects(*rows: object) -> bytes:
    return lines(*(json.dumps(row, ensure_ascii=False) for row in rows))


def zipped_by(method: int) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("members.csv", lines(*LINES))
    return buffer.getvalue()


ROW = {"id": 1, "name": "Kim", "email": "q1@b.example", "phone": KR1}
OTHER = {"id": 2, "name": "Lee", "email": "q2@b.example", "phone": ""}

# ---------------------------------------------------------------- what a shell writes

SHELLS = [
    Case("tail of two files", lines("==> a.csv <==", *LINES), refused="line 2: the columns of"),
    Case("tail, two headers", lines(*LINES, "", "==> b <==", HEADER, NEW), refused=AGAIN),
    Case("tail, one header", lines(*LINES, "", "==> b <==", NEW), WITH_NEW, rejected=(9,)),
    Case(
        "a header joined to the last row",
        "\n".join(LINES).encode() + lines(HEADER, NEW),
        {key: found for key, found in WITH_NEW.items() if key != "1006"},
        rejected=(7,),
    ),
    Case(
        "a row joined to the last one",
        "\n".join(LINES).encode() + lines(NEW),
        {key: found for key, found in ALL.items() if key != "1006"},
        rejected=(7,),
    ),
    Case(
        "cat -n",
        lines(*(f"     {number}\t{row}" for number, row in enumerate(LINES, 1))),
        refused="its columns could be separated by",
    ),
    Case(
        "grep -n",
        lines(*(f"{number}:{row}" for number, row in enumerate(LINES, 1))),
        refused="stands before each row",
    ),
    *(
        Case(
            f"{kind}, the header without it",
            lines(HEADER, *(before.format(number) + row for number, row in enumerate(GOOD, 2))),
            refused="stands before each row",
        )
        for kind, before in {
            "grep -n": "{}:",
            "grep -H": "members.csv:",
            "grep -Hn": "/export/members.csv:{}:",
            "cat -n": "     {}  ",
        }.items()
    ),
    Case(
        "grep -n with the columns in the mapping",
        lines(*(f"{7 * number}:{row}" for number, row in enumerate(GOOD, 1))),
        refused="stands before each row",
        mapping='columns = ["member_id", "name", "email", "mobile"]\n',
    ),
    Case(
        "references of a shop and a number",
        lines(HEADER, *(f"{shop}:{row}" for shop, row in zip("121132", GOOD, strict=True))),
        {f"{shop}:{key}": found for shop, (key, found) in zip("121132", ALL.items(), strict=True)},
    ),
    Case("uniq -c", lines(*(f"      1 {row}" for row in LINES)), refused="lacks member_id"),
    Case(
        "addresses in the colours of grep",
        lines(HEADER, *(row.replace("user", "\x1b[01;31m\x1b[Kuser") for row in GOOD)),
        refused="unusable:email",
    ),
    Case("a file without its header", lines(*GOOD), refused=NO_HEADER),
    Case(
        "the second part of a split file, its first row as the mapping",
        lines(*GOOD),
        refused=NO_HEADER,
        table=mapped(reference="1001", name="김민준", email="user1@naver.example"),
    ),
    Case(
        "a list of addresses without a header",
        lines(*(f"q{number}@b.example" for number in range(9))),
        refused=NO_HEADER,
        table=mapped(reference="q0@b.example", email="q0@b.example"),
    ),
    Case(
        "numbers of phones without a header",
        lines(*(f"{number},010-2345-678{number}" for number in range(1, 5))),
        refused=NO_HEADER,
        table=mapped(reference="1", phone="010-2345-6781"),
    ),
    Case(
        "columns that are named by days",
        lines(f"{HEADER},01-02-2025,20250103", *(f"{row},1,2" for row in GOOD)),
        ALL,
    ),
    Case(
        "a failure of php in the middle",
        lines(*LINES[:4], "<br />", "<b>Warning</b>:  Undefined index: mobile", *LINES[4:]),
        ALL,
        rejected=(5, 6),
    ),
    Case(
        "an exception of java with commas",
        lines(*LINES[:4], "java.sql.SQLException: reset, cause: null, state=1, code=0", *LINES[4:]),
        ALL,
        rejected=(5,),
    ),
    Case(
        "an export that ended in a traceback",
        lines(*LINES, "Traceback (most recent call last):", "    main()", "KeyError: 'mobile'"),
        ALL,
        rejected=(8, 9, 10),
    ),
    Case(
        "a connection that was lost",
        lines(*LINES, "ERROR 2013 (HY000) at line 1: Lost connection to server during query"),
        ALL,
        rejected=(8,),
    ),
    Case(
        "a snapshot too old",
        lines(*LINES, "ERROR:", "ORA-01555: snapshot too old", "", "6 rows selected."),
        ALL,
        rejected=(8, 9, 11),
    ),
    Case(
        "messages of mongoexport around csv",
        lines("2025-11-18T09:00:00.000+0900\tconnected to: mongodb://localhost/", *LINES),
        refused="line 2: 2 columns are named, but the row has 1 cells",
    ),
    Case(
        "the last message of mongoexport",
        lines(*LINES, "2025-11-18T09:00:01.000+0900\texported 6 records"),
        ALL,
        rejected=(8,),
    ),
    Case("uuencode", lines("begin 644 members.csv", "M;65M8F5R7VED", "`", "end"), refused=ONE_CELL),
    Case("base64 of a file", base64.encodebytes(lines(*LINES)), refused=ONE_CELL),
    Case("strings of a binary file", lines("member_id", "Kim", "q1@b.example"), refused=ONE_CELL),
    Case(
        "powershell, the type above",
        lines("#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser", *quoted(), end="\r\n"),
        refused="line 2: the columns of the mapping are named here",
    ),
    Case(
        "powershell, format-table",
        lines(
            "member_id name   email               mobile",
            "--------- ----   -----               ------",
            *("      ".join(row) for row in CELLS[1:]),
        ),
        refused="a table drawn for reading",
    ),
    Case(
        "pages with their titles",
        lines(*LINES[:4], "", "Page 1 of 2", "\f한빛몰 회원목록", "", *LINES[4:]),
        ALL,
        rejected=(6, 7),
    ),
]

# ---------------------------------------------------------------- marks, separators and line ends

SIGNS = [
    Case("two marks of utf-8", b"\xef\xbb\xbf" * 2 + lines(*LINES), ALL),
    Case("two marks of utf-8 before quotes", b"\xef\xbb\xbf" * 2 + lines(*quoted()), ALL),
    Case("a mark that was read as latin", "ï»¿".encode() + lines(*LINES), refused="member_id"),
    Case("a mark between rows", lines(*LINES[:4]) + b"\xef\xbb\xbf" + lines(*LINES[4:]), ALL),
    Case(
        "a mark between rows in quotes",
        lines(*quoted()[:4]) + b"\xef\xbb\xbf" + lines(*quoted()[4:]),
        ALL,
    ),
    Case("a mark before a second header", lines(*LINES, f"\ufeff{HEADER}", NEW), refused=AGAIN),
    Case(
        "a second header in another order",
        lines(*LINES, "name,member_id,mobile,email", "한지민,2001,010-2345-6701,h1@b.example"),
        refused=AGAIN,
    ),
    Case(
        "a second header of fewer columns",
        lines(*LINES, "member_id,name,mobile", "2001,한지민,010-2345-6701"),
        refused=AGAIN,
    ),
    Case(
        "rows of a second file with tabs",
        lines(*LINES, HEADER.replace(",", "\t"), NEW.replace(",", "\t")),
        ALL,
        rejected=(8, 9),
    ),
    Case(
        "an emoji as oracle stores it",
        lines(*LINES).replace("김민준".encode(), "김민준".encode() + b"\xed\xa0\xbd\xed\xb8\x80"),
        {key: found for key, found in ALL.items() if key != "1001"},
        rejected=(2,),
    ),
    Case("zeros behind the end", lines(*LINES) + b"\0" * 4096, refused="line 8: a NUL byte"),
    Case("two bars between cells", separated("||"), ALL),
    Case("bars with signs between cells", separated("|~|"), ALL),
    Case("two tabs between cells", separated("\t\t"), ALL),
    *(
        Case(f"{sign} between cells", separated(sign), refused=ONE_CELL)
        for sign in ("::", "¦", "~", "§", "^", "¬", "\x1f", "//")
    ),
    Case("backslash and t between cells", separated("\\t"), refused="backslashes stand in it"),
    Case("backticks", lines(*quoted("`")), refused="its cells stand in `"),
    Case("corner brackets", lines(*quoted("「", "」")), refused="its cells stand in 「」"),
    Case(
        "cells of a fixed width",
        lines(*(",".join(f'"{c:<24}"' for c in row) for row in CELLS)),
        ALL,
    ),
    Case("openedge", lines('1 "Kim" "q1@b.example"', ".", "PSC", "records=1"), refused=ONE_CELL),
    Case(
        "write.table of R",
        lines('"member_id" "name"', '"1" 1001 "Kim"', '"2" 1002 "Lee"'),
        refused="line 1: this is no header row|the header is one cell",
    ),
    Case("a comma behind the header only", lines(f"{HEADER},", *GOOD), refused="5 columns are"),
    Case(
        "blank cells dropped at the end of rows",
        lines(f"{HEADER},memo,level", f"{GOOD[0]},m,1", f"{GOOD[1]},m,1", GOOD[2], f"{GOOD[3]},m"),
        {key: ALL[key] for key in ("1001", "1002")},
        rejected=(4, 5),
    ),
    Case("two carriage returns at each end", "\r\r\n".join(LINES).encode(), ALL),
    Case(
        "carriage returns between some rows",
        lines(HEADER, "\r".join(GOOD[:3]), *GOOD[3:]),
        {key: ALL[key] for key in ("1004", "1005", "1006")},
        rejected=(2,),
    ),
]

# ---------------------------------------------------------------- programs and services

PROGRAMS = [
    Case(
        "toString of java", lines(f"User(id=1, email=q1@b.example, phone={KR1})"), refused=NO_HEADER
    ),
    Case("a map of java", lines(f"{{id=1, email=q1@b.example, phone={KR1}}}"), refused=NO_HEADER),
    Case("maps of go", lines("map[email:q1@b.example id:1]"), refused=ONE_CELL),
    Case(
        "dumper of perl",
        lines("$VAR1 = [", "  { 'id' => 1, 'email' => 'q1@b.example' },", "];"),
        refused="text of a program",
    ),
    Case("var_export of php", lines("array (", " 0 => array ( 'id' => 1,),"), refused=ONE_CELL),
    Case("serialize of php", b'a:1:{i:0;a:1:{s:2:"id";i:1;}}\n', refused="a file of the kind PHP"),
    Case("edifact", b"UNA:+.? 'UNB+UNOC:3+1+2'NAD+BY+1001::9+Kim'", refused=ONE_CELL),
    Case(
        "hl7",
        lines("MSH|^~\\&|APP|FAC|||2025||ADT^A01|1", f"PID|1||1001^^^H||Kim^Minji||||||{KR1}"),
        refused="the header lacks member_id",
    ),
    Case("mt940", lines(":20:STARTUMSE", ":86:KIM MINJI, q1@b.example"), refused=ONE_CELL),
    Case(
        "iis",
        lines("#Fields: date time cs-username", "2025-11-18 0:00 q1@b.example"),
        refused=ONE_CELL,
    ),
    Case("arrays of clickhouse", objects(*CELLS), refused="something else than an object"),
    Case("texts that hold objects", objects(json.dumps(ROW)), refused="backslashes stand in it"),
    Case("keys of kafka before objects", lines(f"k1\t{json.dumps(ROW)}"), refused="separated by"),
    Case("kafka connect", objects({"schema": {}, "payload": ROW}), refused=INSIDE, table=ID),
    Case(
        "couchdb",
        objects({"total_rows": 1, "rows": [{"id": "1", "value": {}, "doc": ROW}]}),
        refused=INSIDE,
        table=ID,
    ),
    Case(
        "graphql",
        objects({"data": {"users": {"edges": [{"node": ROW}]}}}),
        refused=INSIDE,
        table=ID,
    ),
    Case("odata", objects({"@odata.context": "x", "value": [ROW]}), refused=INSIDE, table=ID),
    Case("an export with a name", objects({"name": "x", "rows": [ROW]}), refused=INSIDE, table=ID),
    Case(
        "an export with an id and an address",
        objects(
            {"id": 7, "name": "x", "email": "ops@b.example", "phone": "", "rows": [ROW, OTHER]}
        ),
        refused=INSIDE,
        table=ID,
    ),
    Case(
        "a person with others",
        objects({**ROW, "family": [{"name": "Lee", "age": 7}]}),
        of(KIM),
        table=ID,
        suffix=".json",
    ),
    Case(
        "slack, the contacts in a profile",
        objects(*({"id": f"U{n}", "profile": {"email": f"q{n}@b.example"}} for n in range(3))),
        refused="unused:profile",
        table=mapped(reference="id"),
    ),
    Case(
        "a count of mysqlsh",
        objects(ROW) + b"1 row in set (0.0005 sec)\n",
        of(KIM),
        rejected=(2,),
        table=ID,
    ),
    Case(
        "an array cut short",
        b"[" + objects(ROW)[:-1] + b',{"id":2,"na',
        refused="too early",
        table=ID,
    ),
    Case(
        "the last line of json cut short",
        objects(ROW) + objects(OTHER)[:30],
        of(KIM),
        rejected=(2,),
        table=ID,
        suffix=".json",
    ),
    Case(
        "an error of the server as the last object",
        objects(ROW, {"error": {"code": 500}}),
        of(KIM),
        rejected=(2,),
        table=ID,
        suffix=".json",
    ),
    Case(
        "datev",
        lines('"EXTF";700;16;"Debitoren"', "Konto;E-Mail", "1;q1@b.example"),
        refused="line 2: the columns of",
        table=mapped(reference="Konto", email="E-Mail"),
    ),
    Case(
        "ebay, blank lines and a seller below",
        lines("", *LINES[:1], "", *GOOD, "", "6,record(s) downloaded,,", "Seller ID : shop77"),
        ALL,
        rejected=(11, 12),
    ),
    Case(
        "surveymonkey, kinds of answers below the header",
        lines(
            "Respondent ID,Email Address,First Name,Your phone?",
            ",,,Open-Ended Response",
            f"118000001,q1@b.example,Minji,{KR1}",
        ),
        of(("118000001", "Minji", "q1@b.example", "+821023456791")),
        rejected=(2,),
        table=mapped(
            reference="Respondent ID", name="First Name", email="Email Address", phone="Your phone?"
        ),
    ),
    Case(
        "qualtrics, questions and ids of columns below the header",
        lines(
            "ResponseId,RecipientEmail,Q1",
            "Response ID,Recipient Email,Please leave your number",
            '"{""ImportId"":""_recordId""}","{""ImportId"":""recipientEmail""}",x',
            f"R_1a,q1@b.example,{KR1}",
        ),
        refused=AGAIN,
        table=mapped(reference="ResponseId", email="RecipientEmail", phone="Q1"),
    ),
    Case(
        "coupang wing, groups above the header",
        lines("주문정보,,구매자", "주문번호,구매자,구매자전화번호", f"15000012345678,김민준,{KR1}"),
        refused="line 2: the columns of the mapping are named here",
        table=mapped(reference="주문번호", name="구매자", phone="구매자전화번호"),
    ),
    Case(
        "sendgrid",
        lines("EMAIL,FIRST_NAME,PHONE_NUMBER_ID,CONTACT_ID", "q1@b.example,Kim,+821023456791,1"),
        of(KIM),
        table=mapped(
            reference="CONTACT_ID", name="FIRST_NAME", email="EMAIL", phone="PHONE_NUMBER_ID"
        ),
    ),
    Case(
        "filemaker, repeated fields",
        lines("id\tname\temail\tphone", f"1\tKim\tq1@b.example\x1dq2@b.example\t{KR1}"),
        refused="none of its 1 rows",
        table=ID,
    ),
    Case("numbers of db2", lines(HEADER, *(f"+00000{row}" for row in GOOD)), None),
    Case(
        "name and address in one column",
        lines("id,contact,phone", f'1,"Kim <q1@b.example>",{KR1}'),
        of(("1", "Kim <q1@b.example>", "q1@b.example", "+821023456791")),
        table=mapped(reference="id", name="contact", email="contact", phone="phone"),
    ),
    Case(
        "arrays of postgresql",
        lines(HEADER, *(f'{n},Kim,"{{q{n}@b.example}}",' for n in range(9))),
        refused="unusable:email",
    ),
]

# ---------------------------------------------------------------- containers

PROGRAM_FILES = {
    "SQL Server backup": b"TAPE\0\0\3\0" + b"\0" * 60,
    "Java": b"\xac\xed\0\5sr\0\x11java.util.ArrayList",
    "PST": b"!BDN" + b"\1\2" * 40,
    "mongodump": b"m\xe2\x99\x81\xd0\x00\x00\x00\x10concurrent_collections\0",
    "plist": b"bplist00\xd4\1\2\3" + b"x" * 40,
    "Redis": b"REDIS0009\xfa\x09redis-ver\x055.0.7",
}
CONTAINERS = [
    *(
        Case(f"a file of {kind}", content, refused=f"a file of the kind {kind};")
        for kind, content in PROGRAM_FILES.items()
    ),
    Case("alz", b"ALZ\x01" + b"\0" * 40, refused="an archive that is not read"),
    Case("egg", b"EGGA" + b"\0\1" * 40, refused="an archive that is not read"),
    Case("xz", lzma.compress(lines(*LINES)), refused="compressed with xz"),
    Case("bzip2", bz2.compress(lines(*LINES)), refused="compressed with bzip2"),
    Case(
        "gzip, a text behind",
        gzip.compress(lines(*LINES)) + b"end of tape\n",
        refused="the gzip data is cut short or damaged",
    ),
    Case("gzip in the blocks of a tape", gzip.compress(lines(*LINES)) + b"\0" * 512, ALL),
    Case("zip with bzip2", zipped_by(zipfile.ZIP_BZIP2), ALL),
    Case("zip with lzma", zipped_by(zipfile.ZIP_LZMA), ALL),
    Case(
        "zip with a read-me and a mac",
        zipped_as({"readme.txt": b"Hello", "members.csv": csv(), "__MACOSX/._a.csv": b"x"}),
        refused="a ZIP file with 2 files",
    ),
    Case("csv as xls", lines(*LINES), ALL, suffix=".xls"),
    Case("xlsx as csv", xlsx(CELLS), ALL),
]

# ---------------------------------------------------------------- sums in other columns


def with_city(*rows: str) -> bytes:
    return lines(f"city,{HEADER}", *rows)


SEOUL, BUSAN = [f"서울,{row}" for row in GOOD[:3]], [f"부산,{row}" for row in GOOD[3:]]
SUMS = [
    Case(
        "sums of a spreadsheet below its groups",
        with_city(*SEOUL, "서울 요약,3,,,", *BUSAN, "부산 요약,3,,,", "총합계,6,,,"),
        ALL,
        rejected=(5, 9, 10),
    ),
    Case(
        "sums in English",
        with_city(*SEOUL, "Seoul Total,3,,,", *BUSAN, "Busan Total,3,,,", "Grand Total,6,,,"),
        ALL,
        rejected=(5, 9, 10),
    ),
    Case(
        "sums in German",
        with_city(*SEOUL, *BUSAN, "Busan Ergebnis,6,,,", "Gesamtergebnis,6,,,"),
        ALL,
        rejected=(8, 9),
    ),
    Case(
        "sums in a workbook",
        xlsx([*CELLS, [6, "합계", None, None]]),
        ALL,
        rejected=(8,),
        suffix=".xlsx",
    ),
    Case("the word behind the number", lines(*LINES, "6,,,합계"), ALL, rejected=(8,)),
    Case("the word in place of an address", lines(*LINES, "6,,총계,6"), ALL, rejected=(8,)),
    Case("groups with their counts", lines(HEADER, "VIP (6),,,", *GOOD), ALL, rejected=(2,)),
    Case(
        "a person whose name is a sum",
        lines(*LINES, f"7,Total,q1@b.example,{KR1}"),
        ALL | of(("7", "Total", "q1@b.example", "+821023456791")),
    ),
    Case(
        "a person in a town with such a name",
        with_city(*SEOUL, *BUSAN, "Porto Total,1007,Kim,,", "Bonn,1008,Lee,,"),
        ALL | of(("1007", "Kim"), ("1008", "Lee")),
    ),
    Case(
        "people whose reference is taken out",
        lines(*LINES, "REDACTED,Kim,,", "deleted,Lee,,", "탈퇴회원,Han,,", "****,,,"),
        ALL,
        rejected=(8, 9, 10, 11),
    ),
]

CASES = [*SHELLS, *SIGNS, *PROGRAMS, *CONTAINERS, *SUMS]
