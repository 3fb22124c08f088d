"""No user reads "not among" while an entry is of an owner whom no contact shows."""

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.translation import override

from accounts.company_sign_on import member_numbers
from accounts.models import User
from harness import exposure_factory
from harness.exposure_factory import write_off_unread
from incidents import phrasing, scope_versions, store_check
from incidents.importing import loading
from incidents.models import ExposureBatch, Incident
from tests.desk_pages import page_text
from tests.importing.more_messy_files import GOOD, HEADER, csv
from tests.importing.test_more_messy_files import MAPPING
from tests.importing.test_unread_contacts import shown_to

pytestmark = pytest.mark.django_db
NOT_AMONG, NO_ENTRY = "not among the leaked data", "We found no entry with your contact data"
ISSUER = "https://login.example"
PROVIDER = {
    "issuer": ISSUER,
    "client_id": "portal",
    "client_secret": "s" * 32,
    "name": "Hanbit ID",
    "member_claim": "member",
}
RECIPIENT = """
[second_person]
relation = "recipient"
name = "to"
phone = "to_phone"
contact_leaked = ["name", "phone"]
"""


@pytest.fixture
def load(incident, tmp_path):
    """A function that imports rows and closes the version. Returns the version."""

    def run(rows: list[str], mapping: str = MAPPING, *, header: str = HEADER) -> ExposureBatch:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        path.write_bytes(csv(rows, header=header))
        loading.import_file(path, incident=incident, mapping_text=mapping)
        batch = incident.batches.get(state="open")
        write_off_unread(batch)
        scope_versions.close(batch)
        return batch

    return run


def entries(incident: Incident) -> int:
    return Incident.objects.get(pk=incident.pk).unlinked().entries


@pytest.mark.parametrize(
    "row",
    [
        "7,한지민,,",
        "7,,,",
        "7,한지민,없음,-",
        "7,한지민,,02-2345-6789",  # a landline gets no code
        "7,한지민,***@naver.example,",
        "7,한지민,탈퇴한 회원입니다,",
        "7,한지민,,1588-1234",
        "7,한지민,,010-0000-0000",
        "7,한지민,2025-11-18,2025-11-18",
        "7,한지민,없음@naver.example,",
        "7,한지민,ㅡㅑㅜㅓㅑ@naver.example,",  # typed with the Korean keyboard
        "7,한지민,redacted-account,",
        "7,한지민,,900101-1234568",
        "7,한지민,,전화 02-2345-6789",
        "7,한지민,,02-345-6789 #12",
        "7,한지민 02-2345-6789,,",
        "7,한지민 1588-1234,,",
        "7,한지민 900101-1234568,,",
    ],
)
def test_an_entry_without_a_contact_clears_nobody(incident, load, row):
    load([*GOOD, row])

    assert entries(incident) == 1
    page = shown_to("other@else.example")
    assert NOT_AMONG not in page
    assert NO_ENTRY in page
    assert "1 entry of the leaked data holds no e\u2011mail address or mobile number" in page
    assert "user1@naver.example" in shown_to("user1@naver.example")
    assert store_check.check_whole(incident).faults == []


@pytest.mark.parametrize(
    "row",
    [
        *(
            "7,한지민,q7(at)b.example,",
            "7,한지민,mi***@b.example,",
            "7,한지민,,010-2345-6791",
            ",,,",
        ),
        *("jimin@b.example,한지민,,", "01023456791,한지민,,", "7,한지민 jimin@b.example,,"),
        *("7,한지민 jimin@b.example,,02-2345-6789", "7,한지민 010-2345-6791,,1588-1234"),
    ],
)
def test_an_entry_whose_owner_is_known_well_enough_counts_for_no_other(incident, load, row):
    load([*GOOD, row])

    assert entries(incident) == 0
    assert NOT_AMONG in shown_to("other@else.example")


def test_a_row_of_blanks_is_no_row(incident, load):
    batch = load([*GOOD[:3], ",,,", "  ,,", *GOOD[3:], ",,,"])

    file = batch.files.get()
    assert (file.rows_read, file.rows_taken, file.rows_rejected) == (6, 6, 0)


