"""Further small texts: encodings, separators, output of databases, JSON and other kinds.

See tests/importing/more_messy_files.py.
"""

import json
from collections.abc import Sequence

from tests.importing.further_messy_files import WITH_DATE, added, mapped, one
from tests.importing.more_messy_files import (
    ALL,
    CELLS,
    GOOD,
    HEADER,
    Case,
    csv,
    found_of,
    inserted,
    lines_of,
    names,
    objects,
    text,
    without,
    zipped_as,
)

# ---------------------------------------------------------------- text and its encodings

GREEK = names("Γιώργος Παπαδόπουλος", "Ελένη", "Νίκος", "Μαρία", "Σοφία", "Κώστας")
RUSSIAN = names("Иван Петров", "Ольга Смирнова", "Анна", "Юрий", "Пётр", "Мария Кузнецова")
ARABIC = names("محمد علي", "فاطمة", "أحمد", "خالد", "سارة", "ليلى")
HEBREW = names("משה כהן", "רחל לוי", "דוד", "שרה", "יוסף", "מרים")
THAI = names("สมชาย ใจดี", "สมหญิง", "ณัฐ", "วิชัย", "มาลี", "ประเสริฐ")
VIETNAMESE = names("Nguyễn Văn An", "Trần Thị Bích", "Lê Hoàng", "Phạm Dũng", "Đỗ Mỹ", "Vũ Hà")
TURKISH = names("Ayşe Yılmaz", "Çağrı Öztürk", "Gökhan Şahin", "İbrahim", "Ümit", "Işıl")
POLISH = names("Łukasz Żak", "Święs", "Ćwik", "Jiří Dvořák", "Šárka", "Gergő Szűcs")
JAPANESE = names("佐藤 健", "鈴木 花子", "高橋 誠", "田中 さくら", "渡辺 アキラ", "伊藤 ユイ")
CHINESE = names("王伟", "李娜", "张敏", "刘洋", "陈静", "杨军")
UNKNOWN = "neither UTF-8 nor CP949"


def in_encoding(name: str, rows: Sequence[str], codec: str, *labels: str) -> list[Case]:
    """Returns a case that refuses a guess, one that takes what a person names, one a wrong name."""
    content = csv(rows, encoding=codec)
    label = labels[0] if labels else codec
    return [
        Case(f"{name}, not named", content, refused=UNKNOWN),
        Case(f"{name}, named", content, found_of(rows), mapping=f'encoding = "{label}"\n'),
        Case(
            f"{name}, said to be utf-8",
            content,
            refused="said to be utf-8",
            mapping='encoding = "utf-8"\n',
        ),
        Case(
            f"{name}, said to be cp949",
            content,
            refused="said to be cp949",
            mapping='encoding = "cp949"\n',
        ),
    ]


