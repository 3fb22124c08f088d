"""Each kind of page for customers and visitors, as readers with other settings see it.

Forced colours, a zoom of 400 per cent, text of twice the size, reduced motion, no JavaScript, and
the contrast of all text in both schemes.
"""

from typing import Any, Literal

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from playwright.sync_api import Page, ViewportSize

from accounts.mail_codes import MailKind, account_mail_code
from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import ask_for_code, step_up
from incidents.models import Incident
from tests.pages.test_narrow_pages import faults_of, shown
from tests.sample_pages import PAGES

PHONE: ViewportSize = {"width": 390, "height": 844}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MOTIONS: tuple[Literal["reduce", "no-preference"], ...] = ("reduce", "no-preference")
SCAM = "환급금이 있습니다. http://coupang-refund.example"

# Controls without an edge and states without a shape of their own, while the browser replaces all
# colours. A link is known by its colour, which readers choose.
ALIKE = """() => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  const style = element => getComputedStyle(element);
  const ground = style(document.body).backgroundColor;
  const hasEdge = element => parseFloat(style(element).borderTopWidth) > 0
    && style(element).borderTopStyle !== "none" && style(element).borderTopColor !== ground;
  const isFilled = element =>
    ![ground, "rgba(0, 0, 0, 0)"].includes(style(element).backgroundColor);
  const isNative = element => element.matches("input[type=checkbox], input[type=radio]");
  const wrong = [];
  const check = (selector, isRight) => document.querySelectorAll(selector).forEach(each => {
    if (each.checkVisibility() && !isRight(each)) wrong.push(each.outerHTML.slice(0, 100));
  });
  const isLink = element => style(element).textDecorationLine.includes("underline");
  const isHidden = element => element.matches(".visually-hidden");
  check("button, .button, input, select, textarea",
    each => isNative(each) || isLink(each) || isHidden(each) || hasEdge(each));
  check(".state-leaked", isFilled);
  check(".state-possibly", hasEdge);
  check(".state-not-involved", each => getComputedStyle(each, "::before").content !== "none");
  check(".verdict svg", each => style(each).stroke !== ground);
  check(".bar, .notice-box, .next-step, .message, .error-summary, .thread-answer", hasEdge);
  check("main a[href]:not(.button)", each => style(each).color !== style(document.body).color
    || style(each).textDecorationLine.includes("underline"));
  check("[aria-current]", each => parseFloat(style(each).borderBottomWidth) > 0);
  check("a, button, summary, p, h1, h2, dt, dd, li", each => style(each).color !== ground
    || isFilled(each));
  return wrong;
}"""

# Texts whose contrast with their ground is below `least`.
FAINT = """least => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = colour => parts(colour).slice(0, 3).map(one => one / 255)
    .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const groundOf = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = element => {
    const [dark, light] = [getComputedStyle(element).color, groundOf(element)]
      .map(luminance).sort((one, other) => one - other);
    return (light + 0.05) / (dark + 0.05);
  };
  const hasText = element => [...element.childNodes]
    .some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  return [...document.querySelectorAll("body *")]
    .filter(each => !each.matches(".visually-hidden"))
    .filter(each => hasText(each) && each.checkVisibility() && contrast(each) < least)
    .map(each => `${contrast(each).toFixed(2)} ${each.outerHTML.slice(0, 100)}`);
}"""

MOVING = """() => document.getAnimations().length + [...document.querySelectorAll("*")]
  .filter(each => getComputedStyle(each).transitionDuration !== "0s"
    || getComputedStyle(each).scrollBehavior !== "auto").length"""

# The width of the page, if it is more than the window's while its text has twice the size.
WIDE = """() => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  document.documentElement.style.fontSize = "200%";
  const width = document.documentElement.scrollWidth;
  document.documentElement.style.fontSize = "";
  return width > innerWidth && width;
}"""

# Forms that only a script can send, and folded text that does not open.
CLOSED = """() => [
  ...[...document.querySelectorAll("form")].filter(form => form.checkVisibility()
    && !form.querySelector("button:not([type=button]), input[type=submit]")),
  ...[...document.querySelectorAll("details")].filter(each => !each.querySelector("summary")),
  ...document.querySelectorAll("a[href^='javascript:'], a:not([href]), [onclick]"),
].map(each => each.outerHTML.slice(0, 100))"""


