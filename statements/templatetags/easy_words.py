"""The template tag for the link to the page in easy words."""

from django.template import Library

from incidents.models import Incident
from statements.public import easy_read

register = Library()


@register.simple_tag
def easy_read_url(incident: Incident) -> str:
    """Returns the address of the page in easy words; "" if the active language has none."""
    return easy_read.url_of(incident)
