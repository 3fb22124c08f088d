"""Exports of products, as a user gives them to the draft of a mapping without a change.

The columns are those of each product's export. Each person of `People` is one row. What stands in
other columns than those of the person is not checked here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Person(NamedTuple):
    """A person of an export. `phone` is as people of the region write it."""

    family: str
    given: str
    email: str
    phone: str
    e164: str


class People(NamedTuple):
    """The people of a region, and how a draft joins the two parts of a name."""

    region: str
    people: tuple[Person, ...]
    full: str  # the usual full name, of {family} and {given}


def _people(region: str, full: str, code: str, *rows: str) -> People:
    """Returns people from "family given email phone"; `code` replaces the zero of the phone."""
    people = []
    for row in rows:
        family, given, email, phone = row.split(" ", 3)
        digits = "".join(filter(str.isdigit, phone))
        digits = digits[1:] if digits[0] == "0" else digits
        people.append(Person(family, given, email, phone, f"+{code}{digits}"))
    return People(region, tuple(people), full)


KR = _people(
    "KR",
    "{family}{given}",
    "82",
    "김 민지 minji1@naver.example 010-2345-6781",
    "이 서준 sj2@gmail.example 010-2345-6782",
    "박 지우 jw3@kakao.example 010-2345-6783",
    "최 하윤 hy4@daum.example 010-2345-6784",
)
JP = _people(
    "JP",
    "{family}{given}",
    "81",
    "佐藤 花子 hanako1@docomo.example 090-1234-5671",
    "鈴木 一郎 ichiro2@yahoo.example 080-1234-5672",
    "髙橋 健 ken3@gmail.example 070-1234-5673",
    "渡邊 さくら sakura4@au.example 090-1234-5674",
)
CN = _people(
    "CN",
    "{family}{given}",
    "86",
    "王 小明 xm1@qq.example 13812345671",
    "李 娜 lina2@163.example 13912345672",
    "欧阳 雪 xue3@sina.example 18612345673",
    "张 伟 zw4@foxmail.example 13512345674",
)
US = _people(
    "US",
    "{given} {family}",
    "1",
    "O'Brien Anne anne1@aol.example (212) 555-2671",
    "Smith-Jones Bob bob.2@gmail.example (212) 555-2672",
    "Núñez José jose3@yahoo.example (212) 555-2673",
    "Lee Grace grace+4@icloud.example (212) 555-2674",
)
DE = _people(
    "DE",
    "{given} {family}",
    "49",
    "Müller Jürgen jm1@web.example 0171 2345671",
    "Weiß Käthe kw2@gmx.example 0171 2345672",
    "Öztürk Ayşe ao3@t-online.example 0171 2345673".replace("ş", "s"),
    "Groß Ulrich ug4@freenet.example 0171 2345674",
)
FR = _people(
    "FR",
    "{given} {family}",
    "33",
    "Lefèvre Hélène hl1@orange.example 06 12 34 56 71",
    "Dupont Jean-François jf2@free.example 06 12 34 56 72",
    "D'Hœr Zoé zd3@sfr.example 07 82 34 56 73",
    "Garçon Noël ng4@laposte.example 06 12 34 56 74",
)
BR = _people(
    "BR",
    "{given} {family}",
    "55",
    "Conceição João joao1@uol.example (11) 98765-4321",
    "Araújo Antônia antonia2@bol.example (21) 98765-4322",
    "Magalhães Íris iris3@terra.example (31) 98765-4323",
    "Assunção Caio caio4@globo.example (41) 98765-4324",
)
MX = _people(
    "MX",
    "{given} {family}",
    "52",
    "Muñoz Sofía sofia1@hotmail.example 55 1234 5671",
    "Ibáñez Raúl raul2@prodigy.example 55 1234 5672",
    "Peña Inés ines3@gmail.example 33 1234 5673",
    "Güemes Ana ana4@outlook.example 81 1234 5674",
)
VN = _people(
    "VN",
    "{family} {given}",
    "84",
    "Nguyễn Hương huong1@gmail.example 0912 345 671",
    "Trần Đức duc2@yahoo.example 0912 345 672",
    "Phạm Quỳnh quynh3@zalo.example 0982 345 673",
    "Lê Ánh anh4@fpt.example 0912 345 674",
)
RU = _people(
    "RU",
    "{family} {given}",
    "7",
    "Иванова Анна anna1@mail.example 912 345-67-81",
    "Щукин Пётр petr2@yandex.example 912 345-67-82",
    "Ёлкина Юлия yulia3@rambler.example 912 345-67-83",
    "Жуков Илья ilya4@bk.example 912 345-67-84",
)
AE = _people(
    "AE",
    "{given} {family}",
    "971",
    "المنصوري فاطمة fatima1@gmail.example 050 123 4571",
    "الهاشمي خالد khalid2@hotmail.example 055 123 4572",
    "النعيمي مريم maryam3@etisalat.example 050 123 4573",
    "الشامسي عمر omar4@gmail.example 056 123 4574",
)
IN = _people(
    "IN",
    "{given} {family}",
    "91",
    "Iyer Lakshmi lakshmi1@gmail.example 98765 43211",
    "Singh Harpreet harpreet2@rediff.example 98765 43212",
    "Das Arun arun3@yahoo.example 98765 43213",
    "Khan Ayesha ayesha4@gmail.example 98765 43214",
)
PL = _people(
    "PL",
    "{given} {family}",
    "48",
    "Wiśniewska Łucja lucja1@wp.example 512 345 671",
    "Żak Józef jozef2@onet.example 602 345 672",
    "Gęsicka Ćwirka cwirka3@o2.example 788 345 673",
    "Nowak Ewa ewa4@interia.example 530 345 674",
)
TR = _people(
    "TR",
    "{given} {family}",
    "90",
    "Yılmaz Ayşe ayse1@gmail.example 0532 123 45 71",
    "Öztürk İbrahim ibrahim2@hotmail.example 0542 123 45 72",
    "Çelik Gül gul3@yandex.example 0505 123 45 73",
    "Şahin Ege ege4@mynet.example 0532 123 45 74",
)
GR = _people(
    "GR",
    "{given} {family}",
    "30",
    "Παπαδοπούλου Ελένη eleni1@otenet.example 694 123 4571",
    "Γεωργίου Νίκος nikos2@gmail.example 697 123 4572",
    "Δημητρίου Άννα anna3@yahoo.example 694 123 4573",
    "Ζαχαρίας Χρήστος christos4@windows.example 698 123 4574",
)
UA = _people(
    "UA",
    "{family} {given}",
    "380",
    "Шевченко Ірина iryna1@ukr.example 067 123 45 71",
    "Гнатюк Юрій yurii2@i.ua.example 050 123 45 72",
    "Їжакевич Єва yeva3@meta.example 063 123 45 73",
    "Ґудзь Олег oleh4@gmail.example 097 123 45 74",
)
TH = _people(
    "TH",
    "{given} {family}",
    "66",
    "ใจดี สมชาย somchai1@gmail.example 081 234 5671",
    "รักไทย มาลี malee2@hotmail.example 089 234 5672",
    "สุขใจ วิชัย wichai3@yahoo.example 062 234 5673",
    "ทองคำ นิดา nida4@outlook.example 095 234 5674",
)
IL = _people(
    "IL",
    "{given} {family}",
    "972",
    "כהן נועה noa1@walla.example 052-234-5671",
    "לוי דוד david2@gmail.example 054-234-5672",
    "מזרחי תמר tamar3@bezeqint.example 050-234-5673",
    "פרץ יוסי yossi4@netvision.example 053-234-5674",
)
ID = _people(
    "ID",
    "{given} {family}",
    "62",
    "Wijaya Siti siti1@gmail.example 0812-3456-7891",
    "Santoso Budi budi2@yahoo.example 0813-3456-7892",
    "Hidayat Dewi dewi3@telkom.example 0857-3456-7893",
    "Putra Agus agus4@gmail.example 0821-3456-7894",
)
NL = _people(
    "NL",
    "{given} {family}",
    "31",
    "Jansen Daniël daniel1@ziggo.example 06-12345671",
    "Bakker Zoë zoe2@kpn.example 06-12345672",
    "IJzerman Pim pim3@xs4all.example 06-12345673",
    "Smit Noé noe4@planet.example 06-12345674",
)


class Export(NamedTuple):
    """An export, and what its draft must read of it."""

    name: str
    header: str
    row: str  # a form with {n}, {ref}, {family}, {given}, {full}, {email}, {phone}, {e164}, …
    of: People = KR
    ref: str = "{n}"  # the reference of the draft; a form with {n} and {email}
    encoding: str = "utf-8"
    end: str = "\r\n"
    below: str = ""  # lines below the rows
    suffix: str = ".csv"
    full: str = ""  # the name as the draft reads it, if it is not `of.full`
    reads: str = "name email phone"  # which contacts the export has
    rejected: tuple[int, ...] = ()  # lines
    refused: str = ""  # a pattern of the refusal, of the draft or of the import
    content: bytes = b""  # if it is not made from the header and the rows

    def fields(self) -> list[dict[str, str]]:
        """Returns the values of the form of each row."""
        found = []
        for n, person in enumerate(self.of.people, 1):
            field = person._asdict() | {"n": str(n)}
            field["full"] = self.of.full.format(**field)
            field["bare"] = "".join(filter(str.isdigit, person.phone))
            field["ref"] = self.ref.format(**field)
            found.append(field)
        return found

    def data(self) -> bytes:
        """Returns the file."""
        if self.content:
            return self.content
        rows = [self.row.format(**field) for field in self.fields()]
        lines = [*filter(None, [self.header]), *rows, *filter(None, [self.below])]
        return "".join(line + self.end for line in lines).encode(self.encoding)

    def people(self) -> dict[str, str]:
        """Returns what is right for each reference: "name|address|number"."""
        found = {}
        for field in self.fields():
            name = (self.full or self.of.full).format(**field)
            seen = {"name": name, "email": field["email"], "phone": field["e164"]}
            kept = [text if key in self.reads else "" for key, text in seen.items()]
            found[field["ref"]] = "|".join(kept)
        return found


def json_lines(form: Mapping[str, object]) -> bytes:
    """Returns JSON lines: `form` with the fields of each person in its texts."""

    def filled(value: object, field: dict[str, str]) -> object:
        if isinstance(value, str):
            return value.format(**field)
        if isinstance(value, dict):
            return {key: filled(one, field) for key, one in value.items()}
        return value

    fields = Export("", "", "").fields()
    lines = (json.dumps(filled(form, field), ensure_ascii=False) for field in fields)
    return "".join(line + "\n" for line in lines).encode()


PLAIN = {"id": "{n}", "name": "{full}", "email": "{email}", "phone": "{phone}"}

SHOPS = [
    Export(
        "godomall",
        "번호,아이디,이름,등급,이메일,휴대폰번호,SMS 수신동의,가입일",
        "{n},user{n},{full},일반회원,{email},{phone},y,2024-03-0{n}",
        encoding="cp949",
        ref="{email}",
    ),
    Export(
        "imweb",
        "그룹,이름,이메일,연락처,아이디,가입일,최근 로그인,총 구매금액",
        "일반,{full},{email},{phone},X{n},2024-05-01 10:00,2025-11-01 09:00,{n}2000",
        ref="{email}",
        encoding="utf-8-sig",
    ),
    Export(
        "sixshop",
        "아이디,이름,이메일,휴대폰,주소,적립금,가입일시",
        'X{n},{full},{email},{phone},"서울시 강남구 테헤란로 {n}",{n}000,2024-01-01 00:00:00',
        ref="{email}",
        encoding="utf-8-sig",
    ),
    Export(
        "gmarket orders",
        "주문번호,구매자ID,구매자명,구매자 휴대폰,구매자 이메일,상품명,결제금액",
        "410{n},{ref},{full},{phone},{email},홍차 {n}호,{n}5000",
        ref="buyer{n}",
        encoding="cp949",
    ),
    Export(
        "coupang wing",
        "묶음배송번호,주문번호,등록상품명,구매자,구매자전화번호,수취인이름,수취인전화번호",
        "91{n},3100{n},홍차,{full},{phone},{full},{phone}",
        refused="lacks reference",
    ),
    Export(
        "prestashop",
        '"ID";"Social title";"First name";"Last name";"Email address";"Phone";"Newsletter"',
        '{n};"M.";"{given}";"{family}";"{email}";"{phone}";1',
        FR,
    ),
    Export(
        "opencart",
        "customer_id,customer_group_id,firstname,lastname,email,telephone,newsletter,ip,status",
        '{n},1,"{given}","{family}",{email},{phone},0,203.0.113.{n},1',
        US,
    ),
    Export(
        "shopware",
        '"id";"customerNumber";"salutation";"firstName";"lastName";"email";"phoneNumber"',
        '"0f{n}a";"{ref}";"mr";"{given}";"{family}";"{email}";"{phone}"',
        DE,
        ref="1000{n}",
        encoding="cp1252",
    ),
    Export(
        "bigcommerce",
        "Customer ID,First Name,Last Name,Company,Email,Phone,Notes,Store Credit,Customer Group",
        "{n},{given},{family},,{email},{phone},,0.00,",
        US,
    ),
    Export(
        "square customers",
        "Reference ID,First Name,Last Name,Email Address,Phone Number,Nickname,Company Name,"
        "Street Address 1,City,State,Postal Code,Birthday,Memo,Square Customer ID,Creation Source",
        "{n},{given},{family},{email},'{e164},,,{n} Main St,New York,NY,10001,,,8Q{n}X,Manual",
        US,
        ref="8Q{n}X",
    ),
    Export(
        "squarespace profiles",
        "Email,First Name,Last Name,Phone Number,Total Orders,Total Spent,Created On",
        "{email},{given},{family},{phone},{n},{n}0.00,2024-01-0{n} 10:00:00",
        US,
        ref="{email}",
    ),
    Export(
        "wix contacts",
        "First Name,Last Name,Email 1,Phone 1,Labels,Created At (UTC+0),Language",
        '{given},{family},{email},{phone},"Members;Customers",2024-01-0{n}T00:00:00,en',
        US,
        ref="{email}",
    ),
    Export(
        "webflow customers",
        "User ID,Email,Name,Phone,Accepted Privacy,Status,Created On",
        "64a{n},{email},{full},{phone},true,verified,2024-01-0{n}T00:00:00Z",
        US,
        ref="64a{n}",
    ),
    Export(
        "ecwid",
        "customer_id;customer_email;customer_name;customer_phone;orders_count",
        "{n};{email};{full};{phone};{n}",
        US,
    ),
    Export(
        "amazon orders, tab-separated",
        "order-id\tpurchase-date\tbuyer-email\tbuyer-name\tbuyer-phone-number\tsku\tship-city",
        "X{n}\t2025-11-0{n}T10:00:00+00:00\t{email}\t{full}\t{phone}\tTEA-{n}\tNew York",
        US,
        ref="{email}",
        suffix=".txt",
    ),
    Export(
        "etsy orders",
        "Order ID,Sale Date,Buyer User ID,Full Name,Buyer Email,Ship City,Order Total",
        "{ref},11/0{n}/25,user{n},{full},{email},Boston,{n}9.00",
        US,
        ref="user{n}",
        reads="name email",
    ),
    Export(
        "rakuten orders",
        '"注文番号","注文日時","注文者名字","注文者名前","注文者メールアドレス",'
        '"注文者電話番号","商品名"',
        '"X{n}","2025-11-0{n} 10:00:00","{family}","{given}","{email}","{phone}","紅茶"',
        JP,
        ref="{email}",
        encoding="cp932",
    ),
    Export(
        "base orders",
        '"注文ID","注文日時","氏(請求先)","名(請求先)","メールアドレス","電話番号(請求先)","商品名"',
        '"X{n}","2025-11-0{n} 10:00:00","{family}","{given}","{email}","{phone}","紅茶"',
        JP,
        ref="{email}",
        encoding="cp932",
    ),
    Export(
        "color me shop",
        "顧客ID,名前,フリガナ,メールアドレス,電話番号,郵便番号,都道府県,住所",
        "{n},{full},サトウ,{email},{phone},100-000{n},東京都,千代田区{n}-1",
        JP,
        encoding="cp932",
    ),
    Export(
        "kintone",
        '"レコード番号","会社名","担当者名","メールアドレス","携帯電話","更新日時"',
        '"{n}","株式会社{n}","{full}","{email}","{phone}","2025/11/0{n} 10:00"',
        JP,
        encoding="cp932",
        ref="{email}",
        reads="email phone",
    ),
    Export(
        "youzan",
        "客户ID,姓名,手机号,邮箱,会员等级,累计消费金额,成为客户时间",
        "{n},{full},{phone},{email},VIP{n},{n}00.00,2024-01-0{n} 10:00:00",
        CN,
        encoding="gb18030",
    ),
    Export(
        "shopline",
        "顧客 ID,全名,電郵,手機號碼,會員級別,顧客標籤",
        "{ref},{full},{email},{e164},金卡,",
        CN,
        ref="5f{n}c",
        encoding="utf-8-sig",
    ),
    Export(
        "taobao, a tab after each cell",
        "订单编号,买家会员名,买家应付货款,收货人姓名,联系手机,收货地址",
        '="{ref}"\t,user{n}\t,{n}9.00\t,{full}\t,\'{phone}\t,浙江省杭州市{n}号\t',
        CN,
        encoding="gb18030",
        ref="user{n}",
        reads="phone",
    ),
    Export(
        "sapo",
        "Mã khách hàng,Họ,Tên,Email,Điện thoại,Tỉnh/Thành phố,Tổng chi tiêu",
        "CUZN0000{n},{family},{given},{email},{phone},Hà Nội,{n}00000",
        VN,
        ref="CUZN0000{n}",
    ),
    Export(
        "nuvemshop",
        "Nome;E-mail;Telefone;CPF / CNPJ;Cidade;Última compra",
        "{full};{email};{phone};123.456.789-0{n};São Paulo;0{n}/11/2025",
        BR,
        ref="{email}",
        encoding="cp1252",
    ),
    Export(
        "tiendanube",
        "Código;Nombre;Apellido;Correo electrónico;Teléfono;Ciudad",
        "{n};{given};{family};{email};{phone};Monterrey",
        MX,
        encoding="cp1252",
        ref="{email}",
    ),
    Export(
        "salla",
        "رقم العميل,الاسم,البريد الإلكتروني,رقم الجوال,المدينة",
        "{n},{full},{email},{phone},دبي",
        AE,
        encoding="cp1256",
    ),
    Export(
        "insales",
        "ID;Фамилия;Имя;Электронная почта;Телефон;Город",
        "{n};{family};{given};{email};+7 {phone};Москва",
        RU,
        encoding="cp1251",
    ),
    Export(
        "baselinker",
        "ID klienta;Imię;Nazwisko;E-mail;Telefon;Miasto;Data rejestracji",
        "{n};{given};{family};{email};{phone};Łódź;2024-01-0{n}",
        PL,
        encoding="cp1250",
    ),
    Export(
        "ticimax",
        "Müşteri No;Ad;Soyad;E-posta;Cep Telefonu;Şehir;Üyelik Tarihi",
        "{n};{given};{family};{email};{phone};İstanbul;0{n}.11.2025",
        TR,
        encoding="cp1254",
    ),
    Export(
        "skroutz",
        "Κωδικός πελάτη;Όνομα;Επώνυμο;Email;Κινητό τηλέφωνο;Πόλη",
        "{n};{given};{family};{email};{phone};Αθήνα",
        GR,
        encoding="cp1253",
    ),
    Export(
        "rozetka",
        "Номер клієнта;Прізвище;Ім'я;Електронна пошта;Мобільний телефон;Місто",
        "{n};{family};{given};{email};{phone};Київ",
        UA,
        encoding="cp1251",
    ),
    Export(
        "line shopping",
        "รหัสลูกค้า,ชื่อ,นามสกุล,อีเมล,เบอร์โทรศัพท์,จังหวัด",
        "{n},{given},{family},{email},{phone},กรุงเทพมหานคร",
        TH,
        encoding="cp874",
    ),
    Export(
        "a shop in Hebrew",
        "מספר לקוח,שם פרטי,שם משפחה,דואר אלקטרוני,טלפון נייד,עיר",
        "{n},{given},{family},{email},{phone},חיפה",
        IL,
        encoding="cp1255",
    ),
    Export(
        "tokopedia",
        "Nomor Pelanggan,Nama Lengkap,Email,Nomor Telepon,Kota",
        "{n},{full},{email},{phone},Jakarta",
        ID,
    ),
    Export(
        "lightspeed in Dutch",
        "Klantnummer;Voornaam;Achternaam;E-mailadres;Telefoonnummer;Woonplaats",
        "{n};{given};{family};{email};{phone};Utrecht",
        NL,
        encoding="cp1252",
    ),
    Export(
        "meesho",
        "Customer Id,Customer Name,Email Id,Mobile No,PAN,State",
        "{n},{full},{email},{phone},ABCDE123{n}F,Kerala",
        IN,
    ),
    Export(
        "whmcs, a point after the code",
        "ID,First Name,Last Name,Email Address,Phone Number,Status,Currency",
        "{n},{given},{family},{email},+82.10-2345-678{n},Active,KRW",
    ),
]

SERVICES = [
    Export(
        "moodle users",
        "id,username,firstname,lastname,email,phone1,phone2,institution,city,lastaccess",
        "{n},user{n},{given},{family},{email},{phone},,School,Berlin,17000000{n}0",
        DE,
    ),
    Export(
        "discourse",
        "id,username,name,email,title,created_at,last_seen_at,trust_level,admin",
        "{n},user{n},{full},{email},,2024-01-0{n} 10:00:00 UTC,2025-11-18 10:00:00 UTC,1,false",
        US,
        reads="name email",
    ),
    Export(
        "klaviyo",
        "Klaviyo ID,Email,Phone Number,First Name,Last Name,Email Marketing Consent",
        "01H{n},{email},'{e164},{given},{family},SUBSCRIBED",
        US,
        ref="01H{n}",
    ),
    Export(
        "mailchimp",
        "Email Address,First Name,Last Name,Phone Number,MEMBER_RATING,OPTIN_TIME,LEID,EUID",
        "{email},{given},{family},{phone},2,2024-01-0{n} 10:00:00,5000{n},a{n}b",
        US,
        ref="5000{n}",
    ),
    Export(
        "brevo",
        "ID;EMAIL;FIRSTNAME;LASTNAME;SMS;ADDED_TIME",
        "{n};{email};{given};{family};{e164};2024-01-0{n} 10:00:00",
        FR,
    ),
    Export(
        "ghost members",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id",
        "64{n}f,{email},{full},,true,false,cus_{n}X",
        US,
        ref="64{n}f",
        reads="name email",
    ),
    Export(
        "substack",
        "Email,Name,Stripe connected customer id,Created at",
        "{email},{full},,2024-01-0{n}",
        US,
        ref="{email}",
        reads="name email",
    ),
    Export(
        "intercom",
        "User ID,Name,Email,Phone,Last seen (Asia/Seoul),Web sessions,City",
        "u{n},{full},{email},{e164},2025-11-0{n} 10:00,{n},Seoul",
        ref="u{n}",
    ),
    Export(
        "slack members",
        "username,email,status,billing-active,has-2fa,has-sso,userid,fullname,displayname",
        "user{n},{email},Member,1,0,0,{ref},{full},{given}",
        US,
        ref="U0{n}AB",
        reads="name email",
    ),
    Export(
        "google forms in korean",
        '"타임스탬프","이름을 적어 주세요","이메일 주소","휴대전화 번호를 적어 주세요"',
        '"2025. 11. {n} 오전 10:00:0{n}","{full}","{email}","{phone}"',
        ref="{email}",
    ),
    Export(
        "typeform",
        "#,What's your name?,What's your email address?,Your phone number,Start Date (UTC)",
        "X{n},{full},{email},{e164},2025-11-0{n} 10:00:00",
        US,
        ref="{email}",
    ),
    Export(
        "jotform",
        "Submission Date,Full Name,E-mail,Phone Number,Submission ID",
        '"Nov 1{n}, 2025",{full},{email},{phone},X{n}',
        US,
        ref="{email}",
    ),
    Export(
        "eventbrite attendees",
        "Order #,Order Date,First Name,Last Name,Email,Cell Phone,Ticket Type,Attendee #",
        "70{n},2025-11-0{n},{given},{family},{email},{phone},General,X{n}",
        US,
        ref="{email}",
    ),
    Export(
        "airtable",
        "Name,Email,Phone,Status,Member ID,Attachments",
        "{full},{email},{phone},Active,{ref},photo.jpg (https://files.example/{n}.jpg)",
        US,
        ref="M-{n}",
        encoding="utf-8-sig",
        end="\n",
    ),
    Export(
        "azure active directory",
        "userPrincipalName,displayName,surname,mail,givenName,id,userType,telephoneNumber",
        "{email},{full},{family},{email},{given},{ref},Member,{phone}",
        US,
        ref="8f{n}c-1",
    ),
    Export(
        "okta",
        "id,status,login,email,firstName,lastName,mobilePhone",
        "{ref},ACTIVE,{email},{email},{given},{family},{phone}",
        US,
        ref="00u{n}a",
    ),
    Export(
        "google workspace",
        "First Name [Required],Last Name [Required],Email Address [Required],"
        "Password [Required],Org Unit Path [Required],Mobile Phone,Employee ID",
        "{given},{family},{email},****,/,{phone},{ref}",
        US,
        ref="E{n}",
    ),
    Export(
        "quickbooks customers",
        "Customer,Company,Email,Phone,Billing Address,Customer ID",
        '{full},,{email},{phone},"{n} Main St, Boston",{ref}',
        US,
        ref="C-{n}",
        reads="email phone",
    ),
    Export(
        "xero contacts",
        "*ContactName,AccountNumber,EmailAddress,FirstName,LastName,PhoneNumber,MobileNumber",
        "{full},X{n},{email},{given},{family},,{phone}",
        US,
        ref="{email}",
    ),
    Export(
        "pipedrive people",
        "Person - ID,Person - Name,Person - Email - Work,Person - Phone - Work",
        "{n},{full},{email},{phone}",
        US,
    ),
    Export(
        "freshdesk contacts",
        "Id,Full name,Title,Email,Work phone,Mobile phone,Twitter,Company",
        "{n},{full},,{email},,{phone},,",
        US,
    ),
    Export(
        "calendly",
        "Event UUID,Invitee UUID,Invitee Name,Invitee Email,Text Reminder Number,Event Type",
        "ev{n},iv{n},{full},{email},{e164},Call",
        US,
        ref="iv{n}",
    ),
    Export(
        "patreon",
        "Name,Email,Discord,Patron Status,Lifetime Amount,User ID,Phone",
        "{full},{email},,Active patron,{n}0.00,{ref},{phone}",
        US,
        ref="77{n}",
    ),
    Export(
        "doctolib patients",
        "N° patient;Nom;Prénom;Date de naissance;Adresse e-mail;Téléphone mobile",
        "{n};{family};{given};0{n}/02/1980;{email};{phone}",
        FR,
        encoding="cp1252",
        full="{family} {given}",
    ),
    Export(
        "a school's list",
        "학번,성명,학년,반,보호자 연락처,이메일",
        "2025{n},{full},3,{n},{phone},{email}",
        ref="2025{n}",
        encoding="cp949",
        refused="보호자 연락처 hold a phone number",
    ),
    Export(
        "a hospital's list",
        "환자번호,환자명,주민등록번호,휴대폰,이메일,진료과,초진일",
        "0000123{n},{full},900101-{n}******,{phone},{email},내과,2024-01-0{n}",
        ref="0000123{n}",
        encoding="cp949",
    ),
    Export(
        "naver works",
        "구성원 ID,성,이름,개인 이메일,휴대폰 번호,입사일",
        "{ref},{family},{given},{email},{phone},2020-01-0{n}",
        ref="user{n}",
        encoding="utf-8-sig",
    ),
    Export(
        "datev",
        "Konto;Anrede;Vorname;Nachname;E-Mail;Mobiltelefon;PLZ;Ort",
        '1000{n};"Frau";"{given}";"{family}";"{email}";"{phone}";10115;"Köln"',
        DE,
        ref="{email}",
        encoding="cp1252",
    ),
    Export(
        "bitrix24",
        "ID;Фамилия;Имя;Отчество;Мобильный телефон;Рабочий e-mail;Дата создания",
        "{n};{family};{given};;+7{bare};{email};0{n}.11.2025 10:00:00",
        RU,
        encoding="utf-8-sig",
    ),
]

DATABASES = [
    Export(
        "datagrip",
        "id,name,email,phone,created_at",
        "{n},{full},{email},{phone},2024-01-0{n} 10:00:00.000000 +00:00",
        end="\n",
    ),
    Export(
        "metabase",
        "ID,Name,Email,Phone,Created At",
        '{n},{full},{email},{phone},"January {n}, 2024, 10:00 AM"',
        end="\n",
    ),
    Export(
        "redash",
        "user_id,full_name,email_address,phone_no,deleted_at",
        "{n},{full},{email},{phone},",
    ),
    Export(
        "superset, an index before the first column",
        ",user_id,name,email,phone",
        "{n}0,{n},{full},{email},{phone}",
        end="\n",
    ),
    Export(
        "dbeaver",
        '"id","name","email","phone","memo"',
        '{n},"{full}","{email}","{phone}",[NULL]',
        end="\n",
    ),
    Export(
        "sql server management studio, no quotes",
        "UserID,UserName,Email,Mobile,RegDate",
        "{n},{full},{email},{phone},2024-01-0{n} 10:00:00.000",
        encoding="utf-8-sig",
    ),
    Export(
        "sqlcmd",
        "id,name,email,phone",
        "{n},{full},{email},{phone}",
        below="\r\n(4 rows affected)",
        rejected=(7,),
    ),
    Export(
        "psql, a count below the rows",
        "id,name,email,phone",
        "{n},{full},{email},{phone}",
        below="(4 rows)",
        end="\n",
        rejected=(6,),
    ),
    Export(
        "db2 export of del",
        "",
        '{n},"{full}","{email}","{phone}"',
        end="\n",
        suffix=".del",
        refused="no header row",
    ),
    Export(
        "text in utf-16 without a mark",
        "id\tname\temail\tphone",
        "{n}\t{full}\t{email}\t{phone}",
        encoding="utf-16-le",
        suffix=".txt",
    ),
    Export(
        "dynamodb",
        "",
        "",
        suffix=".json",
        content=json_lines({"Item": {key: {"S": text} for key, text in PLAIN.items()}}),
        refused="lacks reference",
    ),
    Export(
        "elasticsearch bulk",
        "",
        "",
        suffix=".json",
        content=b"".join(
            b'{"index":{"_id":"%d"}}\n%s\n' % (n, line)
            for n, line in enumerate(json_lines(PLAIN).splitlines(), 1)
        ),
        rejected=(1, 3, 5, 7),
    ),
    Export(
        "debezium",
        "",
        "",
        suffix=".json",
        content=json_lines({"before": None, "after": PLAIN, "op": "c"}),
        refused="lacks reference",
    ),
    Export(
        "a profile inside each user",
        "",
        "",
        suffix=".json",
        content=json_lines({"id": "{n}", "profile": {**PLAIN}, "created": "2024-01-01"}),
        refused='accept "unused:profile"',
    ),
    Export(
        "a page of an answer",
        "",
        "",
        suffix=".json",
        content=b'{"total":2,"users":[{"id":1,"email":"a@b.example"},{"id":2,"email":"c@b.example"}]}',
        refused="stand inside another object",
    ),
]

ODD = [
    Export(
        "marks of direction",
        "id,name,email,phone",
        "\u200f{n},{full},\u202a{email}\u202c,\u202a{phone}\u202c",
    ),
    Export(
        "a remark after a number",
        "id,name,email,phone",
        "{n},{full},{email},{phone}(모)",
    ),
    Export(
        "addresses in capitals with blanks",
        "id,name,email,phone",
        "{n},{full}, {email} ,{phone}",
    ),
]
CASES: Sequence[Export] = [*SHOPS, *SERVICES, *DATABASES, *ODD]