WRONG_NAMES = [
    ("russian", RUSSIAN, "cp1251", "windows-1252"),
    ("russian", RUSSIAN, "cp1251", "koi8-r"),
    ("russian", RUSSIAN, "koi8-r", "windows-1251"),
    ("greek", GREEK, "cp1253", "windows-1252"),
    ("japanese", JAPANESE, "cp932", "gbk"),
    ("japanese", JAPANESE, "euc-jp", "shift_jis"),
    ("chinese", CHINESE, "gb18030", "big5"),
    ("taiwanese", names("王大偉", "林雅婷", "張淑芬", "陳志明", "黃怡君", "李家豪"), "big5", "gbk"),
    ("korean", GOOD, "cp949", "gbk"),
]
ENCODINGS = [
    *(
        Case(
            f"{language} in {codec} named {label}",
            csv(rows, encoding=codec),
            refused="said to be",
            mapping=f'encoding = "{label}"\n',
        )
        for language, rows, codec, label in WRONG_NAMES
    ),
    *(
        Case(
            f"{label} named rightly",
            csv(rows, encoding=codec),
            found_of(rows),
            mapping=f'encoding = "{label}"\n',
        )
        for rows, codec, label in (
            (names("王大偉", "林雅婷", "張淑芬", "陳志明"), "big5", "big5"),
            (names("José", "Zoë", "Öğü Şöü", "Ærø Åse", "Éa"), "utf-8", "utf-8"),
            (names("José", "Zoë", "Ærø Åse", "Éléonore Ôïé"), "cp1252", "windows-1252"),
            (names("Їжак", "Ґанна Іванівна", "Євген"), "cp1251", "windows-1251"),
        )
    ),
    Case(
        "ascii, said to be utf-16",
        csv(["1,Kim,a@b.example,", "2,Lee,c@b.example,"]),
        refused="said to be utf-16, but its bytes are utf-8",
        mapping='encoding = "utf-16"\n',
    ),
    *in_encoding("greek", GREEK, "cp1253", "windows-1253"),
    *in_encoding("greek of ISO", GREEK, "iso-8859-7"),
    *in_encoding("russian", RUSSIAN, "cp1251", "windows-1251"),
    *in_encoding("russian of DOS", RUSSIAN, "koi8-r"),
    *in_encoding("arabic", ARABIC, "cp1256", "windows-1256"),
    *in_encoding("hebrew", HEBREW, "cp1255", "windows-1255"),
    *in_encoding("thai", THAI, "iso-8859-11"),
    *in_encoding("turkish", TURKISH, "cp1254", "windows-1254"),
    *in_encoding("polish and czech", POLISH, "cp1250", "windows-1250"),
    *in_encoding("japanese", JAPANESE, "cp932", "shift_jis"),
    *in_encoding("japanese of unix", JAPANESE, "euc-jp"),
    *in_encoding("chinese", CHINESE, "gb18030"),
    Case("vietnamese in utf-8", csv(VIETNAMESE), found_of(VIETNAMESE)),
    Case(
        "vietnamese in utf-8, decomposed", csv(VIETNAMESE).decode().encode(), found_of(VIETNAMESE)
    ),
    Case("russian of old DOS", csv(RUSSIAN, encoding="cp866"), refused=UNKNOWN),
    Case(
        "ebcdic",
        csv(encoding="cp037", rows=[r.encode("ascii", "ignore").decode() for r in GOOD]),
        refused="EBCDIC|NUL|neither|header",
    ),
    Case("hz", csv(CHINESE, encoding="hz"), refused="iso|hz|HZ|encoded"),
    Case("iso-2022-jp", csv(JAPANESE, encoding="iso2022_jp"), refused="iso-2022-jp"),
    Case(
        "iso-2022-jp named",
        csv(JAPANESE, encoding="iso2022_jp"),
        found_of(JAPANESE),
        mapping='encoding = "iso-2022-jp"\n',
    ),
    Case("cesu-8 smiles", csv() + b"7,\xed\xa0\xbd\xed\xb8\x80,q@b.example,\r\n", ALL, (8,)),
    Case("overlong utf-8", csv() + b"7,\xc0\xafx,q@b.example,\r\n", ALL, (8,)),
    Case(
        "utf-8 cut inside a character in each name",
        csv([r.replace(r.split(",")[1], "김민") for r in GOOD]).replace(
            "민,".encode(), "민".encode()[:2] + b","
        ),
        refused="neither|undecodable|every|all|none",
    ),
    Case("utf-16 with its last byte missing", csv(encoding="utf-16-le")[:-1], ALL, (8,)),
    Case("utf-16 after utf-8", csv() + csv(encoding="utf-16"), refused="NUL|header"),
    Case(
        "cp949 after utf-8",
        csv() + csv([r.replace("100", "200") for r in GOOD], encoding="cp949")[len(HEADER) + 2 :],
        ALL,
        tuple(range(8, 14)),
    ),
    Case("utf-8 mark, then cp949", b"\xef\xbb\xbf" + csv(encoding="cp949"), refused="."),
    Case(
        "cp949 header only Korean",
        csv(
            encoding="cp949",
            rows=[r.replace(r.split(",")[1], "Kim") for r in GOOD],
            header="회원번호,이름,이메일,휴대폰",
        ),
        {k: "Kim|" + f.partition("|")[2] for k, f in ALL.items()},
        table=mapped(reference="회원번호", name="이름", email="이메일", phone="휴대폰"),
    ),
    Case(
        "mark in the middle of joined files",
        csv() + b"\xef\xbb\xbf" + csv(["1007,가,q@b.example,"]),
        refused="header",
    ),
    Case(
        "mark and more after a headless part",
        csv() + b"\xef\xbb\xbf" + "1007,가,q@b.example,\r\n".encode(),
        ALL | one("1007", "가", "q@b.example"),
    ),
    Case("next line signs in cells", added("7,가\x85나,q@b.example,"), ALL, (8,)),
    Case("line separators in cells", added("7,가\u2028나,q@b.example,"), ALL, (8,)),
    Case("line separators as ends", csv(end="\u2028"), refused="line|header|lacks|rows"),
    Case("vertical tabs in cells", added("7,가\x0b나,q@b.example,"), ALL, (8,)),
    Case("form feed between pages", csv(inserted(3, "\x0c" + HEADER)), refused="header"),
    Case(
        "form feed before a row",
        csv(inserted(3, "\x0c7,가,q@b.example,")),
        ALL | one("7", "가", "q@b.example"),
    ),
    Case(
        "lf, then crlf",
        (text(end="\n") + "7,가,q@b.example,\r\n").encode(),
        ALL | one("7", "가", "q@b.example"),
    ),
    Case("lf cr", csv(end="\n\r"), refused="none of its 6 rows"),
    Case("crlf inside quotes in a name", added('7,"가\r\n나",q@b.example,'), ALL, (8, 9)),
    Case("cr inside a name", added("7,가\r나,q@b.example,"), ALL, (8,)),
    Case(
        "cr inside quotes in an address",
        added('7,가,"q@b.example\r",'),
        ALL | one("7", "가", "q@b.example"),
    ),
    Case(
        "nul in a column not used",
        csv([r + ",x" for r in GOOD], header=HEADER + ",memo").replace(b",x\r", b",\0\r"),
        refused="NUL",
    ),
    Case("control z, then rest of a sector", csv() + b"\x1a" + b"\x1a" * 100, ALL, (8,)),
    Case(
        "bell and escape signs",
        added("7,\x07가\x1b[0m,q@b.example,"),
        ALL | one("7", "\x07가\x1b[0m", "q@b.example"),
    ),
    Case(
        "smart quotes in names",
        added("7,O’Brien “Bob”,q@b.example,"),
        ALL | one("7", "O’Brien “Bob”", "q@b.example"),
    ),
    Case(
        "tab in a quoted cell",
        csv([*GOOD, '7,"가\t나",q@b.example,']),
        ALL | one("7", "가\t나", "q@b.example"),
    ),
    Case(
        "tab-separated, tab in quotes",
        csv(GOOD, separator="\t") + '7\t"가\t나"\tq@b.example\t\r\n'.encode(),
        ALL | one("7", "가\t나", "q@b.example"),
    ),
    Case(
        "tab-separated, commas in names",
        csv(GOOD, separator="\t") + b"7\tKim, Minji\tq@b.example\t\r\n",
        ALL | one("7", "Kim, Minji", "q@b.example"),
    ),
    Case("excel unicode text", csv(separator="\t", encoding="utf-16"), ALL, suffix=".txt"),
    Case(
        "excel unicode text, quotes",
        (csv(separator="\t") + '7\t"김 ""짱"""\tq@b.example\t\r\n'.encode())
        .decode()
        .encode("utf-16"),
        ALL | one("7", '김 "짱"', "q@b.example"),
        suffix=".txt",
    ),
    Case("sep=| in utf-16", ("sep=|\r\n" + text(separator="|")).encode("utf-16"), ALL),
    Case("sep= in quotes", b'"sep=;"\r\n' + csv(separator=";"), ALL),
    Case("sep= without a sign", b"sep=\r\n" + csv(), refused="header|line 2"),
    Case("sep= that is wrong", b"sep=;\r\n" + csv(), refused="separat|lacks"),
    Case("tildes", csv(separator="~"), refused="header|separat|lacks"),
    Case("section signs", csv(separator="§"), refused="header|separat|lacks"),
    Case("full-width commas", csv(separator="，"), refused="header|separat|lacks"),
    Case("unit separators", csv(separator="\x1f"), refused="header|separat|lacks"),
    Case("colons", csv(separator=":"), refused="header|separat|lacks"),
    Case("several blanks", csv(separator="    "), refused="header|separat|lacks|fixed"),
    Case(
        "semicolons, decimal commas",
        csv([r + ",1.234,56" for r in GOOD], header=HEADER + ",amount", separator=";").replace(
            b"1.234;56", b"1.234,56"
        ),
        ALL,
    ),
    Case(
        "commas, thousands in quotes",
        csv([r + ',"1,234,567"' for r in GOOD], header=HEADER + ",amount"),
        ALL,
    ),
    Case(
        "commas, thousands without quotes",
        csv([r + ",1,234,567" for r in GOOD], header=HEADER + ",amount"),
        refused="cells|columns",
    ),
    Case(
        "some thousands without quotes",
        csv([*[r + ",50" for r in GOOD], "7,가,q@b.example,,1,234"], header=HEADER + ",amount"),
        ALL,
        (8,),
    ),
    Case(
        "header in semicolons, rows in commas",
        (HEADER.replace(",", ";") + "\r\n").encode() + csv()[len(HEADER) + 2 :],
        refused="separat|cells|lacks|columns",
    ),
    Case(
        "header of fewer names than cells", csv([r + ",x" for r in GOOD]), refused="columns|cells"
    ),
    Case("header of more names than cells", csv(header=HEADER + ",memo"), refused="columns|cells"),
    Case(
        "a stray bar in the header",
        csv(header="member_id,name,email,mobile|phone"),
        refused="lacks",
    ),
    Case("rows end with a comma, header not", csv([r + "," for r in GOOD]), ALL),
    Case("header ends with a comma, rows not", csv(header=HEADER + ","), refused="columns|cells"),
    Case("quoted header only", csv(header='"member_id","name","email","mobile"'), ALL),
    Case(
        "quotes of one column",
        csv([r.replace(r.split(",")[1], f'"{r.split(",")[1]}"') for r in GOOD]),
        ALL,
    ),
    Case("backslash quotes", csv([*GOOD, r'7,"Kim \"Bob\" Min",q@b.example,']), refused="escape"),
    Case(
        "backslash quotes, named",
        csv([*GOOD, r'7,"Kim \"Bob\" Min",q@b.example,']),
        ALL | one("7", 'Kim "Bob" Min', "q@b.example"),
        mapping="escape = '\\'\n",
    ),
    Case(
        "backslash at the end of a cell",
        added("7,Kim\\,q@b.example,"),
        ALL | one("7", "Kim\\", "q@b.example"),
    ),
    Case(
        "windows paths in a memo",
        csv([r + r",C:\Users\x" for r in GOOD], header=HEADER + ",memo"),
        ALL,
    ),
    Case("cut in the last cell", csv()[:-7], ALL | {"1006": "강서준|user6@naver.example|"}),
    Case("cut in the last address", csv(end="\n")[:-23], without(1006), (7,)),
    Case(
        "cut in quotes",
        csv(['"' + r.replace(",", '","') + '"' for r in GOOD])[:-10],
        refused="quote|cut",
    ),
    Case(
        "cut after the last separator",
        csv(end="\n")[:-14],
        ALL | one("1006", "강서준", "user6@naver.example"),
    ),
    Case(
        "a row of dashes", csv(inserted(0, "---------,----,-----,------")), refused="drawn|header"
    ),
    Case("a row of dashes at the end", added("---------,----,-----,------"), ALL, (8,)),
    Case("subtotals between", csv(inserted(3, "소계: 3명,,,")), ALL, (5,)),
    Case("averages at the end", added("평균,,,"), ALL, (8,)),
    Case("source below", added("출처: 회원관리시스템,,,"), ALL, (8,)),
    Case("a signature below", added("", "이상 끝.", ""), ALL, (9,)),
    Case("confidential below", added("CONFIDENTIAL - internal use only,,,"), ALL, (8,)),
    Case("title, blank, header", ("회원 명부\r\n\r\n" + text()).encode(), refused="line 3"),
    Case(
        "header in row 5 of csv",
        ("회원 명부\r\n2025-11-18\r\n작성: 김\r\n\r\n" + text()).encode(),
        refused="line 5",
    ),
    Case(
        "transposed csv",
        "\r\n".join(",".join(row) for row in zip(*CELLS, strict=True)).encode(),
        refused="lacks",
    ),
    Case(
        "header of two lines in csv", csv(["ID,성명,전자우편,전화", *GOOD]), refused="header|lacks"
    ),
    Case("empty row under the header", csv([",,,", *GOOD]), ALL),
    Case("header with counts", csv(header="member_id (6),name,email,mobile"), refused="lacks"),
    Case(
        "header with required marks", csv(header="member_id*,name*,email*,mobile"), refused="lacks"
    ),
    Case(
        "header in full width",
        csv(header="ｍｅｍｂｅｒ＿ｉｄ,ｎａｍｅ,ｅｍａｉｌ,ｍｏｂｉｌｅ"),
        ALL,
    ),
    Case("header with no-break spaces", csv(header="member_id\u00a0,name,\u00a0email,mobile"), ALL),
    Case("header with a blank name", csv([r + ",x" for r in GOOD], header=HEADER + ","), ALL),
    Case(
        "very long header name",
        csv([r + ",x" for r in GOOD], header=HEADER + "," + "설문" * 2000),
        ALL,
    ),
    Case(
        "2,001 columns",
        csv(
            [r + ",x" * 2000 for r in GOOD],
            header=HEADER + "," + ",".join(f"q{n}" for n in range(2000)),
        ),
        refused="2,004 columns",
    ),
    Case("one row", csv(GOOD[:1]), found_of(GOOD[:1])),
    Case(
        "rows without a header, by position",
        csv(GOOD[1:], header=GOOD[0]),
        ALL,
        mapping='columns = ["member_id", "name", "email", "mobile"]\n',
    ),
    Case(
        "by position, with a header",
        csv(),
        refused="has a header",
        mapping='columns = ["member_id", "name", "email", "mobile"]\n',
    ),
    Case(
        "by position, Korean header",
        csv(header="회원번호,이름,이메일,휴대폰"),
        refused="has a header",
        mapping='columns = ["member_id", "name", "email", "mobile"]\n',
    ),
    Case(
        "by position, one row, a header",
        csv(GOOD[:1], header="회원번호,이름,이메일,휴대폰"),
        refused="has a header",
        mapping='columns = ["member_id", "name", "email", "mobile"]\n',
    ),
    Case(
        "by position, other width",
        csv([r + ",x" for r in GOOD[1:]], header=GOOD[0] + ",x"),
        refused="columns|cells",
        mapping='columns = ["member_id", "name", "email", "mobile"]\n',
    ),
]

