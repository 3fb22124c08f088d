"""Template tags with the portal's name and address, for error pages, which have no context."""

from django import template
from django.conf import settings

from foundations.languages import portal_name

register = template.Library()


@register.simple_tag
def name_of_portal() -> str:
    """Returns the company's name in the active language."""
    return portal_name()


@register.simple_tag
def host_of_portal() -> str:
    """Returns the host of the portal's address."""
    return str(settings.PORTAL_HOST)


@register.simple_tag
def url_of_portal() -> str:
    """Returns the portal's address as readers type it."""
    return str(settings.PORTAL_URL)
