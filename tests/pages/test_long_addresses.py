"""On a narrow phone a long e-mail address breaks at its signs, not before its last letter."""

import time

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils.translation import override

from accounts.models import User
from foundations.unbroken import breakable
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from tests.desk_pages import page_text
from tests.pages.test_narrow_pages import shown

pytestmark = pytest.mark.django_db
LONG = "minji.kim.example1234@mail-of-hanbit.exampl"
OTHER = "seojun_park_2025_family@exampledomain.example"
# The lines of each element that holds the address, as the browser laid them out.
LINES = """address => [...document.querySelectorAll("main *, footer *")].filter(each =>
  each.textContent.includes(address) && ![...each.children].some(one =>
    one.textContent.includes(address))).map(each => {
  const range = document.createRange(), lines = [];
  const texts = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
  let top = null;
  for (let node; node = texts.nextNode();) {
    for (let at = 0; at < node.data.length; at++) {
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const box = range.getBoundingClientRect();
      if (!box.width) continue;
      if (top === null || Math.abs(box.top - top) > 4) lines.push("");
      top = box.top;
      lines[lines.length - 1] += node.data[at];
    }
  }
  return lines;
})"""


@pytest.fixture
def client(minji, incident) -> Client:
    """The browser of a customer with two long addresses, one of which leaked."""
    minji.emailaddress_set.all().delete()
    for email in (LONG, OTHER):
        EmailAddress.objects.create(user=minji, email=email, verified=True, primary=email == LONG)
    User.objects.filter(pk=minji.pk).update(email=LONG)
    minji.refresh_from_db()
    row = person(incident, name="김민지", email=LONG)
    expose(row, file_of(incident), "names", "email-addresses")
    client = Client()
    client.force_login(minji)
    return client


def broken_within_a_word(address: str, lines: list[str]) -> list[str]:
    """Returns the lines that begin within a word of the address."""
    text = "".join(lines)
    begin = text.index(address)
    starts = [sum(map(len, lines[:place])) for place in range(1, len(lines))]
    return [
        text[at:]
        for at in starts
        if begin < at < begin + len(address) and text[at] != "." and text[at - 1] not in "@-"
    ]


def pages_of(client: Client, minji: User) -> dict[str, str]:
    with override("en"):
        code = Client()
        code.post("/en/account/sign-in/", {"email": LONG})
        pages = {
            "masked": client.get("/en/my-data/"),
            "code": code.get("/en/account/sign-in/code/"),
            "account": client.get("/en/account/"),
        }
        step_up(client, minji)
        client.post("/en/my-data/reveal/")
        pages["full"] = client.get("/en/my-data/reveal/")
    assert {page.status_code for page in pages.values()} == {200}
    return {name: page.text for name, page in pages.items()}


def test_each_line_of_a_long_address_begins_after_a_sign(client, minji):
    broken, seen = {}, set()
    for name, page in shown(pages_of(client, minji), width=320, height=640):
        for address in (LONG, OTHER):
            for lines in page.evaluate(LINES, address):
                seen |= {name} if len(lines) > 1 else set()
                if wrong := broken_within_a_word(address, lines):
                    broken[name, address] = wrong
    assert not broken
    assert seen == {"masked", "code", "account", "full"}  # each has an address in two lines


def test_a_number_and_a_short_address_break_at_their_signs_in_text_of_twice_the_size(
    minji, incident
):
    row = person(incident, name="김민지", email=minji.email, phone="010-1234-5678")
    file = file_of(incident)
    expose(row, file, "names", "phone-numbers", values=[("email-addresses", "jisu@example.com")])
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    full = client.post("/en/my-data/reveal/", follow=True).text
    pages = {"masked": client.get("/en/my-data/").text, "full": full}
    contacts = {
        "masked": ("j***@e***.com", "010-****-5678"),
        "full": ("jisu@example.com", "010-1234-5678"),
    }
    broken, seen = {}, set()
    for name, page in shown(pages, width=320, height=640):
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        for contact in contacts[name]:
            for lines in page.evaluate(LINES, contact):
                seen |= {contact} if len(lines) > 1 else set()
                if wrong := broken_within_a_word(contact, lines):
                    broken[name, contact] = wrong
    assert not broken
    assert seen


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("minji@example.com", "minji@example.com"),
        ("minji.kim@mail.example.com", "minji<wbr>.kim@<wbr>mail<wbr>.example<wbr>.com"),
        ("see <b> a.very.long@example.com.", "see &lt;b&gt; a<wbr>.very<wbr>.long@<wbr>example"),
        ("version 1.2.3 of a very long text", "version 1.2.3 of a very long text"),
    ],
)
def test_only_a_long_address_has_places_to_break(text, shown_as):
    assert breakable(text).startswith(shown_as)


@pytest.mark.parametrize("text", ["a" * 100_000, "@" + "a" * 100_000])
def test_a_value_of_many_signs_without_a_space_takes_no_time(text):
    """A leaked document or photo can be one. A search for an @ takes half a minute."""
    began = time.process_time()
    assert breakable(text).replace("<wbr>", "") == text
    assert time.process_time() - began < 5


def test_the_text_of_a_page_is_searched_as_a_whole(client):
    with override("en"):
        response = client.get("/en/account/")
    assert "<wbr>" in response.text
    assert f"<dd>{LONG}</dd>" in page_text(response)
