"""The customers' pages in each further language: narrow, accessible, and without Korean words.

Korean and English have tests of their own (tests/pages/test_narrow_pages.py).
"""

import pytest
from django.conf import settings as real_settings
from django.test import Client

from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from tests.languages.test_reader_language import korean
from tests.pages.test_narrow_pages import faults
from tests.sample_pages import SLUG

NAMES = {"한국어"}  # of the language
SHIPPED = list(real_settings.SHIPPED_LANGUAGES.items())
FURTHER = [code for code, _name in SHIPPED if code not in ("ko", "en")]
PUBLIC = [
    "",
    f"incidents/{SLUG}/timeline/",
    f"incidents/{SLUG}/statements/notice/",
    f"incidents/{SLUG}/advisories/kisa-advisory/",
    f"incidents/{SLUG}/transparency/",
    "account/sign-in/",
    "certificates/",
    "check/",
    "nothing/",
]
PERSONAL = [
    "my-data/",
    "account/",
    "account/contacts/new/",
    "account/sessions/",
    "account/close/",
    "alerts/",
    "questions/",
]


@pytest.fixture(autouse=True)
def all_languages(settings) -> None:
    settings.LANGUAGES = SHIPPED


def pages_of(client: Client, language: str, paths: list[str]) -> dict[str, str]:
    pages = {}
    for path in paths:
        response = client.get(f"/{language}/{path}")
        assert response.status_code == (404 if path == "nothing/" else 200), path
        pages[path.replace("/", "-") or "home"] = response.text
    return pages


@pytest.mark.parametrize("language", FURTHER)
def test_public_pages(coupang, language):
    pages = pages_of(Client(), language, PUBLIC)
    asked = Client().post(f"/{language}/account/sign-in/", {"email": "a@b.example"}, follow=True)
    answer = Client().post(f"/{language}/check/answer/", {"text": "https://bad.example 1577-7011"})
    pages |= {"code": asked.text, "answer": answer.text}

    assert faults(pages) == {}
    assert {word for page in pages.values() for word in korean(page)} <= NAMES


@pytest.mark.parametrize("language", FURTHER)
def test_pages_of_a_person(incident, minji, language):
    row = person(incident, name="Minji Kim", email=minji.email, phone="010-1234-5678")
    file = file_of(incident)
    expose(row, file, "names", "email-addresses", "phone-numbers")
    address = "7 Example Street, Springfield"
    expose(row, file, values=[("physical-addresses", address), ("delivery-notes", "Ring twice")])
    client = Client()
    client.force_login(minji)
    step_up(client, minji)

    pages = pages_of(client, language, [*PERSONAL, f"questions/ask/{incident.slug}/"])
    whole = client.post(f"/{language}/my-data/reveal/", follow=True).text

    assert address in whole
    assert faults(pages | {"whole": whole}) == {}
    assert {word for page in pages.values() for word in korean(page)} <= NAMES
