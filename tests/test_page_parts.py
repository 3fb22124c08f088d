"""The foot of private pages is kept for a moment, and shows nothing of a visitor."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from foundations import page_cache, page_parts
from harness.sign_in import sign_in
from incidents.models import Incident

pytestmark = pytest.mark.django_db
SIGN_IN = "/en/account/sign-in/"


@pytest.fixture(autouse=True)
def keep_parts(settings):
    settings.PUBLIC_PAGE_SECONDS = 60
    page_parts.forget()
    yield
    page_parts.forget()


def page(client: Client, path: str = SIGN_IN) -> str:
    return client.get(path).content.decode()


def test_the_sign_in_page_asks_the_database_once(incident):
    Incident.objects.update(contact_email="privacy@company.example")
    with CaptureQueriesContext(connection) as queries:
        pages = [page(Client()) for _ in range(3)]
    assert all("privacy@company.example" in one for one in pages)
    assert len(queries) == 1


def test_publishing_shows_the_new_foot_at_once(incident):
    page(Client())
    Incident.objects.update(contact_email="privacy@company.example")
    assert "privacy@company.example" not in page(Client())
    page_cache.forget()
    assert "privacy@company.example" in page(Client())


def test_each_language_has_its_own_foot(incident):
    assert "Is a message really from us?" in page(Client())
    assert "Is a message really from us?" not in page(Client(), "/ko/account/sign-in/")


def test_a_kept_part_holds_nothing_of_the_user(minji, incident):
    client = Client()
    sign_in(client, minji.email)
    assert minji.email in page(client, "/en/account/")
    assert page_parts._parts
    assert all(minji.email not in text for _until, text in page_parts._parts.values())
    assert minji.email not in page(Client())
