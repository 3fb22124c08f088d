"""The main task of the invented samples, from the export to the customer, on real servers."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from breachportal.demo import sample as demo
from harness.sign_in import sign_in
from incidents.models import ExposureFile, Incident
from notices import decisions
from notices.models import Notice
from tests.desk_pages import page_text
from tests.notice_factory import draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def walk(server, settings, tmp_path):
    """Loads a sample, imports its export and sends its notice; returns the incident and notice."""

    def loaded(slug: str) -> tuple[Incident, Notice]:
        settings.VAR = tmp_path
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


def test_a_full_width_number_finds_its_person(walk):
    incident, _notice = walk("japan-retailer")
    people = incident.people.exclude(phone_index=None)
    assert people.count() == 180
