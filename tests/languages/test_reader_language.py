"""What a reader gets whose language the incident does not have: decision 0055."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils.translation import override, trans_real

from breachportal.catalogues import fall_back_to_english
from harness.exposure_factory import expose, file_of, person
from tests.desk_pages import page_text
from tests.sample_pages import PAGES, SLUG

pytestmark = pytest.mark.django_db


@pytest.fixture
def german(settings) -> Iterator[str]:
    """Adds German; what its catalogue lacks is in English, as in a portal that starts with it."""
    settings.LANGUAGES = [*settings.LANGUAGES, ("de", "Deutsch")]
    fall_back_to_english()
    yield "de"
    vars(trans_real)["_translations"].pop("de", None)


def get(path: str, client: Client | None = None) -> str:
    response = (client or Client()).get(path, follow=True)
    assert response.status_code == 200, path
    return response.text


def test_the_companys_words_are_marked_with_their_language(coupang, german):
    page = get("/de/")
    assert '<html lang="de">' in page
    assert f'<h1 lang="en">{coupang.title.get("en")}' in page
    assert coupang.title.get("ko") not in page
    [note] = re.findall(r'<p class="hint text-language">(.+?)</p>', page, re.DOTALL)
    assert 'href="/ko/"' in note
    assert 'href="/en/"' in note
    assert "/de/" not in note


@pytest.mark.parametrize("path", PAGES)
def test_no_public_page_has_korean_for_a_german(coupang, german, path):
    page = get(f"/de/{path}")
    assert korean(page) == []
    assert "Die Texte des Unternehmens auf dieser Seite sind auf Englisch" in text_of(page)


def korean(page: str) -> list[str]:
    """Returns the Korean words of a page, but for what is marked as Korean: links to it."""
    return re.findall(
        r"[가-힣]+", re.sub(r'<(\w+) [^>]*lang="ko".*?</\1>', "", page, flags=re.DOTALL)
    )


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&#x27;", "'").split())


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_reader_with_a_text_of_their_language_reads_no_note(coupang, german, language):
    page = get(f"/{language}/")
    assert "text-language" not in page
    assert "<h1>" in page


def test_search_engines_are_given_the_languages_of_the_incident(coupang, german):
    page = get("/de/")
    alternates = re.findall(r'<link rel="alternate" hreflang="(\w+)"', page)
    assert alternates == ["ko", "en"]
    sitemap = get("/sitemap.xml")
    assert f"/en/incidents/{SLUG}/<" in sitemap
    assert f"/de/incidents/{SLUG}/" not in sitemap
    assert "/de/check/" in sitemap


def test_the_feed_and_the_linked_data_name_the_language_of_the_words(coupang, german):
    assert 'xml:lang="en"' in get(f"/de/incidents/{SLUG}/feed/")
    assert '"inLanguage": "en"' in get(f"/de/incidents/{SLUG}/statements/notice/")
    assert '"inLanguage": "ko"' in get(f"/ko/incidents/{SLUG}/statements/notice/")


def test_my_data_names_classes_in_the_readers_language(incident, minji, german):
    expose(person(incident, email=minji.email), file_of(incident), "names", "physical-addresses")
    client = Client()
    client.force_login(minji)
    page = client.get("/de/my-data/")
    assert '<html lang="de">' in page.text
    assert korean(page.text) == []
    with override("de"):
        assert incident.title.get("en") in page_text(page)
