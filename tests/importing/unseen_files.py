"""Files of kinds that the other modules with small files do not have, each with what is right.

See tests/importing/more_messy_files.py. `Case.table` is here the whole table of a mapping, or "".
"""

import gzip
import io
import json
import zipfile

from tests.importing.further_messy_files import added, mapped, one
from tests.importing.more_messy_files import (
    ALL,
    CELLS,
    GOOD,
    HEADER,
    Case,
    csv,
    inserted,
    lines_of,
    objects,
    text,
    without,
    xlsx,
    zipped_as,
)


def table(header: str, *rows: str, end: str = "\r\n") -> bytes:
    """Returns a file with this header."""
    return (end.join([header, *rows]) + end).encode()


def locked(archive: bytes, *, is_aes: bool = False) -> bytes:
    """Returns a ZIP file whose headers say that its members are encrypted."""
    changed = bytearray(archive)
    for signature, flags, method in ((b"PK\x03\x04", 6, 8), (b"PK\x01\x02", 8, 10)):
        place = changed.find(signature)
        changed[place + flags] |= 1
        if is_aes:
            changed[place + method : place + method + 2] = b"\x63\0"
    return bytes(changed)


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("members.csv", HEADER + "\n" + "0" * 80_000_000)
    return buffer.getvalue()


def wide(columns: int) -> bytes:
    names = ",".join(f"c{number}" for number in range(columns))
    return csv([f"{row},{','.join(['x'] * columns)}" for row in GOOD], header=f"{HEADER},{names}")


def with_json(text: str) -> list[str]:
    """Returns the rows with a further cell in quotes, made from the others by their numbers."""
    return [f'{row},"{text.format(*row.split(","))}"' for row in GOOD]


MEMBER = mapped(reference="id", name="name", email="email", phone="phone")
NO_PHONES = {key: found.rpartition("|")[0] + "|" for key, found in ALL.items()}
JP, DE, US = 'region = "JP"\n', 'region = "DE"\n', 'region = "US"\n'

