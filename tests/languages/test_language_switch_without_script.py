"""The language switch in a browser without JavaScript: it keeps what was typed and not sent."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings as real_settings
from django.core import mail
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, expect

from foundations import page_cache
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from incidents.models import SharedContact
from tests import browser
from tests.languages.test_language_switch import NINE, PASTED, nine  # noqa: F401  # a fixture

ADDRESS = "seojun@example.com"


@pytest.fixture
def page(
    transactional_db,
    live_server,
    nine,  # noqa: F811
    client,
    minji,
    incident,
    settings,
    monkeypatch,
) -> Iterator[Page]:
    """A narrow browser without JavaScript, in which Minji is signed in with a fresh code."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    client.force_login(minji)
    step_up(client, minji)
    name = settings.SESSION_COOKIE_NAME
    with browser.chromium() as chromium:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": 320, "height": 640},
            java_script_enabled=False,
        )
        value = client.cookies[name].value
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        yield context.new_page()


def choose(page: Page, name: str) -> None:
    page.locator(".language-menu summary").click()
    page.get_by_role("button", name=name, exact=True).first.click()
    [code] = [code for code, own_name in NINE if own_name == name]
    expect(page.locator("html")).to_have_attribute("lang", code)


@pytest.mark.parametrize("path", ["", "account/sign-in/"])
def test_a_typed_address_is_kept(page, path):
    page.context.clear_cookies()
    page.goto(f"/ko/{path}")
    page.locator("#id_email").fill(ADDRESS)
    choose(page, "Deutsch")
    expect(page).to_have_url(re.compile(rf"/de/{path}$"))
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#id_email")).to_have_value(ADDRESS)
    page.goto("/")  # the choice sticks
    expect(page).to_have_url(re.compile("/de/$"))
    expect(page.locator("#id_email")).to_have_value("")


def test_a_sign_in_goes_on_in_another_language(page):
    page.context.clear_cookies()
    page.goto("/ko/account/sign-in/?next=/ko/alerts/")
    page.locator("#id_email").fill(ADDRESS)
    choose(page, "Français")
    page.locator("#id_email").press("Enter")  # the key does not press the switch
    expect(page).to_have_url(re.compile("/fr/account/sign-in/code/$"))
    [sent] = mail.outbox
    page.locator("#id_code").fill("1234")
    page.locator("#id_is_borrowed").check()
    choose(page, "日本語")
    expect(page).to_have_url(re.compile("/ja/account/sign-in/code/$"))
    expect(page.locator("#id_code")).to_have_value("1234")
    expect(page.locator("#id_is_borrowed")).to_be_checked()
    page.locator("#id_code").fill(re.findall(r"\b\d{4} ?\d{4}\b", str(sent.body))[0])
    page.locator("#id_code").press("Enter")
    expect(page).to_have_url(re.compile("/ja/alerts/$"))


def test_a_wrong_domain_is_asked_about_and_the_address_is_kept(page):
    page.context.clear_cookies()
    page.goto("/en/account/sign-in/")
    page.locator("#id_email").fill("minji@gmial.com")
    page.get_by_role("button", name="Send me a code").click()
    choose(page, "Español")
    expect(page.locator("#id_email")).to_have_value("minji@gmial.com")


def test_a_pasted_message_and_its_answer_are_kept(page):
    page.goto("/en/check/")
    page.locator("#id_text").fill(PASTED)
    choose(page, "한국어")
    expect(page).to_have_url(re.compile("/ko/check/$"))
    expect(page.locator("#id_text")).to_have_value(PASTED)
    page.locator("#typed-form .button").click()
    expect(page).to_have_url(re.compile("/ko/check/answer/$"))
    verdict = page.locator("h1").inner_text()
    choose(page, "English")
    expect(page).to_have_url(re.compile("/en/check/answer/$"))
    assert page.locator("h1").inner_text() != verdict
    assert "check" in page.locator("main").inner_text()


def test_a_begun_report_is_kept(page):
    page.goto("/en/check/")
    page.locator("#report summary").click()
    page.locator("#report-text").fill("They called me")
    page.locator("#report-sender").fill("010-9999-1234")
    page.locator("#report").get_by_role("button", name="Deutsch").click()
    expect(page).to_have_url(re.compile("/de/check/$"))
    expect(page.locator("#report-text")).to_be_visible()
    expect(page.locator("#report-text")).to_have_value("They called me")
    expect(page.locator("#report-sender")).to_have_value("010-9999-1234")
    expect(page.locator("#id_text")).to_have_value("")


