"""Files as administrators, marketing tools, call centres and finders of leaks send them.

See tests/importing/more_messy_files.py. `Case.table` is here the whole table of a mapping.
"""

from tests.importing.binary_spreadsheets import ods, xlsb
from tests.importing.further_messy_files import mapped, one, uncomputed
from tests.importing.more_messy_files import ALL, CELLS, GOOD, Case, csv, names, xlsx
from tests.importing.unseen_files import DE, JP, US, table

KR1, KR2 = "010-2345-6791", "010-2345-6792"
E1, E2 = "+821023456791", "+821023456792"
FR, IN, GB, CN, AE = (f'region = "{code}"\n' for code in ("FR", "IN", "GB", "CN", "AE"))
THORN, PILCROW = "\u00fe", "\u0014"  # the quote and the separator of Concordance


def of(*people: tuple[str, ...]) -> dict[str, str]:
    """Returns what is found of people: (reference, name, address, number)."""
    found: dict[str, str] = {}
    for person in people:
        found |= one(*person)
    return found


def dat(*rows: tuple[str, ...], encoding: str = "utf-8-sig", end: str = "\r\n") -> bytes:
    """Returns a load file of Concordance: each cell between thorns, with U+0014 between them."""
    lines = (PILCROW.join(f"{THORN}{cell}{THORN}" for cell in row) for row in rows)
    return "".join(line + end for line in lines).encode(encoding)


ID = mapped(reference="id", name="name", email="email", phone="phone")
LOAD_FILE = mapped(reference="DOCID", name="CUSTODIAN", email="EMAIL", phone="PHONE")
LOADED = [
    ("DOCID", "CUSTODIAN", "EMAIL", "PHONE", "TEXT"),
    ("ABC0001", "Kim", "q1@b.example", KR1, "see\u00aeattached"),
    ("ABC0002", "Lee", "q2@b.example", "", ""),
]
CONCORDANCE = f'separator = "\\u0014"\nquote = "{THORN}"\n'
TWO = of(("1", "Kim", "q1@b.example", E1), ("2", "Lee", "q2@b.example"))

TABLES = [
    Case(
        "orders below the people, labels in Dutch",
        csv([*GOOD, "", "bestelling,artikel,aantal,prijs", "5001,Fiets,1,199.00"]),
        refused="line 9: the header of another table",
    ),
    Case(
        "stock below the people in a workbook",
        xlsx([*CELLS, [None] * 4, ["품목", "창고", "재고", "단가"], ["A100", "용인", 30, 1200]]),
        refused="line 9: the header of another table",
        suffix=".xlsx",
    ),
    Case(
        "questions below the codes of a survey",
        csv(["Antwort-ID,Ihr Name,Ihre Mailadresse,Ihr Telefon", *GOOD]),
        ALL,
        rejected=(2,),
    ),
    Case(
        "types of clickhouse below the header",
        csv(["UInt64,String,Nullable(String),LowCardinality(String)", *GOOD]),
        refused="line 2: the header stands here again",
    ),
    Case(
        "quickbooks, lists one below the other",
        table(
            "!CUST,NAME,EMAIL,PHONE1",
            f"CUST,Kim,q1@b.example,{KR1}",
            "!VEND,NAME,PRINTAS,ADDR1",
            "VEND,ACME,ACME Inc,Street 1",
        ),
        refused="line 3: the header of another table",
        table=mapped(reference="NAME", name="NAME", email="EMAIL", phone="PHONE1"),
    ),
    Case("a trailer of a mainframe", csv([*GOOD, "T,6,,"]), ALL, rejected=(8,)),
    Case(
        "records around the rows",
        csv(["H,20251118,members,1", *GOOD, "TRL,2025-11-18,members,6", "MD5,9e107d9d372b,,"]),
        ALL,
        rejected=(2, 9, 10),
    ),
    Case("a person with an initial among numbers", csv([*GOOD, "H,Han,,1"]), ALL, rejected=(8,)),
    Case("sums of a column of numbers", csv([*GOOD, "Σ,,,120"]), ALL, rejected=(8,)),
    Case("people counted in words", csv([*GOOD, "계,6명,,"]), ALL, rejected=(8,)),
    Case(
        "system accounts among numbers",
        csv([*GOOD, "admin,관리자,NULL,NULL", "test1,Test User 1,,"]),
        ALL,
        rejected=(8, 9),
    ),
    Case(
        "clickhouse, apostrophes with backslashes",
        csv(names(r"O\'Brien", r"D\'Arc"), separator="\t"),
        refused="backslashes stand in it",
        suffix=".tsv",
    ),
]

