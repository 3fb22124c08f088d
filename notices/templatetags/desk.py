"""What the desk's first page shows of duties."""

from typing import Any

from django import template

from notices.legal import deadlines

register = template.Library()


@register.inclusion_tag("admin/notices/regulators/overdue.html", takes_context=True)
def overdue_duties(context: dict[str, Any]) -> dict[str, Any]:
    """Incidents with a clock that ran out, for those who may look at duties."""
    may_see = context["request"].user.has_perm("notices.view_dutyconfirmation")
    return {"overdue": deadlines.overdue() if may_see else []}
