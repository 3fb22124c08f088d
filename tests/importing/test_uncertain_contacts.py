"""The owner of a contact in an uncertain cell never reads that they are not among the data."""

import re

import pytest

from accounts.contacts import MASKED, MISTYPED, read_emails, usual_email
from accounts.domain_typos import meant_domain
from harness import exposure_factory
from harness.exposure_factory import write_off_unread
from incidents import scope_versions, store_check
from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.models import AffectedPerson, FurtherContact, Incident, UnreadContact
from incidents.uncertain_contacts import (
    contacts_meant,
    has_addition,
    is_in_words,
    meant_beside,
    meant_by,
    pattern_of_user_name,
)
from tests.importing.more_messy_files import GOOD, HEADER, csv
from tests.importing.test_more_messy_files import MAPPING
from tests.importing.test_unread_contacts import shown_to

pytestmark = pytest.mark.django_db
NOT_AMONG, NOT_READ = "not among the leaked data", "not in what could be read"

# What a cell may mean: its owner's address.
ADDRESSES = {
    "q1(at)b.example": "q1@b.example",
    "q2 [at] b [dot] example": "q2@b.example",
    "q3골뱅이b.example": "q3@b.example",
    "q4@b.example (개인)": "q4@b.example",
    "q31_at_b.example": "q31@b.example",
    "q31-at-b.example": "q31@b.example",
    "q31.at.b.example": "q31@b.example",
    "q31ATb.example": "q31@b.example",
    "q31__at__b.example": "q31@b.example",
    "q31{at}b.example": "q31@b.example",
    "q31_at_b_dot_example": "q31@b.example",
    "q31 AT b DOT example": "q31@b.example",
    "0x71333240622e6578616d706c65": "q32@b.example",
    "\\x71333340622e6578616d706c65": "q33@b.example",
    "cTM0QGIuZXhhbXBsZQ==": "q34@b.example",
    "q36@b.exampleq37@c.example": "q37@c.example",
    "q38@b.example.deleted": "q38@b.example",
    "q39@b.example.invalid": "q39@b.example",
    "q40@b.example_old": "q40@b.example",
    "q41@b.example.del.1699": "q41@b.example",
    "q42@b.example와 q43@c.example": "q42@b.example",
    "이메일q44@b.example입니다": "q44@b.example",
    "http://b.example/?mail=q45@b.example": "q45@b.example",
    "q46#b.example": "q46@b.example",
    "q47naver.com": "q47@naver.com",
    "q48.gmail.com": "q48@gmail.com",
    "q492naver.com": "q49@naver.com",
    "q5@b.example and q6@b.example": "q6@b.example",
    "q7 @b.example": "q7@b.example",
    "q8@b.exam ple": "q8@b.example",
    "q9@b.example<br>": "q9@b.example",
    "(q10@b.example)": "q10@b.example",
    "q11@b.example / 010-2345-6791": "q11@b.example",
    "q12@@b.example": "q12@b.example",
    "q13%40b.example": "q13@b.example",
    "q14=40b.example": "q14@b.example",
    "q15&#64;b.example": "q15@b.example",
    "q16@b,example": "q16@b.example",
    "q17@b..example": "q17@b.example",
    "q18@b.example#": "q18@b.example",
    "q19@b.example?subject=x": "q19@b.example",
    "q20@b.example*": "q20@b.example",
    "q21@b\u200d.example": "q21@b.example",
    "q22@b.\u0435\u0445ample": "q22@b.example",
    "q23@faß.example": "q23@fass.example",
    "Q24@GMA\u0130L.COM": "q24@gmail.com",
    "q\u06f2\u06f5@b.example": "q25@b.example",
    "q50@gmail.con": "q50@gmail.com",
    "q51@naver.co": "q51@naver.com",
    "q52@hanmial.net": "q52@daum.net",
    "Kim <q.53@gmial.com>": "q53@gmail.com",
    "q54@company.con": "q54@company.com",
    "q55@naver.co ": "q55@naver.co",  # of a stranger, who may have the domain
    "<a href='mailto:q26@b.example'>q26@b.example</a>": "q26@b.example",
    "; ".join(f"list{number}@b.example" for number in range(30)): "list29@b.example",
    # Parts are hidden or cut off, so that more people may be meant.
    "z1***@m.example": "z1abc@m.example",
    "***ji@n.example": "minji@n.example",
    "y***@*.example": "yuna@anywhere.example",
    "s\u25cf\u25cf\u25cf@o.example": "seojun@o.example",
    "hy\u25a0\u25a0@o.example": "hyun@o.example",
    "ma___@o.example": "mary@o.example",
    "na---@o.example": "nana@o.example",
    "ye??@o.example": "yerin@o.example",
    "o_____@o.example": "o_____@o.example",
    "ha\u203b\u203b@o***.example": "hana@other.example",
    "w...@p.example": "woojin@p.example",
    "minji.kim@nav": "minji.kim@naver.com",
    "park.seojun.long": "park.seojun.long@naver.com",
    "b@": "b@naver.com",
    "12345678": "12345678@qq.com",
    # Twins are one mailbox.
    "kim(at)daum.net": "kim@hanmail.net",
    "le***@hanmail.net": "lee@daum.net",
    "min.ji(at)gmail.com": "minji@gmail.com",
    "hongik(at)googlemail.com": "hong.ik@gmail.com",
    "jihun(at)gmial.com": "jihun@gmail.com",
    "jihun[at]gmail.con": "jihun@gmail.com",
    "c.h.o***@googlemail.com": "chohee@gmail.com",
    "jang.mi@gma": "jangmi@gmail.com",
    "jiho, haneul@b.example": "jiho@b.example",
    "jiu\u00b7hana@b.example": "jiu@b.example",
    "yuna\u24d0b.example": "yuna@b.example",
    "bora(a)b.example": "bora@b.example",
}
NOBODYS = [
    "@naver.com",
    "***@naver.com",
    "\u25cf\u25cf\u25cf@naver.com",
    "@",
    "***@***",
    "___@naver.com",
]
NUMBERS = [
    ("KR", "010-2345-6791 또는 010-2345-6792", "+821023456792"),
    ("KR", "\u260e010-2345-6793", "+821023456793"),
    ("KR", "010-2345-6794&nbsp;", "+821023456794"),
    ("KR", "02-345-6789 #12", "+8223456789"),
    ("KR", "02-345-6788(내선 101)", "+8223456788"),
    ("KR", "010-2345-6795 010-2345-6796", "+821023456796"),
    ("KR", "010-2345-6797010-2345-6798", "+821023456798"),
    ("KR", "O10-2345-6799", "+821023456799"),
    ("KR", "01023456701x", "+821023456701"),
    ("KR", "010,2345,6702", "+821023456702"),
    ("KR", "010=2345=6703", "+821023456703"),
    ("KR", "010-2345-6704 *부재시 경비실", "+821023456704"),
    ("KR", "010-2345-6705\u2192010-2345-6706", "+821023456706"),
    ("KR", "1,023,456,707", "+821023456707"),
    ("KR", "010-2345-6781/6713", "+821023456713"),
    ("KR", "010-2345-6781-6718", "+821023456718"),
    ("KR", "010-2345-6719-6781", "+821023456719"),
    ("KR", "010-2345-6781, 6720, 6721", "+821023456721"),
    ("KR", "010-2345-6781(6722)", "+821023456722"),
    ("KR", "010-2345-6781 또는 6723", "+821023456723"),
    ("KR", "010-2345-6724\u00b75", "+821023456725"),
    ("KR", "010-2345-671", "+821023456715"),  # the last digit is missing
    ("KR", "010-2345-6781, 6714", "+821023456714"),
    ("KR", "1023456708", "+821023456708"),
    ("KR", "010-****-6709", "+821077776709"),
    ("KR", "010\u25cb\u25cb\u25cb\u25cb6710", "+821077776710"),
    ("KR", "010-2345-****", "+821023459999"),
    ("KR", "010-23**-67**", "+821023996799"),
    ("KR", "010-2345-\u25a1\u25a1\u25a1\u25a1", "+821023456999"),
    ("KR", "010-2346-____", "+821023466999"),
    ("KR", "010-????-6712", "+821077776712"),
    ("KR", "# # # # 6716", "+821077776716"),
    ("KR", "x-x-x-6717", "+821077776717"),
    ("KR", "8.21012E+11", "+821012345678"),
    ("KR", "415-555-0101", "+14155550101"),  # of another region
    ("KR", "010-345-6711", "+821023456711"),  # a digit is missing
    ("DE", "0171/2345612/13", "+491712345612"),
    ("US", "415 555 0105 ext. 3", "+14155550105"),
    ("IN", "9876543210", "+919876543210"),
    ("JP", "090-1234-5601, 090-1234-560", "+819012345601"),
]


