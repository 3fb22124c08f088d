"""A made-up language, from right to left and with long words, needs a catalogue and one setting."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.core import mail
from django.test import Client
from django.utils.translation import override, trans_real

from accounts import code_texts, emails
from breachportal.customer_messages import customer_messages
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from notices.message_samples import sample_mail
from notices.message_templates import render_template
from notices.proof import certificates
from tests.languages.test_reader_language import korean
from tests.notice_factory import draft_notice
from tests.offer_factory import offer_of
from tests.pages.test_narrow_pages import shown
from tests.sample_pages import PAGES

pytest_plugins = ["tests.notice_fixtures"]

ROOT = Path(__file__).parents[2]
CODE = "ar"  # its letters are Arabic; its words mean nothing
KEPT = re.compile(r"(%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]*>|&\w+;|https?://\S+)")
WORD = re.compile(r"[^\W\d_]+")
LETTERS = "مستشفىالاتصالاتوالمعلوماتالشخصية"
# The page is as wide as the screen, and no element leaves it on either side.
FAULTS = """() => [...document.querySelectorAll("main *, header *, footer *")].filter(element => {
  const box = element.getBoundingClientRect();
  return box.width && (box.left < -1 || box.right > innerWidth + 1);
}).map(element => element.outerHTML.slice(0, 120))"""


def made_up(text: str) -> str:
    """Returns the text with each word in Arabic letters, a third longer, without a meaning."""

    def word(match: re.Match[str]) -> str:
        length = len(match[0]) + len(match[0]) // 3 + 1
        return (LETTERS * 3)[:length]

    parts = KEPT.split(text)
    return "".join(
        part if number % 2 else WORD.sub(word, part) for number, part in enumerate(parts)
    )


def forget_catalogue() -> None:
    vars(trans_real)["_translations"].pop(CODE, None)


@pytest.fixture
def language(settings, tmp_path) -> Iterator[str]:
    """Adds the language: a catalogue of the customers' messages, and a line in the settings.

    A message that the catalogue lacks is in Korean, the portal's first language.
    """
    with (ROOT / "locale/en/LC_MESSAGES/django.po").open("rb") as source:
        catalogue = read_po(source)
    customers = {message.singular for message in customer_messages()}
    for message in list(catalogue):
        singular = message.id if isinstance(message.id, str) else message.id[0]
        if message.id and singular not in customers:
            catalogue.delete(singular, message.context)
    for message in catalogue:
        if not message.id:  # the head of the catalogue
            continue
        if isinstance(message.string, str):
            message.string = made_up(message.string)
        else:
            message.string = tuple(made_up(text) for text in message.string or ())
    folder = tmp_path / "locale" / CODE / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as compiled:
        write_mo(compiled, catalogue)
    forget_catalogue()
    settings.LOCALE_PATHS = [tmp_path / "locale", *settings.LOCALE_PATHS]
    settings.LANGUAGES = [*settings.LANGUAGES, (CODE, "لغة")]
    yield CODE
    forget_catalogue()


def faults(pages: dict[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, page in shown(pages, width=320, height=640):
        wrong = list(page.evaluate(FAULTS))
        if page.evaluate("document.documentElement.dir") != "rtl":
            wrong.append("is not from right to left")
        if page.evaluate("document.documentElement.scrollWidth") != 320:
            wrong.append("scrolls sideways")
        wrong += [each["id"] for each in Axe().run(page).response["violations"]]
        if wrong:
            found[name] = wrong
    return found


def test_every_public_page_and_the_sign_in(coupang, language):
    def get(path: str) -> str:
        response = Client().get(f"/{language}/{path}", follow=True)
        assert response.status_code in (200, 404), path
        return response.text

    def post(path: str, **fields: str) -> str:
        return Client().post(f"/{language}/{path}", fields, follow=True).text

    pages = {f"page-{number}": get(path) for number, path in enumerate(PAGES)}
    pages |= {
        "sign-in": get("account/sign-in/"),
        "sign-in-empty": post("account/sign-in/"),
        "code": post("account/sign-in/", email="minji@example.com"),
        "certificates": get("certificates/"),
        "check-empty": post("check/answer/"),
        "not-found": get("nothing/"),
    }
    assert faults(pages) == {}
    assert LETTERS[:4] in pages["sign-in"]
    assert {name: found for name, page in pages.items() if (found := korean(page))} == {}


def test_my_data_and_the_account(language, incident, minji):
    row = person(incident, name="김민지", email="minji@example.com", phone="010-1234-5678")
    file = file_of(incident)
    expose(row, file, "names", "email-addresses", "phone-numbers")
    expose(row, file, values=[("physical-addresses", "서울특별시 강남구 테헤란로 1")])
    offer = offer_of(incident)
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    asked = {"kind": "access", "text": "?"}
    pages = {
        "offer": client.get(f"/{language}/my-data/").text,
        "ask": client.get(f"/{language}/questions/ask/{incident.slug}/").text,
        "asked": client.post(
            f"/{language}/questions/ask/{incident.slug}/", asked, follow=True
        ).text,
        "code-of-offer": client.post(
            f"/{language}/offers/{offer.pk}/take/",
            {"has": "0", "at": f"offer{offer.pk}"},
            follow=True,
        ).text,
        "messages": client.get(f"/{language}/my-data/messages/").text,
        "another-contact": client.get(f"/{language}/account/contacts/new/").text,
        "passkeys": client.get(f"/{language}/account/passkeys/").text,
        "keys": client.get(f"/{language}/account/keys/").text,
        "my-data": client.get(f"/{language}/my-data/").text,
        "all-of-it": client.post(f"/{language}/my-data/reveal/", follow=True).text,
        "certificate": client.get(f"/{language}/incidents/{incident.slug}/certificate/").text,
        "account": client.get(f"/{language}/account/").text,
        "alerts": client.get(f"/{language}/alerts/").text,
    }
    assert re.search(r"HB-000\d", pages["code-of-offer"])
    assert faults(pages) == {}


def test_text_and_push_messages(incident, version, editor, language):
    incident.languages = [*incident.languages, language]
    incident.save()
    with override(language):
        code = code_texts.text_of("12345678")
    text = render_template(draft_notice(version, editor, channel="sms"), language)
    for message in (code, bytes(text.mime).decode()):
        assert LETTERS[:4] in message
    assert "12345678" in code
    alert = draft_notice(version, editor, kind="alert", topic="scams", channel="push")
    push = json.loads(bytes(render_template(alert, language).mime))
    assert push["lang"] == language
    assert f"/{language}/" in push["url"]


def test_mails(incident, version, editor, language):
    with override(language):
        emails.send_sign_in_code("minji@example.com", "12345678")
    [sent] = mail.outbox
    assert '<html lang="ar" dir="rtl">' in str(vars(sent)["alternatives"][0][0])

    incident.languages = [*incident.languages, language]
    incident.save()
    message = sample_mail(draft_notice(version, editor), language).data
    assert b'dir=3D"rtl"' in message or b'dir="rtl"' in message


@pytest.mark.parametrize("name", ["髙橋", "محمد", "สมชาย", "नेपाल", "Nguyễn", "😀"])
def test_certificates(language, incident, minji, name):
    row = person(incident, name=name, email="minji@example.com")
    expose(row, file_of(incident), "names")
    issued = certificates.issue(minji, incident, language=language)
    assert issued is not None
    run = ["pdftotext", "-", "-"]
    done = subprocess.run(run, input=issued.pdf, capture_output=True, check=True)
    text = done.stdout.decode()
    assert LETTERS[:4] in text or LETTERS[3::-1] in text
    assert "[U+06" not in text  # the fonts have the language


def test_the_language_switch_has_its_own_name(language, incident):
    page = Client().get("/en/").text
    assert f'value="{language}" lang="{language}"' in page
    assert "لغة" in page
    chosen = Client().get(f"/account/language/?language={language}&next=/en/check/", follow=True)
    assert chosen.request["PATH_INFO"] == f"/{language}/check/"