PRODUCTS = [
    Case(
        "magento grid, long dates",
        table(
            '"ID","Name","Email","Phone","Customer Since"',
            '"000000001","Kim","q1@b.example","010-2345-6791","Nov 18, 2025, 9:03:22 AM"',
        ),
        one("000000001", "Kim", "q1@b.example", "+821023456791"),
        table=mapped(reference="ID", name="Name", email="Email", phone="Phone")
        + '[dates]\n"Customer Since" = "datetime"\n',
    ),
    Case(
        "shopify with apostrophes and a note of lines",
        table(
            "Customer ID,First Name,Last Name,Email,Phone,Note",
            "'6543210987654,민지,김,q1@b.example,'+821023456791,\"VIP\ncall first\"",
            "'6543210987655,서준,이,q2@b.example,,",
        ),
        one("6543210987654", "김민지", "q1@b.example", "+821023456791")
        | one("6543210987655", "이서준", "q2@b.example"),
        table=mapped(
            reference="Customer ID", name="{Last Name}{First Name}", email="Email", phone="Phone"
        )
        + '[[leaked]]\nclass = "support-tickets"\nvalue = "{Note}"\n',
    ),
    Case(
        "cafe24, dashes for no number",
        csv(
            ["minji01,김민지,q1@b.example,010-2345-6791,--", "seojun,이서준,q2@b.example,,02--"],
            header="아이디,이름,이메일,휴대전화,일반전화",
            encoding="cp949",
        ),
        one("minji01", "김민지", "q1@b.example", "+821023456791")
        | one("seojun", "이서준", "q2@b.example"),
        table='[person]\nrelation = "member"\nreference = "아이디"\nname = "이름"\n'
        'email = "이메일"\nphone = ["휴대전화", "일반전화"]\n'
        'contact_leaked = ["name", "email", "phone"]\n',
    ),
    Case(
        "smartstore, a line above and lent numbers",
        table(
            "개인정보를 포함합니다,,", "상품주문번호,구매자명,구매자연락처", "1,김,010-2345-6791"
        ),
        refused="line 2: the columns of the mapping are named here",
        table=mapped(reference="상품주문번호", name="구매자명", phone="구매자연락처"),
    ),
    Case(
        "rakuten, a number in three columns",
        table("no,sei,mei,mail,t1,t2,t3", "123-0001,山田,花子,q1@b.example,090,1234,5601"),
        one("123-0001", "山田 花子", "q1@b.example", "+819012345601"),
        mapping=JP,
        table=mapped(reference="no", name="{sei} {mei}", email="mail", phone="{t1}-{t2}-{t3}"),
    ),
    Case(
        "an address in two columns, and one without its domain",
        table("id,name,mail,domain", "1,가,q1,b.example", "2,나,q2,"),
        one("1", "가", "q1@b.example") | one("2", "나"),
        table=mapped(reference="id", name="name", email="{mail}@{domain}"),
    ),
    Case(
        "a recipient's number in three columns",
        table("name,hp1,hp2,hp3", "가,010,2345,6791"),
        refused="phone: must be one column",
        table='[person]\nrelation = "recipient"\nname = "name"\nphone = "{hp1}-{hp2}-{hp3}"\n'
        'contact_leaked = ["name", "phone"]\n',
    ),
    Case(
        "stripe",
        table("id,Email,Name,Card Last4", "cus_QabcDEF123,q1@b.example,Kim,4242"),
        one("cus_QabcDEF123", "Kim", "q1@b.example"),
        table=mapped(reference="id", name="Name", email="Email"),
    ),
    Case(
        "sap list with bars at both ends",
        table(
            "|KUNNR     |NAME1     |SMTP_ADDR     |",
            "|0000100001|Kim Minji |q1@b.example  |",
            "|0000100002|Lee Seojun|q2@b.example  |",
        ),
        one("0000100001", "Kim Minji", "q1@b.example")
        | one("0000100002", "Lee Seojun", "q2@b.example"),
        suffix=".txt",
        table=mapped(reference="KUNNR", name="NAME1", email="SMTP_ADDR"),
    ),
    Case(
        "shopware, slashes in numbers",
        table(
            "customernumber;email;firstname;lastname;phone",
            "20001;q1@b.example;Minji;Kim;0171/2345603",
            "20002;q2@b.example;;;",
        ),
        one("20001", "Minji Kim", "q1@b.example", "+491712345603")
        | one("20002", "", "q2@b.example"),
        mapping=DE,
        table=mapped(
            reference="customernumber",
            name="{firstname} {lastname}",
            email="email",
            phone="phone",
        ),
    ),
    Case(
        "salesforce, ids that differ by case",
        table(
            '"Id","Name","Phone","Email"',
            '"003xx000004TmiAAA","Kim","(415) 555-0102 x12","q1@b.example"',
            '"003xx000004TmiAAa","Lee","4155550103","q2@b.example"',
        ),
        one("003xx000004TmiAAA", "Kim", "q1@b.example")
        | one("003xx000004TmiAAa", "Lee", "q2@b.example", "+14155550103"),
        mapping=US,
        table=mapped(reference="Id", name="Name", email="Email", phone="Phone"),
    ),
    Case(
        "google contacts, three colons",
        table(
            "E-mail 1 - Value,Name,Phone 1 - Value",
            "q1@b.example ::: q2@b.example,김민지,010-2345-6791 ::: 010-2345-6792",
        ),
        one(
            "q1@b.example ::: q2@b.example",
            "김민지",
            "q1@b.example q2@b.example",
            "+821023456791 +821023456792",
        ),
        table=mapped(
            reference="E-mail 1 - Value",
            name="Name",
            email="E-mail 1 - Value",
            phone="Phone 1 - Value",
        ),
    ),
    Case(
        "guests without the address that is the reference",
        table("email,name,phone", "q1@b.example,김민지,", ",이서준,010-2345-6792"),
        one("q1@b.example", "김민지", "q1@b.example"),
        (3,),
        table=mapped(reference="email", name="name", email="email", phone="phone"),
    ),
    Case(
        "a second column of addresses that the mapping forgets",
        csv(
            [f"{row},second{place}@b.example" for place, row in enumerate(GOOD)],
            header=f"{HEADER},email2",
        ),
        refused='6 of 6 cells of column email2 hold an e-mail address.*accept "unused:email2"',
    ),
    Case(
        "a second column of numbers that the mapping forgets",
        csv(
            [f"{row},010-3345-679{place}" for place, row in enumerate(GOOD)],
            header=f"{HEADER},tel",
        ),
        refused='accept "unused:tel"',
    ),
    Case(
        "a column of JSON of which most objects are empty",
        csv(
            [*with_json('{{""email"": ""second{0}@b.example""}}')[:3]]
            + [f"{row},{{}}" for row in GOOD[3:]]
            + [f"{place},Kim,k{place}@b.example,,{{}}" for place in range(10, 20)],
            header=f"{HEADER},raw_user_meta_data",
        ),
        refused='3 of 16 .* JSON with an e-mail address .*accept "unused:raw_user_meta_data"',
    ),
    *(
        Case(
            f"a column of JSON with {said} that no other column holds",
            csv(with_json(text), header=f"{HEADER},raw_user_meta_data"),
            refused=f'6 of 6 .* JSON with {said} .*accept "unused:raw_user_meta_data"',
        )
        for said, text in (
            ("an e-mail address", '{{""sub"": ""u{0}"", ""email"": ""second{0}@b.example""}}'),
            ("a phone number", '[{{""email"": ""{2}""}}, {{""tel"": [""010-3345-{0}""]}}]'),
        )
    ),
    Case(
        "a column of JSON with the addresses and numbers of the other columns",
        csv(
            with_json('{{""sub"": ""u{0}"", ""email"": ""{2}"", ""phone"": ""{3}""}}'),
            header=f"{HEADER},raw_user_meta_data",
        ),
        ALL,
    ),
]