MARKETING = [
    Case(
        "braze, users in JSON lines with custom attributes",
        b'{"external_id":"u1","first_name":"Minji","last_name":"Kim","email":"q1@b.example",'
        b'"phone":"+821023456791","custom_attributes":{"vip":true},"push_tokens":[]}\n'
        b'{"external_id":"u2","first_name":"Seojun","last_name":"Lee","email":"q2@b.example",'
        b'"phone":null,"custom_attributes":{},"push_tokens":[{"t":"x"}]}\n',
        of(("u1", "Minji Kim", "q1@b.example", E1), ("u2", "Seojun Lee", "q2@b.example")),
        suffix=".json",
        table=mapped(
            reference="external_id", name="{first_name} {last_name}", email="email", phone="phone"
        ),
    ),
    Case(
        "klaviyo, dollar signs and quotes before numbers",
        table(
            "Klaviyo ID,Email,First Name,Last Name,Phone Number,$consent",
            "01HABC,q1@b.example,Minji,Kim,'+821023456791,\"['email', 'sms']\"",
            "01HABD,q2@b.example,Seojun,Lee,,[]",
        ),
        of(("01HABC", "Minji Kim", "q1@b.example", E1), ("01HABD", "Seojun Lee", "q2@b.example")),
        table=mapped(
            reference="Klaviyo ID",
            name="{First Name} {Last Name}",
            email="Email",
            phone="Phone Number",
        ),
    ),
    Case(
        "hubspot, further addresses in a column of their own",
        table(
            '"Record ID","First Name","Email","Further","Phone Number"',
            f'"101","Kim","q1@b.example","q3@b.example;q4@b.example","{KR1}"',
            '"102","Lee","q2@b.example","q5@b.example",""',
        ),
        of(
            ("101", "Kim", "q1@b.example q3@b.example q4@b.example", E1),
            ("102", "Lee", "q2@b.example q5@b.example"),
        ),
        table=mapped(
            reference="Record ID",
            name="First Name",
            email=["Email", "Further"],
            phone="Phone Number",
        ),
    ),
    Case(
        "hubspot, further addresses that nobody named",
        table(
            '"Record ID","First Name","Email","Further"',
            *(f'"10{n}","Kim","q{n}@b.example","r{n}@b.example"' for n in range(3)),
        ),
        refused="unused:Further",
        table=mapped(reference="Record ID", name="First Name", email="Email"),
    ),
    Case(
        "zoho, ids with a prefix and a line above",
        table(
            "Record Id,First Name,Last Name,Email,Mobile",
            "zcrm_554023000000238003,Minji,Kim,q1@b.example,010 2345 6791",
        ),
        of(("zcrm_554023000000238003", "Minji Kim", "q1@b.example", E1)),
        table=mapped(
            reference="Record Id", name="{First Name} {Last Name}", email="Email", phone="Mobile"
        ),
    ),
    Case(
        "adobe commerce, a store code and html entities in names",
        table(
            "email,_website,_store,entity_id,firstname,lastname",
            *(f"q{n}@b.example,base,default,{n},Ren&eacute;,D&#039;Arc" for n in range(1, 5)),
        ),
        refused="encoded:firstname",
        table=mapped(reference="entity_id", name="{firstname} {lastname}", email="email"),
    ),
    Case(
        "sap hybris impex",
        table(
            "INSERT_UPDATE Customer;uid[unique=true];customerID;name;phone",
            f";q1@b.example;1;Kim;{KR1}",
            ";q2@b.example;2;Lee;",
        ),
        TWO,
        table=mapped(reference="customerID", name="name", email="uid[unique=true]", phone="phone"),
    ),
    Case(
        "oracle retail, bars and a trailer",
        b"HDR|20251118|CUST\nCUST_ID|NAME|EMAIL|PHONE\n1|Kim|q1@b.example|\nTRL|2\n",
        refused="line 2: the columns of the mapping are named here",
        suffix=".dat",
        table=mapped(reference="CUST_ID", name="NAME", email="EMAIL", phone="PHONE"),
    ),
    Case(
        "a trailer with a count",
        b"CUST_ID|NAME|EMAIL|PHONE\n1|Kim|q1@b.example|" + KR1.encode() + b"\n2|Lee|q2@b.example|\n"
        b"TRL|2\n",
        TWO,
        (4,),
        suffix=".dat",
        table=mapped(reference="CUST_ID", name="NAME", email="EMAIL", phone="PHONE"),
    ),
    Case(
        "salesforce commerce, customer numbers with zeros",
        table(
            "customer-no,login,email,first-name,last-name,phone-home",
            "00000101,q1,q1@b.example,Minji,Kim,(415) 555-0101",
            '"00000102",q2,q2@b.example,"Lee, Jr.",Seojun,',
        ),
        of(
            ("00000101", "Minji Kim", "q1@b.example", "+14155550101"),
            ("00000102", "Lee, Jr. Seojun", "q2@b.example"),
        ),
        mapping=US,
        table=mapped(
            reference="customer-no",
            name="{first-name} {last-name}",
            email="email",
            phone="phone-home",
        ),
    ),
    Case(
        "shopify, an order in several rows",
        table(
            "Name,Email,Billing Name,Billing Phone,Lineitem name",
            "#1001,q1@b.example,Kim,'+82 10-2345-6791,Shirt",
            "#1001,,,,Socks",
            "#1002,q2@b.example,Lee,,Hat",
        ),
        of(("#1001", "Kim", "q1@b.example", E1), ("#1002", "Lee", "q2@b.example")),
        table=mapped(reference="Name", name="Billing Name", email="Email", phone="Billing Phone"),
    ),
    Case(
        "cafe24, orders in cp949 with a won sign",
        csv(
            [f'20251118-0000011,김민지,{KR1},q1@b.example,"\\12,000"'],
            header="주문번호,주문자명,주문자 휴대전화,주문자 이메일,총 결제금액",
            encoding="cp949",
        ),
        of(("20251118-0000011", "김민지", "q1@b.example", E1)),
        table=mapped(
            reference="주문번호",
            name="주문자명",
            email="주문자 이메일",
            phone="주문자 휴대전화",
        ),
    ),
    Case(
        "a mail list with merge tags as a row",
        table(
            "id,name,email,phone",
            "1,*|FNAME|*,q1@b.example,",
            "2,Lee,q2@b.example,",
            "{{id}},{{name}},{{email}},{{phone}}",
        ),
        refused="line 4: the header stands here again",
        table=ID,
    ),
    Case(
        "a suppression list with hashes of addresses",
        table(
            "id,name,email,phone",
            *(f"{n},Kim,{n:064x}," for n in range(1, 41)),
        ),
        refused="unusable:email",
        table=ID,
    ),
    Case(
        "segment, traits with dots in the names of columns",
        table(
            "userId,traits.name,traits.email,traits.phone",
            f"1,Kim,q1@b.example,{KR1}",
            "2,Lee,q2@b.example,",
        ),
        TWO,
        table=mapped(
            reference="userId", name="traits.name", email="traits.email", phone="traits.phone"
        ),
    ),
]

FORENSICS = [
    Case(
        "concordance, separator and quote named",
        dat(*LOADED),
        refused="quote: must be",
        mapping=CONCORDANCE,
        suffix=".dat",
        table=LOAD_FILE,
    ),
    Case(
        "concordance, nothing named",
        dat(*LOADED),
        refused="lacks|separator|letters",
        suffix=".dat",
        table=LOAD_FILE,
    ),
    Case(
        "concordance in utf-16",
        dat(*LOADED, encoding="utf-16"),
        refused="quote: must be",
        mapping=CONCORDANCE,
        suffix=".dat",
        table=LOAD_FILE,
    ),
    Case(
        "opticon, images of pages",
        b"ABC0001,VOL001,IMAGES\\001\\ABC0001.tif,Y,,,2\r\nABC0002,VOL001,IMAGES\\001\\ABC0002.tif,,,,\r\n",
        refused="lacks",
        suffix=".opt",
        table=LOAD_FILE,
    ),
    Case(
        "findings of a scan, a line of text for each hit",
        table(
            "path,hit",
            *(f"/share/{n}.txt,q{n}@b.example" for n in range(20)),
            *(f"/share/p{n}.txt,010-2345-67{n:02}" for n in range(40)),
        ),
        None,
        table='[person]\nrelation = "member"\nreference = "path"\nemail = "hit"\n'
        'contact_leaked = ["email"]\n',
        refused="unusable:hit|swapped:hit",
    ),
]

