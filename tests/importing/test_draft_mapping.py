"""A first mapping is drafted from a file's columns, and a person confirms it."""

import csv
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.importing import drafting, mapping, previewing
from incidents.importing.column_names import CLASS, role_of
from incidents.importing.mapping import ColumnMapping
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import translate_refusal
from incidents.initial_data_classes import DATA_CLASSES
from incidents.models import DataClass
from tests.korean_messages import in_korean

CLASSES = [DataClass(slug=one["slug"], name=one["name"]) for one in DATA_CLASSES]


@pytest.fixture
def draft(tmp_path):
    """Returns the draft of a mapping for a file with these columns and rows."""

    def draft(header: list[str], *rows: list[str], region: str = "") -> str:
        path: Path = tmp_path / "members.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
            writer.writerows([header, *rows])
        return drafting.draft(previewing.preview(path, region=region), CLASSES)

    return draft


def parsed(text: str) -> ColumnMapping:
    return mapping.parse(text, name="draft.toml")


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("이메일", "email"),
        ("휴대폰", "phone"),
        ("회원번호", "reference"),
        ("고객번호", "reference"),
        ("이름", "name"),
        ("주소", CLASS + "physical-addresses"),
        ("E-Mail-Adresse", "email"),
        ("Prénom", "first name"),
        ("メールアドレス", "email"),
        ("手机号码", "phone"),
        ("user_email", "email"),
        ("Default Address Zip", CLASS + "physical-addresses"),
        ("MailingPostalCode", CLASS + "physical-addresses"),
        ("card_number", CLASS + "credit-cards"),
        ("card_last4", CLASS + "partial-card-numbers"),
        ("group_name", ""),
        ("user_ad", ""),
        ("Доменное имя", ""),
        ("Доменне ім'я", ""),
        ("Uživatelské jméno", ""),
        ("Vartotojo vardas", ""),
        ("top_ten", ""),
        ("Имя", "first name"),
        ("Apelido", "last name"),
        ("tax_rate_id", ""),
        ("recipient_name", ""),
        ("수령인 연락처", ""),
        ("Accepts Email Marketing", ""),
        *(("구매자명", "name"), ("구매자연락처", "phone"), ("예매자이메일", "email")),
        *(("mb_name", "name"), ("CUST_NM", "name"), ("EMAIL_ADDR", "email"), ("사번", "reference")),
        *(
            ("E-mail 2 - Value", "email"),
            ("Phone 1 - Value", "phone"),
            ("id_customer", "reference"),
        ),
        *(("보호자연락처", ""), ("비상연락처", ""), ("판매자 연락처", ""), ("담당자 이메일", "")),
        *(("ShipPhoneNumber", ""), ("Assistant's Phone", ""), ("AGENT_TEL", ""), ("추천인ID", "")),
        *(
            ("送付先電話番号", ""),
            ("收货人手机", ""),
            ("membership_no", ""),
            ("Emergency Contact", ""),
        ),
        *(("What’s your name?", "name"), ("Please enter your e-mail address:", "email")),
        *(("Wie lautet Ihre Telefonnummer?", "phone"), ("Votre adresse e-mail", "email")),
        *(("¿Cuál es su nombre?", "name"), ("お名前をご記入ください", "name")),
        *(("휴대전화 번호를 적어 주세요.", "phone"), ("성함을 입력해주세요", "name")),
        *(("Your father's name", ""), ("보호자 이름을 적어 주세요", ""), ("Votre avis", "")),
        *(("注文者名字", "last name"), ("氏(請求先)", "last name"), ("구성원 ID", "reference")),
        *(("電話番号(請求先)", "phone"), ("電話番号(配送先)", ""), ("全名", "name")),
        *(("N° patient", "reference"), ("Invitee Name", "name"), ("응답자 이메일", "email")),
        *(("First Name [Required]", "first name"), ("Phone (Billing)", "phone")),
        *(("お名前(姓)", "last name"), ("お名前(名)", "first name"), ("お名前(セイ)", "")),
        *(("性別(名称)", CLASS + "genders"), ("性別(ID)", ""), ("City (Shipping)", "")),
        *(("IP 주소", CLASS + "ip-addresses"), ("MAC Address", ""), ("홈페이지 주소", "")),
        *(
            ("Card Address City", CLASS + "physical-addresses"),
            ("ip_city", ""),
            ("order_state", ""),
        ),
        *(("user_password", CLASS + "passwords"), ("wifi password", ""), ("boarding_pass", "")),
        *(("배송지 현관 비밀번호", CLASS + "entrance-codes"), ("place of birth", "")),
        *(("credit card number", CLASS + "credit-cards"), ("gift card number", "")),
        *(("회원카드번호", ""), ("customer card number", ""), ("social login", "")),
        *(("programming language", ""), ("user language", "language"), ("E-mail Display Name", "")),
        *(
            ("担当者メールアドレス", ""),
            ("紹介者氏名", ""),
            ("推荐人手机", ""),
            ("Assignee email", ""),
        ),
        *(("Sachbearbeiter E-Mail", ""), ("라이더 휴대폰", ""), ("AGENCY_TEL", "")),
    ],
)
def test_a_column_is_recognised_by_its_name(column, role):
    assert role_of(column) == role


