"""What this app contributes to an incident's page: the tickets that wait, and those due soon."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundations.formatting import number
from incidents.desk_page import DeskFigure, DeskTask, PageParts
from incidents.models import DataDeletion, Incident, MessageKind
from incidents.retention import plans
from tickets.models import Ticket, TicketQuerySet

COUNTED = 1000  # no further tickets are counted for a page
VIEW, ANSWER = "tickets.view_ticket", "tickets.answer_ticket"


def ticket_parts(incident: Incident) -> PageParts:
    """Returns how many tickets wait, how many are due by tomorrow, and the task to answer them."""
    tomorrow = timezone.now().astimezone(incident.zone).date() + timedelta(days=1)
    tickets = Ticket.objects.filter(incident=incident)
    waiting, due = _counted(tickets.waiting()), _counted(tickets.due_by(tomorrow))
    url = f"{reverse('admin:tickets_ticket_changelist')}?incident={incident.pk}"
    figures = [
        DeskFigure(key=key, order=order, name=name, value=value, limit=COUNTED, url=url, right=VIEW)
        for key, order, name, value in (
            ("tickets", 60, _("questions that wait for an answer"), waiting),
            ("tickets-due", 61, _("answers due by tomorrow"), due),
        )
    ]
    tasks = [_due_task(incident, due, url, tomorrow.isoformat())] if due else []
    if waiting and not due:
        tasks = [
            DeskTask(
                key=f"tickets-{incident.pk}",
                words=_("Answer the customers’ questions"),
                url=url,
                right=ANSWER,
            )
        ]
    return PageParts(figures=figures, tasks=tasks)


def retention_blockers(incident: Incident) -> Iterator[str]:
    """Yields why no contacts may be deleted now, if a customer waits for an answer.

    Tickets are encrypted with the keyset of the incident, which goes with the contacts. The
    deletion of the values does not wait: people ask at any time, and each one would stop it.
    """
    due = plans.due_step(incident)
    if due and due.step == DataDeletion.Step.VALUES:
        return
    waiting = _counted(Ticket.objects.filter(incident=incident).waiting())
    if waiting:
        words = ngettext(
            "%(n)s question of a customer waits for an answer.",
            "%(n)s questions of customers wait for an answer.",
            waiting,
        )
        yield words % {"n": number(waiting)}


def _due_task(incident: Incident, due: int, url: str, day: str) -> DeskTask:
    """Returns the task to answer what is due. Its key has the day: one message a day."""
    words = ngettext(
        "Answer %(n)s question of a customer: due by tomorrow",
        "Answer %(n)s questions of customers: due by tomorrow",
        due,
    )
    return DeskTask(
        key=f"tickets-due-{incident.pk}-{day}",
        words=words % {"n": number(due)},
        url=url,
        right=ANSWER,
        message_kind=MessageKind.TICKETS,
        message=_("Answers to customers are due by tomorrow."),
    )


def _counted(tickets: TicketQuerySet) -> int:
    return tickets.order_by()[: COUNTED + 1].count()
