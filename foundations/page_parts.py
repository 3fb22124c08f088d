"""Kept parts: what private pages show to every visitor alike, as this process last rendered it.

A public page is cached as a whole (`page_cache`). A private page is rendered for each request, but
its foot is the same for all visitors. It is kept for settings.PUBLIC_PAGE_SECONDS, as public pages
are, and cleared with them. So no page with a form asks the database for the newest incident.
"""

import time

from django.conf import settings
from django.template import Context, Library
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = Library()
MOST_PARTS = 1_000
# The whole context of a part. It has no user, session or request, so a part shows nothing of them.
_NAMES = ("incident", "newest_incident", "portal_host", "portal_url")

_parts: dict[tuple[str, str | None, object], tuple[float, SafeString]] = {}


@register.simple_tag(takes_context=True)
def kept_part(context: Context, template: str) -> SafeString:
    """Renders `template` with _NAMES of the page's context, or returns it as it was kept.

    It is kept by language and by the page's incident.
    """
    key = (template, get_language(), getattr(context.get("incident"), "pk", None))
    fresh_until, text = _parts.get(key, (0.0, SafeString()))
    now = time.monotonic()
    if now < fresh_until:
        return text
    engine = context.template.engine  # type: ignore[union-attr]  # set while a template renders
    values = Context({name: context.get(name) for name in _NAMES})
    text = engine.get_template(template).render(values)
    if len(_parts) >= MOST_PARTS:
        _parts.clear()
    _parts[key] = now + settings.PUBLIC_PAGE_SECONDS, text
    return text


def forget() -> None:
    """Clears the kept parts of this process."""
    _parts.clear()