def test_a_draft_is_a_mapping_with_guesses_to_confirm(draft):
    text = draft(
        ["회원번호", "이름", "이메일", "휴대폰", "우편번호", "주소", "가입일", "등급"],
        [
            "1001",
            "김민지",
            "minji@example.com",
            "010-1234-5678",
            "04524",
            "서울",
            "2025-11-18",
            "a",
        ],
        [
            "1002",
            "박서준",
            "seojun@example.com",
            "010-1234-5679",
            "04525",
            "부산",
            "2025-11-19",
            "b",
        ],
    )

    found = parsed(text)
    assert found.person.reference == "회원번호"
    assert found.person.name == "이름"
    assert (found.person.email, found.person.phone) == (("이메일",), ("휴대폰",))
    assert found.dates == {"가입일": ("date",)}
    (address,) = found.leaked
    assert address.data_class == "physical-addresses"
    assert [column for _, column in address.value.pieces] == ["우편번호", "주소"]
    assert 'contact_leaked = ["name", "email", "phone"]  # confirm: remove what did not' in text
    assert '"등급": 100 % other text' in text
    assert "credit-cards: Card number" in text
    assert "minji" not in text


def test_a_phone_beside_a_recipient_is_not_the_buyers(draft):
    text = draft(
        ["구매자ID", "구매자명", "구매자휴대폰", "수취인", "휴대폰번호", "비상연락처", "이메일"],
        *[
            [
                *(f"b{n}001", "김민준", f"010-2345-678{n}", "이서연"),
                *(f"010-3456-789{n}", f"010-4567-890{n}", f"u{n}@b.example"),
            ]
            for n in range(4)
        ],
    )

    person = parsed(text).person
    assert (person.reference, person.name, list(person.email)) == (
        "구매자ID",
        "구매자명",
        ["이메일"],
    )
    assert list(person.phone) == ["구매자휴대폰"]


def test_a_contact_of_the_staff_is_not_the_customers(draft):
    text = draft(
        ["Contact ID", "Email", "Phone", "Owner Email", "Store Tel", "To Email Address"],
        *[
            [f"c{n}", f"u{n}@b.example", f"010-2345-678{n}", "kim@shop.example", "02-345-6789", ""]
            for n in range(4)
        ],
    )

    person = parsed(text).person
    assert (list(person.email), list(person.phone)) == (["Email"], ["Phone"])


def test_the_owner_is_the_customer_where_no_other_contact_is_named(draft):
    text = draft(
        ["chip_no", "Owner Name", "Owner Email"],
        *[[f"c{n}", "김민준", f"u{n}@b.example"] for n in range(4)],
    )

    assert list(parsed(text).person.email) == ["Owner Email"]


@pytest.mark.parametrize(
    ("columns", "reference"),
    [
        ("Account ID|Contact ID", "Contact ID"),
        ("id|customer_id", "customer_id"),
        ("ID|Requester id", "Requester id"),
        ("Id|Email|Lineitem name", "Email"),  # the row is an order, and a person has several
        ("Id|Email", "Id"),
    ],
)
def test_the_reference_is_the_id_of_the_person(draft, columns, reference):
    values = {"Email": "u{n}@b.example", "Lineitem name": "Shirt"}
    names = columns.split("|")
    rows = [[values.get(name, "5{n}").format(n=n) for name in names] for n in range(4)]

    assert parsed(draft(names, *rows)).person.reference == reference


