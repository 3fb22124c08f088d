"""A number or code in a text stands on one line of a narrow phone, in each language."""

import pytest
from django.conf import settings as real_settings
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from foundations.unbroken import breakable, in_one_line
from harness.sign_in import ask_for_code
from tests.pages.test_narrow_pages import shown
from tests.text_sign_in import HALMONI

pytest_plugins = ["tests.text_sign_in"]
SHIPPED = list(real_settings.SHIPPED_LANGUAGES.items())
WIDTHS = range(320, 400, 4)
# The numbers and codes of a page that stand on more than one line.
PARTED = """() => {
  const number = /\\+?[0-9*]{1,8}(?:[-\\u2011 \\u00a0][0-9*]{2,8})+/.source;
  const found = [], groups = new RegExp(number + "|[0-9A-Z]{4}(?:-[0-9A-Z]{4})+", "g");
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.parentElement.checkVisibility() || text.parentElement.closest("textarea")) continue;
    for (const match of text.data.matchAll(groups)) {
      const range = document.createRange();
      range.setStart(text, match.index);
      range.setEnd(text, match.index + match[0].length);
      const tops = [...range.getClientRects()].map(box => Math.round(box.top));
      if (new Set(tops).size > 1) found.push(match[0]);
    }
  }
  return found;
}"""


@pytest.fixture(autouse=True)
def all_languages(settings) -> None:
    settings.LANGUAGES = SHIPPED


def parted(page: Page) -> set[tuple[int, str]]:
    """Returns the parted numbers with the width of the screen, from 320 to 400 pixels."""
    found = set()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})
        found |= {(width, number) for number in page.evaluate(PARTED)}
    return found


def faults(pages: dict[str, str]) -> dict[str, set[tuple[int, str]]]:
    found = {name: parted(page) for name, page in shown(pages, width=320, height=640)}
    return {name: numbers for name, numbers in found.items() if numbers}


def test_a_parted_number_is_found(db):
    page = f"<main style='width: 320px'><p>{'010-1234-5678 ' * 9}</p></main>"
    assert faults({"parted": page})


@pytest.mark.parametrize("language", dict(SHIPPED))
def test_the_example_of_an_error_stands_on_one_line(coupang, solapi, language):
    pages = {}
    for name, typed in {"address": "minji@", "number": "010-123"}.items():
        answer = Client().post(f"/{language}/account/sign-in/", {"email": typed})
        assert answer.text.count("010\u20112000\u20110000") == 2  # the summary, and at the field
        pages[name] = answer.text
    pages["check"] = Client().get(f"/{language}/check/").text
    assert faults(pages) == {}


@pytest.mark.parametrize("language", dict(SHIPPED))
def test_an_own_number_stands_on_one_line(coupang, solapi, language):
    halmoni = User.objects.for_proven_phone(HALMONI, language=language)
    client = Client()
    visitor = Client()
    visitor.cookies["language"] = language
    ask_for_code(visitor, "010-4141-2002")
    client.force_login(halmoni)
    paths = ("account/", "account/confirm/", "account/contacts/remove/", "alerts/", "my-data/")
    pages = {
        path.replace("/", "_"): client.get(f"/{language}/{path}", follow=True).text
        for path in paths
    }
    pages["code"] = visitor.get(f"/{language}/account/sign-in/code/").text
    assert [name for name, text in pages.items() if "010-4141-2002" not in text] == []
    assert faults(pages) == {}


def test_the_number_of_a_contact_stays_whole_and_its_address_breaks():
    assert breakable("010-****-5678") == '<span class="whole">010-****-5678</span>'
    assert "@<wbr>" in breakable("a-very-long-address@example.com and +49 1512 3456789")
    assert '<span class="whole">+49 1512 3456789</span>' in breakable("at +49 1512 3456789")
    assert breakable("<b>") == "&lt;b&gt;"
    assert in_one_line("010-1234-5678") == "010\u20111234\u20115678"
    assert in_one_line("e-mail 5 of 6") == "e-mail 5 of 6"
