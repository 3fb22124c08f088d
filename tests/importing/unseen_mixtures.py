"""Further unseen files: encodings said to be others, moved cells, JSON, two defects in one file.

See tests/importing/unseen_files.py.
"""

import gzip
import json
import unicodedata

from tests.importing.binary_spreadsheets import ods, xls
from tests.importing.further_messy_files import added, mapped, one
from tests.importing.more_messy_files import (
    ALL,
    CELLS,
    GOOD,
    HEADER,
    Case,
    csv,
    found_of,
    lines_of,
    names,
    objects,
    text,
    without,
    xlsx,
    zipped_as,
)
from tests.importing.unseen_files import table

CHINESE = names("㐂田", "𠮷野", "王伟", "李娜", "张敏", "刘洋")  # the first two have four bytes
TRADITIONAL = names("王小明", "李大文", "何文田", "黃大仙", "陳美玲", "林志明")
HONG_KONG = names("陳喺嘅", "王小邨", "李大文", "張大", "何文田", "黃大仙")
JAPANESE = names("ソ連 表能", "十二 予", "佐藤 健", "鈴木 花子", "高橋 誠", "田中 さくら")
RARE_KOREAN = names("뷁뷁이", "똠방각하", "펲시", "김민준", "이서연", "박도윤")
POLISH = names("Łukasz Żak", "Święs", "Ćwik", "Jiří Dvořák", "Šárka", "Gergő Szűcs")
RUSSIAN = names("Иван Петров", "Ольга Смирнова", "Анна", "Юрий", "Пётр", "Мария Кузнецова")
GERMAN = names(
    "Jürgen Müller",
    "Zoë Weiß",
    "José Peña",
    "François Gößl",
    "Gökhan Böhm",
    "René Jäger-Köß",
)
ENGLISH = names("Kim", "Lee", "Park", "Choi", "Jung", "Kang")


def said(name: str, people: list[str], codec: str, label: str) -> Case:
    """Returns a case of a file whose mapping names another encoding than it has."""
    return Case(
        name,
        csv(people, encoding=codec),
        refused="said to be",
        mapping=f'encoding = "{label}"\n',
    )


def named(name: str, people: list[str], codec: str, label: str) -> Case:
    """Returns a case of a file whose mapping names its encoding."""
    return Case(
        name,
        csv(people, encoding=codec),
        found_of(people),
        mapping=f'encoding = "{label}"\n',
    )


ENCODINGS = [
    named("gb18030, four bytes", CHINESE, "gb18030", "gb18030"),
    named("gb18030, four bytes, named gbk", CHINESE, "gb18030", "gbk"),
    named("gb18030, four bytes, named gb2312", CHINESE, "gb18030", "gb2312"),
    named("characters of Hong Kong", HONG_KONG, "big5hkscs", "big5-hkscs"),
    named("shift_jis, backslashes inside characters", JAPANESE, "shift_jis", "shift_jis"),
    named("cp932 named shift_jis", names("髙橋", "﨑山", "①田", "高橋"), "cp932", "shift_jis"),
    named("cp949 syllables named euc-kr", RARE_KOREAN, "cp949", "euc-kr"),
    named("iso-2022-kr", GOOD, "iso2022_kr", "iso-2022-kr"),
    Case(
        "windows-1252, one row in utf-8",
        csv(names("José Peña", "Zoë Weiß"), encoding="cp1252")
        + "1003,Jürgen Müller,user3@naver.example,010-2345-6783\r\n".encode(),
        found_of(names("José Peña", "Zoë Weiß")),
        rejected=(4,),
        mapping='encoding = "windows-1252"\n',
    ),
    Case(
        "gbk, one row in utf-8",
        csv(names("王伟", "李娜"), encoding="gb18030")
        + "1003,张三,user3@naver.example,010-2345-6783\r\n".encode(),
        found_of(names("王伟", "李娜")),
        rejected=(4,),
        mapping='encoding = "gb18030"\n',
    ),
    Case("cp949 syllables, not named", csv(RARE_KOREAN, encoding="cp949"), found_of(RARE_KOREAN)),
    Case(
        "characters of Hong Kong named big5",
        csv(HONG_KONG, encoding="big5hkscs"),
        None,
        (2, 3),
        mapping='encoding = "big5"\n',
    ),
    Case(
        "ebcdic by name",
        csv(ENGLISH, encoding="cp037"),
        refused="unknown encoding 'cp037'",
        mapping='encoding = "cp037"\n',
    ),
    said("polish, said to be cyrillic", POLISH, "cp1250", "windows-1251"),
    said("koi8, said to be windows", RUSSIAN, "koi8-r", "windows-1251"),
    said("windows, said to be koi8", RUSSIAN, "cp1251", "koi8-r"),
    said("iso cyrillic, said to be windows", RUSSIAN, "iso-8859-5", "windows-1251"),
    said("mac, said to be windows", GERMAN, "mac-roman", "windows-1252"),
    said("windows, said to be mac", GERMAN, "cp1252", "mac-roman"),
    said("utf-8, said to be windows", GERMAN, "utf-8", "windows-1252"),
    said("latin, said to be utf-8", GERMAN, "latin-1", "utf-8-sig"),
    said("utf-8, said to be chinese", GOOD, "utf-8", "gb18030"),
    said("japanese, said to be chinese", JAPANESE, "shift_jis", "gb18030"),
    said("simplified, said to be traditional", CHINESE[2:], "gb18030", "big5"),
    said("traditional, said to be simplified", TRADITIONAL, "big5", "gb18030"),
    said("korean, said to be japanese", GOOD, "cp949", "euc-jp"),
    said("johab, said to be euc-kr", GOOD, "johab", "euc-kr"),
    said("little endian, said to be big", GOOD, "utf-16-le", "utf-16-be"),
]