def test_the_number_of_an_order_is_no_name(draft):
    text = draft(["Email", "Name", "Billing Name"], *[["u@b.example", "#1001", "Kim"]] * 2)

    assert parsed(text).person.name == "Billing Name"


def test_people_who_sign_in_with_their_contact_are_found_by_it(draft):
    text = draft(
        ["member_no", "아이디", "login id"],
        *[[f"{n}", f"u{n}@b.example", f"010-2345-678{n}"] for n in range(4)],
    )

    person = parsed(text).person
    assert (list(person.email), list(person.phone)) == (["아이디"], ["login id"])


@pytest.mark.parametrize(
    ("columns", "classes"),
    [
        (["state", "country"], []),  # of an order, perhaps
        (["street", "state", "country"], ["physical-addresses"]),
        (["Account Number"], []),  # of a customer of a power station
        (["Account Number", "Bank Name"], ["bank-account-numbers"]),
        (["login", "item"], []),
    ],
)
def test_a_class_is_proposed_only_where_it_is_clear(draft, columns, classes):
    rows = [["1001", "u1@b.example", *["7"] * len(columns)]] * 2
    found = parsed(draft(["id", "email", *columns], *rows))

    assert [leak.data_class for leak in found.leaked] == classes


@pytest.mark.parametrize(
    "columns",
    [
        "會員編號|姓名|身分證字號=government-issued-ids|郵遞區號=physical-addresses|密碼=passwords",
        "Kunden-Nr.|Name|Straße=physical-addresses|PLZ=physical-addresses|IBAN=bank-account-numbers",
        "N° client|Nom|N° sécurité sociale=government-issued-ids|Adresse 1=physical-addresses",
        "Código do cliente|Nome completo|CPF=government-issued-ids|Cidade=physical-addresses",
        "Id klienta|Nazwisko|PESEL=government-issued-ids|Hasło=passwords|Ulica=physical-addresses",
        "ID клиента|ФИО|Паспорт=government-issued-ids|Адрес=physical-addresses|Пароль=passwords",
        "Klantnummer|Achternaam|BSN=government-issued-ids|Wachtwoord=passwords",
        "Mã khách hàng|Họ và tên|CCCD=government-issued-ids|Địa chỉ=physical-addresses",
        "KUNNR|NAME1|STRAS=physical-addresses|PSTLZ=physical-addresses|ORT01=physical-addresses",
        "会員ID|お名前(姓)|都道府県(名称)=physical-addresses|性別(名称)=genders|誕生日=dates-of-birth",
        "user_seq|user_nm|addr_dtl=physical-addresses|nick_nm=usernames|entrance_pwd=entrance-codes",
    ],
)
def test_the_columns_of_other_languages_are_recognised(draft, columns):
    wanted = [one.partition("=") for one in columns.split("|")]
    row = ["1001", "Kim", *["x9 y"] * (len(wanted) - 2)]
    found = parsed(draft([name for name, _, _ in wanted], row, row))

    assert found.person.reference == wanted[0][0]
    assert found.person.name == wanted[1][0]
    leaked = {column: leak.data_class for leak in found.leaked for column in leak.value.columns()}
    assert leaked == {name: slug for name, _, slug in wanted if slug}


def test_content_decides_where_a_name_says_nothing(draft):
    text = draft(
        ["key", "id", "c2", "c3", "c4"],
        ["k", "1001", "minji@example.com", "010-1234-5678", "800101-1234500"],
        ["k", "1002", "seojun@example.com", "010-1234-5679", "810101-1234501"],
    )

    found = parsed(text)
    assert (found.person.email, found.person.phone) == (("c2",), ("c3",))
    assert [leak.data_class for leak in found.leaked] == ["government-issued-ids"]