def test_the_forms_of_a_person(page, minji, incident):
    row = person(incident, name="Minji Kim", email=minji.email, phone="010-1234-5678")
    expose(row, file_of(incident), "names", "email-addresses")

    page.goto(f"/ko/questions/ask/{incident.slug}/")
    page.locator("textarea").fill("질문 1\n둘째 줄")
    page.locator("main select, main input[type=radio]").last.press("ArrowDown")
    choose(page, "Tiếng Việt")
    expect(page.locator("textarea")).to_have_value("질문 1\n둘째 줄")

    page.goto("/ko/alerts/")
    boxes = page.locator("main input[type=checkbox]")
    before = [box.is_checked() for box in boxes.all()]
    boxes.first.set_checked(not before[0])
    choose(page, "Deutsch")
    assert [box.is_checked() for box in boxes.all()] == [not before[0], *before[1:]]

    page.goto("/ko/account/contacts/new/")
    page.locator("#id_email").fill(ADDRESS)
    choose(page, "简体中文")
    expect(page.locator("#id_email")).to_have_value(ADDRESS)

    page.goto("/ko/account/")
    page.locator("select[name=language]").select_option("en")
    choose(page, "Deutsch")
    expect(page.locator("select[name=language]")).to_have_value("en")

    page.goto("/ko/account/close/")
    page.locator("#id_sure").check()
    choose(page, "Deutsch")
    expect(page.locator("#id_sure")).to_be_checked()

    page.goto("/ko/certificates/")
    page.locator("#id_code").fill("7QK2-X9ND")
    choose(page, "Deutsch")
    expect(page.locator("#id_code")).to_have_value("7QK2-X9ND")


def test_an_answer_about_a_shared_contact_is_kept(page, minji, incident):
    for name in ("Minji Kim", "Jisoo Lee"):
        row = person(incident, name=name, email=minji.email)
        expose(row, file_of(incident), "names")
    assert not SharedContact.objects.exists()
    page.goto("/ko/my-data/")
    answer = page.locator("input[name=answer]")
    answer.fill("Minji")
    choose(page, "Deutsch")
    expect(page).to_have_url(re.compile("/de/my-data/$"))
    expect(answer).to_have_value("Minji")


# ---------------------------------------------------------------- what the server does


def switch(client: Client, path: str, language: str, **fields: str):
    fields = {"to_language": language, **fields}
    return client.post(f"/{language}/{path}", fields, headers={"Sec-Fetch-Site": "same-origin"})


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "check/", "account/sign-in/"])
def test_typed_text_is_not_kept_for_another_visitor(coupang, path):
    page_cache.forget()
    typed = "typed-by-one@example.com"
    answer = switch(Client(), path, "en", email=typed, text=typed)
    assert typed in answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "X-Accel-Expires" not in answer.headers
    assert answer.cookies[real_settings.LANGUAGE_COOKIE_NAME].value == "en"
    assert typed not in Client().get(f"/en/{path}").text


@pytest.mark.django_db
def test_the_page_itself_stays_public(coupang):
    page = Client().get("/en/check/")
    assert "public" in page.headers["Cache-Control"]
    assert not page.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_another_site_fills_in_no_field(coupang, site):
    headers = {"Sec-Fetch-Site": site} if site else {}
    fields = {"to_language": "en", "email": "planted@example.com"}
    answer = Client().post("/en/account/sign-in/", fields, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/en/account/sign-in/")
    assert mail.outbox == []


@pytest.mark.django_db
def test_without_typed_text_the_answer_is_the_page_of_everyone(coupang):
    answer = switch(Client(), "check/", "en", text=" ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/en/check/")


@pytest.mark.django_db
def test_the_switch_sends_nothing(coupang, minji):
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    switch(client, "account/close/", "en", sure="on")
    switch(Client(), "account/sign-in/", "en", email="a@b.example")
    minji.refresh_from_db()
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_language_that_the_page_does_not_have_is_no_switch(coupang):
    answer = Client().post(
        "/en/account/sign-in/", {"to_language": "ko"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert "Enter your e\u2011mail address" in answer.text


FORMS = re.compile(r"<main.*</main>", re.DOTALL)
FIELD = re.compile(r"<(?:textarea|select|input(?![^>]*type=\"hidden\"))[^>]*>")


@pytest.mark.django_db
def test_each_page_with_a_field_has_a_switch_that_keeps_it(coupang, minji):
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    slug = coupang.slug
    paths = ["", "check/", "certificates/", "account/", "account/contacts/new/", "account/close/"]
    paths += ["alerts/", f"questions/ask/{slug}/"]
    pages = {path: client.get(f"/en/{path}").text for path in paths}
    pages["sign-in"] = Client().get("/en/account/sign-in/").text
    pages["code"] = (
        Client().post("/en/account/sign-in/", {"email": "a@b.example"}, follow=True).text
    )
    for name, text in pages.items():
        assert FIELD.search(FORMS.findall(text)[0]), name
        assert 'id="typed-form"' in text, name
        assert 'form="typed-form"' in text, name


# A page that answers a form has the URL of the form's view.
POSTED_TO = [
    ("account/sign-in/code/again/", "account/sign-in/code/"),
    ("account/confirm/send/", "account/confirm/"),
    ("account/contacts/new/code/again/", "account/contacts/new/code/"),
    ("my-data/hide/", "my-data/"),
    ("check/answer/", "check/"),
    ("check/report/", "check/"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "page"), POSTED_TO)
def test_the_url_of_a_form_leads_to_its_page(coupang, minji, path, page):
    client = Client()
    client.force_login(minji)
    answer = client.get(f"/en/{path}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/en/{page}")


@pytest.mark.django_db
def test_a_certificates_page_from_its_qr_code_changes_its_language_in_place(coupang):
    text = Client().get("/en/certificates/ABCD/").text
    assert 'href="/ko/certificates/ABCD/"' in text
    assert "next=" not in text
