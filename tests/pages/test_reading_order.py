"""What a screen reader reads, in its order: the accessibility tree of home and "my data"."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from harness.exposure_factory import expose, file_of, person
from tests.pages.test_narrow_pages import shown

pytestmark = pytest.mark.django_db


def lines_of(html: str) -> tuple[str, float]:
    """Returns the accessibility tree of a page on a phone, and how far down its first value is."""
    for _name, page in shown({"page": html}, width=390, height=844):
        top = page.evaluate("document.querySelector('.facts dd')?.getBoundingClientRect().top || 0")
        return page.locator("body").aria_snapshot(), float(top)
    raise AssertionError


def assert_in_order(tree: str, *parts: str) -> None:
    """Asserts that the parts, which are regular expressions, follow each other in the tree."""
    rest = tree
    for part in parts:
        found = re.search(part, rest)
        assert found, f"{part} is not after the part before it in:\n{tree}"
        rest = rest[found.end() :]


def test_home_reads_the_question_before_the_facts(coupang):
    tree, _top = lines_of(Client().get("/en/").content.decode())

    assert_in_order(
        tree,
        r'link "Skip to',
        r"- banner",
        r"- navigation",
        r"- main",
        r'heading "Personal data of Coupang customers leaked" \[level=1\]',
        r'heading "Is my data affected\?" \[level=2\]',
        r'heading "What leaked, and what did not" \[level=2\]',
        r'heading "What to do now" \[level=2\]',
        r"- contentinfo",
    )


def test_my_data_reads_answer_step_and_values_and_shows_the_first_on_one_screen(incident, minji):
    row = person(incident, name="김민지", email=minji.email, phone="010-1234-5678")
    expose(row, file_of(incident), "names", "email-addresses", "phone-numbers")
    expose(
        row, file_of(incident), values=[("physical-addresses", "서울특별시 강남구 테헤란로 558")]
    )
    client = Client()
    client.force_login(minji)
    with override("en"):
        tree, top = lines_of(client.get(reverse("my_data")).content.decode())

    assert_in_order(
        tree,
        r"- main",
        r'heading "4 kinds of your data leaked" \[level=1\]',
        r'heading "What to do now" \[level=2\]',
        r"0 of \d+ done",
        r'button "Done ?: ',
        r'heading "Leaked 4" \[level=2\]',
        r'heading "Details" \[level=3\]',
        r'button "Show in full ?: Details"',
        r"- term: Name",
        r"- definition",
        r'heading "1 address" \[level=3\]',
        r"hidden here",
        r"- contentinfo",
    )
    assert 0 < top < 844
