"""No page of customers has a message that the catalogue of a further language lacks.

The made-up language has the customers' messages only, as breachportal.customer_messages computes
them. A message that a page shows and that is not among them is in Korean here.
"""

import email
import re
from email import policy

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.utils.translation import override

from accounts import emails
from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from incidents.models import PersonMark
from notices.message_samples import sample_mail
from notices.message_templates import render_template
from notices.models import AlertSubscription, Notice
from notices.proof import certificates
from tests.languages.test_made_up_language import language  # noqa: F401  # a fixture
from tests.languages.test_reader_language import korean
from tests.notice_factory import draft_notice
from tests.sample_pages import PAGES

pytest_plugins = ["tests.notice_fixtures"]
MESSAGE = "Your parcel waits: https://coupanq.example/x call 010-9999-1234 code 7QK2-X9ND-4HTB"


def halves(pages: dict[str, str]) -> dict[str, list[str]]:
    """Returns the Korean words by page, but for the name of Korean in a choice of languages."""
    found = {
        name: [word for word in korean(page) if word != "한국어"] for name, page in pages.items()
    }
    return {name: words for name, words in found.items() if words}


def test_public_pages_and_forms_with_errors(coupang, language):  # noqa: F811
    def get(path: str) -> str:
        return Client().get(f"/{language}/{path}", follow=True).text

    def post(path: str, **fields: str) -> str:
        return Client().post(f"/{language}/{path}", fields, follow=True).text

    pages = {path: get(path) for path in PAGES}
    pages |= {
        "sign-in": get("account/sign-in/"),
        "sign-in-empty": post("account/sign-in/"),
        "sign-in-none": post("account/sign-in/", email="nobody"),
        "sign-in-domain": post("account/sign-in/", email="minji@gmial.com"),
        "code": post("account/sign-in/", email="minji@example.com"),
        "certificates": get("certificates/"),
        "certificate-none": post("certificates/", code="Z" * 60),
        "check": get("check/"),
        "check-empty": post("check/answer/"),
        "check-code": post("check/answer/", text="7QK2-X9ND-4HTB"),
        "check-message": post("check/answer/", text=MESSAGE),
        "report-empty": post("check/report/"),
        "report": post("check/report/", **{"report-text": MESSAGE, "report-channel": "sms"}),
        "first-aid": get("check/reported/"),
        "unsubscribe-unknown": get("alerts/unsubscribe/unknown/"),
        "not-found": get("nothing/"),
        "away": render_to_string("database_away.html"),
    }
    assert halves(pages) == {}


def test_the_pages_of_a_customer(incident, minji, seojun, language):  # noqa: F811
    row = person(incident, name="Minji Kim", email="minji@example.com", phone="010-1234-5678")
    file = file_of(incident)
    expose(row, file, "names", "email-addresses", "phone-numbers", "purchases")
    expose(row, file, values=[("physical-addresses", "1 Main Street"), ("entrance-codes", "#12")])
    mine, theirs, fresh = Client(), Client(), Client()
    for client, user in ((mine, minji), (theirs, seojun), (fresh, minji)):
        client.force_login(user)
    step_up(mine, minji)
    AlertSubscription.objects.create(user=minji, incident=incident, topic="update")

    def get(path: str, client: Client = mine) -> str:
        return client.get(f"/{language}/{path}", follow=True).text

    pages = {
        "my-data": get("my-data/"),
        "all-of-it": mine.post(f"/{language}/my-data/reveal/", follow=True).text,
        "reveal": fresh.post(f"/{language}/my-data/reveal/", follow=True).text,
        "certificate": get(f"incidents/{incident.slug}/certificate/"),
        "account": get("account/"),
        "sessions": get("account/sessions/"),
        "close": get("account/close/"),
        "alerts": get("alerts/"),
        "not-found": get("my-data/", theirs),
        "no-certificate": get(f"incidents/{incident.slug}/certificate/", theirs),
        "confirm": get("account/confirm/", theirs),
    }
    assert halves(pages) == {}


def test_rows_that_do_not_open(incident, minji, seojun, editor, language):  # noqa: F811
    file = file_of(incident)
    for number in range(2):
        expose(person(incident, name=f"Kim{number}", email="minji@example.com"), file, "names")
    many = User.objects.create_user("many@example.com")
    for number in range(4):
        expose(person(incident, name=str(number), email="many@example.com"), file, "names")
    marked = person(incident, name="Seojun", email="seojun@example.com")
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
    assert halves(pages) == {}


def test_messages_and_documents(incident, version, editor, minji, language):  # noqa: F811
    with override(language):
        emails.send_sign_in_code("minji@example.com", "12345678")
    [sent] = mail.outbox
    texts = {"code": str(sent.subject) + str(sent.body) + str(vars(sent)["alternatives"][0][0])}
    incident.languages = [*incident.languages, language]
    incident.save()
    notice = draft_notice(version, editor)
    texts["mail"] = decoded(sample_mail(notice, language).data)
    notice.channel = Notice.Channel.SMS
    with override(language):
        texts["sms"] = bytes(render_template(notice, language).mime).decode("utf-8", "replace")
    assert {name: re.findall("[가-힣]+", text) for name, text in texts.items()} == {
        name: [] for name in texts
    }
    row = person(incident, name="Minji Kim", email="minji@example.com")
    expose(row, file_of(incident), "names")
    assert certificates.issue(minji, incident, language=language)


def decoded(data: bytes) -> str:
    """Returns the subject and the texts of a mail."""
    parsed = email.message_from_bytes(data, policy=policy.default)
    parts = [part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(parsed["Subject"]), *parts])


@pytest.mark.parametrize("kind", ["leaked", "unread"])
def test_sentences_with_counts(incident, minji, language, kind):  # noqa: F811
    row = person(incident, name="Minji Kim", email="minji@example.com")
    values = [("purchases", f"Order {number}") for number in range(12)]
    expose(row, file_of(incident), values=values)
    client = Client()
    client.force_login(minji)
    if kind == "leaked":
        step_up(client, minji)
    assert halves({kind: client.get(f"/{language}/my-data/").text}) == {}