LEAKS = [
    Case(
        "address and hash with a colon",
        b"q1@b.example:5f4dcc3b5aa765d61d8327deb882cf99\nq2@b.example:e99a18c428cb38d5f260853678922e03\n"
        b"q3@b.example:ab56b4d92b40713acc5af89985d4b786\n",
        of(
            ("q1@b.example", "", "q1@b.example"),
            ("q2@b.example", "", "q2@b.example"),
            ("q3@b.example", "", "q3@b.example"),
        ),
        suffix=".txt",
        mapping='columns = ["email", "hash"]\nseparator = ":"\n',
        table='[person]\nrelation = "member"\nreference = "email"\nemail = "email"\n'
        'contact_leaked = ["email"]\n',
    ),
    Case(
        "passwords that hold the separator",
        b"q1@b.example:secret\nq2@b.example:pass:word\nq3@b.example:x\n",
        None,
        (2,),
        suffix=".txt",
        mapping='columns = ["email", "password"]\nseparator = ":"\n',
        table='[person]\nrelation = "member"\nreference = "email"\nemail = "email"\n'
        'contact_leaked = ["email"]\n',
    ),
    Case(
        "passwords with quotes, no cell quoted",
        b"q1@b.example:\"secret\nq2@b.example:pass\"word\nq3@b.example:'x'\n",
        of(
            ("q1@b.example", "", "q1@b.example"),
            ("q2@b.example", "", "q2@b.example"),
            ("q3@b.example", "", "q3@b.example"),
        ),
        suffix=".txt",
        mapping='columns = ["email", "password"]\nseparator = ":"\nquote = \'\'\n',
        table='[person]\nrelation = "member"\nreference = "email"\nemail = "email"\n'
        'contact_leaked = ["email"]\n',
    ),
    Case(
        "insert statements without columns",
        b"INSERT INTO `users` VALUES (1,'Kim','q1@b.example'),(2,'Lee','q2@b.example');\n",
        refused="SQL",
        suffix=".sql",
        table=ID,
    ),
    Case(
        "insert statements of SQL Server",
        "INSERT [dbo].[Users] ([id], [name]) VALUES (1, N'김')\r\nGO\r\n".encode("utf-16"),
        refused="SQL",
        suffix=".sql",
        table=ID,
    ),
    Case(
        "a page of a forum above the rows",
        b"Database: shop.example [2025] LEAKED by x\n\nid,name,email,phone\n1,Kim,q1@b.example,\n",
        of(("1", "Kim", "q1@b.example")),
        refused="line 3: the columns of the mapping are named here",
        suffix=".txt",
        table=ID,
    ),
    Case(
        "an art of dashes between the header and the rows",
        table(
            "id,name,email,phone",
            "--,----,-----,-----",
            "1,Kim,q1@b.example," + KR1,
            "2,Lee,q2@b.example,",
        ),
        refused="a table drawn for reading",
        table=ID,
    ),
    Case(
        "rows of a log, key=value",
        b"id=1 name=Kim email=q1@b.example\nid=2 name=Lee email=q2@b.example\n",
        refused="lacks",
        suffix=".log",
        table=ID,
    ),
    Case(
        "tuples of Python",
        b"('1', 'Kim', 'q1@b.example', '')\n('2', 'Lee', 'q2@b.example', '')\n",
        refused="single quotes",
        suffix=".txt",
        table=ID,
    ),
]