@pytest.fixture
def load(incident, tmp_path):
    """A function that imports rows, by default with the usual columns, and closes the version."""

    def run(
        rows: list[str], mapping: str = MAPPING, *, header: str = HEADER, accepted: str = ""
    ) -> None:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        path.write_bytes(csv(rows, header=header))
        loading.import_file(
            path, incident=incident, mapping_text=mapping, accepted=accepted.split()
        )
        if batch := incident.batches.filter(state="open").first():
            write_off_unread(batch)
            scope_versions.close(batch)

    return run


@pytest.mark.parametrize(("cell", "contact"), ADDRESSES.items())
def test_a_cell_may_mean_the_address_of_its_owner(cell, contact):
    found = [*contacts_meant(cell, "KR")[0], pattern_of_user_name(cell)]

    assert set(meant_by(contact)) & set(found)
    assert not set(meant_by("other@else.example")) & set(found) - {"*@*"}


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("sua4714288(at)b.example", []),
        ("sua4714288 골뱅이 b.example", []),
        ("01023456781(at)b.example", ["+821023456781"]),
    ],
)
def test_the_digits_of_an_address_in_words_are_no_part_of_a_number(cell, numbers):
    assert contacts_meant(cell, "KR")[1] == numbers


@pytest.mark.parametrize("cell", ["8.21012E+11", "1.012E+09", "010-12**-67**"])
def test_the_first_digits_of_a_number_do_not_match_every_number(cell):
    found = contacts_meant(cell, "KR")[1]
    assert not set(meant_by("+821034567890")) & set(found)
    assert set(meant_by("+821012345678")) & set(found)