PERSON = mapped(reference="member_id", name="name", email="email", phone="mobile")
WITH_NOTE = f"{HEADER},note"
NOTED = [f'{row},"a\nb"' for row in GOOD]
TRAILING = [f"{line.replace(',', ';')};" for line in [HEADER, *GOOD]]


def rewritten(form: str) -> bytes:
    """Returns the good rows with each address as `form` has it: {a}, or {x} in hexadecimal."""
    rows = [row.split(",") for row in GOOD]
    return csv(
        [
            ",".join([*row[:2], form.format(a=row[2], x=row[2].encode().hex()), row[3]])
            for row in rows
        ]
    )


def replaced(place: int, row: str) -> bytes:
    """Returns the good rows with another one in place of one."""
    return csv([*GOOD[: place - 1], row, *GOOD[place:]])


ROWS = [
    Case(
        "semicolons, and commas in a name",
        csv([GOOD[0].replace("김민준", "김. 민준"), *GOOD[1:]], separator=";").replace(
            "김. 민준".encode(), "김, 민준".encode()
        ),
        without(1001) | one("1001", "김, 민준", "user1@naver.example", "+821023456781"),
    ),
    Case(
        "tabs, and a mark of inches",
        csv([GOOD[0].replace("김민준", '5" Kim'), *GOOD[1:]], separator="\t"),
        without(1001) | one("1001", '5" Kim', "user1@naver.example", "+821023456781"),
    ),
    Case(
        "sep= and a separator at the end, in cp949",
        "\r\n".join(["sep=;", *TRAILING, ""]).encode("cp949"),
        ALL,
    ),
    Case(
        "sep= and a separator at the end, in utf-16",
        "\r\n".join(["sep=;", *TRAILING, ""]).encode("utf-16"),
        ALL,
    ),
    Case("rows of blanks, then totals", csv([*GOOD, ",,,", ",,,,", "합계,6,,"]), ALL, (10,)),
    Case("rows of blanks only", csv([",,,", " , ,,"]), refused="no rows"),
    Case(
        "a name that is the separator",
        added('7,",",q7@b.example,'),
        ALL | one("7", ",", "q7@b.example"),
    ),
    Case(
        "a name that is a quote", added('7,"""",q7@b.example,'), ALL | one("7", '"', "q7@b.example")
    ),
    Case(
        "a row moved to the right",
        replaced(4, ",1004,최하은,user4@naver.example"),
        without(1004),
        (5,),
    ),
    Case(
        "a row moved to the left",
        replaced(4, "최하은,user4@naver.example,010-2345-6784,"),
        without(1004),
        (5,),
    ),
    Case(
        "contacts swapped in a row",
        replaced(4, "1004,최하은,010-2345-6784,user4@naver.example"),
        without(1004),
        (5,),
    ),
    Case(
        "ids composed and decomposed",
        table(
            HEADER,
            "회원1,가,q1@b.example,",
            f"{unicodedata.normalize('NFD', '회원1')},가,q1@b.example,",
        ),
        one("회원1", "가", "q1@b.example"),
    ),
    Case(
        "ids with other dashes",
        table(HEADER, *(f"M{dash}001,가,q1@b.example," for dash in "-‐‑‒–—−－")),
        one("M-001", "가", "q1@b.example"),
    ),
    Case(
        "ids in full width",
        table(HEADER, "１００１,가,q1@b.example,", "1001,가,q1@b.example,"),
        one("1001", "가", "q1@b.example"),
    ),
    Case(
        "ids with a space inside",
        table(HEADER, "M 001,가,q1@b.example,", "M001,나,q2@b.example,"),
        one("M 001", "가", "q1@b.example") | one("M001", "나", "q2@b.example"),
    ),
    Case(
        "ids with a sharp s",
        table(HEADER, "straße1,가,q1@b.example,", "STRASSE1,나,q2@b.example,"),
        one("straße1", "가", "q1@b.example") | one("STRASSE1", "나", "q2@b.example"),
    ),
    Case(
        "ids with signs",
        table(HEADER, "100%,가,q1@b.example,", "#1,나,q2@b.example,"),
        one("100%", "가", "q1@b.example") | one("#1", "나", "q2@b.example"),
    ),
    Case(
        "the index of pandas",
        csv([f"{n},{row}" for n, row in enumerate(GOOD)], header=f",{HEADER}"),
        ALL,
    ),
    Case(
        "a second column of addresses in capitals",
        csv([f"{row},other{n}@b.example" for n, row in enumerate(GOOD)], header=f"{HEADER},EMAIL"),
        refused='accept "unused:EMAIL"',
    ),
    Case(
        "NA of R",
        added("7,NA,q7@b.example,NA", "8,가,NA,NA"),
        ALL | one("7", "NA", "q7@b.example") | one("8", "가"),
    ),
    Case("points of Stata", added("7,가,.,."), ALL | one("7", "가")),
    Case(
        "empty masks of FoxPro",
        added("7,가,q7@b.example,   -    -    "),
        ALL | one("7", "가", "q7@b.example"),
    ),
    Case(
        "carriage returns, and line feeds in a note",
        "\r".join([WITH_NOTE, *NOTED, ""]).encode(),
        ALL,
    ),
    Case(
        "unicode text, and line breaks in a note",
        csv(NOTED, header=WITH_NOTE, separator="\t", encoding="utf-16"),
        ALL,
    ),
    Case(
        "two addresses with a comma, without quotes",
        added("7,가,q7@b.example,r7@b.example,"),
        ALL,
        (8,),
    ),
    Case(
        "names that mean nothing",
        added(
            *(
                f"{n},{name},q{n}@b.example,"
                for n, name in enumerate(["무", "Null", "None", "N/A", "-"], 7)
            )
        ),
        ALL
        | {
            str(n): f"{name}|q{n}@b.example|"
            for n, name in enumerate(["무", "Null", "None", "N/A", "-"], 7)
        },
    ),
    Case(
        "a village called -",
        csv([f"{row},-" for row in GOOD], header=f"{HEADER},addr"),
        ALL,
        table=f'{PERSON}[[leaked]]\nclass = "physical-addresses"\nvalue = "{{addr}}"\n',
    ),
    Case(
        "columns by position, and a Korean header",
        csv(header="회원번호,이름,메일,휴대폰"),
        refused="header",
        mapping='columns = ["member_id", "name", "email", "mobile"]\n',
    ),
    Case(
        "fewer columns by position",
        csv()[len(HEADER) + 2 :],
        refused="cells",
        mapping='columns = ["member_id", "name", "email"]\n',
        table=mapped(reference="member_id", name="name", email="email"),
    ),
    Case(
        "more columns by position",
        csv()[len(HEADER) + 2 :],
        refused="cells",
        mapping='columns = ["member_id", "name", "email", "mobile", "x"]\n',
    ),
    Case(
        "swapped columns by position",
        csv()[len(HEADER) + 2 :],
        refused='accept "swapped:email".*accept "swapped:mobile"',
        mapping='columns = ["member_id", "name", "mobile", "email"]\n',
    ),
    Case(
        "escaped tabs and line feeds",
        table(
            "member_id\tname\temail\tmobile",
            "1\tKim\\\tB\tq1@b.example\t\\N",
            "2\tPark\\\nC\tq2@b.example\t\\N",
            end="\n",
        ),
        one("1", "Kim\tB", "q1@b.example"),
        (3,),
        mapping="escape = '\\'\n",
    ),
    Case("addresses in hexadecimal digits", rewritten("0x{x}"), refused="encoded:email"),
    Case("addresses as bytea", rewritten("\\x{x}"), refused="encoded:email"),
    Case("addresses as national text", rewritten("N'{a}'"), ALL),
    Case("addresses as binary text", rewritten("_binary '{a}'"), ALL),
    Case(
        "addresses of closed accounts",
        rewritten("{a}.deleted"),
        refused="unusable:email",
    ),
    Case(
        "one address in hexadecimal digits",
        added(f"7,가,0x{b'q7@b.example'.hex()},"),
        ALL | one("7", "가"),
    ),
    Case(
        "a border of a table as a name",
        added("7,+-----+,q7@b.example,"),
        ALL | one("7", "+-----+", "q7@b.example"),
    ),
    Case("a form feed before the header", f"\x0c{text()}".encode(), ALL),
    Case("a mark before a row", replaced(3, f"\ufeff{GOOD[2]}"), ALL),
    Case("a soft hyphen in the header", csv(header="member\u00ad_id,name,email,mobile"), ALL),
    Case(
        "invisible spaces in the header", csv(header="\u200bmember_id,name,e\u200bmail,mobile"), ALL
    ),
    Case("greek question marks between cells", csv(separator="\u037e"), refused="separator|lacks"),
]