OFFICES = [
    Case(
        "a call centre's sheet, the title and a date above",
        xlsx(
            [
                ["상담 내역", None, None, None],
                ["고객번호", "고객명", "연락처", "이메일"],
                [1, "김민지", KR1, "q1@b.example"],
                [2, "이서준", "010.2345.6792", None],
            ]
        ),
        of(("1", "김민지", "q1@b.example", E1), ("2", "이서준", "", E2)),
        suffix=".xlsx",
        table=mapped(reference="고객번호", name="고객명", email="이메일", phone="연락처"),
    ),
    Case(
        "a call centre's sheet, two numbers in a cell with a line break",
        xlsx(
            [
                ["id", "name", "email", "phone"],
                [1, "김민지", "q1@b.example", f"{KR1}\n{KR2}"],
                [2, "이서준", "q2@b.example", KR2],
                [3, "박도윤", "q3@b.example", KR2],
            ]
        ),
        of(("2", "이서준", "q2@b.example", E2), ("3", "박도윤", "q3@b.example", E2)),
        (2,),
        suffix=".xlsx",
        table=ID,
    ),
    Case(
        "a name with a title of respect",
        table("id,name,email,phone", f"1,김민지 고객님,q1@b.example,{KR1}"),
        of(("1", "김민지 고객님", "q1@b.example", E1)),
        table=ID,
    ),
    Case(
        "grouped rows, the person named once",
        xlsx(
            [
                ["id", "name", "email", "phone"],
                [1, "김민지", "q1@b.example", KR1],
                [None, None, None, KR2],
                [2, "이서준", "q2@b.example", None],
            ]
        ),
        of(("1", "김민지", "q1@b.example", E1), ("2", "이서준", "q2@b.example")),
        (3,),
        suffix=".xlsx",
        table=ID,
    ),
    Case(
        "rakuten, dates of an era",
        csv(
            ["1,山田 花子,q1@b.example,090-1234-5601,令和7年11月18日"],
            header="id,name,email,phone,入会日",
            encoding="cp932",
        ),
        of(("1", "山田 花子", "q1@b.example", "+819012345601")),
        mapping=f'encoding = "shift_jis"\n{JP}',
        table=f'{ID}[dates]\n"入会日" = "date"\n[[leaked]]\nclass = "physical-addresses"\n'
        'value = "{name}"\ndate = "入会日"\n',
    ),
    Case(
        "numbers in full width, dashes as long vowels",
        table("id,name,email,phone", "1,山田,q1@b.example,０９０ー１２３４ー５６０１"),
        of(("1", "山田", "q1@b.example", "+819012345601")),
        mapping=JP,
        table=ID,
    ),
    Case(
        "names in half-width kana",
        csv(
            ["1,ﾔﾏﾀﾞ ﾊﾅｺ,q1@b.example,", "2,ｻﾄｳ ｹﾝ,q2@b.example,"],
            header="id,name,email,phone",
            encoding="cp932",
        ),
        of(("1", "ﾔﾏﾀﾞ ﾊﾅｺ", "q1@b.example"), ("2", "ｻﾄｳ ｹﾝ", "q2@b.example")),
        mapping=f'encoding = "shift_jis"\n{JP}',
        table=ID,
    ),
    Case(
        "german, street, postcode and place",
        csv(
            [
                "20001;Jürgen Müller;q1@b.example;0171 2345603;Königstraße 1;70173;Stuttgart",
                "20002;Zoë Weiß;q2@b.example;+49 (0)171/2345604;Gässle 2 b;01067;Dresden",
            ],
            header="KdNr;Name;E-Mail;Telefon;Straße;PLZ;Ort",
            encoding="cp1252",
        ),
        of(
            ("20001", "Jürgen Müller", "q1@b.example", "+491712345603"),
            ("20002", "Zoë Weiß", "q2@b.example", "+491712345604"),
        ),
        mapping=f'encoding = "windows-1252"\n{DE}',
        table=mapped(reference="KdNr", name="Name", email="E-Mail", phone="Telefon")
        + '[[leaked]]\nclass = "physical-addresses"\nvalue = "{Straße}, {PLZ} {Ort}"\n',
    ),
    Case(
        "turkish, said to be western",
        csv(
            [
                "1,Ayşe Yılmaz,q1@b.example,",
                "2,Şahin Doğan,q2@b.example,",
                "3,Işık,q3@b.example,",
                "4,Kılıç Barış,q4@b.example,",
            ],
            header="id,name,email,phone",
            encoding="cp1254",
        ),
        refused="encoding:windows-1254",
        mapping='encoding = "windows-1252"\n',
        table=ID,
    ),
    Case(
        "turkish mojibake in utf-8",
        table(
            "id,name,email,phone",
            "1,Ayþe Yýlmaz,q1@b.example,",
            "2,Þahin Doðan,q2@b.example,",
            "3,Iþýk,q3@b.example,",
            "4,Kýlýç Barýþ,q4@b.example,",
        ),
        refused="encoding:windows-1254",
        table=ID,
    ),
    Case(
        "arabic, eastern digits",
        table(
            "id,name,email,phone",
            "١٠٠١,محمد أحمد,q1@b.example,٠٥٠١٢٣٤٥٦٧",
            "١٠٠٢,فاطمة علي,q2@b.example,",
        ),
        of(
            ("1001", "محمد أحمد", "q1@b.example", "+971501234567"),
            ("1002", "فاطمة علي", "q2@b.example"),
        ),
        mapping=AE,
        table=ID,
    ),
    Case(
        "persian digits in ids and numbers",
        table("id,name,email,phone", "۱۰۰۱,رضا,q1@b.example,۰۹۱۲۳۴۵۶۷۸۹"),
        of(("1001", "رضا", "q1@b.example", "+989123456789")),
        mapping='region = "IR"\n',
        table=ID,
    ),
    Case(
        "arabic, marks of direction around numbers",
        table("id,name,email,phone", "1,محمد,\u200fq1@b.example\u200e,\u202a+971501234567\u202c"),
        of(("1", "محمد", "q1@b.example", "+971501234567")),
        table=ID,
    ),
    Case(
        "indian, the mobile twice",
        table(
            "id,name,email,phone,whatsapp",
            "1,Asha,q1@b.example,+91 98765 43210,+919876543210",
            "2,Ravi,q2@b.example,+91-98765-43211,",
        ),
        of(
            ("1", "Asha", "q1@b.example", "+919876543210"),
            ("2", "Ravi", "q2@b.example", "+919876543211"),
        ),
        mapping=IN,
        table=mapped(reference="id", name="name", email="email", phone=["phone", "whatsapp"]),
    ),
    Case(
        "indian, ten digits",
        table(
            "id,name,email,phone",
            *(f"{n},Asha,q{n}@b.example,98765432{n}" for n in range(10, 40)),
        ),
        of(*((f"{n}", "Asha", f"q{n}@b.example", f"+9198765432{n}") for n in range(10, 40))),
        mapping=IN,
        table=ID,
    ),
    Case(
        "indian, ten digits, zeros named",
        table("id,name,email,phone", "1,Asha,q1@b.example,9876543210"),
        of(("1", "Asha", "q1@b.example", "+919876543210")),
        mapping=f"lost_zeros = true\n{IN}",
        table=ID,
    ),
    Case(
        "american, bare digits",
        table(
            "id,name,email,phone",
            "1,Kim,q1@b.example,4155550101",
            "2,Lee,q2@b.example,14155550102",
        ),
        of(
            ("1", "Kim", "q1@b.example", "+14155550101"),
            ("2", "Lee", "q2@b.example", "+14155550102"),
        ),
        mapping=US,
        table=ID,
    ),
    Case(
        "american, social security numbers as phones",
        table(
            "id,name,email,phone",
            *(f"{n},Kim,q{n}@b.example,219-09-99{n}" for n in range(10, 22)),
        ),
        refused="swapped:phone",
        mapping=US,
        table=ID,
    ),
    Case(
        "american, extensions and states",
        table(
            "id,name,email,phone,state",
            "1,Kim,q1@b.example,415-555-0101 x12,CA",
            "2,Lee,q2@b.example,(415) 555-0102,NY",
            "3,Park,q3@b.example,415.555.0103,TX",
        ),
        of(
            ("1", "Kim", "q1@b.example"),
            ("2", "Lee", "q2@b.example", "+14155550102"),
            ("3", "Park", "q3@b.example", "+14155550103"),
        ),
        mapping=US,
        table=ID,
    ),
    Case(
        "chinese, bare mobiles in gbk",
        csv(
            ["1,王伟,q1@b.example,13800138000", "2,李娜,q2@b.example,13800138001"],
            header="id,name,email,phone",
            encoding="gb18030",
        ),
        of(
            ("1", "王伟", "q1@b.example", "+8613800138000"),
            ("2", "李娜", "q2@b.example", "+8613800138001"),
        ),
        mapping=f'encoding = "gbk"\n{CN}',
        table=ID,
    ),
    Case(
        "chinese in gbk, said to be japanese",
        csv(
            [
                "1,王伟,q1@b.example,",
                "2,李娜,q2@b.example,",
                "3,张敏,q3@b.example,",
                "4,刘洋,q4@b.example,",
                "5,陈静,q5@b.example,",
            ],
            header="id,name,email,phone",
            encoding="gb18030",
        ),
        refused="encoding:gb18030|said to be",
        mapping='encoding = "euc-jp"\n',
        table=ID,
    ),
    Case(
        "british, a zero in brackets and spaces",
        table(
            "id,name,email,phone",
            "1,Kim,q1@b.example,+44 (0)7911 123456",
            "2,Lee,q2@b.example,07911 123457",
        ),
        of(
            ("1", "Kim", "q1@b.example", "+447911123456"),
            ("2", "Lee", "q2@b.example", "+447911123457"),
        ),
        mapping=GB,
        table=ID,
    ),
    Case(
        "french, points in numbers and a particle",
        table("id;name;email;phone", "1;de La Tour, Renée;q1@b.example;06.12.34.56.78"),
        of(("1", "de La Tour, Renée", "q1@b.example", "+33612345678")),
        mapping=FR,
        table=ID,
    ),
    Case(
        "brazilian, a document number as the reference",
        table("cpf,name,email,phone", "123.456.789-09,João,q1@b.example,(11) 96123-4567"),
        of(("123.456.789-09", "João", "q1@b.example", "+5511961234567")),
        mapping='region = "BR"\n',
        table=mapped(reference="cpf", name="name", email="email", phone="phone"),
    ),
    Case(
        "vietnamese, decomposed names",
        table("id,name,email,phone", "1,Nguye\u0302\u0303n,q1@b.example,0912 345 678"),
        of(("1", "Nguye\u0302\u0303n", "q1@b.example", "+84912345678")),
        mapping='region = "VN"\n',
        table=ID,
    ),
]