@pytest.mark.parametrize("cell", NOBODYS)
def test_an_address_of_which_nothing_is_shown_means_nobody(cell):
    """It would match each user of the domain."""
    assert not set(meant_by("someone@naver.com")) & set(contacts_meant(cell, "KR")[0])


def test_a_tag_at_a_provider_with_twins_is_a_part_of_the_same_address():
    assert meant_beside("min.ji+shop@googlemail.com")[0] in meant_by("minji@gmail.com")


@pytest.mark.parametrize(
    ("email", "other"),
    [
        ("#q@b.example", "q@b.example"),
        ("/q@b.example", "q@b.example"),
        ("-q@b.example", "q@b.example"),
        ("deleted_q@b.example", "q@b.example"),
        ("del.q@b.example", "q@b.example"),
        ("withdrawn-q@b.example", "q@b.example"),
        ("q.deleted@b.example", "q@b.example"),
        ("q_old_20250101@b.example", "q@b.example"),
        ("minji_gmail.com#ext#@corp.example", "minji@gmail.com"),
        ("minji%gmail.com@gate.example", "minji@gmail.com"),
        ("srs0=ab=cd=gmail.com=minji@gate.example", "minji@gmail.com"),
        ("prvs=0123abcd=minji@b.example", "minji@b.example"),
        ("first_last.name@b.example", ""),
        ("a=b@c.example", ""),
        ("deleted_123@b.example", ""),
        ("adele@b.example", ""),
        ("goldman@b.example", ""),
        ("old@b.example", ""),
        ("q@b.example", ""),
    ],
)
def test_an_address_with_an_addition_may_mean_another_one(email, other):
    assert meant_beside(email) == [other][: bool(other)]
    assert has_addition(email) or not usual_email(email) or not other


