"""The appearance of pages: contrast, target size, narrow screens, and the same bytes for all."""

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django import forms
from django.template import engines
from django.test import RequestFactory
from django.utils import translation
from django.utils.safestring import mark_safe
from playwright.sync_api import Route

from breachportal.views import bad_request, server_error
from incidents.models import Incident
from incidents.my_data_parts import (
    ClassItem,
    LeakedItems,
    MyDataPart,
    PlaceCard,
    StateLine,
    Value,
)
from incidents.steps import Step
from tests import browser

STATIC = Path(__file__).parents[2] / "static"
STYLESHEET = (STATIC / "css" / "portal.css").read_text(encoding="utf-8")
ORIGIN = "http://look.test"

# WCAG 2.2: body text at level AAA, other text at level AA, edges of controls 3:1.
CONTRAST = {
    ("ink", "paper"): 7,
    ("ink", "wash"): 7,
    ("ink", "field"): 7,
    ("muted", "paper"): 7,
    ("muted", "wash"): 7,
    ("accent", "paper"): 7,
    ("accent", "wash"): 7,
    ("accent-strong", "paper"): 7,
    ("on-accent", "accent"): 7,
    ("on-accent", "accent-strong"): 7,
    ("warning", "paper"): 7,
    ("on-warning", "warning"): 7,
    ("error", "paper"): 7,
    ("error", "wash"): 4.5,
    ("edge", "paper"): 3,
    ("edge", "field"): 3,
}

GALLERY = """
{% extends "base_private.html" %}
{% block title %}Gallery{% endblock title %}
{% block content %}
<h1>Your name, 2 addresses and 1 entrance code leaked</h1>
<p class="lead">Change the entrance code of your building first.</p>
<p class="actions">
  <a class="button" href="/">Sign in</a><a class="button button-secondary" href="/">Cancel</a>
</p>
{% include "incidents/leaked.html" with number="1" %}
<h2>What to do now</h2>
{% include "components/steps.html" %}
{% include "components/section.html" %}
{% include "components/facts.html" %}
<div class="notice-box"><p>The investigation goes on.</p></div>
<table class="table">
  <thead><tr><th scope="col">Device</th><th scope="col">Last seen</th></tr></thead>
  <tbody><tr><td>Firefox on Linux</td><td>2001:db8:85a3:8d3:1319:8a2e:370:7334</td></tr></tbody>
</table>
<ul class="nav-list"><li><a href="/">Our apology <span class="muted">30 May</span></a></li></ul>
<h2>Sign in</h2>
{% include "components/error_summary.html" %}
<form method="post">
  {% include "components/field.html" with field=form.email %}
  {% include "components/field.html" with field=form.code hint="Six digits" %}
  {% include "components/field.html" with field=form.topics %}
  {% include "components/field.html" with field=form.sure %}
  <button class="button">Send me a code</button>
</form>
{% endblock content %}
"""


class GalleryForm(forms.Form):
    email = forms.EmailField(help_text="The one the company knows.")
    code = forms.CharField(widget=forms.TextInput(attrs={"class": "code-input"}))
    topics = forms.MultipleChoiceField(
        choices=[("incident", "Updates"), ("scams", "New scam warnings")],
        widget=forms.CheckboxSelectMultiple,
    )
    sure = forms.BooleanField()


@dataclass
class TextSection:
    label: str
    html: str
    get_basis_display: str


LONG_ADDRESS = "someone.with.a.very.long.address.indeed@mail.customer-service.example"
VALUES = [
    Value(LONG_ADDRESS, "24 June 2025"),
    Value("서울특별시 강남구 ••••", ""),
    Value("Wolfeschlegelsteinhausenbergerdorff" * 2, ""),  # a name of 70 characters in one word
    Value("서울특별시강남구테헤란로" * 17, "2025년 6월 24일"),  # an address of 204
]
PLACES = [PlaceCard(value, [("Delivery note", VALUES[3])]) for value in VALUES]
STEPS = [Step("0" * 16, "Change the entrance code.", False), Step("1" * 16, LONG_ADDRESS, True)]
PART = MyDataPart(
    Incident(slug="made-up", company={"en": "Hanbit Market"}),
    "leaked",
    "Leaked",
    relation="Data of your account.",
    steps=STEPS,
    leaked=LeakedItems(
        count=3,
        details=[ClassItem("E-mail addresses", VALUES[:1], VALUES), ClassItem("Passwords")],
        places=PLACES[:3],
        more_places=PLACES[3:],
        places_title="4 addresses and 4 delivery notes",
        orders=[ClassItem("12 orders", VALUES)],
    ),
    others=[
        StateLine("possibly", "Possibly leaked", "Under investigation", "Purchases"),
        StateLine("not_involved", "Did not leak", "Reported by the company", "Payment data"),
    ],
    note="The name was spelled wrong.",
)