DATABASES = [
    Case(
        "a statement of SQL after the rows",
        csv() + b"INSERT INTO member VALUES (7,'Lee','q7@b.example','010-2345-6797');\r\n",
        ALL,
        (8,),
    ),
    Case("a statement between", csv(inserted(3, "UNLOCK TABLES `member`,,,")), ALL, (5,)),
    Case(
        "dump of several tables",
        b"-- MySQL dump 10.13\n\nINSERT INTO `member` VALUES (1,'Kim');\n"
        b"INSERT INTO `orders` VALUES (1);\n",
        refused="SQL",
        suffix=".sql",
    ),
    Case(
        "dates of mongo beside the used keys",
        b"".join(
            json.dumps(
                row | {"_id": {"$oid": "5f"}, "on": {"$date": {"$numberLong": "1"}}}
            ).encode()
            + b"\n"
            for row in objects()
        ),
        ALL,
        suffix=".json",
    ),
    Case(
        "elasticsearch bulk, the actions are rejected",
        b"".join(
            b'{"index":{"_index":"m"}}\n' + line + b"\n"
            for line in lines_of(objects()).splitlines()
        ),
        ALL,
        (1, 3, 5, 7, 9, 11),
        suffix=".json",
    ),
    Case("sqlplus, rows selected", csv() + b"\r\n6 rows selected.\r\n\r\n", ALL, (9,)),
    Case(
        "a mark on each line of JSON",
        b"".join(b"\xef\xbb\xbf" + line + b"\n" for line in lines_of(objects()).splitlines()),
        ALL,
        suffix=".jsonl",
    ),
    Case(
        "gzip members of JSON lines",
        gzip.compress(lines_of(objects()[:3])) + gzip.compress(lines_of(objects()[3:])),
        ALL,
        suffix=".jsonl.gz",
    ),
    Case(
        "full-width keys of JSON",
        lines_of(
            [{"ｍｅｍｂｅｒ＿ｉｄ": "1", "name": "가", "email": "q1@b.example", "mobile": ""}]
        ),
        one("1", "가", "q1@b.example"),
        suffix=".jsonl",
    ),
    Case(
        "a number of JSON with an exponent",
        b'{"member_id":1,"name":"a","email":"q1@b.example","mobile":8.21023456791e11}\n',
        one("1", "a", "q1@b.example"),
        suffix=".jsonl",
    ),
]