MISTAKES = [
    Case(
        "columns swapped in a file of two rows",
        table("id,name,email,phone", f"1,Kim,{KR1},q1@b.example", f"2,Lee,{KR2},q2@b.example"),
        refused='accept "swapped:email".*accept "swapped:phone"',
        table=ID,
    ),
    Case(
        "resident numbers as phones in a file of ten rows",
        table(
            "id,name,email,phone",
            *(f"{n},Kim,q{n}@b.example,9001{n}-1234567" for n in range(10, 20)),
        ),
        refused="swapped:phone",
        table=ID,
    ),
    Case(
        "forms of numbers that nobody filled in",
        table("id,name,email,phone", "1,Kim,q1@b.example,010--", "2,Lee,q2@b.example,02-"),
        of(("1", "Kim", "q1@b.example"), ("2", "Lee", "q2@b.example")),
        table=ID,
    ),
    Case(
        "typing mistakes in domains",
        table(
            "id,name,email,phone",
            *(f"{n},Kim,q{n}@gmail.com," for n in range(1, 4)),
            "4,Lee,q4@gmail.con,",
            "5,Park,q5@naver.co,",
        ),
        of(
            *((str(n), "Kim", f"q{n}@gmail.com") for n in range(1, 4)),
            ("4", "Lee"),
            ("5", "Park"),
        ),
        table=ID,
    ),
    Case(
        "most domains mistyped by a rule of the form",
        table("id,name,email,phone", *(f"{n},Kim,q{n}@gmail.con," for n in range(40))),
        refused="unusable:email",
        table=ID,
    ),
    Case(
        "real domains near a mistake",
        table(
            "id,name,email,phone",
            "1,Kim,q1@naver.co.kr,",
            "2,Lee,q2@gmx.de,",
            "3,Park,q3@ymail.com,",
            "4,Han,q4@company.co,",
        ),
        of(
            ("1", "Kim", "q1@naver.co.kr"),
            ("2", "Lee", "q2@gmx.de"),
            ("3", "Park", "q3@ymail.com"),
            ("4", "Han", "q4@company.co"),
        ),
        table=ID,
    ),
    Case(
        "signs of full width in addresses",
        table("id,name,email,phone", "1,Kim,q1＠b．example,", "2,Lee,ｑ２@b.example,"),
        of(("1", "Kim", "q1@b.example"), ("2", "Lee", "q2@b.example")),
        table=ID,
    ),
]

