"""The records of the breach API: the facts of public pages, with the field names of the form."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from django.conf import settings
from django.db.models import Max, Q
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import override

from foundations.languages import SOURCE_LANGUAGE
from incidents.models import DataClass, Incident, IncidentDataClass
from incidents.models.incident import IncidentQuerySet
from statements.models import StatementVersion

LANGUAGE = SOURCE_LANGUAGE  # the form has no language, and its clients expect English names
_HOST = re.compile(r"https?://(?:www\.)?([^\s/:?#]+)", re.IGNORECASE)

Record = dict[str, Any]


def breaches(domain: str = "") -> list[Record]:
    """Returns the public incidents in the order of their names; those of `domain` if it is set."""
    asked = [incident for incident in _public() if is_of_domain(incident, domain)]
    return sorted(map(record_of, asked), key=_name)


def breaches_among(incidents: Iterable[int]) -> list[Record]:
    """Returns those of the incidents that are public, by their ids, in the order of their names."""
    return sorted(map(record_of, _public().filter(pk__in=incidents)), key=_name)


def is_of_domain(incident: Incident, domain: str) -> bool:
    """Returns whether an incident has the domain, or none is asked for."""
    return not domain or _domain(incident) == domain.lower()


def breach(name: str) -> Record | None:
    """Returns the public incident of this name, which is its slug; None if there is none."""
    incident = _public().filter(slug=name).first()
    return record_of(incident) if incident else None


def latest_breach() -> Record | None:
    """Returns the incident that became public last, or None if none is public."""
    incident = _public().order_by("-first_public_at", "-pk").first()
    return record_of(incident) if incident else None


def class_names() -> list[str]:
    """Returns the names of all data classes, sorted; several classes may share one name."""
    with override(LANGUAGE):
        return sorted({_class_name(one) for one in DataClass.objects.all()})


def record_of(incident: Incident) -> Record:
    """Returns one incident. `incident` has `changed_at` and its class states, as `_public` loads.

    The values of PwnCount and DataClasses are the company's public statements. IsVerified is true,
    because the company itself publishes the incident.
    """
    added = incident.first_public_at or incident.aware_at
    changed: datetime | None = getattr(incident, "changed_at", None)
    with override(LANGUAGE):
        return {
            "Name": incident.slug,
            "Title": str(incident.title),
            "Domain": _domain(incident),
            "BreachDate": _breach_date(incident).isoformat(),
            "AddedDate": _to_the_minute(added),
            "ModifiedDate": _to_the_minute(max(added, changed or added)),
            "PwnCount": incident.reported_count or 0,
            "Description": _description(incident),
            "LogoPath": settings.PORTAL_URL + static("favicon.svg"),
            "Attribution": None,
            "DisclosureUrl": _page_of(incident),
            "DataClasses": sorted({_class_name(state.data_class) for state in _leaked(incident)}),
            "IsVerified": True,
            "IsFabricated": False,
            "IsSensitive": False,
            "IsRetired": False,
            "IsSpamList": False,
            "IsMalware": False,
            "IsSubscriptionFree": False,
            "IsStealerLog": False,
        }


def _public() -> IncidentQuerySet:
    """Returns the public incidents with `changed_at`, when a statement was published last."""
    is_published = Q(statements__versions__state=StatementVersion.State.PUBLISHED)
    published_at = Max("statements__versions__published_at", filter=is_published)
    incidents = Incident.objects.public().annotate(changed_at=published_at)
    return incidents.prefetch_related("class_states__data_class")


def _leaked(incident: Incident) -> Iterable[IncidentDataClass]:
    involved = IncidentDataClass.State.INVOLVED
    return (state for state in incident.class_states.all() if state.state == involved)


def _class_name(data_class: DataClass) -> str:
    return data_class.hibp_name or str(data_class.name)


def _name(record: Record) -> str:
    return str(record["Name"])


def _domain(incident: Incident) -> str:
    """Returns the host of the first official web address, without "www."; "" without one."""
    with override(LANGUAGE):
        found = _HOST.search("\n".join(incident.official_contacts.lines))
    return found[1].lower() if found else ""


def _breach_date(incident: Incident) -> date:
    return incident.began_on or incident.ended_on or incident.aware_at.astimezone(UTC).date()


def _to_the_minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")


def _page_of(incident: Incident) -> str:
    return settings.PORTAL_URL + reverse("incident", args=[incident.slug])


def _description(incident: Incident) -> str:
    """Returns the summary as HTML, as the form has it, with a link to the incident's page."""
    link = f'<a href="{escape(_page_of(incident))}">{escape(str(incident.company))}</a>'
    return f"{escape(str(incident.summary))} ({link})"
