"""Links, buttons and fields are at least 44 px high on each page for customers and visitors.

A link within a sentence is excepted, as in WCAG 2.2, criterion 2.5.8: its line gives its height.
"""

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from harness.exposure_factory import expose, file_of, person
from harness.sign_in import ask_for_code, step_up
from tests.offer_factory import offer_of
from tests.pages.test_narrow_pages import shown
from tests.sample_pages import PAGES

# Targets that are visible and too low. A box that is ticked counts with its label.
SMALL = """() => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  const inSentence = link => [...link.parentElement.childNodes].some(
    node => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== "");
  const heightOf = target => Math.max(target.offsetHeight,
    ...[...(target.labels ?? [])].map(label => label.offsetHeight));
  return [...document.querySelectorAll("a[href], button, summary, input, select, textarea")]
    .filter(target => target.checkVisibility() && target.type !== "hidden"
      && !target.matches(".skip-link, [aria-hidden=true]")
      && !(target.matches("a") && inSentence(target))
      && heightOf(target) < 44)
    .map(target => `${heightOf(target)} px: ${target.outerHTML.slice(0, 120)}`);
}"""


def small_targets(pages: dict[str, str], *, width: int = 390) -> dict[str, list[str]]:
    """Returns {page name: its targets that are too low}."""
    found = {name: page.evaluate(SMALL) for name, page in shown(pages, width=width, height=844)}
    return {name: targets for name, targets in found.items() if targets}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_targets_of_public_pages_and_forms_are_large(coupang, language):
    visitor = Client()
    ask_for_code(visitor, "minji@example.com")
    paths = {f"page-{number}": path for number, path in enumerate(PAGES)} | {
        "sign-in": "account/sign-in/",
        "code": "account/sign-in/code/",
        "certificates": "certificates/",
        "check": "check/",
        "reported": "check/reported/",
        "unsubscribe-unknown": "alerts/unsubscribe/unknown/",
        "not-found": "nothing/",
    }
    pages = {name: visitor.get(f"/{language}/{path}").text for name, path in paths.items()}
    pages |= {
        "sign-in-empty": visitor.post(f"/{language}/account/sign-in/").text,
        "no-code": Client().get(f"/{language}/account/sign-in/code/").text,
        "answer": visitor.post(f"/{language}/check/answer/", {"text": "http://x.example"}).text,
        "report-empty": visitor.post(f"/{language}/check/report/").text,
        "typo": visitor.post(f"/{language}/account/sign-in/", {"email": "a@gmial.com"}).text,
    }
    pages |= {name: render_to_string(name) for name in ("400.html", "500.html", "503.html")}
    assert small_targets(pages) == {}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_targets_of_a_customers_pages_are_large(incident, minji, seojun, language):
    row = person(incident, name="김민지", email=minji.email, phone="010-1234-5678")
    address = [("physical-addresses", "서울특별시 강남구 테헤란로 558")]
    expose(row, file_of(incident), "names", "email-addresses", "phone-numbers", values=address)
    mine, theirs = Client(), Client()
    mine.force_login(minji)
    step_up(mine, minji)
    theirs.force_login(seojun)
    mine.post(f"/{language}/account/keys/new/", {"name": "Script"})
    mine.post(f"/{language}/questions/ask/{incident.slug}/", {"kind": "access", "text": "Which?"})
    offer = offer_of(incident)
    mine.post(reverse("take_offer", args=[offer.pk]), {"at": f"offer{offer.pk}", "has": 0})
    paths = {
        "my-data": "my-data/",
        "alerts": "alerts/",
        "certificate": f"incidents/{incident.slug}/certificate/",
        "account": "account/",
        "sessions": "account/sessions/",
        "close": "account/close/",
        "new-contact": "account/contacts/new/",
        "remove-contact": "account/contacts/remove/",
        "keys": "account/keys/",
        "passkeys": "account/passkeys/",
        "messages": "my-data/messages/",
        "claims": "my-data/claims/",
        "copy": "my-data/copy/",
        "questions": "questions/",
        "sign-out": "account/sign-out/",
    }
    pages = {name: mine.get(f"/{language}/{path}").text for name, path in paths.items()}
    pages["all-of-it"] = mine.post(f"/{language}/my-data/reveal/", follow=True).text
    pages["not-found"] = theirs.get(f"/{language}/my-data/").text
    pages["confirm"] = theirs.get(f"/{language}/account/confirm/").text
    theirs.post(reverse("step_up_send"))
    pages["confirm-code"] = theirs.get(f"/{language}/account/confirm/").text
    assert small_targets(pages) == {}