ARCHIVES = [
    Case("zip with a password", locked(zipped_as({"m.csv": csv()})), refused="encrypted ZIP"),
    Case("zip of AES", locked(zipped_as({"m.csv": csv()}), is_aes=True), refused="encrypted ZIP"),
    Case("zip bomb", bomb(), refused="300 times", suffix=".zip"),
    Case("zip of a csv.gz", zipped_as({"m.csv.gz": gzip.compress(csv())}), ALL, suffix=".zip"),
    Case("zip of a PDF", zipped_as({"m.pdf": b"%PDF-1.4"}), refused="PDF", suffix=".zip"),
    Case("gzip of a workbook", gzip.compress(xlsx(CELLS)), ALL, suffix=".xlsx.gz"),
    Case(
        "zip with a name in cp949",
        zipped_as({"ABCD.csv": csv()}).replace(b"ABCD", "회원".encode("cp949")),
        ALL,
        suffix=".zip",
    ),
    Case("lzo", b"\x89LZO\0\r\n\x1a\n" + bytes(20), refused="NUL|archive", suffix=".lzo"),
    Case("encrypted parquet", b"PARE" + bytes(50) + b"PARE", refused="NUL|Parquet"),
]

SPREADSHEETS = [
    Case(
        "errors and truth values in contacts",
        xlsx(
            [
                CELLS[0],
                ["1", "김", "q1@b.example", b'<c t="e"><v>#N/A</v></c>'],
                ["2", "이", b'<c t="b"><v>1</v></c>', "010-2345-6792"],
            ]
        ),
        one("1", "김", "q1@b.example") | one("2", "이", "", "+821023456792"),
        suffix=".xlsx",
    ),
    Case(
        "line breaks around names of columns",
        xlsx([["member_id\n", "name", " email", "mobile\r\n"], *CELLS[1:]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "groups above the header",
        xlsx([["회원정보", None, "연락처", None], *CELLS]),
        refused="line 2: the columns of the mapping are named here",
        suffix=".xlsx",
    ),
    Case(
        "the same columns twice, side by side",
        xlsx([[*CELLS[0], None, *CELLS[0]], [*CELLS[1], None, *CELLS[2]]]),
        refused="alike",
        suffix=".xlsx",
    ),
    Case(
        "a number of people in the last row",
        xlsx([*CELLS, ["합계", 6, None, None]]),
        ALL,
        (8,),
        suffix=".xlsx",
    ),
    Case(
        "numbers in exponents",
        csv([f"{row.rpartition(',')[0]},8.21012E+11" for row in GOOD]),
        NO_PHONES,
    ),
]

TEXTS = [
    Case("sep= after a mark", b"\xef\xbb\xbfsep=;\r\n" + csv(separator=";"), ALL),
    Case("sep= in utf-16", ("sep=;\r\n" + text(separator=";")).encode("utf-16"), ALL),
    Case(
        "joined without the second header",
        csv(GOOD[:3]) + b"\xef\xbb\xbf" + csv(GOOD[3:])[len(HEADER) + 2 :],
        ALL,
    ),
    Case(
        "joined with the second header in capitals",
        csv(GOOD[:3]) + b"\xef\xbb\xbf" + csv(GOOD[3:], header=HEADER.upper()),
        refused="line 5: the header stands here again",
    ),
    Case("a label in the second column", csv([*GOOD, ",합계,6,"]), ALL, (8,)),
    Case(
        "one comma too many in half of the rows",
        csv([*(f"{row}," for row in GOOD[:3]), *GOOD[3:]]),
        without(1001, 1002, 1003),
        (2, 3, 4),
    ),
    Case(
        "a quote that opens a name", csv(inserted(2, '7,"김,q@b.example,')), refused="line 4.*quote"
    ),
    Case("a lone carriage return", csv(end="\n").replace(b"\n1003", b"\r1003"), None, (3,)),
    Case(
        "half of the rows in cp949",
        csv(GOOD[:4]) + csv(GOOD[4:], encoding="cp949")[32:],
        None,
        (6, 7),
    ),
    Case(
        "full-width digits and signs",
        csv([row.translate({ord(x): ord(x) + 0xFEE0 for x in "0123456789@."}) for row in GOOD]),
        ALL,
    ),
    Case("blanks after commas", csv([row.replace(",", ", ") for row in GOOD]), ALL),
    Case("a blank line after each row", csv([each for row in GOOD for each in (row, "")]), ALL),
    Case(
        "addresses in entities",
        csv([row.replace("@", "&#64;") for row in GOOD]),
        refused="encoded:email",
    ),
    Case(
        "addresses in URLs", csv([row.replace("@", "%40") for row in GOOD]), refused="encoded:email"
    ),
    Case(
        "addresses in mail encoding",
        csv([row.replace("@", "=40") for row in GOOD]),
        refused="encoded:email",
    ),
    Case("1,900 more columns", wide(1_900), ALL),
    Case("5,000 more columns", wide(5_000), refused="at most 2,000"),
    Case("a cell of 12 MB", added(f"7,{'가' * 4_000_000},q@b.example,"), refused="1 MiB"),
    Case("a header and blank lines", csv(["", "", ""]), refused="no rows"),
    Case("placeholders only", csv(["NULL,NULL,NULL,NULL"] * 3), refused="none of its 3 rows"),
    Case("one person 10,000 times", csv([GOOD[0]] * 10_000), {"1001": ALL["1001"]}),
    Case("ids with a tab", csv([row.replace(",", "\t,", 1) for row in GOOD]), ALL),
    Case(
        "zeros lost in one of two ids",
        table("member_id,name,email,mobile", "0001,가,q1@b.example,", "1,나,q2@b.example,"),
        one("0001", "가", "q1@b.example") | one("1", "나", "q2@b.example"),
    ),
    Case(
        "names with a tab",
        added('7,"김\t민준",q7@b.example,'),
        ALL | one("7", "김\t민준", "q7@b.example"),
    ),
    Case("names with a vertical tab", added("7,김\x0b민준,q7@b.example,"), ALL, (8,)),
]

MAPPINGS = [
    Case("a NUL byte", csv(), refused="not TOML: a NUL byte", table=MEMBER + "\0"),
    Case(
        "a number for a column",
        csv(),
        refused="must be text",
        table=MEMBER.replace('"name"\n', "1\n"),
    ),
    Case("no table", csv(), refused=r"lacks \[person\]", table="# nothing\n"),
    Case("nulls as text", csv(), refused="nulls: must be a list", mapping='nulls = "-"\n'),
    Case("separator as a word", csv(), refused="separator: must be", mapping='separator = "tab"\n'),
    Case("region of three letters", csv(), refused="is no region", mapping='region = "KOR"\n'),
    Case(
        "columns of a file with a header",
        csv(),
        refused="has a header",
        mapping='columns = ["a", "b"]\n',
    ),
    Case(
        "a template without a column",
        csv(),
        refused="email: names no column",
        table=mapped(reference="member_id", email="{}"),
    ),
    Case(
        "a template of unknown columns",
        csv(),
        refused="lacks last",
        table=mapped(reference="member_id", name="{last}{first}", email="email", phone="mobile"),
    ),
    Case(
        "a template in other letters",
        csv(),
        ALL,
        table=mapped(reference="member_id", name="{NAME}", email="email", phone="{Mobile}"),
    ),
    Case(
        "addresses and numbers swapped",
        csv(),
        refused='accept "swapped:mobile".*accept "swapped:email"',
        table=mapped(reference="member_id", name="name", email="mobile", phone="email"),
    ),
]
# Texts that are no mapping.
NOT_TOML = [
    MEMBER + 'name = "x"\n',
    MEMBER + "[person]\n",
    f"\ufeff\ufeff{MEMBER}",
    "person:\n  relation: member\n",
    '{"person": {}}',
    csv().decode(),
    MEMBER.replace('"', "\u201c", 2),
]