def test_a_returned_mail_may_be_of_each_user_name_that_its_address_ends_with():
    found = meant_beside("bounce-12-min-ji=gmail.com@list.example")
    assert set(found) & set(meant_by("min-ji@gmail.com"))


@pytest.mark.parametrize("sign", "/|&")
def test_an_address_may_be_the_user_names_of_two_people(sign):
    found = meant_beside(f"minji{sign}seojun@b.example")
    assert found == ["minji@b.example", "seojun@b.example"]


@pytest.mark.parametrize("cell", ["mi___@b.example", "Kim <mi---@b.example>", "mi??@b.example"])
def test_an_address_that_ends_like_a_mask_is_not_certain(cell):
    assert read_emails(cell) == ((), MASKED)


@pytest.mark.parametrize("cell", ["m__i@b.example", "mi__@b.example", "a---b@b.example"])
def test_an_address_with_lines_in_it_is_certain(cell):
    assert read_emails(cell).addresses == (cell,)


@pytest.mark.parametrize(("region", "cell", "contact"), NUMBERS)
def test_a_cell_may_mean_the_number_of_its_owner(region, cell, contact):
    assert set(meant_by(contact)) & set(contacts_meant(cell, region)[1])


@pytest.mark.parametrize(
    "cell", ["Kim at Home", "PATRICIA.K", "kim.at", "Dr. Kim", "at.co.kr", "서울 1. 2"]
)
def test_other_text_is_no_address_in_words(cell):
    assert not is_in_words(cell)


@pytest.mark.parametrize(
    "cell", ["meet at noon", "공일공", "탈퇴회원", "없음", "?", "", "12:30", "3층"]
)
def test_other_text_means_nobody(cell):
    assert contacts_meant(cell, "KR") == ([], [])


def test_half_a_character_is_left_out():
    emails, _numbers = contacts_meant("\ud800q***@b.example", "KR")
    assert emails == ["q*@b.example"]


def test_the_owner_of_an_uncertain_address_is_not_cleared(incident, load):
    cells = [cell.replace('"', '""') for cell in ADDRESSES]
    rows = [f'{line},Kim{line}X,"{cell}",' for line, cell in enumerate(cells, 1)]
    load([*GOOD, *rows], accepted="encoded:email unusable:email")

    for contact in ADDRESSES.values():
        page = shown_to(contact)
        assert NOT_READ in page, contact
        assert "Kim" not in page
    assert NOT_READ not in shown_to("other@else.example")
    assert "user1@naver.example" in shown_to("user1@naver.example")
    assert store_check.check_whole(incident).faults == []


def test_the_owner_of_an_uncertain_number_is_not_cleared(load):
    rows = [(cell, contact) for region, cell, contact in NUMBERS if region == "KR"]
    rows = [(cell, contact) for cell, contact in rows if not cell.endswith(("67**", "E+11"))]
    rows = [(cell, contact) for cell, contact in rows if not contact.startswith("+822")]
    written = [f'{line},Kim{line}X,,"{cell}"' for line, (cell, _) in enumerate(rows, 1)]
    load([*GOOD, *written], accepted="unusable:mobile")

    for _cell, contact in rows:
        page = shown_to(contact)
        assert NOT_READ in page, contact
        assert "Kim" not in page
    assert NOT_AMONG in shown_to("+821088888888")


