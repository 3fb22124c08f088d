"""Rows found by the member number that the customers' provider states at the sign-in."""

import json
import unicodedata

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from accounts.company_sign_on import member_numbers, providers, tokens
from accounts.company_sign_on.member_numbers import MemberNumber
from accounts.models import User
from foundations.plain_references import plain_reference
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in, step_up
from incidents import encryption
from incidents.models import AffectedPerson, Incident
from tests.accounts.test_company_sign_on import issuer, sign_on, signed_on  # noqa: F401
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
Relation = AffectedPerson.Relation


@pytest.fixture
def claim(sign_on):  # noqa: F811
    """Lets the settings name the claim with the member number."""
    sign_on["customers"]["member_claim"] = "member_number"
    return sign_on["customers"]


@pytest.fixture
def known(incident: Incident) -> Incident:
    """An incident whose references are member numbers, with the row of member 1001.

    The row has an address of long ago.
    """
    Incident.objects.update(has_member_numbers=True)
    member(incident, "1001", "7731#")
    return incident


def member(
    incident: Incident, number: str, secret: str, relation: Relation = Relation.MEMBER
) -> AffectedPerson:
    made = person(incident, name="김민지", email=f"of-{number}@old.example", relation=relation)
    key = incident.cipher().person_id(relation.name.lower(), number)
    fields = {f.attname: getattr(made, f.attname) for f in AffectedPerson._meta.concrete_fields}
    made.delete()
    fields["contact"] = incident.cipher().encrypt(
        {"n": "김민지", "e": f"of-{number}@old.example"}, person=key, purpose=encryption.CONTACT
    )
    row = AffectedPerson.objects.create(**fields | {"id": key})
    row.incident = incident
    expose(row, file_of(incident), "names", values=[("entrance-codes", secret)])
    return row


def in_full(client: Client, user: User) -> str:
    step_up(client, user)
    return page_text(client.post(reverse("my_data_reveal"), follow=True))


def test_the_member_number_finds_the_row_whose_address_changed(client, claim, known):
    signed_on(client, "customers", "customer+1001")
    user = User.objects.get(email="customer@example.com")
    masked = page_text(client.get(reverse("my_data")))
    assert "7731#" not in masked
    assert "7731#" in in_full(client, user)
    # A sign-in by code shows the same, and no "not among the leaked data" instead.
    by_code = Client()
    sign_in(by_code, user.contact)
    assert "7731#" in in_full(by_code, user)


def test_the_row_of_a_former_member_is_found_and_no_other(client, claim, known):
    member(known, "1002", "4444#", Relation.FORMER_MEMBER)
    signed_on(client, "customers", "customer+1002")
    shown = in_full(client, User.objects.get())
    assert "4444#" in shown
    assert "7731#" not in shown


def test_nothing_opens_without_the_claim_in_the_settings(client, sign_on, known):  # noqa: F811
    signed_on(client, "customers", "customer+1001")
    assert not MemberNumber.objects.exists()
    assert "7731#" not in in_full(client, User.objects.get())


def test_nothing_opens_if_the_references_of_the_incident_are_others(client, claim, known):
    Incident.objects.update(has_member_numbers=False)
    signed_on(client, "customers", "customer+1001")
    assert "7731#" not in in_full(client, User.objects.get())


def test_a_number_counts_from_the_provider_of_the_settings_only(client, claim, known):
    signed_on(client, "customers", "customer+1001")
    claim["issuer"] = "https://another.example"
    assert "7731#" not in in_full(client, User.objects.get())


def test_the_provider_of_the_team_states_no_member_number(client, claim, sign_on, known):  # noqa: F811
    sign_on["staff"]["member_claim"] = "member_number"
    User.objects.create_user("member@example.com", is_staff=True)
    signed_on(client, "staff", "member+1001")
    client.post(reverse("company_sign_on_connect"))
    assert not MemberNumber.objects.exists()


def test_an_address_that_is_not_confirmed_brings_no_number(client, claim, known):
    signed_on(client, "customers", "customer+unverified+1001")
    assert not MemberNumber.objects.exists()


def test_the_newest_confirmation_counts(client, claim, known):
    signed_on(client, "customers", "customer+1001")
    signed_on(Client(), "customers", "other+1001")
    first, second = (
        User.objects.get(email=f"{name}@example.com") for name in ("customer", "other")
    )
    assert member_numbers.numbers_of(first.pk) == []
    assert member_numbers.numbers_of(second.pk) == ["1001"]
    signed_on(Client(), "customers", "other+1002")
    assert member_numbers.numbers_of(second.pk) == ["1002"]
    signed_on(Client(), "customers", "other")
    assert member_numbers.numbers_of(second.pk) == []


def test_a_number_ends_with_the_address_that_it_came_with(client, claim, known):
    signed_on(client, "customers", "customer+1001")
    user = User.objects.get()
    EmailAddress.objects.create(user=user, email="further@example.com", verified=True)
    EmailAddress.objects.filter(email="customer@example.com").delete()
    assert member_numbers.numbers_of(user.pk) == []


@pytest.mark.parametrize(
    ("stored", "stated"),
    [
        ("M-1001", "\uff2d\u22121001"),  # full width, and another dash
        ("M-1001", "'M-1001"),
        ("\ud68c\uc6d01", unicodedata.normalize("NFD", "\ud68c\uc6d01")),
        ("1001", " 1001\u200b "),
        ("1001", 1001),
        ("1001", 1001.0),
    ],
)
def test_a_stated_number_is_read_like_a_reference_of_an_export(claim, known, stored, stated):
    if stored != "1001":
        member(known, stored, "7731#")
    assert stated_by(stated) == stored == plain_reference(str(stated).removesuffix(".0"))


@pytest.mark.parametrize("stated", ["01001", "001001", "1001.0", "m77", "0m77"])
def test_a_number_that_is_spelled_otherwise_opens_nothing_and_clears_nobody(claim, known, stated):
    member(known, "M77", "4444#")
    user = User.objects.create_user("customer@example.com", language="en")
    member_numbers.keep(user.pk, user.contact, claim["issuer"], stated_by(stated))

    client = Client()
    client.force_login(user)
    with override("en"):
        shown = in_full(client, user)
    assert "7731#" not in shown
    assert "4444#" not in shown
    is_other = stated == "0m77"
    assert ("not among the leaked data" in shown) is is_other
    assert ("not in what could be read" in shown) is not is_other


def test_my_data_reads_member_numbers_with_the_other_facts(claim, known, client):
    user = User.objects.create_user("customer@example.com", language="en")
    member_numbers.keep(user.pk, user.contact, claim["issuer"], "01001")
    client.force_login(user)
    with CaptureQueriesContext(connection) as queries:
        assert "not in what could be read" in page_text(client.get("/en/my-data/"))
    assert sum("accounts_membernumber" in query["sql"] for query in queries) == 1


@pytest.mark.parametrize("stated", ["12345678901234567.0", "9007199254740993.0", "1e17", "1e400"])
def test_a_number_that_a_float_holds_only_nearly_is_none(claim, stated):
    assert stated_by(json.loads(stated)) == ""
    assert stated_by(12345678901234567) == "12345678901234567"


def stated_by(number: object) -> str:
    """Returns the member number that the portal reads in the claims of a provider."""
    provider = providers.provider_for("customers")
    assert provider
    return tokens._member_number(provider, {"member_number": number})
