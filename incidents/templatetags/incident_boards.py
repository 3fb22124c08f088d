"""The tag that shows the incidents on the desk's first page."""

from typing import Any

from django import template

from accounts.models import User
from incidents.admin.incident_page import index_context

register = template.Library()


@register.inclusion_tag("incidents/desk/boards.html", takes_context=True)
def incident_boards(context: dict[str, Any]) -> dict[str, Any]:
    """Shows the board of the incident, or a line for each incident if there are several."""
    user = context["request"].user
    found = index_context(user) if isinstance(user, User) else {}
    return {**found, "request": context["request"]}
