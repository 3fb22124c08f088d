"""The HTML of each page and mail is valid, in two languages: html-validate's recommended rules.

tests/npm/htmlvalidate.cjs names the rules that do not apply. An error of the portal as a visitor
meets it counts as a page, too.
"""

import email
from email import policy
from pathlib import Path

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.translation import override

from accounts import emails
from accounts.mail_codes import MailKind
from accounts.models import User
from harness.exposure_factory import expose, file_of, person, state
from harness.sign_in import step_up
from incidents.models import PersonMark
from notices.message_samples import sample_mail, sample_shared_mail
from tests import web_programs
from tests.notice_factory import draft_notice, scam_alert
from tests.pages.test_narrow_pages import ADDRESS, LONG, NAME
from tests.sample_pages import PAGES

pytest_plugins = ["tests.notice_fixtures"]
LANGUAGES = ["ko", "en"]
RECIPIENT = "minji@example.com"
ERRORS = ["400", "403", "403_csrf", "429", "500", "503"]


@pytest.fixture(autouse=True, scope="module")
def _programs():
    web_programs.require()


def faults(pages: dict[str, str], folder: Path, *, is_mail: bool = False) -> dict[str, list[str]]:
    """Returns {page name: what html-validate finds}, without the pages that are valid."""
    for name, source in pages.items():
        (folder / f"{name}.html").write_text(source, encoding="utf-8")
    found = web_programs.html_messages(folder, is_mail=is_mail)
    return {name: messages for name, messages in found.items() if messages}


def test_a_fault_is_found(tmp_path):
    page = "<!DOCTYPE html><html lang='en'><head><title>x</title></head><body><p><div></div></p>"
    assert faults({"wrong": page}, tmp_path)["wrong"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_public_pages_and_forms_sent_with_errors(coupang, tmp_path, language):
    def get(path: str) -> str:
        return Client().get(f"/{language}/{path}", follow=True).text

    def post(path: str, **fields: str) -> str:
        return Client().post(f"/{language}/{path}", fields, follow=True).text

    pages = {f"page-{number}": get(path) for number, path in enumerate(PAGES)}
    pages |= {
        "sign-in": get("account/sign-in/"),
        "sign-in-empty": post("account/sign-in/"),
        "sign-in-none": post("account/sign-in/", email="x" * 200),
        "sign-in-domain": post("account/sign-in/", email="minji@gmial.com"),
        "code": post("account/sign-in/", email="minji@example.com"),
        "no-code": get("account/sign-in/code/"),
        "certificates": get("certificates/"),
        "certificate-none": post("certificates/", code="Z" * 60),
        "check": get("check/"),
        "check-empty": post("check/answer/"),
        "check-code": post("check/answer/", text="7QK2-X9ND-4HTB"),
        "check-message": post("check/answer/", text=LONG),
        "report-empty": post("check/report/"),
        "first-aid": get("check/reported/"),
        "unsubscribe-unknown": get("alerts/unsubscribe/unknown/"),
        "not-found": get("nothing/"),
    }
    assert faults(pages, tmp_path) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_errors_and_an_empty_portal(db, tmp_path, language):
    with override(language):
        request = RequestFactory().get(f"/{language}/")
        context = {"minutes": 3}
        pages = {name: str(render_to_string(f"{name}.html", context, request)) for name in ERRORS}
        pages["away"] = render_to_string("database_away.html")
    pages["home"] = Client().get(f"/{language}/").text
    assert faults(pages, tmp_path) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_a_customer(incident, minji, seojun, tmp_path, language):
    row = person(incident, name=NAME, email="minji@example.com", phone="010-1234-5678")
    file = file_of(incident)
    expose(row, file, "names", "email-addresses", "phone-numbers")
    state(incident, "passwords", "not_involved")
    for number in range(4):
        place = [("physical-addresses", f"{ADDRESS} {number}"), ("entrance-codes", "<#>&")]
        expose(row, file, values=[*place, ("purchases", f"Order {number}")])
    mine, theirs, fresh = Client(), Client(), Client()
    for client, user in ((mine, minji), (theirs, seojun), (fresh, minji)):
        client.force_login(user)
    step_up(mine, minji)

    def get(path: str, client: Client = mine) -> str:
        return client.get(f"/{language}/{path}", follow=True).text

    pages = {
        "my-data": get("my-data/", fresh),
        "all-of-it": mine.post(f"/{language}/my-data/reveal/", follow=True).text,
        "reveal": fresh.post(f"/{language}/my-data/reveal/", follow=True).text,
        "certificate": get(f"incidents/{incident.slug}/certificate/"),
        "no-certificate": get(f"incidents/{incident.slug}/certificate/", theirs),
        "account": get("account/"),
        "new-contact": get("account/contacts/new/"),
        "sessions": get("account/sessions/"),
        "keys": get("account/keys/"),
        "new-key": get("account/keys/new/"),
        "close": get("account/close/"),
        "sign-out": get("account/sign-out/"),
        "alerts": get("alerts/"),
        "questions": get("questions/"),
        "ask": get(f"questions/ask/{incident.slug}/"),
        "ask-empty": mine.post(f"/{language}/questions/ask/{incident.slug}/").text,
        "not-found": get("my-data/", theirs),
        "confirm": get("account/confirm/", theirs),
    }
    assert faults(pages, tmp_path) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_about_rows_that_do_not_open(incident, minji, seojun, editor, tmp_path, language):
    file = file_of(incident)
    for number in range(2):
        family = person(incident, name=f"{NAME}{number}", email="minji@example.com")
        expose(family, file, "names", values=[("physical-addresses", ADDRESS)])
    many = User.objects.create_user("many@example.com")
    for number in range(4):
        expose(person(incident, name=str(number), email="many@example.com"), file, "names")
    marked = person(incident, name=NAME, email="seojun@example.com")
    expose(marked, file, "names")

    def page_of(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.get(f"/{language}/my-data/").text

    pages = {"family": page_of(minji), "many": page_of(many)}
    for kind in PersonMark.CLOSING:
        mark = PersonMark.objects.create(
            kind=kind, incident=incident, person=marked, reason="x", marked_by=editor
        )
        pages[kind] = page_of(seojun)
        mark.lift(editor, "x")
    assert faults(pages, tmp_path) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_mails(incident, version, editor, minji, seojun, tmp_path, language):
    with override(language):
        emails.send_sign_in_code(RECIPIENT, "12345678")
        emails.send("ticket_answer", RECIPIENT, {"number": "7QK2-X9ND"}, kind=MailKind.ANSWER)
        emails.send_invitation(
            RECIPIENT, link="https://x.example/", invited_by="<A&B>", expires_at=timezone.now()
        )
    sent = {str(number): vars(one)["alternatives"][0][0] for number, one in enumerate(mail.outbox)}
    notice, alert = draft_notice(version, editor), scam_alert(version, editor, seojun)
    sent["notice"] = html_of(sample_mail(notice, language).data)
    sent["alert"] = html_of(sample_mail(alert, language).data)
    sent["shared"] = html_of(sample_shared_mail(notice, language).data)
    assert len(sent) == 6
    assert faults(sent, tmp_path, is_mail=True) == {}


def html_of(data: bytes) -> str:
    """Returns the HTML part of a mail."""
    body = email.message_from_bytes(data, policy=policy.default).get_body(("html",))
    assert body
    return str(body.get_content())