# ---------------------------------------------------------------- dumps and tools of databases

TABLE = mapped(reference="member_id", name="name", email="email", phone="mobile")
PG_TEXT = "\n".join(r.replace(",", "\t") for r in GOOD).encode() + b"\n"
NO_HEADER = 'columns = ["member_id", "name", "email", "mobile"]\n'
INSERTS = ",".join("(" + ",".join(f"'{cell}'" for cell in row) + ")" for row in CELLS[1:])
DATABASES = [
    Case("copy text by position", PG_TEXT, ALL, mapping=NO_HEADER + "escape = '\\'\n"),
    Case("copy text with its end", PG_TEXT + b"\\.\n", ALL, mapping=NO_HEADER + "escape = '\\'\n"),
    Case(
        "copy text with nulls",
        b"1\t\\N\tq@b.example\t\\N\n2\tA\\tB\tr@b.example\t\\N\n",
        {**one("1", "", "q@b.example"), **one("2", "A\tB", "r@b.example")},
        mapping=NO_HEADER + "escape = '\\'\n",
    ),
    Case(
        "copy text with hex and octal escapes",
        b"1\tA\\x42\tq@b.example\t\\N\n2\tA\\103\tr@b.example\t\\N\n"
        + "3\t다\ts@b.example\t\\N\n".encode()
        + "3\t다\ts@b.example\t\\N\n".encode(),
        {**one("3", "다", "s@b.example")},
        (1, 2),
        mapping=NO_HEADER + "escape = '\\'\n",
    ),
    Case(
        "two copy blocks",
        b"COPY public.a (id) FROM stdin;\n1\n\\.\n\n\nCOPY public.b (id) FROM stdin;\n1\n\\.\n",
        refused="SQL",
    ),
    Case(
        "pg_dump --data-only",
        b"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.4\n\nSET "
        b"statement_timeout = 0;\nCOPY public.m (member_id) FROM stdin;\n1\n\\.\n",
        refused="SQL",
    ),
    Case(
        "pg_dumpall",
        b"--\n-- PostgreSQL database cluster dump\n--\n\nSET default_transaction_read_only = off;\n"
        b"",
        refused="SQL",
    ),
    Case(
        "insert, extended",
        b"INSERT INTO `members` (`member_id`,`name`) VALUES ('1001','Kim'),('1002','Lee');\n",
        refused="SQL",
    ),
    Case(
        "insert ignore",
        b"INSERT IGNORE INTO members VALUES ('1001','Kim'),('1002','Lee');\n",
        refused="SQL",
    ),
    Case(
        "insert with schema in quotes",
        b'INSERT INTO "public"."members" VALUES (1001),(1002);\n',
        refused="SQL",
    ),
    Case(
        "insert with blobs",
        b"INSERT INTO `m` VALUES (1,0xABCDEF,_binary 'a\\'b',NULL),(2,x'00',_utf8'b',NULL);\n",
        refused="SQL",
    ),
    Case(
        "insert all of oracle",
        b"INSERT ALL\n INTO m VALUES (1,'a')\nSELECT * FROM dual;\n",
        refused="SQL",
    ),
    Case("insert overwrite of hive", b"INSERT OVERWRITE TABLE m SELECT * FROM x;\n", refused="SQL"),
    Case("values alone", f"{INSERTS}\n".encode(), refused="quote|header|lacks"),
    Case("with utf-8 mark", b"\xef\xbb\xbfINSERT INTO m VALUES (1);\n", refused="SQL"),
    Case(
        "phpmyadmin",
        b"-- phpMyAdmin SQL Dump\n-- version 5.2.1\n-- https://www.phpmyadmin.net/\n--\n\nSET "
        b'SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";\nSTART TRANSACTION;\n',
        refused="SQL",
    ),
    Case(
        "heidisql",
        b"-- --------------------------------------------------------\n-- Host: 127.0.0.1\n-- "
        b"--------------------------------------------------------\n\n/*!40101 SET NAMES utf8mb4 "
        b"*/;\n",
        refused="SQL|drawn",
    ),
    Case(
        "adminer",
        b"-- Adminer 4.8.1 MySQL dump\n\nSET NAMES utf8;\nSET time_zone = '+00:00';\n",
        refused="SQL",
    ),
    Case(
        "dbeaver",
        b"INSERT INTO shop.members (member_id,name) VALUES\n\t (1,'a'),\n\t (2,'b');\n",
        refused="SQL",
    ),
    Case(
        "tibero and oracle export",
        b"EXPORT:V11.02.00\nDSCOTT\nRTABLES\n",
        refused="SQL|Oracle|lacks|header",
    ),
    Case("select statement", b"SELECT member_id, name FROM members;\n", refused="SQL"),
    Case(
        "explain",
        b"QUERY PLAN\nSeq Scan on members (cost=0.00..1.06 rows=6 width=68)\n",
        refused="lacks|header",
    ),
    Case(
        "error of mysql",
        b"ERROR 1045 (28000): Access denied for user 'x'@'localhost'\n",
        refused="lacks|header|no rows",
    ),
    Case(
        "warning of mysql above",
        b"mysql: [Warning] Using a password on the command line interface can be insecure.\n"
        + csv(separator="\t"),
        refused="line 2",
    ),
    Case(
        "set nocount of mssql above",
        b"Changed database context to 'shop'.\r\n" + csv(),
        refused="line 2",
    ),
    Case("sqlcmd without lines", csv() + b"\r\n(6 rows affected)\r\n", ALL, (9,)),
    Case("sqlcmd in korean", csv() + "\r\n(6개 행이 영향을 받음)\r\n".encode(), ALL, (9,)),
    Case("sqlcmd in german", csv() + b"\r\n(6 Zeilen betroffen)\r\n", ALL, (9,)),
    Case("sqlcmd in japanese", csv() + "\r\n(6 行処理されました)\r\n".encode(), ALL, (9,)),
    Case(
        "bcp in utf-16, no header",
        csv(GOOD[1:], header=GOOD[0], separator="\t", encoding="utf-16"),
        ALL,
        mapping=NO_HEADER,
    ),
    Case(
        "bcp native",
        b"\x04\0\xe9\x03\0\0\x06\0" + "김민준".encode("utf-16-le") * 3,
        refused="NUL|neither",
    ),
    Case(
        "bcp format file",
        b'9.0\n4\n1 SQLCHAR 0 12 "," 1 member_id ""\n',
        refused="lacks|header|quote|separat",
    ),
    Case(
        "spool of oracle",
        b"\nMEMBER_ID  NAME       EMAIL\n---------- ---------- --------------------\n      1001 "
        b"Kim        a@b.example\n\n6 rows selected.\n",
        refused="drawn",
    ),
    Case(
        "spool of oracle, second page",
        csv(inserted(3, "", HEADER, "---------,----,-----,------")),
        refused="header",
    ),
    Case(
        "spool with prompt",
        b"SQL> select * from members;\n\nMEMBER_ID,NAME\n1,a\nSQL> spool off\n",
        refused="drawn",
    ),
    Case("spool prompt at the end", csv() + b"SQL> spool off\r\n", ALL, (8,)),
    Case(
        "psql aligned",
        b" member_id |  name  \n-----------+--------\n 1001      | Kim\n(1 row)\n",
        refused="drawn",
    ),
    Case("psql unaligned", csv(separator="|", end="\n") + b"(6 rows)\n", ALL, (8,)),
    Case(
        "psql html",
        b'<table border="1">\n  <tr>\n    <th align="center">member_id</th>\n',
        refused="HTML",
    ),
    Case(
        "psql latex",
        b"\\begin{tabular}{l | l}\n\\textit{member_id} & \\textit{name} \\\\\n",
        refused="lacks|header|escape|LaTeX",
    ),
    Case(
        "psql asciidoc",
        b'\n[options="header",cols="<l,<l"]\n|====\n^l|member_id ^l|name\n',
        refused="lacks|header|separat|quote",
    ),
    Case(
        "mysql box",
        b"+-----------+------+\n| member_id | name |\n+-----------+------+\n| 1001      | Kim  |\n"
        b"+-----------+------+\n1 row in set (0.00 sec)\n",
        refused="drawn",
    ),
    Case(
        "box of unicode",
        "┌───────────┬──────┐\n│ member_id │ name │\n├───────────┼──────┤\n│ 1001      │ Kim  │\n"
        "└───────────┴──────┘\n".encode(),
        refused="drawn",
    ),
    Case(
        "presto box",
        b" member_id | name \n-----------+------\n 1001      | Kim  \n(1 row)\n",
        refused="drawn",
    ),
    Case(
        "reStructuredText",
        b"=========  ====\nmember_id  name\n=========  ====\n1001       Kim\n=========  ====\n",
        refused="drawn",
    ),
    Case(
        "hive, no header, control a",
        csv(GOOD[1:], header=GOOD[0], separator="\x01"),
        ALL,
        mapping=NO_HEADER + 'separator = "\\u0001"\n',
    ),
    Case("hive with nulls", csv([r"1,\N,q@b.example,\N"]), one("1", "", "q@b.example")),
    Case(
        "redshift unload, bars and escapes",
        csv(["1001|김\\|민준|user1@naver.example|", *GOOD[1:]], separator="|"),
        refused="escape",
    ),
    Case("snowflake nulls", csv(["1,\\\\N,q@b.example,\\\\N", *GOOD]), refused="escape"),
    Case(
        "bigquery nested",
        lines_of(
            {"member_id": r[0], "name": r[1], "contacts": [{"email": r[2]}]} for r in CELLS[1:]
        ),
        refused="contacts holds objects",
    ),
    Case(
        "mongoexport csv with ObjectId",
        csv([f"ObjectId(5f3a{r})".replace(",", "),", 1).rstrip(")") for r in GOOD]),
        {f"ObjectId(5f3a{k})": f for k, f in ALL.items()},
    ),
    Case(
        "mongo shell",
        b'{ "_id" : ObjectId("5f"), "member_id" : NumberLong(1001), "name" : "Kim" }\n',
        refused="JSON|lack|MongoDB",
    ),
    Case(
        "bson",
        b"\x3e\0\0\0\x07_id\0" + b"\x5f" * 12 + b"\x02name\0\4\0\0\0Kim\0\0",
        refused="NUL|BSON",
    ),
    Case("redis dump", b"REDIS0009\xfa\tredis-ver\x056.0.9", refused="Redis|neither|NUL"),
    Case(
        "redis commands",
        b"*3\r\n$3\r\nSET\r\n$8\r\nmember:1\r\n$3\r\nKim\r\n",
        refused="lacks|header|no rows",
    ),
    Case("leveldb and others", b"\x00\x00\x00\x00\x00\x00\x00\x00binary", refused="NUL"),
    Case("sql server backup", b"TAPE\0\0\3\0\x8c\0\x0e\1", refused="NUL|backup"),
    Case("firebird", b"\x01\x00\x39\x30\0\0\0\0", refused="NUL"),
    Case(
        "filemaker xml",
        b'<?xml version="1.0"?><FMPXMLRESULT '
        b'xmlns="http://www.filemaker.com/fmpxmlresult"><ERRORCODE>0',
        refused="XML",
    ),
    Case(
        "mysqldump xml",
        b'<?xml version="1.0"?>\n<mysqldump xmlns:xsi="x">\n<database name="shop">\n',
        refused="XML",
    ),
    Case(
        "resultset xml without a head",
        b'<resultset statement="select"><row><field name="id">1</field></row></resultset>',
        refused="XML",
    ),
    Case(
        "sas transport",
        b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000  ",
        refused="SAS",
    ),
    Case(
        "sas7bdat",
        b"\0" * 12
        + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c\x18\x1f\x10\x11"
        + b"\0" * 20,
        refused="SAS|NUL",
    ),
    Case("stata", b"<stata_dta><header><release>118</release>", refused="Stata"),
    Case("r data", b"RDX3\nX\n\0\0\0\3", refused="kind R"),
    Case(
        "numpy",
        b"\x93NUMPY\x01\0v\0{'descr': '<i8', 'fortran_order': False}" + b"\0" * 10,
        refused="NumPy|NUL|neither",
    ),
    Case("access 2007", b"\x00\x01\x00\x00Standard ACE DB\x00", refused="Access"),
    Case(
        "thunderbird mork",
        b'// <!-- <mdb:mork:z v="1.4"/> -->\n< <(a=c)> // (f=iso-8859-1)\n',
        refused="lacks|header|no rows",
    ),
]

