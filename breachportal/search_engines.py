"""What search engines read: robots.txt (RFC 9309) and sitemap.xml (sitemaps.org).

Search engines should show the company's own words about an incident, not those of fraudsters.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from xml.etree import ElementTree as ET

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import override

from foundations.languages import portal_codes
from foundations.page_cache import public_page
from incidents.models import Incident
from statements.models import StatementVersion
from statements.public import easy_read

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
# Pages of one person. Each of them also has the mark "noindex".
_PRIVATE = [
    *("admin/", "*/account/", "*/my-data/", "*/questions/"),
    *("*/alerts/", "*/unsubscribe/", "*/stop/"),
]
MOST_ADDRESSES = 50_000  # in one file

Arguments = tuple[str, ...]


@public_page
def robots_txt(_request: HttpRequest) -> HttpResponse:
    """Lets search engines read everything except the pages of one person and the desk."""
    lines = ["User-agent: *", *(f"Disallow: /{path}" for path in _PRIVATE)]
    lines += ["", f"Sitemap: {settings.PORTAL_URL}{reverse('sitemap')}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@public_page
def sitemap(_request: HttpRequest) -> HttpResponse:
    """Lists the public pages with their addresses in each language.

    Those of an incident are listed in the languages that have the company's texts.
    """
    ET.register_namespace("", _SITEMAP)
    ET.register_namespace("xhtml", _XHTML)
    root = ET.Element(f"{{{_SITEMAP}}}urlset")
    for page in _pages():
        _add(root, page)
        if len(root) + len(settings.LANGUAGES) > MOST_ADDRESSES:
            break
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpResponse(content, content_type="application/xml")


class _Page(NamedTuple):
    """A public page: the name of its URL, its arguments and languages, and its last change."""

    name: str
    arguments: Arguments
    languages: Sequence[str]
    changed_at: datetime | None = None


def _pages() -> Iterator[_Page]:
    incidents = list(Incident.objects.public())
    yield _Page("home", (), _offered(incidents[0]) if incidents else portal_codes())
    yield _Page("message_check", (), portal_codes())
    for incident in incidents:
        for name in ("incident", "timeline", "log", "transparency"):
            yield _Page(name, (incident.slug,), _offered(incident))
        if easy := easy_read.languages_of(incident):
            yield _Page("easy_read", (incident.slug,), easy)
    for version in StatementVersion.objects.current():
        statement = version.statement
        is_advisory = statement.kind == statement.Kind.ADVISORY
        name = "advisory" if is_advisory else "statement"
        address = (statement.incident.slug, statement.slug)
        yield _Page(name, address, _offered(statement.incident), version.published_at)


def _offered(incident: Incident) -> list[str]:
    """Returns the portal's languages that the incident has; all of them if it has none."""
    return [code for code in portal_codes() if code in incident.languages] or portal_codes()


def _add(root: ET.Element, page: _Page) -> None:
    addresses = {code: _address(code, page.name, page.arguments) for code in page.languages}
    for address in addresses.values():
        url = ET.SubElement(root, f"{{{_SITEMAP}}}url")
        ET.SubElement(url, f"{{{_SITEMAP}}}loc").text = address
        if page.changed_at:
            ET.SubElement(url, f"{{{_SITEMAP}}}lastmod").text = page.changed_at.isoformat()
        for code, other in addresses.items():
            link = {"rel": "alternate", "hreflang": code, "href": other}
            ET.SubElement(url, f"{{{_XHTML}}}link", link)


def _address(language: str, name: str, arguments: Arguments) -> str:
    with override(language):
        return settings.PORTAL_URL + reverse(name, args=arguments)
