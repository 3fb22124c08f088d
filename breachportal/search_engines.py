"""What search engines read: robots.txt (RFC 9309) and sitemap.xml (sitemaps.org).

Search engines should show the company's own words about an incident, not those of fraudsters.
"""

from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree as ET

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import override

from foundations.page_cache import public_page
from incidents.models import Incident
from statements.models import StatementVersion

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
# Pages of one person. Each of them also has the mark "noindex".
_PRIVATE = ["admin/", "*/account/", "*/my-data/", "*/questions/", "*/unsubscribe/", "*/alerts/"]
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
    """Lists the public pages in each language, with the addresses of the other languages."""
    ET.register_namespace("", _SITEMAP)
    ET.register_namespace("xhtml", _XHTML)
    root = ET.Element(f"{{{_SITEMAP}}}urlset")
    for name, arguments, changed_at in _pages():
        _add(root, name, arguments, changed_at)
        if len(root) + len(settings.LANGUAGES) > MOST_ADDRESSES:
            break
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpResponse(content, content_type="application/xml")


def _pages() -> Iterator[tuple[str, Arguments, datetime | None]]:
    """Yields (name of the URL, its arguments, time of the last change if it is known)."""
    yield from (("home", (), None), ("message_check", (), None))
    for slug in Incident.objects.public().values_list("slug", flat=True):
        for name in ("incident", "timeline", "log", "transparency"):
            yield name, (slug,), None
    for version in StatementVersion.objects.current():
        statement = version.statement
        is_advisory = statement.kind == statement.Kind.ADVISORY
        name = "advisory" if is_advisory else "statement"
        yield name, (statement.incident.slug, statement.slug), version.published_at


def _add(root: ET.Element, name: str, arguments: Arguments, changed_at: datetime | None) -> None:
    addresses = {code: _address(code, name, arguments) for code, _name in settings.LANGUAGES}
    for address in addresses.values():
        url = ET.SubElement(root, f"{{{_SITEMAP}}}url")
        ET.SubElement(url, f"{{{_SITEMAP}}}loc").text = address
        if changed_at:
            ET.SubElement(url, f"{{{_SITEMAP}}}lastmod").text = changed_at.isoformat()
        for code, other in addresses.items():
            link = {"rel": "alternate", "hreflang": code, "href": other}
            ET.SubElement(url, f"{{{_XHTML}}}link", link)


def _address(language: str, name: str, arguments: Arguments) -> str:
    with override(language):
        return settings.PORTAL_URL + reverse(name, args=arguments)
