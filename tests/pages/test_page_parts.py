"""The foot of private pages and the pages of a sign-in are kept, and show nothing of a visitor."""

import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts import waiting_room
from foundations import page_cache, page_parts
from foundations.csrf_tokens import token_of
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import ask_for_code, sign_in
from incidents.models import Incident

pytestmark = pytest.mark.django_db
SIGN_IN = "/en/account/sign-in/"
CODE = "/en/account/sign-in/code/"


@pytest.fixture(autouse=True)
def keep_parts(settings):
    settings.PUBLIC_PAGE_SECONDS, settings.SIGN_INS_PER_SECOND = 60, 0
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


def tokens(text: str) -> list[str]:
    return re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', text)


def test_each_visitor_posts_the_kept_sign_in_page_with_their_own_token(incident):
    visitors = [Client(enforce_csrf_checks=True) for _visitor in range(3)]
    found = [tokens(page(visitor)) for visitor in visitors]
    assert len({one for (one,) in found}) == len(visitors)
    for visitor, (token,) in zip(visitors, found, strict=True):
        form = {"email": "minji@example.com", "csrfmiddlewaretoken": token}
        assert visitor.post(SIGN_IN, form).status_code == 302
    stranger = Client(enforce_csrf_checks=True)
    page(stranger)
    form = {"email": "minji@example.com", "csrfmiddlewaretoken": found[0][0]}
    assert stranger.post(SIGN_IN, form).status_code == 403


@pytest.mark.parametrize("secret", ["", "a" * 32, "9Zb" * 10 + "cD"])
def test_a_token_is_one_of_djangos(secret):
    request = RequestFactory().get(SIGN_IN)
    if secret:
        request.META["CSRF_COOKIE"] = secret
    found = [token_of(request) for _token in range(20)]
    assert len(set(found)) == len(found)
    assert request.META["CSRF_COOKIE_NEEDS_UPDATE"]
    kept = request.META["CSRF_COOKIE"]
    assert kept == secret or (not secret and len(kept) == 32)
    wrong = f"{'b' if found[0][0] != 'b' else 'c'}{found[0][1:]}"
    assert all(is_accepted(token, kept) for token in (*found, get_token(request)))
    assert not is_accepted(wrong, kept)


def is_accepted(token: str, secret: str) -> bool:
    request = RequestFactory().post(SIGN_IN, {"csrfmiddlewaretoken": token})
    request.COOKIES[django_settings.CSRF_COOKIE_NAME] = secret
    check = CsrfViewMiddleware(lambda _request: HttpResponse())
    return check.process_view(request, HttpResponse, (), {}) is None


def test_the_kept_sign_in_page_equals_one_that_is_rendered(incident, settings):
    kept = [page(Client()) for _visit in range(2)][1]
    settings.PUBLIC_PAGE_SECONDS = 0
    page_parts.forget()
    rendered = page(Client())
    (kept_token,), (rendered_token,) = tokens(kept), tokens(rendered)
    assert kept.replace(kept_token, "") == rendered.replace(rendered_token, "")


def test_the_kept_sign_in_page_is_as_private_as_any_other(incident):
    answers = [Client().get(SIGN_IN) for _visit in range(2)]
    assert answers[1].headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answers[1].headers["Vary"]
    assert [set(one.headers) for one in answers] == [set(answers[0].headers)] * 2


@pytest.mark.parametrize("query", ["?next=/en/alerts/", "?x=1"])
def test_a_sign_in_page_with_a_query_is_kept_for_no_other_visitor(incident, query):
    page(Client(), SIGN_IN + query)
    assert not page_parts._pages
    own = page(Client(), f"{SIGN_IN}?next=/en/alerts/")
    assert 'name="next" value="/en/alerts/"' in own
    assert 'name="next" value=""' in page(Client())