PROGRAMS = [
    Case(
        "outlook contacts",
        table(
            '"First Name","Last Name","E-mail Address","Mobile Phone","Account"',
            f'"Minji","Kim","q1@b.example","{KR1}","1"',
            '"Seojun","Lee","q2@b.example","","2"',
        ),
        of(("1", "Minji Kim", "q1@b.example", E1), ("2", "Seojun Lee", "q2@b.example")),
        table=mapped(
            reference="Account",
            name="{First Name} {Last Name}",
            email="E-mail Address",
            phone="Mobile Phone",
        ),
    ),
    Case(
        "google contacts, several values in a cell",
        table(
            "Name,E-mail 1 - Value,Phone 1 - Value,id",
            f"Kim,q1@b.example ::: q3@b.example,{KR1} ::: {KR2},1",
        ),
        of(("1", "Kim", "q1@b.example q3@b.example", f"{E1} {E2}")),
        table=mapped(
            reference="id", name="Name", email="E-mail 1 - Value", phone="Phone 1 - Value"
        ),
    ),
    Case(
        "active directory, names with commas in quotes",
        table(
            "DN,objectGUID,displayName,mail,mobile",
            '"CN=Kim\\, Minji,OU=Sales,DC=corp,DC=local",X\'0a1b\',"Kim, Minji",q1@corp.local,',
        ),
        of(("X'0a1b'", "Kim, Minji", "q1@corp.local")),
        mapping="escape = ''\n",
        table=mapped(reference="objectGUID", name="displayName", email="mail", phone="mobile"),
    ),
    Case("ldif", b"dn: uid=kim\nuid: kim\nmail: q1@b.example\n", refused="LDIF", table=ID),
    Case(
        "vcard",
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Kim\r\nEMAIL:q1@b.example\r\nEND:VCARD\r\n",
        refused="lacks|vCard",
        suffix=".vcf",
        table=ID,
    ),
    Case(
        "xml",
        b"<?xml version='1.0'?><users><user id='1'><email>q1@b.example</email></user></users>",
        refused="XML",
        suffix=".xml",
        table=ID,
    ),
    Case("yaml", b"- id: 1\n  email: q1@b.example\n", refused="YAML", suffix=".yml", table=ID),
    Case("parquet", b"PAR1" + bytes(64) + b"PAR1", refused="Parquet", table=ID),
    Case("sqlite", b"SQLite format 3\0" + bytes(100), refused="SQLite", table=ID),
    Case("pg_dump in its own format", b"PGDMP\x01\x0e" + bytes(60), refused="pg_dump", table=ID),
    Case(
        "dynamodb, types around values",
        b'{"id":{"S":"1"},"name":{"S":"Kim"},"email":{"S":"q1@b.example"},"phone":{"S":""}}\n',
        refused="objects or lists",
        suffix=".json",
        table=ID,
    ),
    Case(
        "elasticsearch, hits",
        b'{"_index":"u","_id":"1","_source":{"id":"1","name":"Kim","email":"q1@b.example"}}\n',
        refused="another object",
        suffix=".json",
        table=ID,
    ),
    Case(
        "firebase, one object of users",
        b'{"users":[{"localId":"1","email":"q1@b.example","displayName":"Kim"}]}',
        refused="another object",
        suffix=".json",
        table=mapped(reference="localId", name="displayName", email="email"),
    ),
    Case(
        "mongoexport, ids as functions",
        table("_id,name,email", "ObjectId(5f3a1b2c3d4e5f6a7b8c9d0e),Kim,q1@b.example"),
        of(("ObjectId(5f3a1b2c3d4e5f6a7b8c9d0e)", "Kim", "q1@b.example")),
        table=mapped(reference="_id", name="name", email="email"),
    ),
    Case(
        "the end of a file of DOS",
        table("id,name,email,phone", f"1,Kim,q1@b.example,{KR1}", "2,Lee,q2@b.example,") + b"\x1a",
        TWO,
        (4,),
        table=ID,
    ),
    Case(
        "bigquery, null in words",
        table("id,name,email,phone", f"1,Kim,q1@b.example,{KR1}", "2,Lee,q2@b.example,null"),
        TWO,
        table=ID,
    ),
    Case(
        "links of a spreadsheet as addresses",
        table(
            "id,name,email,phone",
            *(
                f'{n},Kim,"=HYPERLINK(""mailto:q{n}@b.example"",""q{n}@b.example"")",'
                for n in range(40)
            ),
        ),
        refused="unusable:email|encoded:email",
        table=ID,
    ),
    Case(
        "a note after an address",
        table(
            "id,name,email,phone",
            f"1,Kim,q1@b.example,{KR1}",
            "2,Lee,q2@b.example,",
            "3,Park,q3@b.example (bounced),",
        ),
        TWO | of(("3", "Park")),
        table=ID,
    ),
    Case(
        "masked addresses of a market place",
        table("id,name,email,phone", *(f"{n},김*자,min***@naver.com," for n in range(40))),
        refused="unusable:email",
        table=ID,
    ),
    Case(
        "lent numbers of a market place",
        table("id,name,email,phone", *(f"{n},Kim,,0503-1234-56{n:02}" for n in range(40))),
        refused="unusable:phone",
        table=ID,
    ),
    Case(
        "the number of the company for all",
        table(
            "id,name,email,phone",
            *(f"{n},Kim,q{n}@b.example,1588-1234" for n in range(40)),
        ),
        refused="unusable:phone",
        table=ID,
    ),
    Case(
        "numbers of a spreadsheet with .0",
        table("id,name,email,phone", "1.0,Kim,q1@b.example,1023456791.0", "2.0,Lee,q2@b.example,"),
        of(("1.0", "Kim", "q1@b.example", E1), ("2.0", "Lee", "q2@b.example")),
        table=ID,
    ),
    Case(
        "an export that a firewall has replaced",
        b"<html><body>Access denied</body></html>",
        refused="HTML|page",
        table=ID,
    ),
    Case(
        "an answer of an API in place of a file",
        b'{"error":"token expired"}',
        refused="lack",
        suffix=".json",
        table=ID,
    ),
]

MEASURES = ("25 °C", "5 µg", "±5 mm", "20 m²", "1 ½", "§ 5", "€ 12", "10 £")
MEASURED = [f"{n},Kim,q{n}@b.example,,{text}" for n, text in enumerate(MEASURES, 1)]
MERGED = '<mergeCells count="1"><mergeCell ref="C2:C3"/></mergeCells>'
FOUR = [f"{n},Kim,q{n}@b.example,{KR1[:-1]}{n}" for n in range(1, 5)]
HEAD = "id,name,email,phone"
E_FOUR = [(str(n), "Kim", f"q{n}@b.example", f"{E1[:-1]}{n}") for n in range(1, 5)]
# A table from the second column on.
MERGED_ROWS: list[tuple[object, ...]] = [
    ("id", "name", "email", "phone"),
    (1, "Kim", "q1@b.example", ""),
    (2, "Kim", None, ""),
    (3, "Kim", "q3@b.example", ""),
    (4, "Kim", "q4@b.example", ""),
]
CAPITALS = ("ИВАНОВ ИВАН", "ПЕТРОВА АННА", "СИДОРОВ ОЛЕГ", "ВАСИЛЬЕВА ЕЛЕНА", "ЛЕБЕДЕВ ДМИТРИЙ")
GBK = ("张伟", "陈芳", "高杰", "林静")

