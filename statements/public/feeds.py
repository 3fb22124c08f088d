"""The Atom feed of an incident's published versions."""

from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from incidents.models import Incident
from statements.models import StatementVersion
from statements.public.contexts import version_context

ENTRIES = 50


class IncidentFeed(Feed):
    """The newest 50 published versions, newest first, in the language of the feed's address.

    Addresses start with PORTAL_URL and not with the request's host, because readers store a feed
    and use its addresses after the request.
    """

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, slug: str) -> Incident:
        incident = get_object_or_404(Incident.objects.public(), slug=slug)
        self.language = incident.title.language_for(get_language() or "")
        return incident

    def title(self, incident: Incident) -> str:
        return str(incident.title)

    def subtitle(self, incident: Incident) -> str:
        return str(incident.summary)

    def author_name(self, incident: Incident) -> str:
        return str(incident.company)

    def link(self, incident: Incident) -> str:
        return settings.PORTAL_URL + reverse("incident", args=[incident.slug])

    def feed_url(self, incident: Incident) -> str:
        return settings.PORTAL_URL + reverse("feed", args=[incident.slug])

    def feed_guid(self, incident: Incident) -> str:
        return self.feed_url(incident)

    def items(self, incident: Incident) -> QuerySet[StatementVersion]:
        versions = StatementVersion.objects.public().filter(statement__incident=incident)
        return versions.order_by("-published_at").prefetch_related("sections")[:ENTRIES]

    def item_title(self, version: StatementVersion) -> str:
        kind, number = version.statement.get_kind_display(), version.number
        text = _("{title} ({kind}, version {number})")
        return text.format(title=version.title, kind=kind, number=number)

    def item_description(self, version: StatementVersion) -> str:
        """Returns the reason for the change (empty for a first version) and the first words."""
        beginning: str = version_context(version)["description"]
        return f"{version.change_reason} {beginning}".strip()

    def item_link(self, version: StatementVersion) -> str:
        return settings.PORTAL_URL + version.get_absolute_url()

    def item_guid(self, version: StatementVersion) -> str:
        return self.item_link(version)

    def item_pubdate(self, version: StatementVersion) -> datetime | None:
        return version.published_at

    def item_updateddate(self, version: StatementVersion) -> datetime | None:
        return version.published_at
