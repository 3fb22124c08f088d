"""The summary of errors stands above the heading on each page with a form, once."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from harness.exposure_factory import expose, file_of, person
from harness.sign_in import ask_for_code, step_up

pytestmark = pytest.mark.django_db
TEMPLATES = Path(__file__).parents[2] / "templates"
SUMMARY = 'class="error-summary"'


def refused_pages(incident, minji) -> dict[str, str]:
    """Returns {name: the page that answers an empty or wrong form}."""
    visitor, mine = Client(), Client()
    ask_for_code(visitor, "seojun@example.com")
    mine.force_login(minji)
    mine.post(reverse("step_up_send"))
    expose(person(incident, name="김민지", email=minji.email), file_of(incident), "names")
    pages = {
        "sign_in": visitor.post(reverse("account_login")),
        "sign_in_code": visitor.post(reverse("sign_in_code"), {"code": ""}),
        "check": visitor.post(reverse("message_check_answer")),
        "report": visitor.post("/ko/check/report/"),
        "certificate_check": visitor.post(reverse("certificate_check"), {"code": ""}),
        "step_up": mine.post(reverse("step_up"), {"code": ""}),
        "account": mine.post(reverse("account"), {"language": "xx"}),
        "alerts": mine.post(reverse("alerts"), {incident.slug: ["xx"]}),
        "certificate": mine.post(reverse("certificate", args=[incident.slug]), {"language": "xx"}),
    }
    step_up(mine, minji)
    pages["close_account"] = mine.post(reverse("close_account"), {"sure": ""})
    return {name: page.text for name, page in pages.items()}


def test_the_summary_is_above_the_heading_of_each_page_with_a_form(incident, minji):
    for name, page in refused_pages(incident, minji).items():
        assert page.count(SUMMARY) == 1, name
        assert page.index("<main") < page.index(SUMMARY) < page.index("<h1"), name


def test_only_the_base_of_private_pages_and_the_check_page_place_a_summary():
    using = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if "components/error_summary.html" in path.read_text()
    }
    assert using == {"base_private.html", "scams/check.html"}
    check = (TEMPLATES / "scams/check.html").read_text()
    assert re.search(r"error_summary.*\n<h1", check)
