"""The template context of every page.

It does not read the session, so that a public page has the same bytes for every reader.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language, to_locale

from accounts import code_texts
from foundations.languages import desk_languages, portal_name
from incidents.models import Incident


def portal(request: HttpRequest) -> dict[str, Any]:
    """Returns the portal's URL and name, the newest public incident, and the language links.

    `languages` holds the URL of the requested page in each language. `takes_numbers` tells whether
    people may sign in with a mobile number.
    """
    language = get_language() or settings.LANGUAGE_CODE
    return {
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "newest_incident": SimpleLazyObject(lambda: Incident.objects.public().first()),
        "portal_name": portal_name(),
        "social_locale": settings.SOCIAL_LOCALES.get(language, to_locale(language)),
        "is_demo": settings.IS_DEMO,
        "takes_numbers": SimpleLazyObject(code_texts.are_offered),
        "desk_languages": desk_languages(),
        "languages": SimpleLazyObject(lambda: _languages(request.path)),
    }


def _languages(path: str) -> list[dict[str, str]]:
    return [
        {"code": code, "name": name, "url": translate_url(path, code)}
        for code, name in settings.LANGUAGES
    ]
