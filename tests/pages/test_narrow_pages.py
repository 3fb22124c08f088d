"""Every page at 320 pixels: no sideways scrolling, no cut-off text, no findings of axe.

The values are the longest that people have, the forms are sent with errors, and the portal is
empty as well as full.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Page, Route, ViewportSize

from accounts.models import User
from foundations.languages import portal_codes
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in_to_desk, step_up
from incidents.models import PersonMark
from notices.models import Suppression
from notices.returned_mail import suppression_list
from statements import sample
from tests import browser

STATIC = Path(__file__).parents[2] / "static"
ORIGIN = "http://narrow.test"
LANGUAGES = ("ko", "en")
NAME = "Wolfeschlegelsteinhausenbergerdorff" * 2  # 70 letters in one word
ADDRESS = "서울특별시강남구테헤란로" * 17  # 204 signs in one word
LONG = f"https://{'very-long-name.' * 6}example/{'x' * 120} 010-0000-0000 {'A' * 200}"
# Text that is wider than its element; the skip link and text for screen readers are excepted.
CUT_OFF = """() => [...document.querySelectorAll("main *, header *, footer *")].filter(element => {
  const box = element.getBoundingClientRect();
  const hides = getComputedStyle(element).overflowX === "hidden";
  return box.right > innerWidth + 1 || hides && element.clientWidth > 2
    && element.scrollWidth > element.clientWidth + 1;
}).map(element => element.outerHTML.slice(0, 120))"""

ROWS_OF_NAVIGATION = """() => new Set([...document.querySelectorAll(".site-nav > ul > li")]
  .map(item => item.offsetTop)).size"""


def faults(pages: dict[str, str]) -> dict[str, list[str]]:
    """Returns {page name: faults at 320 pixels}."""
    found = {name: faults_of(page) for name, page in shown(pages, width=320, height=640)}
    return {name: wrong for name, wrong in found.items() if wrong}


def faults_of(page: Page) -> list[str]:
    """Returns the faults of a page that is shown at 320 pixels."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    wrong = list(page.evaluate(CUT_OFF))
    if page.evaluate("document.documentElement.scrollWidth") != 320:
        wrong.append("scrolls sideways")
    return wrong + [each["id"] for each in Axe().run(page).response["violations"]]


def shown(
    pages: dict[str, str], *, width: int, height: int, **settings: Any
) -> Iterator[tuple[str, Page]]:
    """Yields each page's name, and the browser page that shows it; `settings` of the context."""
    with browser.chromium() as chromium:
        size: ViewportSize = {"width": width, "height": height}
        page = chromium.new_context(viewport=size, **settings).new_page()
        page.route(f"{ORIGIN}/static/**", _static)
        for name, source in pages.items():
            page.route(f"{ORIGIN}/{name}", lambda route, _request, html=source: _page(route, html))
            page.goto(f"{ORIGIN}/{name}")
            yield name, page


def _static(route: Route) -> None:
    name = route.request.url.removeprefix(f"{ORIGIN}/static/")
    route.fulfill(path=finders.find(name) or STATIC / name)


def _page(route: Route, html: str) -> None:
    route.fulfill(body=html, content_type="text/html; charset=utf-8")


# tests/pages/test_page_quality.py looks at the other public pages.


def test_public_pages_and_forms_sent_with_errors(coupang):
    pages: dict[str, str] = {}
    for language in LANGUAGES:

        def get(path: str, language: str = language) -> str:
            return Client().get(f"/{language}/{path}").text

        def post(path: str, language: str = language, **fields: str) -> str:
            return Client().post(f"/{language}/{path}", fields).text

        pages |= {
            f"{language}-sign-in-none": post("account/sign-in/", email="x" * 200),
            f"{language}-certificate-long": post("certificates/", code="Z" * 200),
            f"{language}-certificate-none": get(f"certificates/{'Z' * 60}/"),
            f"{language}-check-empty": post("check/answer/"),
            f"{language}-check-long": post("check/answer/", text=LONG),
            f"{language}-report-empty": post("check/report/"),
            f"{language}-reported": get("check/reported/"),
            f"{language}-unsubscribe-unknown": get("alerts/unsubscribe/unknown/"),
        }
    assert faults(pages) == {}