@pytest.mark.parametrize(
    ("row", "contact"),
    [
        ("7,가,010-2345-6791,", "+821023456791"),  # a number in the column of addresses
        ("7,q7@b.example,q8@b.example,", "q7@b.example"),  # an address as the name
        ("7,가,q7+shop@gmail.com,", "q7@gmail.com"),  # an address with a tag
        ("7,가,q.7+shop@gmail.com,", "q7@gmail.com"),
        ("7,010-2345-6791,q8@b.example,", "+821023456791"),  # a number as the name
        ("7,가,q7@company.kom,", "q7@company.com"),  # no such top-level domain
        ("7,가,q8@b.example; q.7@company.kom,", "q7@gmail.com"),
        ("q7@b.example,가,,", "q7@b.example"),  # an address as the reference
        ("q7_at_b.example,가,q8@b.example,", "q7@b.example"),  # in words
        ("7,q7 at b dot example,q8@b.example,", "q7@b.example"),
        ("q7@b.example,가,q8@b.example,", "q7@b.example"),
        ("01023456791,가,q8@b.example,", "+821023456791"),  # a number as the reference
        ("7,가,q8@b.example,010-2345-6791~2", "+821023456792"),  # the end of another number
        ("7,가,q8@b.example,010-2345-6798/02", "+821023456702"),
        ("7,가,minji/q7@b.example,", "q7@b.example"),  # two users of a domain
    ],
)
def test_a_contact_in_an_unusual_place_is_not_cleared(load, row, contact):
    load([*GOOD, row])

    assert NOT_READ in shown_to(contact)


def test_an_address_as_a_name_is_not_cleared_without_a_column_of_addresses(load):
    mapping = table(phone='"hp"')
    load(
        ["1,q7@b.example,010-2345-6781", "2,김,010-2345-6782"], mapping, header="member_id,name,hp"
    )

    assert NOT_READ in shown_to("q7@b.example")
    assert NOT_AMONG not in shown_to("+821023456782")
    assert NOT_READ not in shown_to("+821023456782")


@pytest.mark.parametrize("sign", ["@", "_at_"])
@pytest.mark.parametrize("data_class", ["email-addresses", "usernames"])
def test_a_leaked_address_that_finds_nobody_is_not_cleared(load, data_class, sign):
    rows = [f"{row},q{place}{sign}c.example" for place, row in enumerate(GOOD)]
    leak = f'[[leaked]]\nclass = "{data_class}"\nvalue = "{{other}}"\n'
    load(rows, MAPPING + leak, header=f"{HEADER},other")

    assert NOT_READ in shown_to("q3@c.example")
    assert NOT_AMONG in shown_to("q9@c.example")
    assert "kinds of your data leaked" in shown_to("user1@naver.example")


def test_a_leaked_number_is_no_pattern(load):
    rows = [f"{row},010-5555-000{place}" for place, row in enumerate(GOOD)]
    leak = '[[leaked]]\nclass = "phone-numbers"\nvalue = "{other}"\n'
    load(rows, MAPPING + leak, header=f"{HEADER},other")

    assert NOT_READ in shown_to("+821055550003")
    assert NOT_AMONG in shown_to("+821066660003")


def test_the_owner_of_an_address_in_a_text_is_not_cleared(load):
    leak = '[[leaked]]\nclass = "usernames"\nvalue = "{memo}"\n'
    load([f"{GOOD[0]},asked by q7@b.example"], MAPPING + leak, header=f"{HEADER},memo")

    assert NOT_READ in shown_to("q7@b.example")


def test_a_second_person_with_an_uncertain_number_is_not_cleared(load):
    second = '[second_person]\nrelation = "recipient"\nphone = "to"\ncontact_leaked = ["phone"]\n'
    load([f"{GOOD[0]},010-2345-6791 또는 010-2345-6792"], MAPPING + second, header=HEADER + ",to")

    assert NOT_READ in shown_to("+821023456792")