# ---------------------------------------------------------------- JSON

MONGO: list[dict[str, object]] = [
    {
        "_id": {"$oid": f"5f3a000000000000000{r[0]}a"},
        "member_id": {"$numberLong": r[0]},
        "name": r[1],
        "email": r[2],
        "mobile": r[3],
    }
    for r in CELLS[1:]
]
ITEMS: list[dict[str, object]] = [
    {key: {"S": value} for key, value in row.items()} for row in objects()
]
JSONS = [
    Case(
        "keys with blanks",
        lines_of({f" {key} ": value for key, value in row.items()} for row in objects()),
        ALL,
        suffix=".jsonl",
    ),
    Case(
        "keys of two spellings that the mapping names otherwise",
        lines_of(row | {"E_MAIL": row["email"], "e_mail": "q@b.example"} for row in objects()),
        refused="alike",
        suffix=".jsonl",
        table=mapped(reference="member_id", email="E_Mail"),
    ),
    Case("mongo, ids as numberLong", lines_of(MONGO), ALL, suffix=".json"),
    Case(
        "mongo, ids as oid",
        lines_of(MONGO),
        {f"5f3a000000000000000{ref}a": found for ref, found in ALL.items()},
        suffix=".json",
        table=mapped(reference="_id", name="name", email="email", phone="mobile"),
    ),
    Case(
        "mongo array, relaxed",
        json.dumps(
            [row | {"member_id": int(ref)} for row, (ref, *_) in zip(MONGO, CELLS[1:], strict=True)]
        ).encode(),
        ALL,
        suffix=".json",
    ),
    Case(
        "mongo, one id as numberLong",
        lines_of([*objects(), MONGO[0] | {"member_id": {"$numberLong": "7"}}]),
        ALL | {"7": ALL["1001"]},
        suffix=".json",
    ),
    Case(
        "mongo, days",
        lines_of(r | {"joined": {"$date": "2025-11-18T00:00:00Z"}} for r in objects()),
        ALL,
        suffix=".json",
        table=WITH_DATE,
    ),
    Case("dynamodb", lines_of({"Item": item} for item in ITEMS), refused="inside", suffix=".json"),
    Case(
        "dynamodb without Item",
        lines_of(ITEMS),
        refused="objects or lists",
        suffix=".json",
    ),
    Case(
        "elasticsearch hits",
        json.dumps(
            {"took": 1, "hits": {"total": 6, "hits": [{"_source": r} for r in objects()]}}
        ).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "elasticsearch bulk",
        b"".join(b'{"index":{"_id":"%d"}}\n' % n + lines_of([r]) for n, r in enumerate(objects())),
        ALL,
        tuple(range(1, 12, 2)),
        suffix=".json",
    ),
    Case(
        "firestore",
        lines_of(
            {"name": "projects/x", "fields": {k: {"stringValue": v} for k, v in r.items()}}
            for r in objects()
        ),
        refused="inside|lack|objects or lists",
        suffix=".json",
    ),
    Case(
        "firebase tree",
        json.dumps({"members": {r["member_id"]: r for r in objects()}}, indent=1).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "geojson",
        json.dumps(
            {"type": "FeatureCollection", "features": [{"properties": r} for r in objects()]}
        ).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "json api",
        json.dumps(
            {"data": [{"type": "m", "id": "1", "attributes": r} for r in objects()]}
        ).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "array of json api",
        json.dumps([{"type": "m", "attributes": r} for r in objects()]).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "pandas by column",
        json.dumps(
            {key: {str(n): r[key] for n, r in enumerate(objects())} for key in CELLS[0]}
        ).encode(),
        refused=".",
        suffix=".json",
    ),
    Case(
        "pandas by column, lists",
        json.dumps({key: [r[key] for r in objects()] for key in CELLS[0]}).encode(),
        refused=".",
        suffix=".json",
    ),
    Case(
        "pandas split",
        json.dumps({"columns": CELLS[0], "index": [0], "data": CELLS[1:]}).encode(),
        refused="inside",
        suffix=".json",
    ),
    Case(
        "phpmyadmin",
        json.dumps(
            [{"type": "header", "version": "5"}, {"type": "table", "name": "m", "data": objects()}]
        ).encode(),
        refused="inside|lack|objects or lists",
        suffix=".json",
    ),
    Case(
        "lines of arrays",
        b"".join(json.dumps(row).encode() + b"\n" for row in CELLS),
        refused="array|object",
        suffix=".jsonl",
    ),
    Case(
        "array in an array",
        json.dumps([objects()]).encode(),
        refused="something else",
        suffix=".json",
    ),
    Case(
        "array of texts",
        json.dumps([json.dumps(r) for r in objects()]).encode(),
        refused="array|object|lacks|quote",
        suffix=".json",
    ),
    Case(
        "a text that is json",
        json.dumps(json.dumps(objects())).encode(),
        refused=".",
        suffix=".json",
    ),
    Case(
        "two arrays",
        json.dumps(objects()[:3]).encode() + b"\n" + json.dumps(objects()[3:]).encode(),
        refused="something else",
        suffix=".json",
    ),
    Case(
        "array, a line each",
        b"[\n" + b",\n".join(lines_of(objects()).splitlines()) + b"\n]\n",
        ALL,
        suffix=".json",
    ),
    Case(
        "array with comments",
        b"[\n// members\n" + b",\n".join(lines_of(objects()).splitlines()) + b"\n]",
        refused="something else",
        suffix=".json",
    ),
    Case(
        "comments between lines",
        b"\n# page 2\n".join(lines_of(objects()).splitlines()),
        ALL,
        (2, 4, 6, 8, 10),
        suffix=".jsonl",
    ),
    Case(
        "lines with trailing commas inside",
        lines_of(objects()).replace(b'"}', b'",}'),
        refused="lack|JSON|no row",
        suffix=".jsonl",
    ),
    Case(
        "json5",
        b"".join(b"{member_id: '%d', name: 'a'}\n" % n for n in range(5)),
        refused="lack|header|JSON",
        suffix=".json5",
    ),
    Case(
        "python dictionaries",
        b"".join(str(r).encode() + b"\n" for r in objects()),
        refused="lack|header|JSON",
        suffix=".json",
    ),
    Case(
        "infinity",
        lines_of(
            [*objects(), {"member_id": "7", "name": "가", "email": float("inf"), "mobile": None}]
        ),
        ALL | one("7", "가"),
        suffix=".json",
    ),
    Case(
        "jsonp",
        b"callback(" + json.dumps(objects()).encode() + b");",
        refused="lack|header|JSON|quote",
        suffix=".json",
    ),
    Case(
        "javascript",
        b"var members = " + json.dumps(objects()).encode() + b";",
        refused="lack|header|JSON|quote",
        suffix=".js",
    ),
    Case(
        "protected json",
        b")]}',\n" + json.dumps(objects()).encode(),
        refused="lack|header|JSON|quote",
        suffix=".json",
    ),
    Case("lines in utf-16", lines_of(objects()).decode().encode("utf-16"), ALL, suffix=".jsonl"),
    Case(
        "lines with a mark each",
        b"".join(b"\xef\xbb\xbf" + line + b"\n" for line in lines_of(objects()).splitlines()),
        ALL,
        suffix=".jsonl",
    ),
    Case("lines with cr only", lines_of(objects()).replace(b"\n", b"\r"), ALL, suffix=".jsonl"),
    Case("lines without breaks", lines_of(objects()).replace(b"\n", b""), ALL, suffix=".json"),
    Case(
        "lines numbered",
        b"".join(
            b"%d\t" % n + line + b"\n" for n, line in enumerate(lines_of(objects()).splitlines())
        ),
        refused="lack|header|quote|JSON|escape|separated",
        suffix=".json",
    ),
    Case(
        "log lines with json",
        b"".join(b"2025-11-18 INFO " + line + b"\n" for line in lines_of(objects()).splitlines()),
        refused="lack|header|quote|JSON|escape",
        suffix=".log",
    ),
    Case(
        "csv with json in cells",
        csv([r + ',"{""a"": [1, 2]}"' for r in GOOD], header=HEADER + ",extra"),
        ALL,
    ),
    Case(
        "json in a memo unquoted",
        csv([*GOOD, '7,가,q@b.example,,{"a": 1, "b": 2}'], header=HEADER),
        ALL,
        (8,),
    ),
    Case(
        "keys in other case",
        lines_of({k.upper(): v for k, v in r.items()} for r in objects()),
        ALL,
        suffix=".jsonl",
    ),
    Case(
        "a later row lacks the contact",
        lines_of([*objects(), {"member_id": "7", "name": "가"}]),
        ALL | one("7", "가"),
        suffix=".jsonl",
    ),
    Case(
        "a later row spells the key otherwise",
        lines_of(
            [*objects(), {"member_id": "7", "name": "가", "Email": "q@b.example", "mobile": ""}]
        ),
        ALL | one("7", "가", "q@b.example"),
        suffix=".jsonl",
    ),
    Case("empty object lines", lines_of([*objects(), {}]), ALL, (7,), suffix=".jsonl"),
    Case(
        "half a smile",
        lines_of(objects()) + b'{"member_id":"7","name":"\\ud83d","email":"q@b.example"}\n',
        ALL,
        (7,),
        suffix=".jsonl",
    ),
    Case(
        "nul in json",
        lines_of(objects()) + b'{"member_id":"7","name":"a\\u0000b","email":"q@b.example"}\n',
        ALL | one("7", "a\0b", "q@b.example"),
        suffix=".jsonl",
    ),
    Case(
        "line break in json name",
        lines_of(objects()) + b'{"member_id":"7","name":"a\\nb","email":"q@b.example"}\n',
        ALL,
        (7,),
        suffix=".jsonl",
    ),
    Case(
        "deep json",
        lines_of(objects()) + b'{"member_id":' + b"[" * 5000 + b"]" * 5000 + b"}\n",
        ALL,
        (7,),
        suffix=".jsonl",
    ),
    Case(
        "escaped slashes",
        lines_of(objects())
        .replace(b"@naver.example", b"@naver.example")
        .replace(b"010-", b"010\\u002d"),
        ALL,
        suffix=".jsonl",
    ),
]

