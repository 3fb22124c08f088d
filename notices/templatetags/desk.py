"""What the desk's pages show of duties, and of words that are kept in English."""

from typing import Any

from django import template

from notices import own_words
from statements.legal import deadlines

register = template.Library()
register.filter("in_words", own_words.in_words)


@register.inclusion_tag("admin/statements/regulators/overdue.html", takes_context=True)
def overdue_duties(context: dict[str, Any]) -> dict[str, Any]:
    """Incidents with a clock that ran out, for those who may look at duties."""
    may_see = context["request"].user.has_perm("statements.view_dutyconfirmation")
    return {"overdue": deadlines.overdue() if may_see else []}