def test_a_message_is_shown_to_its_visitor_only(incident):
    request = RequestFactory().get(SIGN_IN)
    storage: Any = CookieStorage(request)
    storage.add(messages.SUCCESS, "Only for Minji")
    cookie = storage._encode(storage._queued_messages)
    page_parts.forget()
    client = Client()
    client.cookies["messages"] = cookie
    assert "Only for Minji" in page(client)
    assert "Only for Minji" not in page(Client())


def test_a_visitor_with_a_session_gets_no_kept_page(incident):
    page(Client())
    Incident.objects.update(contact_email="new@company.example")
    page_parts._parts.clear()
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = "x"
    assert "new@company.example" in page(client)
    assert "new@company.example" not in page(Client())


def test_new_visitors_get_the_sign_in_page_before_other_middleware(incident, settings):
    page(Client())
    assert SIGN_IN in page_parts._first_pages
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name.endswith("form_pages")]
    visitor = Client()
    answers = [visitor.get(SIGN_IN) for _visit in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    cookies = [answer.cookies[django_settings.CSRF_COOKIE_NAME] for answer in answers]
    assert cookies[0].value == cookies[1].value
    assert cookies[0]["httponly"]
    assert tokens(answers[0].text) != tokens(answers[1].text)
    assert answers[0].headers["Content-Length"] == str(len(answers[0].content))
    assert "Content-Security-Policy" in answers[0].headers
    assert Client().get(SIGN_IN, headers={"host": "evil.example"}).status_code == 400


def test_the_waiting_room_lets_visitors_in_before_other_middleware(incident, settings):
    settings.SIGN_INS_PER_SECOND = 1_000
    page(Client())
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name.endswith("form_pages")]
    visitor = Client()
    answers = [visitor.get(SIGN_IN) for _visit in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [waiting_room.COOKIE in answer.cookies for answer in answers] == [True, False]
    visitor.cookies[waiting_room.COOKIE] = "forged"
    assert waiting_room.COOKIE in visitor.get(SIGN_IN).cookies


def test_a_visitor_with_another_cookie_gets_no_page_from_memory(incident, settings):
    page(Client())
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name.endswith("form_pages")]
    client = Client()
    client.cookies["known_device"] = "x"
    with pytest.raises(AttributeError):  # its answer needs the session
        client.get(SIGN_IN)


def asked(email: str) -> Client:
    client = Client()
    ask_for_code(client, email)
    return client


def test_the_kept_code_page_shows_each_visitor_their_own_address(incident):
    mails = ["minji@example.com", "o'hara&co@example.com", "seojun@example.com"]
    pages = [page(asked(email), CODE).replace("<wbr>", "") for email in mails]
    shown = ["minji@example.com", "o&#x27;hara&amp;co@example.com", "seojun@example.com"]
    for own, text in zip(shown, pages, strict=True):
        assert f'<strong class="address">{own}</strong>' in text
        assert text.count(f'name="email" value="{own}"') == 2
        assert not any(other in text for other in shown if other != own)
    kept = [one.content.decode().replace("<wbr>", "") for one in page_parts._pages.values()]
    assert not any(one in text for text in kept for one in shown)


def test_the_kept_code_page_equals_one_that_is_rendered(incident, settings):
    kept = [page(asked(email), CODE) for email in ("o'hara@example.com", "minji@example.com")][1]
    settings.PUBLIC_PAGE_SECONDS = 0
    page_parts.forget()
    client = asked("minji@example.com")
    client.cookies["language"] = "en"
    rendered = client.get(f"{CODE}?x=").content.decode()  # a query: rendered for this visitor
    rendered = rendered.replace("?x=", "")  # the buttons of the languages hold the query
    assert bare(kept) == bare(rendered)


def bare(text: str) -> str:
    """Returns a page without its tokens."""
    assert len(set(tokens(text))) == 1
    return text.replace(tokens(text)[0], "")


def test_a_message_on_the_code_page_is_shown_to_its_visitor_only(incident):
    minji = asked("minji@example.com")
    page(asked("seojun@example.com"), CODE)
    minji.post("/en/account/sign-in/code/again/", {"email": "minji@example.com"})
    assert "We have sent you a new code." in page(minji, CODE)
    assert "We have sent you a new code." not in page(asked("jiwoo@example.com"), CODE)


