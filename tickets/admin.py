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
from accounts.desk_look_ups import require_few
from accounts.desk_tasks import TaskOverError
from accounts.models import AuditEntry
from foundations.typed_numbers import number_of
from tickets import correspondence
from tickets.correspondence import NotAnsweredError
from tickets.desk_forms import AnswerForm, ExtensionForm, FindTicketForm, NoteForm
from tickets.desk_queue import QueueForm, queue_page
from tickets.models import AnswerTemplate, Ticket

VIEW, ANSWER = "tickets.view_ticket", "tickets.answer_ticket"
logger = logging.getLogger(__name__)


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """The queue of tickets. Each is decrypted on its own page, and each view is recorded."""

    actions = None

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("", self.queue, "changelist"),
            own("<int:pk>/", self.ticket_page, "change"),
            own("<int:pk>/take/", require_POST(self.take), "take"),
            own("<int:pk>/close/", require_POST(self.close), "close"),
            own("<int:pk>/note/", require_POST(self.note), "note"),
            own("<int:pk>/extend/", require_POST(self.extend), "extend"),
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
        require(request, ANSWER if request.method == "POST" else VIEW)
        ticket = _ticket(pk)
        form = AnswerForm(
            request.POST or None,
            ticket=ticket,
            by=staff_of(request),
            initial=_draft(request, ticket),
        )
        if request.method == "POST" and form.is_valid() and form.act():
            done = _("Answered. The customer gets a mail without the text.")
            return self._done(request, ticket, _("Answered."), done)
        return self._page(request, ticket, form)

    def note(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stores an internal note. Raises RightMissingError."""
        require(request, ANSWER)
        ticket, staff = _ticket(pk), staff_of(request)
        form = NoteForm(request.POST, ticket=ticket, by=staff)
        if form.is_valid() and form.act():
            done = _("The note is stored. The customer does not see it.")
            return self._done(request, ticket, _("Added a note."), done)
        return self._page(request, ticket, AnswerForm(ticket=ticket, by=staff), form)

    def extend(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Extends the time for the answer. Raises RightMissingError."""
        require(request, ANSWER)
        ticket, staff = _ticket(pk), staff_of(request)
        form = ExtensionForm(request.POST, ticket=ticket, by=staff)
        if form.is_valid() and form.act():
            done = _("Extended. The customer gets a mail without the reason.")
            return self._done(request, ticket, _("Extended."), done)
        answer = AnswerForm(ticket=ticket, by=staff)
        return self._page(request, ticket, answer, extension=form)

    def _done(self, request: HttpRequest, ticket: Ticket, logged: str, said: str) -> HttpResponse:
        """Records an act in the history of the ticket, and shows the ticket again."""
        self.log_change(request, ticket, logged)
        messages.success(request, said)
        return redirect("admin:tickets_ticket_change", ticket.pk)

    def _page(
        self,
        request: HttpRequest,
        ticket: Ticket,
        form: AnswerForm,
        note: NoteForm | None = None,
        extension: ExtensionForm | None = None,
    ) -> HttpResponse:
        staff = staff_of(request)
        require_few(staff, ticket)
        logger.info("user %s read ticket %s", staff.pk, ticket.pk)
        acts.record(AuditEntry.Kind.REVEAL, by=staff, about=ticket, incident=ticket.incident_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{ticket.get_kind_display()} {ticket.number}",
            "opts": self.opts,
            "ticket": ticket,
            "thread": correspondence.messages_of(ticket, with_notes=True),
            "answer": form,
            "note": note or NoteForm(ticket=ticket, by=staff),
            "extension": extension or ExtensionForm(ticket=ticket, by=staff),
            "templates": _templates_for(ticket),
            "may_answer": request.user.has_perm(ANSWER) and not ticket.incident.shredded_at,
            "may_look_up": request.user.has_perm("incidents.view_affectedperson"),
        }
        return TemplateResponse(request, "admin/tickets/ticket.html", context)

    def take(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Assigns the ticket to the signed-in person. Raises RightMissingError."""
        require(request, ANSWER)
        ticket = _ticket(pk)
        correspondence.take(ticket, by=staff_of(request))
        return self._done(request, ticket, _("Taken."), _("The ticket is assigned to you."))

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Closes the ticket. Raises RightMissingError."""
        require(request, ANSWER)
        ticket = _ticket(pk)
        if ticket.state == Ticket.State.CLOSED:
            raise TaskOverError(ticket, _("Closed already"), act="Closed.")
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
    chosen = number_of(request.GET.get("template", ""))
    found = AnswerTemplate.objects.filter(pk=chosen).first()
    return {"text": found.text.in_language(ticket.language)} if found else {}