OBJECTS = objects()


def json_lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def row_of(reference: str, email: str = "q1@b.example", name: str = "a") -> bytes:
    """Returns a line of JSON; the reference and the address are written as they are."""
    return f'{{"member_id":{reference},"name":"{name}","email":"{email}","mobile":""}}\n'.encode()


def line_of(
    name: str,
    content: bytes,
    people: dict[str, str] | None = None,
    rejected: tuple[int, ...] = (),
    *,
    refused: str = "",
) -> Case:
    """Returns a case of JSON Lines."""
    return Case(name, content, people, rejected, refused, suffix=".jsonl")


JSONS = [
    line_of(
        "escaped keys", row_of('"1"').replace(b"_id", b"\\u005fid"), one("1", "a", "q1@b.example")
    ),
    line_of("an escaped @", row_of('"1"', "q1\\u0040b.example"), one("1", "a", "q1@b.example")),
    line_of(
        "0 as an id, in three ways",
        row_of("-0") + row_of("7", "q7@b.example") + row_of("0.0", "q3@b.example"),
        one("7", "a", "q7@b.example"),
        (1, 3),
    ),
    line_of("an id of 25 digits", row_of("1" * 25), one("1" * 25, "a", "q1@b.example")),
    line_of(
        "an id that lost its digits",
        row_of("1e+25") + row_of("7", "q7@b.example"),
        one("7", "a", "q7@b.example"),
        (1,),
    ),
    line_of(
        "objects in objects",
        json_lines(*({"member_id": row["member_id"], "user": row} for row in OBJECTS)),
        refused="user holds objects",
    ),
    line_of(
        "an array with one address",
        json_lines(*(row | {"email": [row["email"]]} for row in OBJECTS)),
        refused="email",
    ),
    line_of(
        "one array of addresses",
        json_lines(*OBJECTS[:-1], OBJECTS[-1] | {"email": ["user6@naver.example"]}),
        without(1006),
        (6,),
    ),
    line_of(
        "one object as a number",
        json_lines(*OBJECTS[:-1], OBJECTS[-1] | {"mobile": {"main": "010"}}),
        without(1006),
        (6,),
    ),
    line_of(
        "two keys alike with two addresses",
        json_lines(*OBJECTS[:-1], OBJECTS[-1] | {"Email": "other@b.example"}),
        without(1006),
        (6,),
    ),
    line_of(
        "two keys alike with one address",
        json_lines(*OBJECTS[:-1], OBJECTS[-1] | {"Email": "user6@naver.example"}),
        ALL,
    ),
    line_of(
        "a separator of lines in a name",
        json_lines(OBJECTS[0] | {"name": "가\u2028나"}, *OBJECTS[1:]),
        without(1001),
        (1,),
    ),
    line_of("empty objects between", b"{}\n" + lines_of(OBJECTS), ALL, (1,)),
    line_of(
        "half a character in an address",
        row_of("7", "q\\ud8001@b.example") + row_of("8", "q8@b.example"),
        one("8", "a", "q8@b.example"),
        (1,),
    ),
    line_of(
        "numbers without their zero",
        json_lines(
            *(row | {"mobile": int(str(row["mobile"]).replace("-", ""))} for row in OBJECTS)
        ),
        refused="write lost_zeros = true in the mapping",
    ),
    line_of(
        "an object as an id",
        json_lines({"member_id": {"id": "5f"}, "name": "a", "email": "q1@b.example", "mobile": ""}),
        refused="member_id",
    ),
    line_of(
        "a mark and carriage returns",
        b"\xef\xbb\xbf" + lines_of(OBJECTS).replace(b"\n", b"\r\n"),
        ALL,
    ),
    line_of(
        "pages of rows",
        json_lines(*({"page": n, "items": OBJECTS[n * 3 : n * 3 + 3]} for n in range(2))),
        refused="another object",
    ),
    line_of(
        "json in a text",
        json_lines(*({"member_id": row["member_id"], "data": json.dumps(row)} for row in OBJECTS)),
        refused="lack",
    ),
    Case(
        "people by their ids",
        json.dumps({row["member_id"]: row for row in OBJECTS}).encode(),
        refused="another object",
        suffix=".json",
    ),
    Case("an empty array", b"[]", refused="no rows", suffix=".json"),
    Case("an array in utf-16", json.dumps(OBJECTS).encode("utf-16"), ALL, suffix=".json"),
    Case(
        "json in gzip in zip",
        zipped_as({"m.jsonl.gz": gzip.compress(lines_of(OBJECTS))}),
        ALL,
        suffix=".zip",
    ),
]