SPANNED = (
    b'<table:table-cell table:number-rows-spanned="2" office:value-type="string">'
    b"<text:p>q1@b.example</text:p></table:table-cell>"
)
MERGED_OPEN: list[tuple[object, ...]] = [
    ("id", "name", "email", "phone"),
    ("1", "Kim", SPANNED, KR1),
    ("2", "Lee", None, KR2),
]
META = table(
    "umeta_id,user_id,meta_key,meta_value",
    "1,1,nickname,minji",
    f"2,1,billing_phone,{KR1}",
    "3,1,billing_email,q1@b.example",
    "4,2,first_name,Seojun",
    "5,2,billing_email,q2@b.example",
)
OBJECT_ID = "655822ea0f1b2c3d4e5f607"

# Decision 0105.
EXPORTS = [
    Case(
        "ods, an address merged over two rows, and another sheet",
        ods(MERGED_OPEN, [["note"], ["x"]]),
        refused="line 2: email is merged with the rows below",
        mapping='sheet = "S1"\n',
        suffix=".ods",
        table=ID,
    ),
    Case(
        "ods, attributes in single quotes",
        ods(MERGED_OPEN, quote="'"),
        refused="line 2: email is merged with the rows below",
        suffix=".ods",
        table=ID,
    ),
    Case(
        "ods, merged cells in another sheet",
        ods([HEAD.split(","), ["1", "Kim", "q1@b.example", KR1]], MERGED_OPEN),
        of(("1", "Kim", "q1@b.example", E1)),
        mapping='sheet = "S1"\n',
        suffix=".ods",
        table=ID,
    ),
    Case(
        "xlsb, an address merged over two rows",
        xlsb([HEAD.split(","), [1, "Kim", "q1@b.example"], [2, "Lee"]], merged=[(1, 2, 2, 2)]),
        refused="line 2: email is merged with the rows below",
        suffix=".xlsb",
        table=ID,
    ),
    Case(
        "wordpress, usermeta as addresses",
        META,
        refused="meta_key names attributes",
        table=mapped(reference="user_id", email="meta_value"),
    ),
    Case(
        "wordpress, usermeta as leaked values",
        META,
        of(("1",), ("2",)),
        table='[person]\nrelation = "member"\nreference = "user_id"\ncontact_leaked = []\n'
        '[[leaked]]\nclass = "usernames"\nvalue = "{meta_key}: {meta_value}"\n',
    ),
    Case(
        "one contact a person, and of which kind it is",
        table(
            "id,prefers,contact", "1,email,q1@b.example", f"2,phone,{KR2}", "3,email,q3@b.example"
        ),
        of(("1", "", "q1@b.example"), ("2", ""), ("3", "", "q3@b.example")),
        table=mapped(reference="id", email="contact"),
    ),
    Case(
        "mongoexport, ids and days as objects",
        b"".join(
            b'{"_id":{"$oid":"%s%d"},"name":"Kim","email":"q%d@b.example",'
            b'"on":{"$date":{"$numberLong":"1763456602000"}}}\n' % (OBJECT_ID.encode(), n, n)
            for n in (1, 2)
        ),
        of(*((f"{OBJECT_ID}{n}", "Kim", f"q{n}@b.example") for n in (1, 2))),
        suffix=".json",
        table=mapped(reference="_id", name="name", email="email")
        + '[dates]\non = "unix_ms"\n'
        + '[[leaked]]\nclass = "purchases"\nvalue = "{name}"\ndate = "on"\n',
    ),
    Case(
        "mongoexport, ids as floats",
        b"".join(
            b'{"id":{"$numberDouble":"%s"},"name":{"$numberDouble":"NaN"},"email":"q%d@b.example"}\n'
            % (number, n)
            for n, number in enumerate((b"1001.0", b"1.001002E+06"), 1)
        ),
        of(("1001", "", "q1@b.example"), ("1001002", "", "q2@b.example")),
        suffix=".json",
        table=mapped(reference="id", name="name", email="email"),
    ),
    Case(
        "russian, in the encoding of DOS",
        table(HEAD, *(f"{n},{name},q{n}@b.example," for n, name in enumerate(CAPITALS, 1)))
        .decode()
        .encode("cp866"),
        of(*((str(n), name, f"q{n}@b.example") for n, name in enumerate(CAPITALS, 1))),
        mapping='encoding = "cp866"\n',
        table=ID,
    ),
    Case(
        "russian in utf-8, said to be of DOS",
        table(HEAD, *(f"{n},{name},," for n, name in enumerate(CAPITALS, 1))),
        refused="said to be cp866",
        mapping='encoding = "cp866"\n',
        table=ID,
    ),
    Case(
        "ukrainian, said to be western",
        table(HEAD, "1,Іван Їжак,,", "2,Олена Ґудзь,,", "3,Єва Шевченко,,")
        .decode()
        .encode("koi8-u"),
        refused="said to be windows-1252",
        mapping='encoding = "windows-1252"\n',
        table=ID,
    ),
]

