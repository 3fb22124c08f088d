"""A contact that a rejected row holds too opens no row of another person by itself."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User, VerifiedPhone
from harness import exposure_factory
from harness.exposure_factory import write_off_unread
from harness.sign_in import step_up
from incidents import scope_versions
from incidents.importing import loading
from incidents.importing.stopping import NothingTakenError
from incidents.models import ExposureFile, Incident, UnreadContact
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
MAPPING = """
strict = true

[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
phone = "phone"
contact_leaked = ["name", "email", "phone"]

[[leaked]]
class = "entrance-codes"
value = "{code}"
date = "on"

[dates]
on = "date"
"""
HEADER = "id,name,email,phone,code,on\n"
MINJI = "1,김민지,home@example.com,010-2345-0001,7585#,2025-01-01\n"
SEOJUN = ",이서준,home@example.com,010-2345-0002,9021#,2025-01-01\n"


@pytest.fixture
def load(incident, tmp_path):
    """Imports rows under HEADER and returns the row of the file."""

    def load(rows: str, name: str = "members.csv", header: str = HEADER) -> ExposureFile:
        path = tmp_path / name
        path.write_text(header + rows, encoding="utf-8")
        return loading.import_file(path, incident=incident, mapping_text=MAPPING)

    return load


def close_version(incident: Incident) -> None:
    batch = incident.batches.get(state="open")
    write_off_unread(batch)
    scope_versions.close(batch)


def shown_to(*contacts: str) -> str:
    """Returns "my data" in full of a new user with these verified contacts."""
    EmailAddress.objects.filter(email__in=contacts).delete()
    VerifiedPhone.objects.filter(number__in=contacts).delete()
    user = User.objects.create_user(f"u{User.objects.count()}@visitor.example", language="en")
    EmailAddress.objects.filter(user=user).delete()
    for contact in contacts:
        if "@" in contact:
            EmailAddress.objects.create(user=user, email=contact, verified=True)
        else:
            VerifiedPhone.objects.create(user=user, number=contact)
    client = Client()
    client.force_login(user)
    step_up(client, user)
    with override("en"):
        return page_text(client.post(reverse("my_data_reveal"), follow=True))


def test_a_rejected_row_makes_the_address_a_shared_one(incident, load):
    load(MINJI + SEOJUN)
    close_version(incident)
    page = shown_to("home@example.com")
    assert "Several people share your address" in page
    assert "7585#" not in page
    assert "김" not in page
    assert "not among" not in page


def test_another_contact_of_the_row_still_opens_it(incident, load):
    load(MINJI + SEOJUN)
    by_number = shown_to("+821023450001")
    assert "kinds of your data leaked" in by_number
    assert "7585#" not in by_number  # a number alone shows masked values
    assert "7585#" in shown_to("home@example.com", "+821023450001")


@pytest.mark.parametrize(
    "rejected",
    [
        "NULL,이서준,home@example.com,010-2345-0002,9021#,2025-01-01\n",
        "2,이서준,home@example.com,010-2345-0002,9021#,someday\n",
        "2,이서준,home@example.com,010-2345-0002,9021#,2025-01-01,one,more\n",
        '2,이서준,"x;home@example.com\n3,박지훈",010-2345-0002,9021#,2025-01-01\n',
        "1,이서준,other@example.com,010-2345-0001,9021#,2025-01-01\n",
        "1,이서준,other@example.com,⁰¹⁰-²³⁴⁵-⁰⁰⁰¹,9021#,2025-01-01\n",
        "2,,home@example.com;b@example.com,,9021#,someday\n",
    ],
)
def test_every_kind_of_rejected_row_counts(incident, load, rejected):
    load(MINJI + rejected)
    shared = "+821023450001" if "⁰" in rejected or "0001" in rejected else "home@example.com"
    assert "7585#" not in shown_to(shared)


@pytest.mark.parametrize(
    "rejected",
    [
        "1,김민지,home@example.com,010-2345-0001,7585#,someday\n",  # the same reference
        ",김 민지,home@example.com,,9021#,2025-01-01\n",  # the same name
        ",,home@example.com,010-2345-0001,9021#,2025-01-01\n",  # both contacts
    ],
)
def test_a_rejected_row_of_the_same_person_locks_nothing(incident, load, rejected):
    load(MINJI + rejected)
    assert UnreadContact.objects.exists()
    assert "7585#" in shown_to("home@example.com")


def test_a_corrected_or_withdrawn_row_counts_no_longer(incident, load, tmp_path):
    load(MINJI + SEOJUN)
    corrected = "line,reason," + HEADER
    load("3,missing id," + SEOJUN.replace(",이", "2,이", 1), "again.csv", corrected)
    assert "Several people" in shown_to("home@example.com")  # both rows are stored now
    exposure_factory.withdraw(incident.batches.get(), "wrong files")
    load(MINJI, "right.csv")
    assert "7585#" in shown_to("home@example.com")


def test_a_failed_file_that_is_loaded_later_locks_nothing(incident, load):
    with pytest.raises(NothingTakenError):
        load(MINJI.replace("1,", ",", 1))
    load(MINJI)
    assert UnreadContact.objects.exists()
    assert "7585#" in shown_to("home@example.com")


def test_many_rejected_rows_make_an_address_open_nothing(incident, load):
    load(MINJI + "".join(SEOJUN.replace("이서준", f"이서{n}") for n in "가나다라"))
    page = shown_to("home@example.com")
    assert "7585#" not in page
    assert "Several people share your address" not in page


def test_a_number_that_was_given_to_another_person_opens_neither_row(incident, load):
    """The company's newer file has the number with another person, in a later scope version."""
    load(MINJI)
    close_version(incident)
    load("2,이서준,new@example.com,010-2345-0001,9021#,2025-06-01\n", "newer.csv")
    close_version(incident)
    page = shown_to("+821023450001")
    assert not {"7585#", "9021#", "김민지", "이서준"} & set(page.split())
    assert "Several people share your" in page
    assert "7585#" in shown_to("home@example.com")
    assert "9021#" in shown_to("new@example.com", "+821023450001")


def test_a_number_in_a_further_cell_of_another_person_opens_neither_row(incident, load):
    load(MINJI)
    load("2,이서준,new@example.com,010-2345-0009/010-2345-0001,9021#,2025-06-01\n", "newer.csv")
    assert "7585#" not in shown_to("+821023450001")


def test_no_value_of_a_rejected_row_is_stored(incident, load):
    load(MINJI + SEOJUN)
    [row] = UnreadContact.objects.values()
    assert row["person_key"] is None
    assert {type(row[name]).__name__ for name in ("email_index", "name_index")} == {"UUID"}