# ---------------------------------------------------------------- other kinds

OTHERS = [
    Case(
        "vcard",
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Kim\r\nEMAIL:a@b.example\r\nEND:VCARD\r\n",
        refused="vCard",
        suffix=".vcf",
    ),
    Case(
        "vcard with a mark",
        b"\xef\xbb\xbfBEGIN:VCARD\r\nVERSION:4.0\r\n",
        refused="vCard",
        suffix=".vcf",
    ),
    Case(
        "vcard in small letters", b"begin:vcard\r\nversion:2.1\r\n", refused="vCard", suffix=".vcf"
    ),
    Case(
        "vcard after blank lines",
        b"\r\n\r\nBEGIN:VCARD\r\nVERSION:3.0\r\n",
        refused="vCard",
        suffix=".vcf",
    ),
    Case(
        "vcard in utf-16",
        "BEGIN:VCARD\r\nVERSION:3.0\r\n".encode("utf-16"),
        refused="vCard",
        suffix=".vcf",
    ),
    Case(
        "icalendar",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n",
        refused="(?i)calendar|lacks|header",
        suffix=".ics",
    ),
    Case(
        "ldif with version",
        b"version: 1\n\ndn: uid=1001,ou=people,dc=b\nuid: 1001\n",
        refused="LDIF",
        suffix=".ldif",
    ),
    Case(
        "ldif with a comment",
        b"# extended LDIF\n#\n# LDAPv3\n# base <> with scope subtree\n\ndn: uid=1001,dc=b\n",
        refused="LDIF",
        suffix=".ldif",
    ),
    Case("ldif in base64", b"dn:: dWlkPTEwMDE=\nuid: 1001\n", refused="LDIF", suffix=".ldif"),
    Case(
        "mbox",
        b"From a@b.example Tue Nov 18 10:00:00 2025\nReturn-Path: <a@b.example>\nFrom: "
        b"a@b.example\nTo: c@b.example\nSubject: x\n",
        refused="e-mail message",
        suffix=".mbox",
    ),
    Case(
        "toml",
        b'[[members]]\nmember_id = 1001\nname = "Kim"\n',
        refused="lacks|header|quote|JSON|object|array",
        suffix=".toml",
    ),
    Case(
        "ini",
        b"[member1]\nname=Kim\nemail=a@b.example\n",
        refused="lacks|header|no rows|JSON|object",
        suffix=".ini",
    ),
    Case(
        "properties",
        b"member.1.name=Kim\nmember.1.email=a@b.example\n",
        refused="lacks|header",
        suffix=".properties",
    ),
    Case(
        "yaml with keys",
        b"members:\n  - member_id: 1001\n    name: Kim\n",
        refused="YAML|lacks|header",
        suffix=".yml",
    ),
    Case(
        "http answer",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nDate: x\r\n\r\n" + csv(),
        refused="line 5|header|lacks",
    ),
    Case(
        "multipart upload",
        b'------WebKitFormBoundary7MA\r\nContent-Disposition: form-data; name="f"; '
        b'filename="m.csv"\r\nContent-Type: text/csv\r\n\r\n'
        + csv()
        + b"------WebKitFormBoundary7MA--\r\n",
        refused="line 5|header|lacks|drawn|quote",
    ),
    Case(
        "diff",
        b"--- a/m.csv\n+++ b/m.csv\n@@ -1,2 +1,2 @@\n" + csv(),
        refused="line 4|header|lacks",
    ),
    Case("shell script", b"#!/bin/sh\necho member_id,name,email,mobile\n", refused="lacks|header"),
    Case(
        "svg",
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>1</text></svg>',
        refused="XML|HTML|picture",
    ),
    Case("webp", b"RIFF\x24\0\0\0WEBPVP8 ", refused="picture|NUL"),
    Case("heic", b"\0\0\0\x18ftypheic\0\0\0\0", refused="picture|NUL"),
    Case("bmp", b"BM\x36\0\x0c\0\0\0\0\0\x36\0\0\0\x28\0\0\0", refused="picture|NUL"),
    Case("tiff of a Mac", b"MM\0*\0\0\0\x08", refused="picture|NUL"),
    Case("mp4", b"\0\0\0\x20ftypisom\0\0\2\0", refused="NUL|program"),
    Case("elf", b"\x7fELF\2\1\1\0" + b"\0" * 50, refused="NUL|program"),
    Case("class file", b"\xca\xfe\xba\xbe\0\0\0\x34", refused="NUL|program"),
    Case("java objects", b"\xac\xed\0\5sr\0\x13java.util.ArrayList", refused="NUL|Java"),
    Case(
        "epub",
        zipped_as({"mimetype": b"application/epub+zip", "a.xhtml": b"<p/>"}),
        refused="2 files|EPUB",
    ),
    Case(
        "odt",
        zipped_as({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}),
        refused="OpenDocument",
        suffix=".odt",
    ),
    Case("jar", zipped_as({"META-INF/MANIFEST.MF": b"x", "a.class": b"x"}), refused="2 files"),
    Case(
        "pages document",
        zipped_as({"Index/Document.iwa": b"x", "Metadata/x": b"x"}),
        refused="Pages",
        suffix=".pages",
    ),
    Case(
        "hwpx",
        zipped_as(
            {
                "mimetype": b"application/hwp+zip",
                "Contents/section0.xml": b"x",
                "Contents/header.xml": b"x",
            }
        ),
        refused="Hangul",
        suffix=".hwpx",
    ),
    Case(
        "xps",
        zipped_as({"[Content_Types].xml": b"x", "FixedDocSeq.fdseq": b"x"}),
        refused="cannot be read as a spreadsheet",
        suffix=".xps",
    ),
    Case(
        "markdown list",
        b"# Members\n\n- 1001, Kim, a@b.example\n- 1002, Lee, c@b.example\n",
        refused="lacks|header|YAML",
    ),
    Case(
        "plain letter",
        "안녕하세요,\r\n회원 정보를 보내 드립니다.\r\n감사합니다.\r\n".encode(),
        refused="lacks|header",
    ),
]
