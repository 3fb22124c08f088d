"""Incidents on the desk, and the shredding of their data."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.admin_site import desk_path, number_column, staff_of
from accounts.desk_tasks import TaskOverError
from foundations.formatting import moment
from foundations.inline_formsets import WordedInlineFormSet
from foundations.typed_numbers import number_of
from incidents.admin import guide, incident_page, messages_page, retention
from incidents.admin.confirmation import confirmation_page
from incidents.admin.facts_admin import FactsAdmin, proposal_link
from incidents.admin.scope import import_help, shown_tally, with_row_sums
from incidents.forms import (
    SHRED_REQUEST_LIFETIME,
    ClassStateFormSet,
    IncidentForm,
    ShredIncidentForm,
    shred_request_of,
    take_shred_request_back,
)
from incidents.models import Incident, IncidentDataClass, IncidentJurisdiction, Shredding
from incidents.scope_counts import counts_of


class ClassStateInline(admin.TabularInline):
    model = IncidentDataClass
    formset = ClassStateFormSet
    extra = 0


class JurisdictionInline(admin.TabularInline):
    model = IncidentJurisdiction
    formset = WordedInlineFormSet
    extra = 0


@admin.register(Incident)
class IncidentAdmin(FactsAdmin):
    """The incidents. The data of one is shredded and not deleted: its row holds the proofs."""

    form = IncidentForm
    change_form_template = "incidents/desk/change_form.html"
    change_list_template = "incidents/desk/change_list.html"
    list_display = ["slug", "company_named", "aware_at", "is_public", "shredded_at"]
    list_filter = ["is_public"]
    show_full_result_count = False
    readonly_fields = ["scope", "people", "shredded"]
    inlines = [JurisdictionInline, ClassStateInline]
    fieldsets = [
        (None, {"fields": ["slug", ("languages", "default_language"), "company", "title"]}),
        (
            gettext_lazy("What happened"),
            {
                "fields": [
                    "summary",
                    ("began_on", "ended_on"),
                    "aware_at",
                    "illegal_access",
                ]
            },
        ),
        (gettext_lazy("How many"), {"fields": ["reported_count", "scope", "people"]}),
        (
            gettext_lazy("Whom to ask"),
            {
                "description": gettext_lazy("Customers tell real calls from scams by them."),
                "fields": [
                    "department",
                    ("contact_phone", "contact_email"),
                    "official_contacts",
                ],
            },
        ),
        (
            gettext_lazy("On the portal"),
            {
                "fields": [
                    ("phone_region", "time_zone"),
                    "is_public",
                    "shared_contact_bound",
                    "has_member_numbers",
                    "shredded",
                ]
            },
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> Any:
        """Makes the slug read-only: the keysets are bound to it."""
        return [*self.readonly_fields, *(["slug"] if obj else [])]

    def get_fieldsets(self, request: HttpRequest, obj: Incident | None = None) -> Any:
        """Shows the reported number as "1,234" to a user who may not change it."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        replacements = {"reported_count": number_column(Incident, "reported_count")}

        def replaced(fields: Any) -> list[Any]:
            return [replacements.get(str(field), field) for field in fields]

        return [(name, {**rest, "fields": replaced(rest["fields"])}) for name, rest in fieldsets]

    @admin.display(description=gettext_lazy("company"), ordering="company")
    def company_named(self, obj: Incident) -> str:
        """Shows the company's name in the active language."""
        return str(obj.company)

    def takes_two(self, row: Incident) -> bool:
        """Returns whether customers may have read the incident's facts."""
        return row.has_been_public and row.pk is not None

    def incident_of(self, row: Incident) -> Incident:
        """Returns the incident itself."""
        return row

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        if not change:
            obj.make_keysets()
        if (obj.is_public or form.initial.get("is_public")) and not obj.first_public_at:
            obj.first_public_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("scope versions"))
    def scope(self, obj: Incident) -> SafeString | str:
        """Lists the scope versions with state and rows. The row counts come from the files."""
        template = _("{number}: {state} ({taken} rows taken, {rejected} rejected)")
        batches = [
            {
                "number": batch.number,
                "state": batch.get_state_display(),
                "taken": f"{batch.taken or 0:,}",
                "rejected": f"{batch.rejected or 0:,}",
            }
            for batch in with_row_sums(obj.batches.all())
        ]
        return format_html_join("", f"<div>{template}</div>", batches) or import_help()

    @admin.display(description=gettext_lazy("shredded"))
    def shredded(self, obj: Incident) -> SafeString | str:
        """Shows the record of the shredding, with the fingerprints of the deleted keysets."""
        record = Shredding.objects.filter(incident=obj, done_at__isnull=False).first()
        if record is None or record.done_at is None:
            request = shred_request_of(obj)
            return _request_sentence(request) if request else "–"
        lines = [
            (_("shredded"), moment(record.done_at)),
            (_("asked by"), record.asked_by or "–"),
            (_("shredded by"), record.done_by or _("somebody at the server")),
            (_("fingerprint of the data keyset"), record.data_fingerprint),
            (_("fingerprint of the index keyset"), record.index_fingerprint),
            (_("people purged"), f"{record.people:,}"),
            (_("exposures purged"), f"{record.exposures:,}"),
            (_("purged"), "✓" if record.purged_at else _("not yet: manage.py purge_incident")),
        ]
        return format_html_join("", "<div>{}: {}</div>", lines)

    @admin.display(description=gettext_lazy("people affected"))
    def people(self, obj: Incident) -> SafeString | str:
        """Shows the people of all closed scope versions together, from the stored counts."""
        return shown_tally(counts_of(obj).total)

    def get_urls(self) -> list[URLPattern]:
        take_back = require_POST(self.take_shred_request_back)
        start = require_POST(self.start_deletion)
        return [
            desk_path(self, "messages/", self.messages, "messages"),
            desk_path(self, "guide/", self.guide_start, "guide_start"),
            desk_path(self, "guide/<slug:name>/", self.guide, "guide"),
            desk_path(self, "<int:pk>/page/", self.page, "page"),
            desk_path(self, "<int:pk>/retention/", require_GET(self.retention), "retention"),
            desk_path(
                self,
                "<int:pk>/retention/propose/<slug:kind>/",
                self.propose_retention,
                "propose_retention",
            ),
            desk_path(self, "<int:pk>/retention/start/", start, "start_deletion"),
            desk_path(self, "<int:pk>/shred/", self.shred, "shred"),
            desk_path(self, "<int:pk>/shred/take-back/", take_back, "take_shred_request_back"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        tools = []
        if pk := number_of(object_id):
            url = reverse("admin:incidents_incident_page", args=[pk])
            tools.append((url, _("The incident’s page")))
        has_data = Incident.objects.filter(pk=pk, shredded_at=None).exists()
        if request.user.is_superuser and has_data:
            url = reverse("admin:incidents_incident_shred", args=[pk])
            tools.append((url, _("Shred the data")))
        tools += proposal_link(request, self.get_object(request, object_id))
        context = {**(extra_context or {}), "tools": tools}
        return super().change_view(request, object_id, form_url, context)

    def response_post_save_change(
        self, request: HttpRequest, obj: Incident
    ) -> HttpResponseRedirect:
        """Leads to the page of the incident after “Save”: it has the next step."""
        return redirect("admin:incidents_incident_page", obj.pk)

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the incident's page: clocks, stages, what waits, and figures."""
        return incident_page.page(self, request, pk)

    def messages(self, request: HttpRequest) -> HttpResponse:
        """Lets the user choose which messages to receive."""
        return messages_page.page(self, request)

    def guide_start(self, request: HttpRequest) -> HttpResponse:
        """Opens the guide to a new incident where the user left it."""
        return guide.start(request)

    def guide(self, request: HttpRequest, name: str) -> HttpResponse:
        """Asks one question of the guide to a new incident."""
        return guide.question(self, request, name)

    def retention(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows how long the incident's data is kept, and what was deleted."""
        return retention.page(self, request, pk)

    def propose_retention(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Proposes a retention plan, a legal hold, or its release."""
        return retention.propose(self, request, pk, kind)

    def start_deletion(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begins the deletion that is due by the plan."""
        return retention.start(self, request, pk)

    def shred(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shreds the data once two superusers have entered the slug, one after the other."""
        incident = _incident_to_shred(request, pk)
        form = ShredIncidentForm(request.POST or None, incident=incident, by=staff_of(request))
        context = {"seen": form.seen}
        if form.request:
            take_back = "admin:incidents_incident_take_shred_request_back"
            context["take_back"] = reverse(take_back, args=[pk])
        return confirmation_page(
            self, request, incident, form=form, texts=_shredding_texts(form), **context
        )

    def take_shred_request_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraws the request to shred the data. Every superuser may do it."""
        incident = _incident_to_shred(request, pk)
        if not take_shred_request_back(incident):
            raise TaskOverError(incident, _("No request to shred the data stands"))
        done = _("Took back the request to shred the data.")
        self.log_change(request, incident, done)
        messages.success(request, done)
        return redirect("admin:incidents_incident_change", pk)


def _incident_to_shred(request: HttpRequest, pk: int) -> Incident:
    """Returns the incident. Raises PermissionDenied for a user who is not a superuser."""
    if not request.user.is_superuser:
        raise PermissionDenied(_("Only a superuser shreds data."))
    return get_object_or_404(Incident, pk=pk)


def _request_sentence(request: Shredding) -> str:
    """Returns who made the request and until when another superuser may confirm it."""
    asked_at = localtime(request.asked_at)
    return _(
        "%(user)s asked to shred the data on %(asked)s. Another superuser has until %(until)s."
    ) % {
        "user": request.asked_by,
        "asked": date_format(asked_at, "DATETIME_FORMAT"),
        "until": date_format(asked_at + SHRED_REQUEST_LIFETIME, "DATETIME_FORMAT"),
    }


def _shredding_texts(form: ShredIncidentForm) -> dict[str, str]:
    """Returns the texts of the confirmation page; see confirmation_page."""
    incident, shred_request = form.incident, form.request
    title = _("Shred the data of: %(incident)s (%(slug)s)") % {
        "incident": incident,
        "slug": incident.slug,
    }
    copies = _(
        "Copies of the keysets stay in the old row of the table, the write-ahead log and its "
        "archive, replicas, backups, and running processes. docs/running.md, “Ending an incident”, "
        "says what to do with each."
    )
    if incident.shredded_at:
        done_already = _("The data of this incident is shredded already.")
        return {"title": title, "explanation": f"{done_already}\n{copies}"}
    explanation = _(
        "All that leaked of people in this incident becomes unreadable at once and for "
        "good. Nobody can look up their data any more. Statements, counts and delivery "
        "records stay. Older backups of the database still hold the keyset: delete them "
        "too."
    )
    explanation = f"{explanation}\n{copies}"
    if tally := counts_of(incident).total:
        concerned = _("It concerns %(people)s people.") % {"people": f"{tally.people:,}"}
        explanation = f"{explanation}\n{concerned}"
    if shred_request:
        next_step = _request_sentence(shred_request)
        button = "" if shred_request.asked_by == form.by else _("Shred for good")
        done = _("Shredded the data.")
    else:
        next_step = _("This asks for it; another superuser does it.")
        button = _("Ask for it")
        done = _("Asked to shred the data: another superuser has 24 hours to do it here.")
    return {
        "title": title,
        "explanation": f"{explanation}\n{next_step}",
        "button": button,
        "done": done,
    }
