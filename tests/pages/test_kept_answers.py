"""The answer to a form is shown by GET, so that Back never ends at the browser's own error page."""

import base64
import time
import zlib
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection, connections
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from foundations import kept_answers
from foundations.kept_answers import COOKIE, KeptAnswer
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import ask_for_code, give_app, newest_code, sign_in_to_desk, step_up, wrong
from tests import browser
from tests.my_data.test_certificate import code_on, get_certificate

pytestmark = pytest.mark.django_db
SHOWN = {"sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}
NEW_KEY = "/en/account/keys/new/"
WRONG, MADE = "tries left", "Copy the key now"


def shown() -> Client:
    """Returns a client that says what a browser says which shows a page."""
    client = Client(headers=SHOWN)
    client.cookies["language"] = "en"
    return client


@pytest.fixture
def asked() -> Client:
    """A browser to which the page for the code was sent."""
    client = shown()
    ask_for_code(client, "minji@example.com")
    return client


def enter(client: Client, code: str):
    return client.post("/en/account/sign-in/code/", {"code": code})


def test_a_wrong_code_leads_to_its_answer_which_keeps_what_was_typed(asked):
    bad = wrong(newest_code())
    answer = enter(asked, bad)
    assert (answer.status_code, answer.url) == (303, "/en/account/sign-in/code/")

    page = asked.get(answer.url)
    assert WRONG in page.text
    assert f'value="{bad}"' in page.text
    assert page.headers["Cache-Control"] == "private, no-store"


def test_the_answer_is_shown_once_and_uses_no_try(asked):
    answer = enter(asked, wrong(newest_code()))
    first, second = (asked.get(answer.url).text for _view in range(2))
    assert "4 tries left" in first
    assert WRONG not in second

    assert "3 tries left" in asked.get(enter(asked, wrong(newest_code())).url).text


def test_a_program_gets_the_answer_to_its_post():
    client = Client()
    ask_for_code(client, "minji@example.com")
    assert WRONG in enter(client, wrong(newest_code())).text


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_no_other_site_puts_an_answer_before_a_page(asked, site):
    post = asked.post
    answer = post("/en/account/sign-in/code/", {"code": "1"}, headers={"sec-fetch-site": site})
    assert answer.status_code == 200


def test_a_refusal_keeps_its_status(asked, settings):
    settings.SIGN_IN_CODE_TRIES = 1
    answer = enter(asked, wrong(newest_code()))
    assert answer.status_code == 303
    assert asked.get(answer.url).status_code == 403


def test_known_and_unknown_addresses_get_the_same_answers():
    User.objects.create_user("minji@example.com")
    pages = []
    for email in ("minji@example.com", "seojun@example.com"):
        client = shown()
        ask_for_code(client, email)
        answer = enter(client, "00000000")
        page = client.get(answer.url)
        pages.append((answer.status_code, answer.url, page.status_code, len(page.content)))
    assert pages[0][:3] == pages[1][:3]
    assert abs(pages[0][3] - pages[1][3]) < 20  # the second address is longer


def test_an_address_that_cannot_be_read_is_kept_for_a_new_visitor():
    client = shown()
    answer = client.post("/en/account/sign-in/", {"email": "minji@"})
    page = client.get(answer["Location"])
    assert "minji@" in page.text
    assert "There is a problem" in page.text
    assert not Session.objects.exists()
    assert not mail.outbox


def test_a_network_may_not_fill_the_table_of_sessions(settings):
    settings.PROOF_RATES = {**settings.PROOF_RATES, "kept_answer": "2/m/ip"}
    answers = [shown().post("/en/account/sign-in/", {"email": "minji@"}) for _visitor in range(4)]
    assert [answer.status_code for answer in answers] == [303, 303, 200, 200]
    assert Session.objects.count() == 2


def test_a_session_keeps_few_answers_a_minute(asked, settings):
    settings.PROOF_RATES = {**settings.PROOF_RATES, "kept_answer_of_session": "2/m/key"}
    assert [enter(asked, "1234").status_code for _try in range(3)] == [303, 303, 200]


def test_an_answer_that_was_not_asked_for_is_not_shown_later(asked, monkeypatch):
    answer = enter(asked, wrong(newest_code()))
    later = time.time() + kept_answers.KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert WRONG not in asked.get(answer.url).text


def test_another_page_does_not_take_the_answer(asked):
    answer = enter(asked, wrong(newest_code()))
    assert WRONG not in asked.get("/en/account/sign-in/").text
    assert WRONG in asked.get(answer.url).text


def test_answers_that_may_not_be_stored_stay_answers_to_their_post(incident):
    client = shown()
    assert client.post("/en/check/answer/", {"text": "Your data leaked."}).status_code == 200
    assert client.post("/en/check/report/", {"report-text": ""}).status_code == 200
    typed = client.post("/en/check/", {"text": "Your data leaked.", "to_language": "en"})
    assert typed.status_code == 200
    assert not Session.objects.exists()


@pytest.fixture
def key_page(minji) -> tuple[Client, str]:
    """A browser that has made a key, and the address at which its secret is shown."""
    client = shown()
    client.force_login(minji)
    step_up(client, minji)
    answer = client.post(NEW_KEY, {"name": "My program"})
    assert answer.status_code == 303
    return client, answer["Location"]


def test_the_session_does_not_hold_a_new_key_in_clear(key_page):
    client, url = key_page
    kept = KeptAnswer(*client.session["kept_answer"])
    with pytest.raises(zlib.error):
        zlib.decompress(base64.b64decode(kept.content))
    assert kept.response("") is None
    assert kept.response(base64.b64encode(bytes(32)).decode()) is None

    page = client.get(url)
    assert MADE in page.text
    assert not client.cookies[COOKIE].value
    assert "kept_answer" not in client.session
    assert MADE not in client.get(url).text


def test_a_browser_without_the_cookie_of_the_answer_gets_the_form(key_page):
    client, url = key_page
    del client.cookies[COOKIE]
    assert MADE not in client.get(url).text
    assert "kept_answer" not in client.session


def test_the_desk_answers_at_once(django_user_model):
    staff = django_user_model.objects.create_user("s@example.com", is_staff=True, is_superuser=True)
    give_app(staff)
    client = shown()
    sign_in_to_desk(client, staff)
    assert client.post("/admin/incidents/incident/add/", {}).status_code == 200


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def visitor(request, live_server, monkeypatch, settings) -> Iterator[Page]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.PORTAL_URL = live_server.url
    with browser.chromium() as chromium:
        yield _page(chromium, live_server.url, has_javascript=request.param)


def _page(chromium: Browser, origin: str, *, has_javascript: bool) -> Page:
    context = chromium.new_context(java_script_enabled=has_javascript, base_url=origin)
    context.add_cookies([{"name": "language", "value": "en", "url": origin}])
    return context.new_page()


def send(page: Page, field: str, text: str) -> None:
    page.fill(field, text)
    browser.follow(page.locator("main form .button").first)


@pytest.mark.django_db(transaction=True)
def test_back_shows_pages_of_the_portal_after_each_refusal(visitor, incident):
    visitor.goto("/en/account/sign-in/")
    send(visitor, "#id_email", "minji@")
    expect(visitor.locator(".error-summary")).to_be_visible()
    send(visitor, "#id_email", "minji@gmial.com")
    expect(visitor.locator("h1")).to_have_text("Is this address right?")
    browser.follow(visitor.locator("main p.actions a"))
    send(visitor, "#id_email", "minji@example.com")
    for code in ("1234", wrong(newest_code())):
        send(visitor, "#id_code", code)
        expect(visitor.locator("#id_code")).to_have_value(code)
        expect(visitor.locator(".error-summary")).to_be_visible()
    send(visitor, "#id_code", newest_code())
    visitor.wait_for_url("**/my-data/")
    steps = int(visitor.evaluate("history.length")) - 2  # without the empty page of a new tab
    assert steps > 4
    for _step in range(steps):
        assert visitor.go_back()
        visitor.wait_for_url("**/my-data/")


def let_in(page: Page, user: User) -> None:
    """Signs the user in on the browser, with a fresh code."""
    client = Client()
    client.force_login(user)
    step_up(client, user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": settings.PORTAL_URL}]
    )


@pytest.mark.django_db(transaction=True)
def test_back_shows_pages_of_the_portal_after_an_empty_question(visitor, incident, minji):
    let_in(visitor, minji)
    visitor.goto(f"/en/questions/ask/{incident.slug}/")
    browser.follow(visitor.locator("main form .button").first)
    expect(visitor.locator(".error-summary")).to_be_visible()
    visitor.goto("/en/my-data/")
    assert visitor.go_back()
    expect(visitor.locator("main form textarea")).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_back_shows_the_answer_of_the_message_check(visitor, incident):
    visitor.goto("/en/check/")
    send(visitor, "#id_text", "Your data leaked: https://refund.example/")
    verdict = visitor.locator("h1").text_content()
    visitor.goto("/en/")
    visitor.go_back()
    expect(visitor.locator("h1")).to_have_text(str(verdict))


@pytest.mark.django_db(transaction=True)
def test_back_shows_the_refusal_of_a_certificates_code(visitor, incident):
    visitor.goto("/en/certificates/")
    send(visitor, "main input[name=code]", "AAAA")
    visitor.goto("/en/")
    visitor.go_back()
    expect(visitor.locator(".error-summary")).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_back_and_reload_show_the_form_after_a_new_key(visitor, minji):
    let_in(visitor, minji)
    visitor.goto(NEW_KEY)
    send(visitor, "#id_name", "My program")
    secret = visitor.locator("main code").first.text_content()
    visitor.goto("/en/account/")
    visitor.go_back()
    expect(visitor.locator("#id_name")).to_be_visible()
    visitor.reload()
    expect(visitor.locator("#id_name")).to_be_visible()
    assert str(secret) not in visitor.content()


@pytest.mark.django_db(transaction=True)
def test_back_and_reload_show_the_form_after_a_certificate(visitor, incident, minji):
    expose(person(incident, name="김민지", email=minji.email), file_of(incident), "names")
    code = code_on(get_certificate(minji, incident).content)
    visitor.goto("/en/certificates/")
    send(visitor, "main input[name=code]", code)
    assert code not in visitor.url
    expect(visitor.locator(".facts").first).to_be_visible()
    visitor.goto("/en/")
    visitor.go_back()
    expect(visitor.locator("main input[name=code]")).to_be_visible()
    visitor.reload()
    expect(visitor.locator("main input[name=code]")).to_have_value("")


@pytest.fixture
def failing_questions(transactional_db) -> Iterator[Callable[[], None]]:
    """The database refuses each question, by a trigger; gives what ends that."""

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION IF EXISTS refuse CASCADE")

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'refused'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON tickets_ticket EXECUTE FUNCTION refuse()"
        )
    yield end
    end()