def gallery(language: str) -> str:
    """Returns a page with every component, and an error in each field."""
    with translation.override(language):
        request = RequestFactory().get(f"/{language}/gallery/")
        context = {
            "part": PART,
            "steps": ["Change the entrance code.", "Report suspicious messages to 118."],
            "facts": [("Access", "24 June to 8 November 2025"), ("Contact", LONG_ADDRESS)],
            "section": TextSection(
                "When and how it happened",
                mark_safe(f"<p>개인정보가유출되었습니다 {LONG_ADDRESS}</p>"),  # noqa: S308
                "An allegation, not confirmed",
            ),
            "form": GalleryForm({"email": "minji@", "code": ""}),
        }
        return engines["django"].from_string(GALLERY).render(context, request)


def colours(block: str) -> dict[str, str]:
    tokens, _end, _rest = block.partition("\n}\n")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", tokens))


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), CONTRAST)
def test_contrast_holds(scheme, text, ground):
    light, dark = STYLESHEET.split("(prefers-color-scheme: dark)")
    tokens = colours(light if scheme == "light" else dark)
    assert contrast(tokens[text], tokens[ground]) >= CONTRAST[text, ground]


def test_stylesheet_is_small_and_fetches_nothing():
    assert len(STYLESHEET.encode()) < 24 * 1024
    assert "@import" not in STYLESHEET
    assert "url(" not in STYLESHEET
    assert "@keyframes" not in STYLESHEET
    assert "transition" not in STYLESHEET


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_component_is_accessible_and_fits_320_pixels(language, scheme):
    page_source = gallery(language)

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path.startswith("/static/"):
            route.fulfill(path=STATIC / path.removeprefix("/static/"))
        else:
            route.fulfill(body=page_source, content_type="text/html; charset=utf-8")

    with browser.chromium() as chromium:
        page = chromium.new_page(viewport={"width": 320, "height": 640}, color_scheme=scheme)
        page.route("**/*", serve)
        page.goto(f"{ORIGIN}/{language}/gallery/")
        focused = page.evaluate("document.activeElement.className")
        for summary in page.locator("main summary").all():
            summary.click()
        wide = page.evaluate("document.documentElement.scrollWidth")
        heights = page.locator("a.button, button, .site-nav a, .languages a, summary").evaluate_all(
            "targets => targets.map(target => target.getBoundingClientRect().height)"
        )
        violations = Axe().run(page).response["violations"]
    assert wide == 320
    assert focused == "error-summary"
    assert min(heights) >= 44
    assert violations == []


def test_an_unknown_page_is_the_same_bytes_for_everyone(client, minji):
    for_strangers = client.get("/en/no-such-page/")
    client.force_login(minji)
    for_minji = client.get("/en/no-such-page/")
    assert for_strangers.status_code == for_minji.status_code == 404
    assert for_strangers.content == for_minji.content
    assert not for_minji.has_header("Vary")
    assert not for_minji.cookies


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_unknown_page_speaks_the_language_of_its_path(client, db, language):
    page = client.get(f"/{language}/no-such-page/").content.decode()
    assert f'<html lang="{language}">' in page
    assert 'href="/ko/"' in page
    assert 'href="/en/"' in page


@pytest.mark.parametrize(
    ("language", "link"), [("ko", "처음 페이지로 가기"), ("de", "Zur Startseite")]
)
@pytest.mark.parametrize("view", [bad_request, server_error])
def test_a_page_for_an_error_is_in_the_language_of_the_path(rf, settings, language, link, view):
    settings.LANGUAGES = settings.SHIPPED_LANGUAGES.items()
    with translation.override("fr"):  # of another request of the thread
        page = view(rf.get(f"/{language}/my-data/"), *[ValueError()][: view is bad_request])
    assert f'<html lang="{language}">' in page.text
    assert f'<a class="button" href="/">{link}</a>' in page.text


def test_every_page_says_where_it_is_and_what_we_never_ask(client, db, settings):
    page = unescape(client.get("/en/no-such-page/").content.decode())
    assert page.count(settings.PORTAL_HOST) >= 2
    assert "We never ask for passwords, codes or payments by message." in page