def test_rows_that_could_not_be_read_are_named_beside(load):
    load([*GOOD, "7,한지민,,", ",이서준,,"])

    page = shown_to("other@else.example")
    assert "1 row of the leaked data could not be read. 1 entry of the leaked data holds" in page
    assert "Your address is not in what could be read" in page


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        *[("이서준,", 1), ("이서준,-", 1), ("이서준,02-2345-6789", 1), ("-,02-2345-6789", 1)],
        *[(",미상", 0), (",", 0), ("이,010-2345-6799", 0), ("이 jimin@b.example,", 0)],
        *[("상동,상동", 0), ("없음,없음", 0), ("-,", 0), ("본인,", 0)],
    ],
)
def test_a_recipient_without_a_number_counts(incident, load, cells, count):
    load(
        [*(f"{row},," for row in GOOD[:5]), f"{GOOD[5]},{cells}"],
        MAPPING + RECIPIENT,
        header=f"{HEADER},to,to_phone",
    )

    assert entries(incident) == count
    assert (NOT_AMONG in shown_to("other@else.example")) == (not count)


def test_a_later_file_gives_the_contact(incident, load):
    load([*GOOD, "7,한지민,,"])
    assert entries(incident) == 1

    load(["7,한지민,jimin@b.example,"])
    assert entries(incident) == 0
    assert NOT_AMONG in shown_to("other@else.example")


def test_a_withdrawal_takes_the_contact_back(incident, load):
    load([*GOOD, "7,한지민,,"])
    later = load(["7,한지민,jimin@b.example,"])

    exposure_factory.withdraw(later, "wrong file")
    assert entries(incident) == 1
    exposure_factory.withdraw(incident.batches.get(number=1), "wrong file")
    assert entries(incident) == 0


def test_a_person_counts_once_over_all_versions(incident, load):
    load([*GOOD, "7,한지민,,"])
    load(["7,한지민,,", "8,이서준,,"])

    assert entries(incident) == 2
    counts = incident.batches.order_by("number").values_list("people_unlinked", flat=True)
    assert list(counts) == [1, 1]


def test_a_wrong_count_is_a_fault_of_the_store(incident, load):
    batch = load([*GOOD, "7,한지민,,"])
    ExposureBatch.objects.filter(pk=batch.pk).update(people_unlinked=0)

    assert store_check.check_whole(incident).faults == [
        f"{batch.code}: 0 entries without a contact kept, 1 counted"
    ]


@pytest.mark.parametrize("name", ["incident", "transparency"])
def test_the_public_pages_say_how_many(client, incident, load, name):
    load([*GOOD, "7,한지민,,", "8,이서준,,"])
    for language in ("en", "ko"):
        with override(language):
            sentence = phrasing.unlinked(2)
            assert sentence in page_text(client.get(reverse(name, args=[incident.slug])))


@override_settings(COMPANY_SIGN_ON={"customers": PROVIDER})
def test_a_member_number_is_a_way_to_such_an_entry(incident, load):
    Incident.objects.filter(pk=incident.pk).update(has_member_numbers=True)
    load([*GOOD, "7,한지민,,"])

    assert "sign in with Hanbit ID" in shown_to("other@else.example")

    shown_to("jimin@else.example")
    jimin = User.objects.get(emailaddress__email="jimin@else.example")
    member_numbers.keep(jimin.pk, "jimin@else.example", ISSUER, "7")
    assert "Your name leaked" in shown_again(jimin)
    member_numbers.keep(jimin.pk, "jimin@else.example", ISSUER, "999")
    assert NOT_AMONG in shown_again(jimin)


@override_settings(COMPANY_SIGN_ON={"customers": PROVIDER})
def test_a_member_number_is_no_way_to_a_recipient(incident, load):
    Incident.objects.filter(pk=incident.pk).update(has_member_numbers=True)
    load(
        [f"{row},이서준,02-2345-6789" for row in GOOD],
        MAPPING + RECIPIENT,
        header=f"{HEADER},to,to_phone",
    )

    assert Incident.objects.get(pk=incident.pk).unlinked() == (0, 1)
    assert "sign in with Hanbit ID" not in shown_to("jimin@else.example")
    jimin = User.objects.get(emailaddress__email="jimin@else.example")
    member_numbers.keep(jimin.pk, "jimin@else.example", ISSUER, "999")
    assert NO_ENTRY in shown_again(jimin)


def shown_again(user: User) -> str:
    """Returns "my data" of a user, in English."""
    client = Client()
    client.force_login(user)
    client.cookies["language"] = "en"
    return page_text(client.get("/en/my-data/"))