def test_a_name_that_the_content_contradicts_is_left_out(draft):
    text = draft(
        ["member_id", "email", "phone"],
        ["1001", "010-1234-5678", "minji@example.com"],
        ["1002", "010-1234-5679", "seojun@example.com"],
    )

    found = parsed(text)
    assert (found.person.email, found.person.phone) == ((), ())
    assert '#   "email": 100 % phone numbers' in text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("회원 명부,,\n\n번호,이름,이메일\n1,민지,a@b.example\n", "line 3: the columns seem to be"),
        ("회원 명부\n번호;이름;이메일\n1;민지;a@b.example\n", "line 2: the columns seem to be"),
        ('{"total": 1, "users": [{"id": 1, "email": "a@b.example"}]}', "inside another object"),
        ('{"users": {"1": {"email": "a@b.example"}}}\n', "inside another object"),
    ],
)
def test_a_file_whose_rows_stand_below_or_inside_something_has_no_draft(tmp_path, content, why):
    path = tmp_path / "members.txt"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ImportRefusedError, match=why) as refused:
        previewing.preview(path)
    in_korean(str(refused.value), translate_refusal)


@pytest.mark.parametrize(
    "content",
    [
        '{"id": 1, "email": "a@b.example", "orders": [{"item": "shirt"}]}\n',  # the only person
        '{"key": 1, "orders": [{"item": "shirt"}]}\n' * 2,
        "하나,둘,셋\nname,a@b.example,Seoul\n",  # one word alone is a value
        "member_id,name,note\n1,민지,email\n",
    ],
)
def test_what_only_looks_like_it_has_a_draft(tmp_path, content):
    path = tmp_path / "members.txt"
    path.write_text(content, encoding="utf-8")

    assert drafting.draft(previewing.preview(path), CLASSES)


def test_a_file_without_ids_is_refused_until_a_person_names_the_column(draft):
    text = draft(["name", "email"], ["김민지", "minji@example.com"], ["박서준", ""])

    with pytest.raises(ImportRefusedError, match="lacks reference; write reference ="):
        parsed(text)
    assert '# reference = "…"' in text


def test_the_address_is_the_id_if_every_row_has_one(draft):
    text = draft(["name", "email"], ["김민지", "minji@example.com"], ["박서준", "s@example.com"])

    assert parsed(text).person.reference == "email"
    assert "confirm: no column of ids was found, so the address is the id" in text


def test_a_file_without_contacts_is_about_known_people(draft):
    text = draft(["member_id", "item"], ["1001", "셔츠"], ["1002", "바지"])

    found = parsed(text)
    assert found.person.known
    assert [leak.data_class for leak in found.leaked] == ["purchases"]


def test_first_and_last_names_become_one_name(draft):
    text = draft(
        ["id", "First Name", "Last Name", "Email"], ["1001", "Minji", "Kim", "minji@example.com"]
    )

    assert parsed(text).person.name == "{First Name} {Last Name}"


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("성|이름", "{성}{이름}"),
        ("이름|성", "{성}{이름}"),
        ("姓|名", "{姓}{名}"),
        ("名前|苗字", "{苗字}{名前}"),
        ("名字|姓氏", "{姓氏}{名字}"),
        ("last_name|first_name", "{last_name} {first_name}"),
        ("name|surname", "{name} {surname}"),
        ("Name|Vorname", "{Name} {Vorname}"),
        ("Nachname|Vorname", "{Nachname} {Vorname}"),
        ("Nom|Prénom", "{Nom} {Prénom}"),
        ("Nombre|Apellido paterno|Apellido materno", None),
        ("Nome|Cognome", "{Nome} {Cognome}"),
        ("Nome|Apelido", "{Nome} {Apelido}"),
        ("Voornaam|Achternaam", "{Voornaam} {Achternaam}"),
        ("Förnamn|Efternamn", "{Förnamn} {Efternamn}"),
        ("Imię|Nazwisko", "{Imię} {Nazwisko}"),
        ("Jméno|Příjmení", "{Jméno} {Příjmení}"),
        ("Vezetéknév|Keresztnév", "{Vezetéknév} {Keresztnév}"),
        ("Nume|Prenume", "{Nume} {Prenume}"),
        ("Adı|Soyadı", "{Adı} {Soyadı}"),
        ("Фамилия|Имя|Отчество", None),
        ("Прізвище|Ім'я", "{Прізвище} {Ім'я}"),
        ("Επώνυμο|Όνομα", "{Επώνυμο} {Όνομα}"),
        ("Họ|Tên", "{Họ} {Tên}"),
        ("ชื่อ|นามสกุล", "{ชื่อ} {นามสกุล}"),
        ("First Name|Middle Name|Last Name", None),
        ("성명|성", "성명"),  # a whole name
        ("고객이름|성", "고객이름"),
        ("Customer Name|Last Name", "Customer Name"),
        ("client nom|Prénom", "{client nom} {Prénom}"),
        ("Nome|Sobrenome|Apelido", "{Nome} {Sobrenome}"),  # a nickname
        ("full name|surname|first name", "full name"),
    ],
)
def test_the_parts_of_a_name_become_one_name(draft, columns, name):
    listed = columns.split("|")
    row = ["1001", "minji@example.com", *["Kim", "Minji", "Ga"][: len(listed)]]
    found = parsed(draft(["id", "email", *listed], row)).person

    assert found.name == (name or " ".join(f"{{{one}}}" for one in listed))
    assert not found.known


