"""The main task of the invented samples, from the export to the customer, on real servers."""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from gettext import NullTranslations

import pytest
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.urls import clear_url_caches, reverse
from django.utils.html import strip_tags
from django.utils.translation import override, trans_real

from accounts.models import User
from breachportal.demo import sample as demo
from harness.sign_in import sign_in, sign_in_to_desk
from incidents.models import ExposureFile, Incident
from notices import decisions
from notices.message_codes import unsubscribe_url
from notices.models import AlertSubscription, Notice
from statements.sample import LAW_FOLDER
from tests.desk_pages import page_text
from tests.notice_factory import draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def walk(server, settings, tmp_path):
    """Loads a sample, imports its export and sends its notice; returns the incident and notice."""

    def loaded(slug: str) -> tuple[Incident, Notice]:
        settings.VAR = tmp_path
        settings.LAW_FOLDER = str(LAW_FOLDER)
        demo.prepare(print, slug)
        incident = Incident.objects.get(slug=slug)
        version = incident.statements.get(kind="notice").versions.get()
        notice = draft_notice(version, User.objects.get(email=demo.EDITOR))
        decisions.approve(notice, by=User.objects.get(email=demo.APPROVER))
        return incident, work(notice)

    return loaded


def my_data(address: str) -> str:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    sign_in(client, address)
    return page_text(client.get(reverse("my_data")))


def public_page(incident: Incident) -> str:
    return page_text(Client().get(f"/en/incidents/{incident.slug}/"))


def rows(incident: Incident) -> dict[str, tuple[int, int]]:
    files = ExposureFile.objects.filter(incident=incident)
    return {file.name: (file.rows_taken, file.rows_rejected) for file in files}


def text_of(message) -> str:
    return str(message.get_body(("plain",)).get_content())


def test_the_european_retailer(walk, server):
    incident, notice = walk("eu-retailer")
    loaded = rows(incident)
    assert (loaded["kunden-eu.csv"], loaded["customers-uk.csv"]) == ((180, 1), (80, 0))
    assert loaded["bestellungen.csv"][1] == 0
    assert (notice.planned, notice.accepted) == (260, 260)
    (mail,) = server.to("kunde000@post.example")
    assert "Dear Björn Köhler," in text_of(mail)
    assert "Password (hashed)" in text_of(mail)

    german, british = my_data("kunde000@post.example"), my_data("customer000@mail.example")
    assert "B***n K****r" in german
    assert "+49 *** ****9000" in german
    assert "+44 ** **** 0000" in british
    assert "M******d O******r" not in german
    for page in (german, british):
        assert "saved on" in page
        assert "2024" in page
        hidden = ("Köhler", "O'Connor", "$2b$", "118 in Korea")
        assert [text for text in hidden if text in page] == []
    assert "Report Fraud" in british
    assert "of your data leaked" not in my_data("stranger@mail.example")
    assert "14 September 2026" in public_page(incident)  # the 15th in the portal's time zone


def test_the_japanese_retailer(walk, server):
    incident, notice = walk("japan-retailer")
    assert {rejected for _taken, rejected in rows(incident).values()} == {0}
    assert (notice.planned, notice.accepted) == (200, 200)
    assert "森" in text_of(server.to("kaiin000@post.example")[0])
    named = [text_of(server.to(f"kaiin{place:03}@post.example")[0]) for place in range(40)]
    assert any("髙橋" in text for text in named)  # a letter of cp932 that Shift_JIS lacks

    page = my_data("kaiin000@post.example")
    assert "+81 **-****-5000" in page
    assert "北海道" not in page
    assert "#9110" in page
    assert "20 October 2026" in public_page(incident)


def test_the_american_pharmacy(walk, server):
    incident, notice = walk("us-pharmacy")
    assert {rejected for _taken, rejected in rows(incident).values()} == {0}
    assert (notice.planned, notice.accepted) == (160, 160)
    assert incident.people.exclude(phone_index=None).count() == 143
    text = text_of(server.to("patient000@mail.example")[0])
    assert "Social security number" in text
    assert "Freeze your credit" in text

    page = my_data("patient000@mail.example")
    assert "+1 ***-***-0100" in page
    assert "Equifax" in page
    assert re.findall(r"666-?\d\d-?\d{4}|Valencia|Insulin", page) == []
    assert "6 October 2026" in public_page(incident)  # the 7th in the portal's time zone


