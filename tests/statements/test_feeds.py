"""The Atom feed and security.txt."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

pytest_plugins = ["tests.notice_fixtures"]

ATOM = {"a": "http://www.w3.org/2005/Atom"}
FEED = "/en/incidents/hanbit-2025/feed/"


@pytest.mark.parametrize(
    ("language", "title"), [("en", "About your data"), ("ko", "개인정보 유출 안내")]
)
def test_the_feed_gives_each_version_in_its_language(client, settings, version, language, title):
    response = client.get(f"/{language}/incidents/hanbit-2025/feed/")
    assert response["Content-Type"].startswith("application/atom+xml")
    feed = ET.fromstring(response.content)  # noqa: S314
    [entry] = feed.findall("a:entry", ATOM)
    assert title in entry.findtext("a:title", "", ATOM)
    address = (
        f"{settings.PORTAL_URL}/{language}/incidents/hanbit-2025/statements/our-apology/versions/1/"
    )
    assert entry.findtext("a:id", "", ATOM) == address
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == language


def test_the_feed_is_the_same_for_everyone_and_sets_no_cookie(client, minji, version):
    stranger = client.get(FEED)
    client.force_login(minji)
    customer = client.get(FEED, headers={"accept-language": "ko"})
    assert stranger.content == customer.content
    assert not customer.cookies
    assert "Cookie" not in customer.get("Vary", "")
    assert customer["Cache-Control"].startswith("public")
    assert client.get(FEED, headers={"if-none-match": stranger["ETag"]}).status_code == 304


def test_a_feed_does_not_depend_on_the_host_header(client, settings, version):
    settings.ALLOWED_HOSTS = ["*"]
    assert b"evil.example" not in client.get(FEED, headers={"host": "evil.example"}).content


def test_an_incident_that_is_not_public_has_no_feed(client, incident):
    incident.is_public = False
    incident.save()
    assert client.get(FEED).status_code == 404


@pytest.mark.parametrize("page", ["", "log/"], ids=["incident", "log"])
def test_programs_find_the_feed_from_the_page(client, version, page):
    text = client.get(f"/en/incidents/hanbit-2025/{page}").content.decode()
    head = text.partition("</head>")[0]
    assert 'type="application/atom+xml"' in head
    assert f'href="{FEED}"' in head


def test_security_txt_has_contact_and_expiry(db, client, settings):
    settings.SECURITY_CONTACT = "mailto:security@hanbit.example"
    response = client.get("/.well-known/security.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert not response.cookies
    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    assert fields["Contact"] == "mailto:security@hanbit.example"
    assert fields["Canonical"] == f"{settings.PORTAL_URL}/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)


def test_without_a_contact_there_is_no_security_txt(db, client, settings):
    settings.SECURITY_CONTACT = ""
    assert client.get("/.well-known/security.txt").status_code == 404