def test_an_uncertain_contact_of_another_person_locks_a_row(load):
    """The address of a stored person stands in the cell of another: it may be that one's."""
    load([*GOOD, "7,한지민,user1@naver.example (가족),"])

    assert "Several people share your address" in shown_to("user1@naver.example")
    assert "user2@naver.example" in shown_to("user2@naver.example")


def test_an_uncertain_contact_of_the_same_person_locks_nothing(load):
    load([*GOOD, "1001,김민준,user1@naver.example (본인),"])

    assert "김민준" in shown_to("user1@naver.example")


@pytest.mark.parametrize(
    "row",
    [
        "7,가,q7(at)b.example,",
        "7,가,mi***@b.example,",
        "7,가,minji@nav,",
        "7,가,,010-****-6791",
        "7,가,q8@b.example,010-2345-6791 또는 010-2345-6792",
    ],
)
def test_an_uncertain_contact_that_is_not_kept_is_a_fault_of_the_store(incident, load, row):
    load([*GOOD, row])
    assert store_check.check_whole(incident).faults == []

    UnreadContact.objects.all().delete()
    person = incident.cipher().person_id("member", "7")
    (fault,) = store_check.check_whole(incident).faults
    assert re.fullmatch(
        rf"person {person}, contact [ep]2?: not kept as an uncertain contact", fault
    )


def test_a_withdrawn_version_leaves_no_uncertain_contact(incident, load):
    load([*GOOD, "7,가,q7(at)b.example,"])
    exposure_factory.withdraw(incident.batches.get(), "wrong file")
    load(GOOD)

    assert NOT_AMONG in shown_to("q7@b.example")


@pytest.mark.parametrize(
    ("cells", "others"),
    [
        ("q7@b.example.deleted,", ",010-2345-6791"),
        ("mi___@b.example,", ",010-2345-6791"),
        (",010-2345-6792", "q8@b.example,"),
    ],
)
def test_a_contact_that_is_put_together_again_is_no_more_certain(incident, load, cells, others):
    region = 'region = "US"\n'  # the number is none there
    load([*GOOD, f"7,가,{cells}"], region + MAPPING, accepted="unusable:mobile")
    load([f"7,가,{others}"])

    exposure_factory.withdraw(incident.batches.get(number=2))

    assert not FurtherContact.objects.exists()
    assert store_check.check_whole(incident).faults == []


def test_a_corrected_row_with_an_uncertain_cell_is_not_cleared(incident, load):
    load([*GOOD, ",가,q7(at)b.example,"])
    load(["8,missing member_id,7,가,q7(at)b.example,"], header=f"line,reason,{HEADER}")

    assert not any(incident.unread())
    assert NOT_READ in shown_to("q7@b.example")
    assert NOT_AMONG in shown_to("q9@b.example")


def test_a_pattern_is_stored_once_a_file(incident, load):
    rows = [f"{number},가,mi***@b.example,010-****-6781" for number in range(1, 200)]
    load(rows, accepted="unusable:email unusable:mobile")

    assert AffectedPerson.objects.filter(incident=incident).count() == 199
    assert UnreadContact.objects.count() == 2


def test_no_index_of_an_uncertain_contact_finds_a_person(incident: Incident, load):
    load([*GOOD, "7,가,q7(at)b.example,010-2345-6791 또는 010-2345-6792"])

    found = AffectedPerson.objects.with_contact(
        emails=["q7@b.example"], phones=["+821023456791"], incidents=[incident]
    )
    assert not found.exists()


# ---------------------------------------------------------------- several columns

PARTS = "member_id,name,mail,domain,hp1,hp2,hp3"
PART_ROWS = ["1,김민지,minji,b.example,010,2345,2345", "2,이서준,seojun,b.example,010,2345,6792"]


def table(**columns: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in columns.items())
    person = '[person]\nrelation = "member"\nreference = "member_id"\nname = "name"\n'
    return f"{person}{lines}contact_leaked = {['name', *columns]}\n"