@pytest.mark.django_db(transaction=True)
def test_back_shows_the_page_of_a_failure_and_reload_sends_again(
    failing_questions, visitor, incident, minji
):
    let_in(visitor, minji)
    visitor.goto(f"/en/questions/ask/{incident.slug}/")
    visitor.locator("main form input[value=question]").check()
    send(visitor, "main form textarea", "Why?")
    failed = "We cannot show this page right now"
    expect(visitor.locator("h1")).to_have_text(failed)
    visitor.goto("/en/")
    visitor.go_back()
    expect(visitor.locator("h1")).to_have_text(failed)
    failing_questions()
    visitor.reload()
    visitor.wait_for_url("**/questions/*-*/")
    expect(visitor.get_by_text("Why?")).to_be_visible()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("visitor", [False], ids=["no script"], indirect=True)
def test_back_shows_a_public_page_in_the_other_language(visitor, incident):
    visitor.goto("/en/")
    visitor.fill("#id_email", "minji@")
    with visitor.expect_navigation():
        visitor.locator(".languages button", has_text="한국어").click()
    expect(visitor.locator("#id_email")).to_have_value("minji@")
    visitor.goto("/en/check/")
    visitor.go_back()
    expect(visitor.locator("#id_email")).to_be_visible()
    visitor.go_back()
    expect(visitor.locator("#id_email")).to_be_visible()
