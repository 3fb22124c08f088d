"""How tall the pages are on a phone of 390 pixels, for an ordinary customer, with details closed.

The answer is on the first screen; what is folded away opens without JavaScript.
"""

import pytest
from django.test import Client
from playwright.sync_api import Page

from harness.exposure_factory import expose, file_of, person
from tests.offer_factory import offer_of
from tests.pages.test_narrow_pages import shown

LANGUAGES = ["ko", "en"]
MY_DATA, HOME = 2_000, 2_900
PLACES = [
    [("physical-addresses", "서울특별시 강남구 테헤란로 558, 101동"), ("entrance-codes", "7585#")],
    [("physical-addresses", "경기도 성남시 분당구 판교역로 235")],
    [("physical-addresses", "부산광역시 해운대구 우동 1411")],
]


@pytest.fixture
def minjis(coupang, minji) -> Client:
    """The browser of an ordinary customer: three addresses, an entrance code, and orders."""
    row = person(coupang, name="김민지", email=minji.email, phone="010-2345-6789")
    file = file_of(coupang, number=7)
    expose(row, file, "names", "email-addresses", "phone-numbers", values=PLACES[0])
    for place in PLACES[1:]:
        expose(row, file, values=place)
    expose(
        row, file, values=[("purchases", f"생수 {one}묶음", f"2025-06-0{one}") for one in (3, 5)]
    )
    client = Client()
    client.force_login(minji)
    return client


def height_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_my_data_of_an_ordinary_customer_is_short(coupang, minjis, language):
    pages = {"my-data": minjis.get(f"/{language}/my-data/").text}
    offer_of(coupang)
    pages["with-an-offer"] = minjis.get(f"/{language}/my-data/").text
    heights = {name: height_of(page) for name, page in shown(pages, width=390, height=844)}
    assert max(heights.values()) <= MY_DATA, heights


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_home_page_is_short(coupang, language):
    pages = {"home": Client().get(f"/{language}/").text}
    for _name, page in shown(pages, width=390, height=844):
        assert height_of(page) <= HOME


def test_who_says_that_something_did_not_leak_is_folded_beside_it(minjis):
    source = minjis.get("/en/my-data/").text
    for _name, page in shown({"my-data": source}, width=390, height=844):
        source_of = page.get_by_text("Reported by the company")
        assert not source_of.is_visible()
        page.locator(".other-states summary", has_text="Did not leak").click()
        assert source_of.is_visible()
