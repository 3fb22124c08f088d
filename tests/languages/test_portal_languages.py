"""The languages that a portal offers, and those of the desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po
from django.conf import settings as real_settings
from django.core import checks
from django.test import Client
from django.utils.translation import gettext, override, trans_real

from accounts.models import User
from breachportal.catalogues import fall_back_to_english
from breachportal.customer_messages import (
    check_completeness,
    completeness,
    customer_messages,
)
from foundations.languages import desk_language
from incidents import team_messages
from incidents.models import TeamMessage
from tests.desk_pages import page_text
from tests.running.test_settings import COMPLETE, start

SHOWN = "settings.LANGUAGES, settings.LANGUAGE_CODE, settings.PORTAL_NAME"


def test_a_portal_offers_korean_and_english_by_default(tmp_path):
    done = start(tmp_path, SHOWN, **COMPLETE)
    assert done.stdout.startswith("[('ko', '한국어'), ('en', 'English')] ko ")


def test_a_portal_may_offer_none_of_the_desks_languages(tmp_path):
    given = {"PORTAL_NAME_JA": "韓光商店", "PORTAL_LANGUAGES": "ja"}
    done = start(tmp_path, SHOWN, **COMPLETE, **given)
    assert done.stdout.strip() == "[('ja', '日本語')] ja {'ja': '韓光商店'}", done.stderr


def test_a_portal_names_its_languages_in_their_order(tmp_path):
    given = {"PORTAL_NAME_DE": "Hanbit Laden", "PORTAL_NAME_ZH_HANT": "韓光商店"}
    done = start(tmp_path, SHOWN, **COMPLETE, **given, PORTAL_LANGUAGES="de, zh-Hant,en")
    assert done.stdout.startswith(
        "[('de', 'Deutsch'), ('zh-hant', '繁體中文'), ('en', 'English')] de "
    )
    assert (
        "'de': 'Hanbit Laden', 'zh-hant': '韓光商店', 'en': 'notice.hanbit.example'" in done.stdout
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("ko,deutsch", "deutsch is not among ko, en, ja"),
        ("zh", "zh is not among"),
        ("ko,en,ko", "names a language twice"),
        (",", "names no language"),
    ],
)
def test_other_lists_are_refused(tmp_path, given, why):
    done = start(tmp_path, **COMPLETE, PORTAL_LANGUAGES=given)
    assert done.returncode != 0
    assert why in done.stderr


# ---------------------------------------------------------------- a language with a catalogue


@pytest.fixture
def catalogue(settings, tmp_path) -> Iterator[Path]:
    """Adds Esperanto to the portal, whose catalogue has two messages and lacks a third."""
    catalogue = Catalog(locale="eo")
    catalogue.add("Send me a code", "Sendu al mi kodon")
    catalogue.add("My data", "Miaj datumoj")
    catalogue.add(("%(number)s row", "%(number)s rows"), ("%(number)s vico", ""))
    catalogue.add("Not a message of the code", "Ne estas mesaĝo")
    folder = tmp_path / "locale" / "eo" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalogue)
    with (folder / "django.po").open("wb") as file:
        write_po(file, catalogue)
    settings.LOCALE_PATHS = [tmp_path / "locale", *settings.LOCALE_PATHS]
    settings.LANGUAGES = [*settings.LANGUAGES, ("eo", "Esperanto")]
    vars(trans_real)["_translations"].pop("eo", None)
    fall_back_to_english()
    yield folder / "django.po"
    vars(trans_real)["_translations"].pop("eo", None)


def test_a_missing_message_is_in_english_and_not_in_korean(catalogue):
    with override("eo"):
        assert gettext("Send me a code") == "Sendu al mi kodon"
        assert gettext("Sign out") == "Sign out"
    with override("ko"):
        assert gettext("Sign out") == "로그아웃"


@pytest.mark.parametrize(("is_production", "kind"), [(True, checks.Error), (False, checks.Warning)])
def test_a_language_with_missing_messages_does_not_start(catalogue, settings, is_production, kind):
    settings.IS_PRODUCTION = is_production
    [found] = check_completeness()
    assert isinstance(found, kind)
    assert f"eo: 2 of {len(customer_messages()):,} messages; missing: " in found.msg
    assert found.msg.endswith(", …")
    assert "%(number)s row" in completeness("eo").missing
    assert "PORTAL_LANGUAGES" in str(found.hint)


def test_a_language_without_a_catalogue_does_not_start(settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("eo", "Esperanto")]
    [found] = check_completeness()
    assert "eo: 0 of " in found.msg


def test_a_complete_language_starts(catalogue):
    complete = Catalog(locale="eo")
    for message in customer_messages():
        complete.add(message.id, message.id, context=message.context)
    with catalogue.open("wb") as file:
        write_po(file, complete)
    assert check_completeness() == []


# ---------------------------------------------------------------- the desk


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "language", "word"),
    [("eo", "en", "Incidents"), ("ko", "ko", "사고"), ("en", "en", "Incidents")],
)
def test_the_desk_speaks_its_own_languages_only(editors_desk, catalogue, wanted, language, word):
    editors_desk.cookies[real_settings.LANGUAGE_COOKIE_NAME] = wanted
    page = editors_desk.get("/admin/")
    assert f'lang="{language}"' in page.text
    assert page.headers["Content-Language"] == language
    assert word in page_text(page)


@pytest.mark.django_db
def test_a_customers_page_is_in_the_language(catalogue):
    page = Client().get("/eo/account/sign-in/").text
    assert '<html lang="eo">' in page
    assert "Sendu al mi kodon" in page


@pytest.mark.django_db
def test_the_team_gets_messages_in_a_language_of_the_desk(catalogue):
    for number, language in enumerate(("eo", "ko")):
        User.objects.create_user(
            f"{number}@hanbit.example", is_staff=True, is_superuser=True, language=language
        )
    team_messages.queue()
    texts = set(TeamMessage.objects.values_list("text", flat=True))
    assert "1@hanbit.example is a superuser and may do everything on the desk." in texts
    assert any(text.startswith("0@hanbit.example") and "최고" in text for text in texts)


@pytest.mark.parametrize(
    ("offered", "languages"),
    [("ja,ko", "ko ko en"), ("ja,en", "en ko en"), ("ja", "en ko en"), ("ko,en", "en ko en")],
)
def test_the_desk_has_a_language_whatever_the_portal_offers(settings, offered, languages):
    settings.LANGUAGES = [(code, code) for code in offered.split(",")]
    settings.LANGUAGE_CODE = offered[:2]
    assert [desk_language(code) for code in ("ja", "ko", "en")] == languages.split()


@pytest.mark.django_db
def test_a_visitor_of_the_desk_signs_in_on_a_page_of_the_portal(catalogue):
    visitor = Client(headers={"accept-language": "eo"})
    response = visitor.get("/admin/", follow=True)
    assert response.status_code == 200
    assert response.request["PATH_INFO"].startswith("/en/account/")