@pytest.mark.parametrize("names", ["민지|김", "花子|佐藤", "ハナコ|サトウ", "小明|王"])
def test_names_in_letters_that_begin_with_the_family_are_put_so(draft, names):
    header = ["id", "First Name", "Last Name", "Email"]
    text = draft(header, ["1001", *names.split("|"), "minji@example.com"])
    mixed = draft(header, ["1001", *names.split("|"), "a@b.com"], ["1002", "Ann", "Lee", "c@d.com"])

    assert parsed(text).person.name == "{Last Name}{First Name}"
    assert parsed(mixed).person.name == "{First Name} {Last Name}"


@pytest.mark.parametrize("name", ["김민지", "佐藤花子", "王小明"])
def test_names_in_a_column_of_user_names_are_names(draft, name):
    header = ["UserID", "UserName", "Email"]
    named = parsed(draft(header, ["1001", name, "minji@example.com"]))
    login = parsed(draft(header, ["1001", "minji7", "minji@example.com"]))

    assert (named.person.name, named.leaked) == ("UserName", ())
    assert (login.person.name, len(login.leaked)) == ("", 1)


def test_the_region_of_numbers_is_to_be_confirmed(draft):
    header, row = ["id", "phone"], ["1001", "050 123 4571"]
    of_incident, of_none = draft(header, row, region="AE"), draft(header, row)
    without = draft(["id", "email"], ["1001", "minji@example.com"], region="AE")

    line = 'region = "AE"  # confirm: the country of phone numbers without a country code'
    assert line in of_incident.splitlines()
    assert "confirm: the country of phone numbers without a country code; without it" in of_none
    assert [parsed(text).region for text in (of_incident, of_none)] == ["AE", ""]
    assert "region" not in without


def test_a_number_of_the_tax_office_is_no_card(draft):
    header = ["Cust ID", "Name", "Email ID", "PAN"]
    text = draft(header, ["C1", "Ann", "a@b.com", "ABCDE1231F"])
    card = draft(header, ["C1", "Ann", "a@b.com", "4111 1111 1111 1111"])

    assert not parsed(text).leaked
    assert [leak.data_class for leak in parsed(card).leaked] == ["credit-cards"]


@pytest.mark.parametrize(
    "header",
    [
        "Mã khách hàng|Tên khách hàng|Email|Điện thoại",
        "رقم العميل|اسم العميل|البريد الإلكتروني|رقم الجوال",
        "Код клиента|ФИО|Эл. почта|Мобильный телефон",
        "Réf client|Nom complet|Courriel|Téléphone portable",
    ],
)
def test_columns_are_known_in_further_languages(draft, header):
    listed = header.split("|")
    person = parsed(draft(listed, ["C1", "Ann", "a@b.com", "+1 415 555 2671"])).person

    found = [person.reference, person.name, *person.email, *person.phone]
    assert found == listed


def test_names_in_two_columns_alone_are_contacts(draft):
    assert not parsed(draft(["id", "성", "이름"], ["1001", "김", "민지"])).person.known


