"""The page in easy words, in the languages that have its text; home and my data lead to it."""

import re

import pytest
from django.conf import settings
from django.test import Client

from harness.exposure_factory import expose, file_of, person, state
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
pytest_plugins = ["tests.text_sign_in"]
ADDRESS = "/{}/incidents/hanbit-2025/easy/"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "What do I do? 5 steps"), ("ko", "무엇을 해야 하나요? 5가지")]
)
def test_the_page_answers_four_questions(client, incident, language, words):
    state(incident, "names", "involved")
    state(incident, "passwords", "not_involved")
    text = page_text(client.get(ADDRESS.format(language)))
    main = text[text.index("<main") : text.index("</main>")]
    assert words in main
    assert main.count("<h2>") == 4
    steps = main.split(words)[1].split("</ol>")[0]
    assert steps.count("<li>") == 5
    assert "privacy@hanbit.example" in main
    leaked = re.findall(r"<li>(\w+)</li>", main)
    assert leaked[0] == {"en": "Name", "ko": "이름"}[language]
    assert not {"Password", "Passwords", "비밀번호"} & set(leaked)


@pytest.mark.parametrize(("language", "word"), [("en", "mobile number"), ("ko", "휴대전화 번호")])
def test_it_names_the_number_where_numbers_are_taken(client, incident, solapi, language, word):
    assert word in page_text(client.get(ADDRESS.format(language)))


def test_it_names_no_number_where_none_is_taken(client, incident):
    assert "mobile number" not in page_text(client.get(ADDRESS.format("en")))


def test_home_and_my_data_lead_to_it(client, minji, incident):
    expose(person(incident, name="김민지", email=minji.email), file_of(incident), "names")
    client.force_login(minji)
    for page in ("/en/", "/en/incidents/hanbit-2025/", "/en/my-data/"):
        assert ADDRESS.format("en") in page_text(client.get(page))


def test_a_language_without_its_text_has_no_page_and_no_link(client, incident):
    without = [code for code, _name in settings.LANGUAGES if code not in ("ko", "en")]
    for language in without:
        assert client.get(ADDRESS.format(language)).status_code == 404
        assert "/easy/" not in page_text(client.get(f"/{language}/"))
    menu = page_text(client.get(ADDRESS.format("en")))
    assert 'lang="ko"' in menu
    assert not [one for one in without if f'lang="{one}"' in menu]


def test_an_incident_that_is_not_public_has_no_page(incident):
    type(incident).objects.update(is_public=False)
    assert Client().get(ADDRESS.format("en")).status_code == 404


def test_sentences_are_short(client, incident):
    text = page_text(client.get(ADDRESS.format("en")))
    main = re.sub(r"<[^>]+>", "\n", text[text.index("<main") : text.index("</main>")])
    sentences = [one.split() for one in re.split(r"[.?!:]\s|\n", main)]
    assert max(map(len, sentences)) <= 12
