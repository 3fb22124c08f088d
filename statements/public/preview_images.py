"""Preview images (Open Graph): what a messenger shows next to a shared link.

The image holds the title, the company and the host, and nothing else. In the model case a shared
link to the apology showed an advertisement of the shop.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from foundations import documents
from incidents.models import Incident
from statements.models import StatementVersion

WIDTH, HEIGHT = 1200, 630  # pixels; the size that readers of Open Graph recommend
_LAYOUT = Path(__file__).with_name("preview_image.typ")


@dataclass(frozen=True)
class PreviewImage:
    """The texts of a preview image, its address and its size."""

    title: str
    company: str
    note: str  # kind, version and date; empty for an incident
    host: str
    language: str
    path: str  # of the image's address
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def url(self) -> str:
        """Returns the absolute address of the image."""
        return settings.PORTAL_URL + self.path

    def render(self) -> bytes:
        """Returns the PNG file. Equal texts give equal bytes."""
        texts = {
            "title": self.title,
            "company": self.company,
            "note": self.note,
            "host": self.host,
            **documents.typography(self.language),
        }
        return _render(json.dumps(texts))


def of_version(version: StatementVersion) -> PreviewImage:
    """Returns the preview image of a version, in the active language."""
    statement = version.statement
    address = [statement.incident.slug, statement.slug, version.number]
    return _preview_image(
        statement.incident,
        title=str(version.title),
        note=_version_note(version),
        path=reverse("version_image", args=address),
    )


def of_incident(incident: Incident) -> PreviewImage:
    """Returns the preview image of the incident's other pages, in the active language."""
    path = reverse("incident_image", args=[incident.slug])
    return _preview_image(incident, title=str(incident.title), note="", path=path)


def _version_note(version: StatementVersion) -> str:
    kind, number = version.statement.get_kind_display(), version.number
    if version.published_at is None:
        return str(kind)
    text = _("{kind}, version {number}, {date}")
    zone = version.statement.incident.zone
    day = date_format(localtime(version.published_at, zone).date())
    return text.format(kind=kind, number=number, date=day)


def _preview_image(incident: Incident, *, title: str, note: str, path: str) -> PreviewImage:
    return PreviewImage(
        title=title,
        company=str(incident.company),
        note=note,
        host=settings.PORTAL_HOST,
        language=incident.title.language_for(get_language() or ""),
        path=path,
    )


@lru_cache(maxsize=64)  # there are few published texts
def _render(texts: str) -> bytes:
    return documents.png(_LAYOUT, {"data": texts})
