"""The linked data of a published version for search engines: a schema.org SpecialAnnouncement."""

import json
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from statements.models import Advisory, StatementVersion

# A browser does not execute a data block, so the content security policy allows it in the page.
# These characters are escaped, because the text must not end the script element.
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def announcement(version: StatementVersion, description: str) -> SafeString:
    """Returns the JSON-LD of a published version in the active language; "" for a draft."""
    if version.published_at is None:
        return SafeString()
    text = json.dumps(_announcement(version, description), ensure_ascii=False, indent=1)
    return mark_safe(text.translate(_ESCAPED))  # noqa: S308


def _announcement(version: StatementVersion, description: str) -> dict[str, Any]:
    incident = version.statement.incident
    address = [incident.slug, version.statement.slug, version.number]
    facts = {
        "@context": "https://schema.org",
        "@type": "SpecialAnnouncement",
        "@id": _url("statement_version", *address),
        "url": _url("statement_version", *address),
        "name": str(version.title),
        "text": description,
        "category": "Data breach",
        "inLanguage": version.title.language_for(get_language() or ""),
        "datePosted": version.published_at.isoformat() if version.published_at else "",
        "version": version.number,
        "identifier": f"sha256:{version.hash}",
        "image": _url("version_image", *address),
        "publisher": {"@type": "Organization", "name": str(incident.company)},
        "newsUpdatesAndGuidelines": _url("log", incident.slug),
        "webFeed": _url("feed", incident.slug),
        "encoding": {
            "@type": "MediaObject",
            "encodingFormat": "application/json",
            "contentUrl": _url("version_record", *address),
            "sha256": version.hash,
        },
    }
    if version.number > 1:
        earlier = [incident.slug, version.statement.slug, version.number - 1]
        facts["isBasedOn"] = _url("statement_version", *earlier)
        facts["abstract"] = str(version.change_reason)
    return facts | _issuer(version)


def _issuer(version: StatementVersion) -> dict[str, Any]:
    """Returns the author and the original of an advisory; empty for other statements."""
    try:
        advisory = version.statement.advisory
    except Advisory.DoesNotExist:
        return {}
    issuer = {"@type": "GovernmentOrganization", "name": str(advisory.issuer)}
    return {"author": issuer} | (
        {"isBasedOn": advisory.original_url} if advisory.original_url else {}
    )


def _url(name: str, *address: object) -> str:
    return settings.PORTAL_URL + reverse(name, args=address)
