"""The desk's queue of tickets: pages by key, so that a deep page is as fast as the first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models import Incident
from tickets.models import Ticket

PAGE = 50  # tickets
_PLACE = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d{1,18})", re.ASCII)


class QueueForm(forms.Form):
    """Which tickets the queue shows, and after which place it goes on."""

    state = forms.ChoiceField(
        label=_("State"), choices=Ticket.State.choices, required=False, initial="waiting"
    )
    whose = forms.ChoiceField(
        label=_("Assigned to"),
        choices=[("", _("anyone")), ("me", _("me")), ("none", _("no one"))],
        required=False,
    )
    incident = forms.ModelChoiceField(
        Incident.objects.order_by("-aware_at"), label=_("Incident"), required=False
    )
    after = forms.RegexField(_PLACE, required=False, widget=forms.HiddenInput)


@dataclass(frozen=True, kw_only=True)
class QueuePage:
    """One page of the queue. `next_query` is the query of the next page, "" after the last."""

    tickets: Sequence[Ticket]
    next_query: str


def queue_page(form: QueueForm, user: User) -> QueuePage:
    """Returns the tickets that the form asks for, the one that is due first at the top."""
    asked: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    state = asked.get("state") or Ticket.State.WAITING
    found = _of(Ticket.objects.filter(state=state), asked, user)
    if place := _PLACE.fullmatch(asked.get("after") or ""):
        day, pk = _day(place[1]), int(place[2])
        found = found.filter(Q(due_on__gt=day) | Q(due_on=day, pk__gt=pk), due_on__gte=day)
    ordered = found.select_related("incident", "assigned_to").order_by("due_on", "pk")
    tickets = list(ordered[: PAGE + 1])
    return QueuePage(tickets=tickets[:PAGE], next_query=_next_query(form, tickets))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min  # no such day: the queue begins at its start


def _of(tickets: QuerySet[Ticket], asked: dict[str, Any], user: User) -> QuerySet[Ticket]:
    if asked.get("incident"):
        tickets = tickets.filter(incident=asked["incident"])
    match asked.get("whose"):
        case "me":
            return tickets.filter(assigned_to=user)
        case "none":
            return tickets.filter(assigned_to__isnull=True)
    return tickets


def _next_query(form: QueueForm, tickets: list[Ticket]) -> str:
    if len(tickets) <= PAGE:
        return ""
    last = tickets[PAGE - 1]
    kept = {name: form.data.get(name, "") for name in ("state", "whose", "incident")}
    return urlencode({**kept, "after": f"{last.due_on.isoformat()}.{last.pk}"})