def test_a_full_width_number_finds_its_person(walk):
    incident, _notice = walk("japan-retailer")
    people = incident.people.exclude(phone_index=None)
    assert people.count() == 180


# ---------------------------------------------------------------- a portal in French and Spanish

OTHERS = [("fr", "Français"), ("es", "Español")]
# Korean letters; words of English that neither French nor Spanish has; and a message that the
# catalogue lacks.
FOREIGN = re.compile(
    r"[가-힣]+|\b(?:the|and|your|you|this|with|from|was|were|leaked|please|our)\b|UNTRANSLATED.*",
    re.IGNORECASE,
)
SLUG = "eu-retailer"
CUSTOMERS = {"fr": "kunde090@post.example", "es": "kunde140@post.example"}
GREETINGS = {"fr": "Bonjour ", "es": "Hola"}
SHOWN = [
    "",
    "check/",
    "certificates/",
    "account/sign-in/",
    "nothing/",
    f"incidents/{SLUG}/",
    f"incidents/{SLUG}/timeline/",
    f"incidents/{SLUG}/log/",
    f"incidents/{SLUG}/statements/notice/",
    f"incidents/{SLUG}/statements/notice/versions/1/",
    f"incidents/{SLUG}/transparency/",
    f"incidents/{SLUG}/feed/",
]
OWN = [
    "my-data/",
    "my-data/messages/",
    "my-data/claims/",
    "my-data/copy/?form=page",
    "account/",
    "account/sessions/",
    "account/passkeys/",
    "account/keys/",
    "account/contacts/new/",
    "account/close/",
    "alerts/",
    "questions/",
    f"questions/ask/{SLUG}/",
    f"incidents/{SLUG}/certificate/",
]


class Untranslated(NullTranslations):
    """What a French or Spanish catalogue falls back to: each message is marked."""

    def gettext(self, message: str) -> str:
        return f"UNTRANSLATED {message}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def others(settings) -> Iterator[None]:
    """A portal whose customers read French and Spanish only; its team, English and Korean."""
    settings.LANGUAGES, settings.LANGUAGE_CODE = OTHERS, "fr"
    settings.PORTAL_NAME = {"fr": "Lindenhale", "es": "Lindenhale"}
    for code, _name in OTHERS:
        vars(trans_real.translation(code))["_fallback"] = Untranslated()
    clear_url_caches()  # addresses of links are kept by language
    with override("fr"):
        yield
    clear_url_caches()
    for code, _name in OTHERS:
        vars(trans_real)["_translations"].pop(code, None)


def foreign(texts: dict[str, str]) -> dict[str, list[str]]:
    """Returns the words of another language by page, without style and links to a language."""
    found = {}
    for name, text in texts.items():
        kept = re.sub(r"<(style|script)\b.*?</\1>", "", text, flags=re.DOTALL)
        attributes = re.findall(r' (?:title|alt|aria-label|placeholder|content)="([^"]*)"', kept)
        words = [word for part in (strip_tags(kept), *attributes) for word in FOREIGN.findall(part)]
        if words:
            found[name] = words
    return found


def parts_of(message: EmailMessage) -> str:
    texts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(message["Subject"]), str(message["From"]), *texts])


def of_the_visitor(customer: Client, language: str, mail: str) -> dict[str, str]:
    """Returns the pages that need no sign-in, with the answers to forms."""

    def post(path: str, **fields: str) -> str:
        return customer.post(f"/{language}/{path}", fields, follow=True).text

    code = re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", mail)[0]
    pages = {path: customer.get(f"/{language}/{path}").text for path in SHOWN}
    pages |= {
        "check": post("check/answer/", text=mail),
        "check-code": post("check/answer/", text=code),
        "check-scam": post("check/answer/", text="https://lindenha1e.example/x"),
        "report": post("check/report/", **{"report-text": "Bonjour", "report-channel": "sms"}),
        "sign-in-empty": post("account/sign-in/"),
        "certificate-none": post("certificates/", code="Z" * 60),
        "security": customer.get("/.well-known/security.txt", follow=True).text,
    }
    with override(language):
        errors = ("400", "500", "503", "database_away")
        return pages | {name: render_to_string(f"{name}.html") for name in errors}