def test_a_visitor_who_gets_no_new_mail_reads_it(incident):
    page(asked("seojun@example.com"), CODE)
    visitors = [asked("minji@example.com") for _visitor in range(8)]
    assert "We have sent a mail with eight digits" not in page(visitors[-1], CODE)
    assert "We have sent a mail with eight digits" in page(visitors[0], CODE)


def test_the_kept_code_page_takes_each_visitors_own_code(incident, mailoutbox):
    visitors = {email: asked(email) for email in ("minji@example.com", "seojun@example.com")}
    for email, client in visitors.items():
        client.handler.enforce_csrf_checks = True
        (token, *_same) = tokens(page(client, CODE))
        [code] = [re.findall(r"\b\d{8}\b", one.body)[0] for one in mailoutbox if one.to == [email]]
        form = {"code": code, "email": email, "csrfmiddlewaretoken": token}
        assert client.post(CODE, form).status_code == 302


MY_DATA = "/en/my-data/"
_TOKENS = re.compile(r'value="\w{64}"')


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def leaks(incident: Incident, *users: Any) -> None:
    for user in users:
        row = person(incident, name="김민지", email=user.email)
        expose(row, file_of(incident), "names", "email-addresses")


def test_the_kept_frame_of_my_data_names_its_own_reader(minji, seojun, incident):
    leaks(incident, minji, seojun)
    first, second = page(signed_in(minji), MY_DATA), page(signed_in(seojun), MY_DATA)
    assert "Sign out" in first
    assert first.count(minji.email) == second.count(seojun.email) > 0
    assert minji.email not in second
    assert set(_TOKENS.findall(first)).isdisjoint(_TOKENS.findall(second))
    for placeholder in (page_parts._OWN, page_parts._TOKEN.decode()):
        assert placeholder not in first + second


def test_the_kept_frame_is_the_page_that_is_rendered_for_one_reader(minji, incident):
    leaks(incident, minji)
    client = signed_in(minji)
    kept = [page(client, MY_DATA) for _time in range(2)][1]
    rendered = page(client, f"{MY_DATA}?x").replace("%3Fx%3D", "")
    assert _TOKENS.sub("", kept) == _TOKENS.sub("", rendered)


def test_the_forms_of_the_kept_frame_and_of_kept_steps_are_accepted(minji, incident):
    leaks(incident, minji)
    page(signed_in(minji), MY_DATA)
    client = Client(enforce_csrf_checks=True)
    client.force_login(minji)
    found = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page(client, MY_DATA))
    assert len(found) > 3
    for token in sorted(set(found)):
        answer = client.post(f"{MY_DATA}hide/", {"csrfmiddlewaretoken": token})
        assert answer.status_code == 302


def test_a_step_that_is_done_is_done_for_its_own_user(minji, seojun, incident):
    leaks(incident, minji, seojun)
    one, other = signed_in(minji), signed_in(seojun)
    texts = [page(one, MY_DATA), page(other, MY_DATA)]
    key = re.findall(r'name="step" value="(\w+)"', texts[0])[0]
    one.post(f"{MY_DATA}step/{incident.slug}/", {"step": key, "done": "1"})
    assert "Undo" in page(one, MY_DATA)
    assert "Undo" not in page(other, MY_DATA)


def test_a_message_is_in_no_kept_frame(minji, seojun, incident):
    leaks(incident, minji, seojun)
    client = signed_in(minji)
    page(client, MY_DATA)
    row = person(incident, name="이서준", email=minji.email)
    expose(row, file_of(incident), "names")
    client.post(f"{MY_DATA}answer/{incident.slug}/", {"answer": "nothing"})
    assert "This does not match" in page(client, MY_DATA)
    assert "This does not match" not in page(signed_in(seojun), MY_DATA)
