"""Further small files with odd references, names, addresses and numbers.

See tests/importing/more_messy_files.py.
"""

from tests.importing.further_messy_files import added, one
from tests.importing.more_messy_files import (
    ALL,
    CELLS,
    GOOD,
    Case,
    csv,
    inserted,
    lines_of,
    objects,
    without,
    xlsx,
)


def phones(*cells: str) -> bytes:
    """Returns the good rows, and one person for each cell, with the references 1, 2 and so on."""
    rows = (f'{number},가,,"{cell}"' for number, cell in enumerate(cells, start=1))
    return added(*rows)


def phoned(*found: str) -> dict[str, str]:
    return ALL | {str(number): f"가||{one}" for number, one in enumerate(found, start=1)}


def emails(*cells: str) -> bytes:
    quoted = (cell.replace('"', '""') for cell in cells)
    return added(*(f'{number},가,"{cell}",' for number, cell in enumerate(quoted, start=1)))


def emailed(*found: str) -> dict[str, str]:
    return ALL | {str(number): f"가|{one}|" for number, one in enumerate(found, start=1)}


# ---------------------------------------------------------------- cells with contacts

ROWS = [
    Case(
        "phones as people write them",
        phones(
            "+82(0)10-2345-6791",
            "00821023456792",
            "82-10-2345-6793",
            "+82 10 2345 6794",
            "010 - 2345 - 6795",
            "010)2345-6796",
            "+82-10-2345-6797 (본인)",
            "(+82)1023456798",
            "010–2345–6799",
            "010.2345.6700",
            "(82) 10-2345-6701",
            "+8201023456702",
            "H.P 010-2345-6703",
            "☎010-2345-6704",
            "휴대폰:010-2345-6705",
        ),
        phoned(
            "+821023456791",
            "+821023456792",
            "+821023456793",
            "+821023456794",
            "+821023456795",
            "+821023456796",
            "+821023456797",
            "+821023456798",
            "+821023456799",
            "+821023456700",
            "+821023456701",
            "+821023456702",
            "+821023456703",
            "",
            "+821023456705",
        ),
    ),
    Case(
        "arabic-indic digits",
        phones("٠١٠٢٣٤٥٦٧٩١", "०१०२३४५६७९२"),
        phoned("+821023456791", "+821023456792"),
    ),
    Case(
        "full-width digits",
        phones("０１０－２３４５－６７９１", "０１０２３４５６７９２"),
        phoned("+821023456791", "+821023456792"),
    ),
    Case(
        "circled and superior digits",
        phones("①⓪①⓪2345679", "⁰¹⁰²³⁴⁵⁶⁷⁹¹"),
        phoned("", "+821023456791"),
    ),
    Case(
        "two numbers in a cell",
        phones(
            "010-2345-6791 / 010-2345-6792",
            "010-2345-6793,010-2345-6794",
            "010-2345-6795;02-345-6789",
        ),
        phoned(
            "+821023456791 +821023456792",
            "+821023456793 +821023456794",
            "+821023456795 +8223456789",
        ),
    ),
    Case(
        "two numbers without a separator",
        phones("010-2345-6791010-2345-6792", "0102345679101023456792"),
        phoned("", ""),
    ),
    Case("two numbers, one masked", phones("010-2345-6791/010-****-6792"), phoned("")),
    Case(
        "two numbers by the word or",
        phones("010-2345-6791 또는 010-2345-6792", "010-2345-6793 or 010-2345-6794"),
        phoned("", ""),
    ),
    Case(
        "extensions",
        phones(
            "02-345-6789 내선 12",
            "02-345-6789 (내선12)",
            "02-345-6789#12",
            "02-345-6789 ext12",
            "02-345-6789;ext=12",
            "02-345-6789,12",
        ),
        phoned("", "", "", "", "", ""),
    ),
    Case(
        "numbers of services",
        phones("15881588", "1588-1588", "080-123-4567", "114", "060-700-1234", "1577-1577"),
        phoned(*[""] * 6),
    ),
    Case(
        "safe numbers",
        phones("0505-1234-5678", "050712345678", "0502-1234-5678"),
        phoned("", "", ""),
    ),
    Case(
        "test numbers",
        phones("010-0000-0000", "010-1111-1111", "010-1234-5678", "010-9999-9999", "01000000000"),
        phoned("", "", "+821012345678", "", ""),
    ),
    Case(
        "too short and too long",
        phones("010-234-567", "010-2345-67911", "010-2345-679", "10-2345-679"),
        phoned(*[""] * 4),
    ),
    Case("dates as phones", phones("2025-11-18", "20251118", "1990.01.01"), phoned("", "", "")),
    Case("resident numbers as phones", phones("900101-1234567", "9001011234567"), phoned("", "")),
    Case(
        "account numbers as phones",
        phones("110-234-567891", "1002-345-678910", "3333-01-2345678"),
        phoned("", "", ""),
    ),
    Case("business numbers as phones", phones("123-45-67890", "1234567890"), phoned("", "")),
    Case(
        "apostrophes of spreadsheets",
        phones("'+821023456791", "'01023456792", "=+821023456793", '=""01023456794""'),
        phoned("+821023456791", "+821023456792", "", ""),
    ),
    Case(
        "old numbers",
        phones("011-234-5678", "016-234-5678", "019-9234-5678"),
        phoned("+82112345678", "+82162345678", "+821992345678"),
    ),
    Case(
        "numbers abroad",
        phones(
            "+1 (415) 555-0102",
            "+44 20 7946 0106",
            "+81-90-1234-5601",
            "+86 138 1234 5678",
            "+84 90 123 45 67",
        ),
        phoned("+14155550102", "+442079460106", "+819012345601", "+8613812345678", "+84901234567"),
    ),
    Case(
        "numbers abroad with 00 and 001",
        phones("0014155550102", "00700-1-415-555-0102", "001-1-415-555-0102", "011-1-415-555-0102"),
        phoned("", "", "", ""),
    ),
    Case(
        "html and web around phones",
        phones(
            "tel:010-2345-6791", "010-2345-6792&nbsp;", "<a href='tel:01023456793'>01023456793</a>"
        ),
        phoned("+821023456791", "", ""),
    ),
    Case(
        "letters for digits",
        phones("O1O-2345-6791", "01o-2345-6792", "010-23四5-6793", "010-2345-679l"),
        phoned(*[""] * 4),
    ),
    Case(
        "a phone and a name",
        phones(
            "010-2345-6791 김민준",
            "김민준 010-2345-6792",
            "010-2345-6793(모)",
            "엄마 010-2345-6794",
        ),
        phoned("+821023456791", "+821023456792", "+821023456793", "+821023456794"),
    ),
    Case(
        "words for no phone",
        phones("없음", "-", "N/A", "모름", "미기재", "null", "0", "."),
        phoned(*[""] * 8),
    ),
    Case(
        "addresses as people write them",
        emails(
            "김민준 <q1@b.example>",
            "q2@b.example.",
            "q3@b.example,",
            "MAILTO:q4@b.example",
            "Q5@B.EXAMPLE",
            "q6＠b.example",
            " q7@b.example ",
            "<q8@b.example>",
            '"q9@b.example"',
            "(q10@b.example)",
            "[q11@b.example]",
            "q12@b.example (개인)",
            "e-mail: q13@b.example",
        ),
        emailed(
            "q1@b.example",
            "q2@b.example",
            "q3@b.example",
            "q4@b.example",
            "q5@b.example",
            "q6@b.example",
            "q7@b.example",
            "q8@b.example",
            "q9@b.example",
            "",
            "",
            "",
            "q13@b.example",
        ),
    ),
    Case(
        "two addresses in a cell",
        emails(
            "q1@b.example, r1@b.example",
            "q2@b.example;r2@b.example",
            "q3@b.example r3@b.example",
            "q4@b.example/r4@b.example",
        ),
        emailed(
            "q1@b.example r1@b.example",
            "q2@b.example r2@b.example",
            "q3@b.example r3@b.example",
            "q4@b.example r4@b.example",
        ),
    ),
    Case("two addresses in a line break", added('7,가,"q1@b.example\nr1@b.example",'), ALL, (8, 9)),
    Case(
        "addresses in words",
        emails(
            "q1 [at] b.example",
            "q2(at)b.example",
            "q3 AT b DOT example",
            "q4 골뱅이 b.example",
            "q5#b.example",
        ),
        emailed(*[""] * 5),
    ),
    Case(
        "quoted local parts",
        emails('"a b"@b.example', '"a@c"@b.example', "a\\@c@b.example"),
        emailed("", "", ""),
    ),
    Case(
        "domains abroad",
        emails("q1@한글.example", "q2@bücher.example", "q3@пример.example", "민지@b.example"),
        emailed(
            "q1@xn--bj0bj06e.example", "q2@xn--bcher-kva.example", "q3@xn--e1afmkfd.example", ""
        ),
    ),
    Case(
        "addresses with marks of html",
        emails(
            "q1@b.example<br>",
            "<a href='mailto:q2@b.example'>q2@b.example</a>",
            "q3&#64;b.example",
            "q4&commat;b.example",
        ),
        phoned("", "", "", ""),
    ),
    Case(
        "wrong domains",
        emails(
            "q@b",
            "q@localhost",
            "q@b..example",
            "q@.example",
            "q@b.example-",
            "q@-b.example",
            "@b.example",
            "q@",
            "q@b,example",
            "q@b.c",
        ),
        phoned("", "", "", "", "", "", "", "", "", ""),
    ),
    Case(
        "deleted accounts by address",
        emails(
            "deleted_123@b.example",
            "deleted+456@b.example",
            "withdraw_789@b.example",
            "user.1001.deleted@b.example",
        ),
        emailed(
            "deleted_123@b.example",
            "deleted+456@b.example",
            "withdraw_789@b.example",
            "user.1001.deleted@b.example",
        ),
    ),
    Case(
        "words for a deleted account",
        emails(
            "탈퇴회원",
            "탈퇴",
            "deleted",
            "withdrawn",
            "[deleted]",
            "REDACTED",
            "[redacted]",
            "anonymized",
            "삭제됨",
            "파기",
        ),
        emailed(*[""] * 10),
    ),
    Case(
        "hashes instead of addresses",
        emails(
            "5d41402abc4b2a76b9719d911017c592",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        emailed("", "", ""),
    ),
    Case(
        "hashes with a domain",
        emails("5d41402abc4b2a76b9719d911017c592@b.example"),
        emailed("5d41402abc4b2a76b9719d911017c592@b.example"),
    ),
    Case(
        "private relays",
        emails("abc123@privaterelay.appleid.com", "abc@mozmail.com", "x1y2@relay.firefox.com"),
        emailed("abc123@privaterelay.appleid.com", "abc@mozmail.com", "x1y2@relay.firefox.com"),
    ),
    Case(
        "relays of markets",
        emails("k1j2h3@marketplace.amazon.com", "abc@members.ebay.com"),
        emailed("k1j2h3@marketplace.amazon.com", "abc@members.ebay.com"),
    ),
    Case(
        "addresses with a plus",
        emails("q+shop@b.example", "q+news@b.example"),
        emailed("q+shop@b.example", "q+news@b.example"),
    ),
    Case(
        "addresses of no one",
        emails(
            "none@none.com",
            "no@email.com",
            "test@test.com",
            "noreply@b.example",
            "noemail@noemail.com",
            "a@a.a",
        ),
        emailed(
            "none@none.com",
            "no@email.com",
            "test@test.com",
            "noreply@b.example",
            "noemail@noemail.com",
            "",
        ),
    ),
    Case("an address in the name", added("7,q@b.example,,"), ALL, (8,)),
    Case(
        "a phone in the name",
        added("7,010-2345-6791,q@b.example,"),
        ALL | one("7", "010-2345-6791", "q@b.example"),
    ),
    Case(
        "a phone and an address in the address",
        added("7,가,q@b.example / 010-2345-6791,"),
        ALL | one("7", "가"),
    ),
    Case(
        "invisible signs in names",
        added("7,\u200b김\u200b민준\ufeff,q@b.example,"),
        ALL | one("7", "\u200b김\u200b민준\ufeff", "q@b.example"),
    ),
    Case(
        "names that are formulas",
        added(
            '7,"=HYPERLINK(""http://x"")",q@b.example,',
            "8,@SUM(1),r@b.example,",
            "9,+가,s@b.example,",
        ),
        ALL
        | one("7", '=HYPERLINK("http://x")', "q@b.example")
        | one("8", "@SUM(1)", "r@b.example")
        | one("9", "+가", "s@b.example"),
    ),
    Case(
        "names that are markup",
        added("7,<b>가</b>,q@b.example,", "8,<script>x</script>,r@b.example,"),
        ALL | one("7", "<b>가</b>", "q@b.example") | one("8", "<script>x</script>", "r@b.example"),
    ),
    Case(
        "names called null",
        added("7,Null,q@b.example,", "8,Nan,r@b.example,", "9,True,s@b.example,"),
        ALL
        | one("7", "Null", "q@b.example")
        | one("8", "Nan", "r@b.example")
        | one("9", "True", "s@b.example"),
    ),
    Case(
        "test accounts",
        added("test,테스트,test@b.example,", "admin,관리자,admin@b.example,"),
        ALL | one("test", "테스트", "test@b.example") | one("admin", "관리자", "admin@b.example"),
    ),
    Case(
        "ids that look like words for nothing",
        added("na,가,q@b.example,", "none,나,r@b.example,", "test1,다,s@b.example,"),
        ALL | one("test1", "다", "s@b.example"),
        (8, 9),
    ),
    Case(
        "ids with outer spaces and marks",
        added(" 1001 ,김민준,user1@naver.example,", "'1002,이서연,user2@naver.example,"),
        ALL,
    ),
    Case(
        "ids that differ by case",
        added("aB12,가,q@b.example,", "Ab12,나,r@b.example,"),
        ALL | one("aB12", "가", "q@b.example") | one("Ab12", "나", "r@b.example"),
    ),
    Case(
        "ids with lost digits in many forms",
        added(
            "2.02511E+15,가,q@b.example,",
            "2.02511e15,나,r@b.example,",
            '"2,02511E+15",다,s@b.example,',
            "2E+15,라,t@b.example,",
            "####,마,u@b.example,",
            "#########,바,v@b.example,",
        ),
        ALL,
        (8, 9, 10, 11, 12, 13),
    ),
    Case(
        "ids as floats",
        csv([r.replace(",", ".0,", 1) for r in GOOD]),
        {f"{key}.0": found for key, found in ALL.items()},
    ),
    Case(
        "ids with thousands",
        csv([f'"{r[0]},{r[1:4]}"{r[4:]}' for r in GOOD]),
        {f"{k[0]},{k[1:]}": f for k, f in ALL.items()},
    ),
    Case(
        "the same person on two lines", added("1001,김민준,user1@naver.example,010-2345-6781"), ALL
    ),
    Case("the same id, other person", added("1001,최민수,cms@b.example,010-2345-6799"), ALL, (8,)),
    Case(
        "one contact of a company",
        added(*[f"{n},사람{n},info@b.example," for n in range(7, 12)]),
        ALL | {str(n): f"사람{n}|info@b.example|" for n in range(7, 12)},
    ),
    Case("guests with id 0", added("0,가,q@b.example,", "0,나,r@b.example,"), ALL, (8, 9)),
    Case("moved cells after a comma", added("7,Kim,Minji,q@b.example"), ALL, (8,)),
    Case("moved cells, phone before address", added("7,가,010-2345-6791,q@b.example"), ALL, (8,)),
    Case(
        "ids of 16 digits as numbers",
        xlsx([CELLS[0], [1234567890123456, *CELLS[1][1:]], *CELLS[2:]]),
        without(1001) | one("1234567890123456", "김민준", "user1@naver.example", "+821023456781"),
        suffix=".xlsx",
    ),
    Case(
        "ids with the noise of sums",
        xlsx([CELLS[0], [1001.0000000000001, *CELLS[1][1:]], *CELLS[2:]]),
        ALL,
        suffix=".xlsx",
    ),
    Case(
        "ids of 17 digits as numbers",
        xlsx([CELLS[0], [12345678901234500, *CELLS[1][1:]], *CELLS[2:]]),
        without(1001),
        (2,),
        suffix=".xlsx",
    ),
    Case("ids as truth values", added("TRUE,가,q@b.example,"), ALL, (8,)),
    Case(
        "ids in braces",
        added("{6F96-1},가,q@b.example,"),
        ALL | one("{6F96-1}", "가", "q@b.example"),
    ),
    Case("rows of JSON after those of CSV", csv() + lines_of(objects()), ALL, tuple(range(8, 14))),
    Case("a label of two words between", csv(inserted(3, "VIP 고객,,,")), ALL, (5,)),
    Case("a further address without an id", csv(inserted(3, ",,q@b.example,")), ALL, (5,)),
    Case(
        "an address or a number and a mark for none",
        added('7,가,q@b.example;-,"010-2345-6791/-"'),
        ALL | one("7", "가", "q@b.example", "+821023456791"),
    ),
    Case(
        "addresses with hidden characters",
        emails("q**@b.example", "q…@b.example", "q##@b.example", "***@***"),
        emailed("", "", "", ""),
    ),
    Case("addresses in other alphabets", emails("а1@b.example", "q2@b.ехample"), emailed("", "")),
    Case(
        "addresses in the words of mail heads",
        emails("=?utf-8?B?6rmA?= <q1@b.example>", "=?euc-kr?Q?=B1=E8?= <q2@b.example>"),
        emailed("q1@b.example", "q2@b.example"),
    ),
    Case(
        "headers of addresses and numbers swapped",
        csv(header="member_id,name,mobile,email"),
        refused='accept "swapped:email".*accept "swapped:mobile"',
    ),
    Case(
        "some names encoded twice",
        added(*(f"{n},ê¹€ë¯¼ì¤€,q{n}@b.example," for n in range(4))),
        refused="column name hold their text encoded",
    ),
    Case(
        "names in UTF-8 read as CP949",
        added(*(f"{n},源誘쇱씠,q{n}@b.example," for n in range(4))),
        refused="column name hold their text encoded",
    ),
    Case(
        "names in base64",
        added(*(f"{n},6rmA66+87KSA,q{n}@b.example," for n in range(4))),
        refused="column name hold their text encoded",
    ),
    Case(
        "addresses in base64",
        added(*(f"{n},가,cUBiLmV4YW1wbGU=," for n in range(4))),
        refused="column email hold their text encoded",
    ),
    Case(
        "ids that repeat the line above",
        added("상동,가,q@b.example,", "〃,나,r@b.example,"),
        ALL,
        (8, 9),
    ),
    Case(
        "an example under the header", csv(["예) 1001,홍길동,hong@example.com,", *GOOD]), ALL, (2,)
    ),
    Case(
        "what is required under the header",
        csv(["필수,필수,선택,선택", *GOOD]),
        refused="line 2: the header",
    ),
    Case(
        "columns moved in the second half",
        csv([*GOOD[:3], "1004,user4@naver.example,최하은,010-2345-6784"]),
        {k: ALL[k] for k in ("1001", "1002", "1003")},
        (5,),
    ),
    Case("an address as the name", added("7,김민준 <q@b.example>,,"), ALL, (8,)),
]
