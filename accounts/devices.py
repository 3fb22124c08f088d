"""The sessions of a user, each with a description of the browser that its owner recognises."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _

from accounts.models import User

# The first match counts, because nearly every browser also names Chrome and Safari.
_BROWSERS = (
    ("KAKAOTALK", "KakaoTalk"),
    ("NAVER(", "Naver"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Whale/", "Whale"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def sessions_of(user: User) -> list[dict[str, Any]]:
    """Returns the open sessions of a user, newest first: id, device, ip, began_at, is_current.

    `is_current` is that of the request's own session.
    """
    active = UserSession.objects.purge_and_list(user)
    return [
        {
            "id": session.pk,
            "device": describe_device(session.user_agent),
            "ip": session.ip,
            "began_at": session.created_at,
            "is_current": session.is_current(),
        }
        for session in sorted(active, key=lambda session: session.created_at, reverse=True)
    ]


def describe_device(user_agent: str) -> str:
    """Returns browser and system, such as "Chrome on Android", in the active language.

    Returns "Unknown browser" if neither is recognised.
    """
    browser = _first_match(_BROWSERS, user_agent)
    system = _first_match(_SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def _first_match(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
