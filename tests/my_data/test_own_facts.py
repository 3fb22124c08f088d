"""Few queries for "my data", and public facts that are never older than the database."""

import pytest
from django.test import Client

from accounts.models import User
from harness.exposure_factory import expose, file_of, person, state
from incidents.models import DataClass, Incident
from incidents.own_facts import own_facts
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db

PAGE = "/en/my-data/"


@pytest.fixture
def file(incident):
    return file_of(incident)


def _leak(incident, file, email, classes=("names", "email-addresses")):
    row = person(incident, name="김민지", email=email)
    expose(row, file, *classes)
    expose(row, file, values=[("entrance-codes", "7585#")])


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    assert client.get(PAGE).status_code == 200
    return client


def test_my_data_takes_five_queries_with_session_and_user(
    minji, incident, file, django_assert_num_queries
):
    _leak(incident, file, minji.email)
    client = _client(minji)
    with django_assert_num_queries(5):
        text = page_text(client.get(PAGE))
    assert "leaked" in text


def test_the_number_of_queries_does_not_grow_with_people_and_incidents(
    minji, incident, file, django_assert_num_queries
):
    _leak(incident, file, minji.email)
    for number in range(5):
        other = Incident(
            slug=f"other{number}",
            aware_at=incident.aware_at,
            is_public=True,
            **{
                name: {"ko": "Other", "en": "Other"}
                for name in ("company", "title", "summary", "department")
            },
        )
        other.make_keysets()
        other.save()
        _leak(other, file_of(other), minji.email)
    for number in range(30):
        _leak(incident, file, f"person{number}@example.com")
    client = _client(minji)
    with django_assert_num_queries(5):
        client.get(PAGE)


def test_a_user_without_a_row_takes_five_queries(minji, incident, file, django_assert_num_queries):
    client = _client(minji)
    with django_assert_num_queries(5):
        client.get(PAGE)


def test_unchanged_facts_are_read_once(minji, incident, file):
    assert own_facts(minji).public is own_facts(minji).public


@pytest.mark.parametrize("table", ["incident", "batch", "state", "class"])
def test_a_change_shows_at_once(minji, incident, file, table):
    state(incident, "names", "involved", "company")
    before = own_facts(minji).public
    {
        "incident": lambda: Incident.objects.update(contact_phone="1577-7011"),
        "batch": lambda: incident.batches.update(state="closed"),
        "state": lambda: incident.class_states.all().delete(),
        "class": lambda: DataClass.objects.filter(slug="names").update(hibp_name="Other"),
    }[table]()
    assert own_facts(minji).public is not before


def test_a_shredded_incident_is_closed_at_once(minji, incident, file):
    _leak(incident, file, minji.email)
    client = _client(minji)
    incident.shred()
    text = page_text(client.get(PAGE))
    assert "The company has deleted this data" in text
    assert "Entrance" not in text


def test_an_incident_that_is_not_public_any_more_disappears_at_once(minji, incident, file):
    _leak(incident, file, minji.email)
    client = _client(minji)
    Incident.objects.update(is_public=False)
    assert "There is nothing to show yet" in page_text(client.get(PAGE))