def of_the_customer(customer: Client, user: User, language: str) -> dict[str, str]:
    """Returns the pages of a customer who has signed in, and the page that ends an alert."""
    pages = {path: customer.get(f"/{language}/{path}", follow=True).text for path in OWN}
    reveal = customer.post(f"/{language}/my-data/reveal/", follow=True)
    assert reveal.request["PATH_INFO"] == f"/{language}/my-data/reveal/"
    made = customer.post(f"/{language}/incidents/{SLUG}/certificate/", {"language": language})
    assert made.headers["Content-Type"] == "application/pdf"
    alert = AlertSubscription.objects.create(
        user=user, incident=Incident.objects.get(), topic="scams"
    )
    end = unsubscribe_url(alert.pk, language).removeprefix(settings.PORTAL_URL)
    assert end.startswith(f"/{language}/")
    pages |= {"reveal": reveal.text, "end": Client().get(end).text}
    return pages | {"ended": Client().post(end, follow=True).text}


def test_a_portal_without_the_languages_of_the_desk(others, walk, server):
    incident, notice = walk(SLUG)
    assert incident.languages == ["fr", "es"]
    assert (notice.planned, notice.accepted) == (260, 260)
    for language, address in CUSTOMERS.items():
        customer = Client(headers={"accept-language": f"ko, en;q=0.9, {language};q=0.1"})
        assert customer.get("/").headers["Location"] == f"/{language}/"
        pages = {"notice": parts_of(server.to(address)[0])}
        assert GREETINGS[language] in pages["notice"]
        pages |= of_the_visitor(customer, language, pages["notice"])
        with override(language):
            sign_in(customer, address)
        code = mail.outbox[-1]
        pages["code"] = f"{code.subject} {code.body}"
        user = User.objects.get(email=address)
        assert user.language == language
        pages |= of_the_customer(customer, user, language)
        assert foreign(pages) == {}
    page = Client().get("/fr/").text
    assert re.findall(r'hreflang="(\w+)"', page) == ["fr", "es"]
    assert {Client().get(path).status_code for path in ("/en/", "/ko/", "/en/check/")} == {404}
    sitemap = Client().get("/sitemap.xml").text
    assert set(re.findall(r"<(?:\w+:)?loc>http://[^/]+/(\w+)/", sitemap)) == {"fr", "es"}
    [breach] = Client().get("/api/v3/breaches").json()
    assert f"/fr/incidents/{SLUG}/" in breach["DisclosureUrl"]
    assert "Names" in breach["DataClasses"]


def test_the_desk_of_such_a_portal(others, editor, settings):
    visitor = Client(headers={"accept-language": "fr, ko;q=0.5"})
    page = visitor.get("/admin/", follow=True)
    assert page.request["PATH_INFO"] == "/fr/account/sign-in/"
    assert foreign({"sign-in": page.text}) == {}
    sign_in_to_desk(visitor, editor)
    del visitor.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert "사고" in page_text(visitor.get("/admin/"))
    assert foreign({"account": visitor.get("/fr/").text}) == {}

    switch = "/fr/account/language/?language={}&next={}"
    assert visitor.get(switch.format("en", "/admin/")).headers["Location"] == "/admin/"
    index = page_text(visitor.get("/admin/"))
    assert "Incidents" in index
    assert 'href="/fr/account/sessions/"' in index
    assert visitor.get(switch.format("en", "/fr/check/")).status_code == 404
    assert visitor.get("/").headers["Location"] == "/fr/"  # no choice for the portal
    data_classes = page_text(visitor.get("/admin/incidents/dataclass/?q=Names"))
    assert "Nom / Nombre / Name<" in data_classes

    visitor.post("/fr/account/", {"language": "ko"})
    editor.refresh_from_db()
    assert (editor.language, editor.mail_language) == ("ko", "ko")


def test_a_language_that_the_portal_ceased_to_offer_is_no_language_of_mails(others, minji):
    minji.language = "de"
    assert minji.mail_language == "fr"
    minji.language = "en"  # a customer reads no language of the desk
    assert minji.mail_language == "fr"
    with override("de"):
        assert reverse("my_data") == "/fr/my-data/"
