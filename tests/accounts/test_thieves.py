"""People who hold a contact of others try to read their data through the public pages."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User, VerifiedPhone
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in, step_up
from incidents.models import AffectedPerson, Incident
from notices.proof import certificates
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
MAILBOX, FAMILY, NUMBER = "noemail@hanbit.example", "family@example.com", "+821012345678"


def row(incident: Incident, number: int, **contact: Any) -> AffectedPerson:
    """Returns a person with values that occur once."""
    file = file_of(incident, number=1)
    made = person(incident, name=contact.pop("name", f"박소율{number}"), **contact)
    classes = ["names"] if made.decrypt_contact().get("n") else []
    expose(made, file, *classes, values=[("entrance-codes", f"77{number}31#")])
    return made


def seen_by(user: User, incident: Incident) -> str:
    """Returns everything that the user can open: both pages and the certificate's content."""
    client = Client()
    client.force_login(user)
    step_up(client, user)
    with override("en"):
        pages = [
            client.get(reverse("my_data")),
            client.post(reverse("my_data_reveal"), follow=True),
        ]
        issued = certificates.issue(user, incident, language="en")
        if issued:
            found = certificates.find_certificate(issued.code)
            pages.append(client.get(reverse("certificate_checked", args=[issued.code])))
            assert found
    return "\n".join(map(page_text, pages))


def assert_hidden(text: str, *numbers: int) -> None:
    for number in numbers:
        assert f"박소율{number}" not in text
        assert f"77{number}31#" not in text


def test_the_owner_of_a_placeholder_mailbox_reads_nothing(client, incident):
    for number in range(12):
        row(incident, number, email=MAILBOX)
    sign_in(client, MAILBOX)

    thief = User.objects.get(email=MAILBOX)
    text = seen_by(thief, incident)
    assert_hidden(text, *range(12))
    assert "not among" not in text


def test_a_member_of_a_family_reads_their_own_row_only(incident):
    row(incident, 1, email=FAMILY, phone="010-1111-2222")
    row(incident, 2, email=FAMILY, phone="010-3333-4444")
    user = User.objects.create_user(FAMILY)
    assert_hidden(seen_by(user, incident), 1, 2)

    VerifiedPhone.objects.create(user=user, number="+821033334444")
    text = seen_by(user, incident)
    assert_hidden(text, 1)
    assert "77231#" in text


def test_a_family_without_names_is_not_one_person(incident):
    """Two references under one address, and nothing else, do not show whose accounts they are."""
    row(incident, 1, name="", email=FAMILY)
    row(incident, 2, name="", email=FAMILY)

    assert_hidden(seen_by(User.objects.create_user(FAMILY), incident), 1, 2)


def test_a_guess_does_not_open_more_than_its_row(incident, client):
    row(incident, 1, email=FAMILY, phone="010-1111-2222")
    row(incident, 2, email=FAMILY, phone="010-3333-2222")
    user = User.objects.create_user(FAMILY)
    client.force_login(user)
    with override("en"):
        client.post(reverse("my_data_answer", args=[incident.slug]), {"answer": "2222"})
    assert_hidden(seen_by(user, incident), 1, 2)  # the digits are those of two people

    with override("en"):
        client.post(reverse("my_data_answer", args=[incident.slug]), {"answer": "박소율2"})
    text = seen_by(user, incident)
    assert_hidden(text, 1)
    assert "77231#" in text


def test_guesses_with_new_accounts_are_counted_together(incident):
    """The bound counts for the row, not for the account that guesses."""
    row(incident, 1, email=FAMILY, phone="010-1111-2222")
    row(incident, 2, email=FAMILY, phone="010-3333-4444")
    with override("en"):
        url = reverse("my_data_answer", args=[incident.slug])
    for guess in range(8):
        User.objects.filter(email=FAMILY).delete()
        client = Client()
        client.force_login(User.objects.create_user(FAMILY))
        client.post(url, {"answer": f"{guess:04}"})

    user = User.objects.get(email=FAMILY)
    client.post(url, {"answer": "2222"})
    assert_hidden(seen_by(user, incident), 1, 2)


def test_a_former_owner_of_a_number_reads_no_row_of_the_next_one(incident):
    """A number is proven by one account at a time; the newest proof counts."""
    row(incident, 1, phone="010-1234-5678")
    before, now = (
        User.objects.create_user("a@example.com"),
        User.objects.create_user("b@example.com"),
    )
    VerifiedPhone.objects.create(user=before, number=NUMBER)
    with pytest.raises(IntegrityError), transaction.atomic():
        VerifiedPhone.objects.create(user=now, number=NUMBER)


def test_an_address_that_is_not_verified_opens_nothing(incident):
    row(incident, 1, email=FAMILY)
    user = User.objects.create_user("thief@example.com")
    EmailAddress.objects.create(user=user, email=FAMILY, verified=False)

    assert_hidden(seen_by(user, incident), 1)