def test_each_address_of_a_person_is_a_contact(draft):
    text = draft(["id", "email", "billing email"], ["1001", "minji@example.com", "kim@example.com"])

    assert parsed(text).person.email == ("email", "billing email")


@pytest.mark.parametrize(
    ("header", "row", "phones"),
    [
        (
            ["mobile1", "mobile2", "mobile3"],
            ["010", "1234", "5678"],
            ("{mobile1}-{mobile2}-{mobile3}",),
        ),
        (["hp_1", "hp_2", "hp_3"], ["010", "1234", "5678"], ("{hp_1}-{hp_2}-{hp_3}",)),
        (
            ["휴대폰1", "휴대폰2", "휴대폰3"],
            ["010", "1234", "5678"],
            ("{휴대폰1}-{휴대폰2}-{휴대폰3}",),
        ),
        (["t1", "t2", "t3"], ["02", "123", "5678"], ("{t1}-{t2}-{t3}",)),
        (
            ["hp1", "hp2", "hp3", "tel1", "tel2", "tel3"],
            ["010", "1234", "5678", "02", "123", "5678"],
            ("{hp1}-{hp2}-{hp3}", "{tel1}-{tel2}-{tel3}"),
        ),
        (["phone1", "phone2"], ["010-1234-5678", "010-1234-5679"], ("phone1", "phone2")),
        (["no1", "no2", "no3"], ["1", "2", "3"], ()),
        (["수령인휴대폰1", "수령인휴대폰2", "수령인휴대폰3"], ["010", "1234", "5678"], ()),
    ],
)
def test_a_number_in_several_columns_is_joined(draft, header, row, phones):
    text = draft(["member_id", "name", *header], ["1001", "김민지", *row], ["1002", "이서준", *row])

    assert parsed(text).person.phone == phones
    assert ("parts of one contact" in text) == any("{" in one for one in phones)


@pytest.mark.parametrize(
    ("header", "row", "emails"),
    [
        (["email_id", "email_domain"], ["minji", "naver.com"], ("{email_id}@{email_domain}",)),
        (["email1", "email2"], ["minji", "naver.com"], ("{email1}@{email2}",)),
        (["mail", "domain"], ["minji", "naver.com"], ("{mail}@{domain}",)),
        (
            ["이메일아이디", "이메일도메인"],
            ["minji", "naver.com"],
            ("{이메일아이디}@{이메일도메인}",),
        ),
        (["email_domain", "email_id"], ["naver.com", "minji"], ("{email_id}@{email_domain}",)),
        (["email1", "email2"], ["minji@naver.com", "kim@daum.net"], ("email1", "email2")),
        (["email", "domain"], ["minji@naver.com", "naver.com"], ("email",)),
        (["user_id", "domain"], ["minji", "naver.com"], ()),
    ],
)
def test_an_address_in_two_columns_is_joined(draft, header, row, emails):
    text = draft(["member_id", "name", *header], ["1001", "김민지", *row], ["1002", "이서준", *row])

    assert parsed(text).person.email == emails


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")
    | st.sampled_from('"\\{}#=\n'),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(NAMES | st.sampled_from(["email", "이름", "주소", "tel"]), max_size=5),
    cell=st.text(max_size=20) | st.sampled_from(["minji@example.com", "010-1234-5678", "N/A"]),
)
def test_every_draft_parses(draft, names, cell):
    header = list(dict.fromkeys(["id", *(name.strip() for name in names if name.strip())]))
    cell = cell.replace("\0", "").encode(errors="ignore").decode()
    try:
        text = draft(header, ["1001", *[cell] * (len(header) - 1)])
    except ImportRefusedError:
        return  # a file that cannot be read has no draft
    tomllib.loads(text)
    assert parsed(text).person.reference == "id"


def test_the_draft_asks_what_people_of_another_language_get(tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("id,language\n1,fr\n2,en\n3,fr\n4,010-1234-5678\n", encoding="utf-8")
    seen = previewing.preview(path, languages=["ko", "en"])

    text = drafting.draft(seen, CLASSES)
    assert '# languages = { "fr" = "…", "*" = "…" }  # decide: fr: 2, *: 1' in text
    assert "010" not in text