# Decision 0097, and kinds that the acceptance of few cells found.
FEW = [
    Case(
        "signs of measures and prices alone",
        "\r\n".join([f"{HEAD},text", *MEASURED]).encode("cp1252"),
        of(*((str(n), "Kim", f"q{n}@b.example") for n in range(1, 9))),
        table=ID,
    ),
    Case(
        "signs of measures, a name at the end",
        "\r\n".join([f"{HEAD},text", *MEASURED, "9,Müller,q9@b.example,,"]).encode("cp1252"),
        refused="a guess",
        table=ID,
    ),
    Case(
        "signs inside words",
        "\r\n".join([HEAD, *(f"{n},Pawe³,q{n}@b.example," for n in range(4))]).encode("cp1252"),
        refused="a guess",
        table=ID,
    ),
    *(
        Case(
            f"a capital letter that {encoding} has in place of a sign",
            "\r\n".join([f"{HEAD},text", *MEASURED[:2], f"9,{name},q9@b.example,,"]).encode(
                "cp1252"
            ),
            refused="a guess",
            table=ID,
        )
        for encoding, name in (
            ("iso-8859-2", "£. Nowak"),
            ("cp852", "µgi"),
            ("cp850", "µna"),
            ("iso-8859-5", "°"),
        )
    ),
    Case(
        "numbers that a spreadsheet shortened",
        table(HEAD, *(f"{n},Kim,q{n}@b.example,8.2101{n}E+11" for n in range(1, 5))),
        refused='4 of 4 cells are none that can be used; .* accept "unusable:phone"',
        table=ID,
    ),
    Case(
        "one placeholder number on few rows",
        table(HEAD, *(f"{n},Kim,q{n}@b.example,010-0000-0000" for n in range(1, 5))),
        of(*((str(n), "Kim", f"q{n}@b.example") for n in range(1, 5))),
        table=ID,
    ),
    Case(
        "two of three numbers unusable",
        table(HEAD, f"1,Kim,q1@b.example,{KR1}", "2,Lee,,moved", "3,Pak,q3@b.example,ask her"),
        of(("1", "Kim", "q1@b.example", E1), ("2", "Lee", ""), ("3", "Pak", "q3@b.example")),
        table=ID,
    ),
    Case(
        "an address merged over two rows",
        xlsx(
            [HEAD.split(","), [1, "Kim", "q1@b.example", KR1], [2, "Lee", None, KR2]], more=MERGED
        ),
        refused="line 2: email is merged with the rows below",
        suffix=".xlsx",
        table=ID,
    ),
    Case(
        "merged cells of a table that begins in the second column",
        xlsx(
            [[None, *row] for row in MERGED_ROWS],
            more='<mergeCells><mergeCell ref="D2:D3"/></mergeCells>',
        ),
        refused="line 2: email is merged with the rows below",
        suffix=".xlsx",
        table=ID,
    ),
    Case(
        "merged cells of an unused column, blank ones, and a note below",
        xlsx(
            [
                *([None, "group" if not n else None, *row] for n, row in enumerate(MERGED_ROWS)),
                [None, None, "Printed on Monday"],
            ],
            more='<mergeCells><mergeCell ref="B2:B3"/><mergeCell ref="F2:F3"/>'
            '<mergeCell ref="C6:F8"/></mergeCells>',
        ),
        of(*((str(n), "Kim", "" if n == 2 else f"q{n}@b.example") for n in range(1, 5))),
        (6,),
        suffix=".xlsx",
        table=ID,
    ),
    Case(
        "a formula without a value in a table that begins in the second column",
        xlsx([[None, *HEAD.split(",")], [None, 1, "Kim", uncomputed("A1"), KR1]]),
        refused="line 2: .*email",
        suffix=".xlsx",
        table=ID,
    ),
    Case(
        "values that are labels, on a row without contacts",
        table(
            f"{HEAD},terms,ads",
            *(f"{row},," for row in FOUR),
            "15,소라,,,필수,선택",
            "16,Ann,,,required,optional",
            "17,Bo,,,이메일,휴대폰",
            "18,Cy,,,City,Product",
        ),
        of(*E_FOUR, ("15", "소라", ""), ("16", "Ann", ""), ("17", "Bo", ""), ("18", "Cy", "")),
        table=ID,
    ),
    Case(
        "labels in another language under the header",
        table(HEAD, "번호,성명,이메일,전화", *FOUR),
        refused="line 2: the header stands here again",
        table=ID,
    ),
    Case(
        "half-width kana, not declared",
        table(HEAD, "1,ﾔﾏﾀﾞ ﾊﾅｺ,q1@b.example,", "2,ｻﾄｳ ｹﾝ,q2@b.example,").decode().encode("cp932"),
        refused="looks like shift_jis",
        table=ID,
    ),
    Case(
        "Chinese names whose bytes are half-width kana",
        table(HEAD, *(f"{n},{name},," for n, name in enumerate(GBK, 1))).decode().encode("gb18030"),
        of(*((str(n), name, "") for n, name in enumerate(GBK, 1))),
        mapping='encoding = "gb18030"\n',
        table=ID,
    ),
    Case(
        "Chinese names, not declared",
        table(HEAD, *(f"{n},{name},," for n, name in enumerate(GBK, 1))).decode().encode("gb18030"),
        refused="looks like gb18030",
        table=ID,
    ),
    Case(
        "Russian capitals, not declared",
        table(HEAD, *(f"{n},{name},," for n, name in enumerate(CAPITALS)))
        .decode()
        .encode("iso8859-5"),
        refused="looks like iso-8859-5",
        table=ID,
    ),
    Case(
        "ebcdic of a mainframe",
        "\n".join([HEAD, *FOUR]).encode("cp037"),
        refused="EBCDIC",
        suffix=".dat",
        table=ID,
    ),
    Case(
        "guillemets as quotes",
        table(HEAD, *("«{}»,«{}»,«{}»,«{}»".format(*row.split(",")) for row in FOUR)),
        refused="its cells stand in «»",
        table=ID,
    ),
    *(
        Case(
            f"{said} in the place of a firm",
            table("id,email,firm,city", *(f'"{n}","q{n}@b.example",{said},{said}' for n in (1, 2))),
            of(("1", "", "q1@b.example"), ("2", "", "q2@b.example")),
            table=mapped(reference="id", email="email"),
        )
        for said in ('"«Ромашка»"', '"“Rose”"', "\"'Rose'\"")
    ),
    Case(
        "contacts inside an object",
        b"".join(
            b'{"id":%d,"name":"Kim","contact":{"email":"q@b.example","phone":""}}\n' % n
            for n in range(1, 4)
        ),
        refused="contact holds objects",
        suffix=".json",
        table=ID,
    ),
    Case(
        "json text sequences",
        b'\x1e{"id":1,"name":"Kim","email":"q1@b.example","phone":""}\n' * 2,
        refused="JSON Text Sequences",
        suffix=".json",
        table=ID,
    ),
    Case(
        "a session of sqlplus",
        b"SQL> select * from m;\n        ID|NAME  |EMAIL|PHONE\n----------|------|-----|-----\n",
        refused="drawn for reading",
        suffix=".lst",
        table=ID,
    ),
    Case(
        "columns of fixed width",
        b"ID        NAME      EMAIL               PHONE\n"
        b"0000000001Kim       q1@b.example        01023456791\n"
        b"0000000002Lee       q2@b.example        01023456792\n",
        refused="the header is one cell",
        suffix=".txt",
        table=ID,
    ),
    Case(
        "rows in one cell each of a workbook",
        xlsx([[HEAD], *([row] for row in FOUR)]),
        refused="the header is one cell",
        suffix=".xlsx",
        table=ID,
    ),
]