@pytest.fixture
def leaked(coupang, minji) -> Incident:
    row = person(coupang, name="김민지", email=minji.email, phone="010-2345-6789")
    values = [("physical-addresses", "서울특별시 강남구 테헤란로 558"), ("entrance-codes", "7585#")]
    expose(row, file_of(coupang, number=7), "names", "email-addresses", values=values)
    return coupang


def pages_of(user: User, incident: Incident, language: str) -> dict[str, str]:
    """Returns the pages for visitors and for a customer by name, forms with errors among them."""
    visitor, mine = Client(), Client()
    ask_for_code(visitor, "seojun@example.com")
    mine.force_login(user)
    step_up(mine, user)
    mine.post(reverse("my_data_reminder", args=[incident.slug]), {"remind": "1"})
    with override(language):
        ask = reverse("ask", args=[incident.slug])
    mine.post(ask, {"kind": "access", "text": "Which addresses?"})
    user.new_devices.create(browser="Chrome", system="Android")
    root = f"/{language}/"
    public = {f"page-{number}": path for number, path in enumerate(PAGES)} | {
        "easy": f"incidents/{incident.slug}/easy/",
        "sign-in": "account/sign-in/",
        "code": "account/sign-in/code/",
        "check": "check/",
        "certificates": "certificates/",
        "not-found": "nothing/",
    }
    own = {
        "my-data": "my-data/",
        "messages": "my-data/messages/",
        "claims": "my-data/claims/",
        "copy": "my-data/copy/",
        "questions": "questions/",
        "alerts": "alerts/",
        "certificate": f"incidents/{incident.slug}/certificate/",
        "account": "account/",
        "new-contact": "account/contacts/new/",
        "sessions": "account/sessions/",
        "close": "account/close/",
    }
    pages = {name: visitor.get(root + path).text for name, path in public.items()}
    pages |= {name: mine.get(root + path).text for name, path in own.items()}
    answer = f"{root}check/answer/"
    return pages | {
        "ask": mine.get(ask).text,
        "ask-errors": mine.post(ask).text,
        "all-of-it": mine.post(f"{root}my-data/reveal/", follow=True).text,
        "sent": visitor.post(answer, {"text": account_mail_code(MailKind.SIGN_IN)}).text,
        "scam": visitor.post(answer, {"text": SCAM}).text,
        "sign-in-errors": visitor.post(f"{root}account/sign-in/").text,
        "typo": visitor.post(f"{root}account/sign-in/", {"email": "a@gmial.com"}).text,
        **{name: render_to_string(name) for name in ("400.html", "500.html", "503.html")},
    }


def checked(name: str, page: Page) -> dict[str, Any]:
    """Returns what each check finds on the page, by the check."""
    found: dict[str, Any] = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, forced_colors="active")
        found[f"controls in forced colours, {scheme}"] = page.evaluate(ALIKE)
        page.emulate_media(color_scheme=scheme, forced_colors="none")
        found[f"a contrast below seven, {scheme}"] = page.evaluate(FAINT, 7)
    for motion in MOTIONS:
        page.emulate_media(reduced_motion=motion)
        found[f"something moves, {motion}"] = page.evaluate(MOVING)
    found["text of twice the size scrolls sideways"] = page.evaluate(WIDE)
    page.set_viewport_size({"width": 320, "height": 640})  # 1280 pixels at a zoom of 400 per cent
    found["cut off or found by axe"] = faults_of(page)
    page.set_viewport_size(PHONE)
    return {f"{name}: {check}": faults for check, faults in found.items() if faults}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_page_serves_readers_with_other_settings(leaked, minji, language):
    found: dict[str, Any] = {}
    for name, page in shown(pages_of(minji, leaked, language), **PHONE):
        found |= checked(name, page)
    assert found == {}


def test_each_form_and_fold_works_without_javascript(leaked, minji):
    pages = pages_of(minji, leaked, "en")
    for name, page in shown(pages, **PHONE, java_script_enabled=False):
        assert page.evaluate(CLOSED) == [], name
        for fold in page.locator("main details").all():
            if fold.is_visible() and fold.get_attribute("open") is None:
                fold.locator("> summary").click()
                assert fold.get_attribute("open") is not None, name