def test_a_contact_is_joined_from_several_columns(load):
    load(PART_ROWS, table(email='"{mail}@{domain}"', phone='"{hp1}-{hp2}-{hp3}"'), header=PARTS)

    assert "김민지" in shown_to("minji@b.example")
    assert "이서준" in shown_to("seojun@b.example", "+821023456792")
    assert "김민지" not in shown_to("+821023456792")


BOTH = {"email": '"{mail}@{domain}"', "phone": '"{hp1}-{hp2}-{hp3}"'}


def test_parts_of_a_fixed_width_are_joined_without_their_spaces(load):
    load(["1,김민지,minji   ,b.example  ,010 ,2345,2345"], table(**BOTH), header=PARTS)

    assert "김민지" in shown_to("minji@b.example")
    assert AffectedPerson.objects.exclude(phone_index=None).exists()


def test_a_contact_of_which_a_part_is_blank_is_no_contact(load):
    """Its owner is not cleared; of the other users, the page does not say that it may hold them."""
    rows = ["1,김,,b.example,010,2345,", "2,이,seojun,,,2345,6792", "3,박,,,,,"]
    load(rows, table(**BOTH), header=PARTS)

    assert not AffectedPerson.objects.exclude(email_index=None, phone_index=None).exists()
    assert "3 entries of the leaked data hold no e\u2011mail" in shown_to("minji@b.example")
    assert NOT_READ not in shown_to("minji@b.example")
    for contact in ("seojun@b.example", "+821023459999", "+821077776792"):
        assert NOT_READ in shown_to(contact)


def test_a_template_that_makes_no_contact_is_refused(incident, load):
    rows = [f"{n},김{n},user{n},b.example,010,2345,{2000 + n}" for n in range(1, 60)]
    swapped = table(email='"{domain}@{mail}"', phone='"{hp3}-{hp2}-{hp1}"')

    with pytest.raises(ImportRefusedError, match=r"unusable:domain, mail.*unusable:hp3, hp2, hp1"):
        load(rows, swapped, header=PARTS)
    load(rows, table(**BOTH), header=PARTS)
    assert AffectedPerson.objects.exclude(email_index=None).count() == 59


def test_the_owner_of_a_contact_in_parts_is_not_cleared(load):
    load(PART_ROWS, table(email='["mail", "domain"]', phone='["hp1", "hp2", "hp3"]'), header=PARTS)

    for contact in ("minji@b.example", "+821023452345", "+821023456792"):
        assert NOT_READ in shown_to(contact)


def test_a_rejected_row_shares_a_joined_contact(load):
    rows = [PART_ROWS[0], PART_ROWS[0].replace("1,김민지", ",박하준")]
    load(rows, table(email='"{mail}@{domain}"'), header=PARTS)

    assert "김민지" not in shown_to("minji@b.example")


@pytest.mark.parametrize("domain", ["naver.co", "gamil.com", "yahoo.cm", "gimail.com"])
def test_an_address_with_a_mistyped_domain_is_counted_and_finds_nobody(load, domain):
    """Its owner may be that of either address, so that the row is shown to neither of them."""
    address = f"q7@{domain}"
    load([*GOOD, f"7,한지민,{address},"])

    person = AffectedPerson.objects.get(email_reach=AffectedPerson.Reach.UNUSABLE)
    assert person.decrypt_contact()["e"] == address
    for owner in (address, f"q7@{meant_domain(domain)}"):
        shown = shown_to(owner)
        assert "한지민" not in shown
        assert NOT_READ in shown
    assert read_emails(address) == ((), MISTYPED)


def test_an_address_with_an_unknown_end_finds_its_person(load):
    """A top-level domain can be newer than the list."""
    load([*GOOD, "7,한지민,q7@company.kom,"])

    assert "한지민" in shown_to("q7@company.kom")
