"""The tag that shows overdue duties on the desk's front page."""

from typing import Any

from django import template

from statements.legal import deadlines

register = template.Library()


@register.inclusion_tag("admin/statements/regulators/overdue.html", takes_context=True)
def overdue_duties(context: dict[str, Any]) -> dict[str, Any]:
    """Shows incidents with an overdue duty to users who may see duties."""
    may_see = context["request"].user.has_perm("statements.view_dutyconfirmation")
    return {"overdue": deadlines.overdue() if may_see else []}