MANY = [[str(n), "가", f"q{n}@b.example", f"010-2345-{n}"] for n in range(1000, 1040)]

SPREADSHEETS = [
    Case(
        "dates as addresses",
        xlsx([CELLS[0], *([*row[:2], 45000 + n, row[3]] for n, row in enumerate(MANY))]),
        refused="unusable:email",
        suffix=".xlsx",
    ),
    Case(
        "texts of links as addresses",
        xlsx([CELLS[0], *([*row[:2], "메일 보내기", row[3]] for row in MANY)]),
        refused="unusable:email",
        suffix=".xlsx",
    ),
    Case(
        "numbers without their zero in ods",
        ods([CELLS[0], *([*row[:3], int(row[3].replace("-", ""))] for row in MANY)]),
        refused="unusable:mobile",
        suffix=".ods",
    ),
    Case(
        "rows of blanks between",
        xlsx([CELLS[0], *CELLS[1:3], ["", "", "", ""], [" ", " ", None, None], *CELLS[3:]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "rows of blanks in xls", xls([CELLS[0], ["", "", "", ""], *CELLS[1:]]), ALL, suffix=".xls"
    ),
    Case(
        "a date as an address",
        xlsx([*CELLS, ["7", "가", "2023-03-15", None]]),
        ALL | one("7", "가"),
        suffix=".xlsx",
    ),
    Case(
        "a share as an id",
        xlsx([CELLS[0], [0.5, *CELLS[1][1:]], *CELLS[2:]]),
        without(1001) | one("0.5", "김민준", "user1@naver.example", "+821023456781"),
        suffix=".xlsx",
    ),
    Case(
        "an id below zero",
        xlsx([CELLS[0], [-5, *CELLS[1][1:]], *CELLS[2:]]),
        without(1001) | one("-5", "김민준", "user1@naver.example", "+821023456781"),
        suffix=".xlsx",
    ),
    Case(
        "errors in ods",
        ods([*CELLS, ["7", "가", "#N/A", "Err:502"]]),
        ALL | one("7", "가"),
        suffix=".ods",
    ),
    Case(
        "a note beside the table",
        xlsx([CELLS[0], [*CELLS[1], None, "memo"], *CELLS[2:]]),
        ALL,
        suffix=".xlsx",
    ),
]
