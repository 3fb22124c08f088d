"""Names of browsers and systems, by which people recognise their devices."""

from django.utils.translation import gettext as _

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


def describe_device(user_agent: str) -> str:
    """Returns browser and system, such as "Chrome on Android", in the active language.

    Returns "Unknown browser" if neither is recognised.
    """
    return readable_device(*browser_and_system(user_agent))


def browser_and_system(user_agent: str) -> tuple[str, str]:
    """Returns the names of browser and system, such as ("Chrome", "Android"); "" for unknown."""
    return _first_match(_BROWSERS, user_agent), _first_match(_SYSTEMS, user_agent)


def readable_device(browser: str, system: str) -> str:
    """Returns the two names as a phrase in the active language; either may be ""."""
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def _first_match(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