def test_the_address_field_and_its_button_are_on_the_first_screen(coupang):
    """The main pages stand in one row before it, in each language also at 320 pixels."""
    pages = {language: Client().get(f"/{language}/").text for language in portal_codes()}
    for language, page in shown(pages, width=390, height=844):
        for width in (320, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate(ROWS_OF_NAVIGATION) == 1, (language, width)
        if language not in LANGUAGES:
            continue
        for part in ("main input[type=email]", "main form .button"):
            bottom = page.locator(part).first.evaluate("e => e.getBoundingClientRect().bottom")
            assert bottom <= 600, (language, part)


def test_links_in_the_foot_are_large_and_codes_stay_whole(coupang):
    pages = {language: Client().get(f"/{language}/check/").text for language in LANGUAGES}
    for language, page in shown(pages, width=320, height=640):
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        links = page.locator(".trust a").all()
        heights = [link.evaluate("each => each.offsetHeight") for link in links]
        assert min(heights) >= 44, language
        assert page.locator(".whole").first.evaluate("each => each.offsetHeight") < 45  # one line


# How many lines each code, number and address takes.
LINES = """() => [...document.querySelectorAll(".whole")].map(each => {
  const text = document.createRange();
  text.selectNodeContents(each);
  return new Set([...text.getClientRects()].map(one => Math.round(one.top))).size;
})"""


def test_codes_in_messages_that_we_sent_stay_whole(minji):
    """At each width one of the codes would stand at the end of a line, and be parted there."""
    text = "".join(
        f"{'x' * length} 7QK2-X9ND-4HTB이며 {settings.PORTAL_HOST}/check 010-1234-5678을\n"
        for length in range(1, 24)
    )
    minji.sent_mails.create(subject="s", text=text, language="en", code="7QK2-X9ND-4HTB")
    client = Client()
    client.force_login(minji)
    pages = {"messages": client.get("/en/my-data/messages/").text}
    for _name, page in shown(pages, width=320, height=640):
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        lines = page.evaluate(LINES)
        assert len(lines) == 1 + 3 * 23
        assert set(lines) == {1}


EMPTY = {"home": "", "my-data": "my-data/", "alerts": "alerts/", "check": "check/"}


def test_an_empty_portal(db, minji):
    client = Client()
    client.force_login(minji)
    pages = {
        f"{language}-{name}": client.get(f"/{language}/{path}").text
        for language in LANGUAGES
        for name, path in EMPTY.items()
    }
    assert faults(pages) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_with_the_longest_values(incident, minji, seojun, language):
    row = person(incident, name=NAME, email="minji@example.com", phone="010-1234-5678")
    file = file_of(incident)
    expose(row, file, "names", "email-addresses", "phone-numbers")
    expose(row, file, values=[("physical-addresses", ADDRESS), ("entrance-codes", "#" * 60)])
    mine, theirs = Client(), Client()
    mine.force_login(minji)
    step_up(mine, minji)
    theirs.force_login(seojun)
    pages = {
        "my-data": mine.get(f"/{language}/my-data/").text,
        "all-of-it": mine.post(f"/{language}/my-data/reveal/", follow=True).text,
        "certificate": mine.get(f"/{language}/incidents/{incident.slug}/certificate/").text,
        "account": mine.get(f"/{language}/account/").text,
        "sessions": mine.get(f"/{language}/account/sessions/").text,
        "close": mine.get(f"/{language}/account/close/").text,
        "not-found": theirs.get(f"/{language}/my-data/").text,
        "confirm": theirs.get(f"/{language}/account/confirm/").text,
        "new-key": mine.get(f"/{language}/account/keys/new/").text,
        "made-key": mine.post(f"/{language}/account/keys/new/", {"name": "W" * 60}).text,
        "keys": mine.get(f"/{language}/account/keys/").text,
    }
    assert ADDRESS in pages["all-of-it"]
    assert faults(pages) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_about_rows_that_do_not_open(incident, minji, seojun, editor, language):
    file = file_of(incident)
    for number in range(2):
        family = person(incident, name=f"{NAME}{number}", email="minji@example.com")
        expose(family, file, "names", values=[("physical-addresses", ADDRESS)])
    long_address = f"{'a' * 60}@{'b' * 60}.example"
    many = User.objects.create_user(long_address)
    for number in range(4):
        expose(person(incident, name=str(number), email=long_address), file, "names")
    dead = person(incident, name=NAME, email="seojun@example.com")
    expose(dead, file, "names")
    fields = {"incident": incident, "person": dead, "reason": "x", "marked_by": editor}
    twin = User.objects.create_user(f"{'a' * 60}@daum.net")
    expose(person(incident, name=NAME, email=f"{'a' * 60}@hanmail.net"), file, "names")

    def page_of(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.get(f"/{language}/my-data/").text

    pages = {"family": page_of(minji), "many": page_of(many), "twin": page_of(twin)}
    for kind in PersonMark.CLOSING:
        mark = PersonMark.objects.create(kind=kind, **fields)
        pages[kind] = page_of(seojun)
        mark.lift(editor, "x")
    index = suppression_list.index_in("email", seojun.email, None)
    entry = {"channel": "email", "source": "stranger", "reason": "x"}
    Suppression.objects.create(index=index, **entry)
    pages["stranger"] = page_of(seojun)
    assert len(set(pages.values())) == 6
    assert faults(pages) == {}


# How far each list extends beyond its container, in pixels.
BEYOND = """() => [...document.querySelectorAll("#changelist .results")]
  .map(list => list.scrollWidth - list.clientWidth)"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_desks_lists_fit_beside_its_sidebar_and_filters(coupang, language):
    file_of(coupang, state="open")
    desk = Client()
    sign_in_to_desk(desk, User.objects.get(email=sample.EDITOR))
    desk.cookies["language"] = language
    lists = ("incidents/exposurebatch", "statements/statementversion", "accounts/user")
    sources = {name: desk.get(f"/admin/{name}/").text for name in lists}
    found = {}
    for name, page in shown(sources, width=1280, height=800):
        assert page.locator("#nav-sidebar").is_visible()
        found[name] = page.evaluate(BEYOND)
    assert found == {name: [0] for name in lists}
