"""What every template may show. Nothing here looks at the session: public pages stay the same
bytes for everyone.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from incidents.models import Incident


def portal(request: HttpRequest) -> dict[str, Any]:
    """The portal's address, and this page's address in each language."""
    return {
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "newest_incident": SimpleLazyObject(lambda: Incident.objects.public().first()),
        "portal_name": settings.PORTAL_NAME[get_language() or settings.LANGUAGE_CODE],
        "is_demo": settings.IS_DEMO,
        "languages": [
            {"code": code, "name": name, "url": translate_url(request.path, code)}
            for code, name in settings.LANGUAGES
        ],
    }
