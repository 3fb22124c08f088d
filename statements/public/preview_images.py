"""What a messenger shows beside a link: the notice's own title on paper, and whose address it is.

A shared link in the model case showed an advertisement of the shop. Here nothing but the words.
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

WIDTH, HEIGHT = 1200, 630  # pixels, as Open Graph's readers ask for
_LAYOUT = Path(__file__).with_name("preview_image.typ")


@dataclass(frozen=True)
class PreviewImage:
    """A picture's words, where it is found, and how it is drawn."""

    title: str
    company: str
    note: str
    host: str
    language: str
    path: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def url(self) -> str:
        """Its whole address."""
        return settings.PORTAL_URL + self.path

    def png(self) -> bytes:
        """The picture; the same words give the same bytes."""
        words = {
            "title": self.title,
            "company": self.company,
            "note": self.note,
            "host": self.host,
            "language": self.language,
        }
        return _drawn(json.dumps(words))


def of_version(version: StatementVersion) -> PreviewImage:
    """The picture of a version, in the active language."""
    statement = version.statement
    address = [statement.incident.slug, statement.slug, version.number]
    return _picture(
        statement.incident,
        title=version.title,
        note=_version_note(version),
        path=reverse("version_image", args=address),
    )


def of_incident(incident: Incident) -> PreviewImage:
    """The picture of the incident's other pages, in the active language."""
    path = reverse("incident_image", args=[incident.slug])
    return _picture(incident, title=incident.title, note="", path=path)


def _version_note(version: StatementVersion) -> str:
    kind, number = version.statement.get_kind_display(), version.number
    if version.published_at is None:
        return str(kind)
    text = _("{kind}, version {number}, {date}")
    day = date_format(localtime(version.published_at).date())
    return text.format(kind=kind, number=number, date=day)


def _picture(incident: Incident, *, title: str, note: str, path: str) -> PreviewImage:
    return PreviewImage(
        title=title,
        company=incident.company,
        note=note,
        host=settings.PORTAL_HOST,
        language=get_language() or settings.LANGUAGE_CODE,
        path=path,
    )


@lru_cache(maxsize=64)  # published texts are few
def _drawn(words: str) -> bytes:
    return documents.png(_LAYOUT, {"data": words})
