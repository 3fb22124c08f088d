"""robots.txt and sitemap.xml."""

from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings as project

from tests.incident_factory import another_incident

pytest_plugins = ["tests.notice_fixtures"]
NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


@pytest.fixture
def robots(client, db):
    parser = RobotFileParser()
    parser.parse(client.get("/robots.txt").content.decode().splitlines())
    return parser


def test_search_engines_may_read_public_pages(robots):
    for path in ("/", "/ko/", "/en/incidents/hanbit-2025/", "/en/check/", "/static/site.css"):
        assert robots.can_fetch("Googlebot", project.PORTAL_URL + path)
    assert not robots.can_fetch("Googlebot", f"{project.PORTAL_URL}/admin/")
    assert robots.site_maps() == [f"{project.PORTAL_URL}/sitemap.xml"]


def test_private_pages_are_excluded_in_each_language(client, db):
    lines = client.get("/robots.txt").content.decode().splitlines()
    for name in ("account", "my-data", "unsubscribe", "stop"):
        assert f"Disallow: /*/{name}/" in lines


def test_the_sitemap_lists_pages_that_exist(client, version):
    another_incident(version.statement.incident, "hidden-2025", is_public=False)
    root = ET.fromstring(client.get("/sitemap.xml").content)  # noqa: S314
    addresses = [one.text or "" for one in root.findall("s:url/s:loc", NAMES)]
    assert f"{project.PORTAL_URL}/ko/" in addresses
    assert len(addresses) == len(set(addresses))
    for address in addresses:
        assert client.get(address.removeprefix(project.PORTAL_URL)).status_code == 200, address
    statement = [one for one in addresses if "/statements/" in one]
    assert len(statement) == len(project.LANGUAGES)
    assert "hidden-2025" not in "".join(addresses)


def test_each_page_names_its_other_languages(client, version):
    root = ET.fromstring(client.get("/sitemap.xml").content)  # noqa: S314
    codes = {code for code, _name in project.LANGUAGES}
    for page in root.findall("s:url", NAMES):
        assert {link.get("hreflang") for link in page.findall("x:link", NAMES)} == codes
