"""Tickets on the desk: the queue, one ticket, and the templates of answers."""

import logging
from functools import partial

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, require, staff_of
from accounts.audit import acts
from accounts.models import AuditEntry
from incidents.encryption import EncryptionError
from notices.ledger_messages import translate_ledger_message
from tickets import correspondence
from tickets.correspondence import NotAnsweredError
from tickets.desk_queue import QueueForm, queue_page
from tickets.forms import DeskTextForm, FindTicketForm
from tickets.models import AnswerTemplate, Ticket
from tickets.tasks import mail_answers

VIEW, ANSWER = "tickets.view_ticket", "tickets.answer_ticket"
logger = logging.getLogger(__name__)


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """The queue of tickets. Each is decrypted on its own page, and each view is recorded."""

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("", self.queue, "changelist"),
            own("<int:pk>/", self.ticket_page, "change"),
            own("<int:pk>/take/", require_POST(self.take), "take"),
            own("<int:pk>/close/", require_POST(self.close), "close"),
            own("<int:pk>/note/", require_POST(self.note), "note"),
        ]

    def queue(self, request: HttpRequest) -> HttpResponse:
        """Shows the tickets by the day on which the answer is due. Raises RightMissingError."""
        require(request, VIEW)
        find = FindTicketForm(request.GET if "number" in request.GET else None)
        if find.is_valid():
            return redirect("admin:tickets_ticket_change", find.cleaned_data["number"].pk)
        form = QueueForm(request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Tickets"),
            "opts": self.opts,
            "form": form,
            "find": find,
            "page": queue_page(form, staff_of(request)),
        }
        return TemplateResponse(request, "admin/tickets/queue.html", context)

    def ticket_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows a ticket, decrypted, and stores an answer. Raises RightMissingError."""
        require(request, VIEW)
        ticket = _ticket(pk)
        answer = DeskTextForm(
            request.POST or None, label=_("Answer"), initial=_draft(request, ticket)
        )
        if request.method == "POST":
            require(request, ANSWER)
            if answer.is_valid() and self._answer(request, ticket, answer.cleaned_data["text"]):
                return redirect("admin:tickets_ticket_change", pk)
        return self._page(request, ticket, answer)

    def _answer(self, request: HttpRequest, ticket: Ticket, text: str) -> bool:
        """Stores the answer. Returns False, with a message, if that is impossible."""
        if ticket.user_id is None:
            messages.error(request, _("The customer closed the account: no answer reaches them."))
            return False
        if not self._stored(request, ticket, text, is_answer=True):
            return False
        mail_answers.delay_on_commit()
        messages.success(request, _("Answered. The customer gets a mail without the text."))
        return True

    def _stored(self, request: HttpRequest, ticket: Ticket, text: str, *, is_answer: bool) -> bool:
        write = correspondence.answer if is_answer else correspondence.note
        try:
            write(ticket, text=text, by=staff_of(request))
        except EncryptionError as error:
            messages.error(request, translate_ledger_message(str(error)))
            return False
        self.log_change(request, ticket, _("Answered.") if is_answer else _("Added a note."))
        return True

    def _page(self, request: HttpRequest, ticket: Ticket, answer: DeskTextForm) -> HttpResponse:
        staff = staff_of(request)
        logger.info("user %s read ticket %s", staff.pk, ticket.pk)
        acts.record(AuditEntry.Kind.REVEAL, by=staff, about=ticket, incident=ticket.incident_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{ticket.get_kind_display()} {ticket.number}",
            "opts": self.opts,
            "ticket": ticket,
            "thread": correspondence.read(ticket, with_notes=True),
            "answer": answer,
            "note": DeskTextForm(label=_("Internal note"), prefix="note"),
            "templates": _templates_for(ticket),
            "may_answer": request.user.has_perm(ANSWER) and not ticket.incident.shredded_at,
            "may_look_up": request.user.has_perm("incidents.view_affectedperson"),
        }
        return TemplateResponse(request, "admin/tickets/ticket.html", context)

    def note(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stores an internal note. Raises RightMissingError."""
        require(request, ANSWER)
        form = DeskTextForm(request.POST, label=_("Internal note"), prefix="note")
        if not form.is_valid():
            messages.error(request, _("The note was not stored: it is empty or too long."))
        elif self._stored(request, _ticket(pk), form.cleaned_data["text"], is_answer=False):
            messages.success(request, _("The note is stored. The customer does not see it."))
        return redirect("admin:tickets_ticket_change", pk)

    def take(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Assigns the ticket to the signed-in person. Raises RightMissingError."""
        require(request, ANSWER)
        ticket = _ticket(pk)
        correspondence.take(ticket, by=staff_of(request))
        self.log_change(request, ticket, _("Taken."))
        messages.success(request, _("The ticket is assigned to you."))
        return redirect("admin:tickets_ticket_change", pk)

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Closes the ticket. Raises RightMissingError."""
        require(request, ANSWER)
        ticket = _ticket(pk)
        try:
            correspondence.close(ticket)
        except NotAnsweredError:
            messages.error(request, _("It is not closed: the customer has no answer yet."))
            return redirect("admin:tickets_ticket_change", pk)
        self.log_change(request, ticket, _("Closed."))
        messages.success(request, _("Closed. The customer’s next message opens it again."))
        return redirect("admin:tickets_ticket_changelist")


@admin.register(AnswerTemplate)
class AnswerTemplateAdmin(admin.ModelAdmin):
    """The texts that support often answers with. They hold no data of people."""

    list_display = ["name", "kind"]
    list_filter = ["kind"]
    fields = ["name", "kind", "text"]
    show_full_result_count = False


def _ticket(pk: int) -> Ticket:
    return get_object_or_404(
        Ticket.objects.select_related("incident", "user", "assigned_to"), pk=pk
    )


def _templates_for(ticket: Ticket) -> list[AnswerTemplate]:
    return list(AnswerTemplate.objects.filter(Q(kind="") | Q(kind=ticket.kind)))


def _draft(request: HttpRequest, ticket: Ticket) -> dict[str, str]:
    """Returns the text of the chosen template, in the customer's language."""
    chosen = request.GET.get("template", "")
    found = AnswerTemplate.objects.filter(pk=int(chosen)).first() if chosen.isdecimal() else None
    return {"text": found.text.in_language(ticket.language)} if found else {}
