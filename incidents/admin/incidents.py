"""Incidents and the end of their data."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import own_page
from incidents.admin.asking import ask
from incidents.admin.scope import how_to_import, tallied, with_counts
from incidents.counting import counts_of
from incidents.forms import IncidentForm, ShredForm
from incidents.models import (
    ContactChange,
    Incident,
    IncidentDataClass,
    IncidentJurisdiction,
    Shredding,
)


class ClassStateInline(admin.TabularInline):
    model = IncidentDataClass
    extra = 0


class JurisdictionInline(admin.TabularInline):
    model = IncidentJurisdiction
    extra = 0


@admin.register(Incident)
class IncidentAdmin(admin.ModelAdmin):
    form = IncidentForm
    change_form_template = "incidents/desk/change_form.html"
    list_display = ["slug", "company_en", "aware_at", "is_public", "shredded_at"]
    list_filter = ["is_public"]
    show_full_result_count = False
    prepopulated_fields = {"slug": ["company_en"]}
    readonly_fields = ["scope", "people", "shredded"]
    inlines = [JurisdictionInline, ClassStateInline]
    fieldsets = [
        (None, {"fields": ["slug", ("company_ko", "company_en"), ("title_ko", "title_en")]}),
        (
            gettext_lazy("What happened"),
            {
                "fields": [
                    "summary_ko",
                    "summary_en",
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
                "description": gettext_lazy(
                    "Once the incident is public, it takes two people to change the telephone, "
                    "the e-mail and the official contacts: customers tell real calls from scams "
                    "by them."
                ),
                "fields": [
                    ("department_ko", "department_en"),
                    ("contact_phone", "contact_email"),
                    "official_contacts_ko",
                    "official_contacts_en",
                ],
            },
        ),
        (gettext_lazy("On the portal"), {"fields": ["is_public", "shredded"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> Any:
        """The keysets are bound to the slug: under another one they do not open.

        One person alone cannot send a nation to another number.
        """
        locked = ContactChange.FIELDS if obj and obj.has_been_public else ()
        return [*self.readonly_fields, *(["slug"] if obj else []), *locked]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Incident | None = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Deleting the row would take the proofs with it; the data is shredded instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        if not change:
            obj.make_keysets()
        if (obj.is_public or form.initial.get("is_public")) and not obj.first_public_at:
            obj.first_public_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("scope versions"))
    def scope(self, obj: Incident) -> SafeString | str:
        """Each version, its state and what it holds, from the files' own counts."""
        lines = [
            (batch.number, batch.get_state_display(), batch.taken or 0, batch.rejected or 0)
            for batch in with_counts(obj.batches.all())
        ]
        words = _("{number}: {state} ({taken} rows taken, {rejected} rejected)")
        named = (
            dict(zip(("number", "state", "taken", "rejected"), line, strict=True)) for line in lines
        )
        return format_html_join("", f"<div>{words}</div>", named) or how_to_import()

    @admin.display(description=gettext_lazy("shredded"))
    def shredded(self, obj: Incident) -> SafeString | str:
        """The record of the shredding, with what proves which keysets are gone."""
        record = Shredding.objects.filter(incident=obj, done_at__isnull=False).first()
        if record is None:
            return "–"
        lines = [
            (_("shredded"), date_format(localtime(record.done_at), "DATETIME_FORMAT")),
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
        """Over all closed scope versions, from the kept counts."""
        return tallied(counts_of(obj).standing)

    def get_urls(self) -> list[URLPattern]:
        shred = own_page(self, "<int:pk>/shred/", self.shred, "shred")
        return [shred, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        tools = []
        if request.user.is_superuser and object_id.isdecimal():
            url = reverse("admin:incidents_incident_shred", args=[object_id])
            tools.append((url, _("Shred the data")))
        if request.user.has_perm("incidents.add_contactchange") and object_id.isdecimal():
            url = reverse("admin:incidents_contactchange_add")
            tools.append((f"{url}?incident={object_id}", _("Change the contacts")))
        context = {**(extra_context or {}), "tools": tools}
        return super().change_view(request, object_id, form_url, context)

    def shred(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Deletes the keysets, once two superusers have typed the slug."""
        if not request.user.is_superuser:
            raise PermissionDenied(_("Only a superuser shreds data."))
        incident = get_object_or_404(Incident, pk=pk)
        form = ShredForm(request.POST or None, incident=incident, by=request.user)
        words = _words_of_shredding(incident, form.request)
        return ask(self, request, incident, form=form, words=words)


def _words_of_shredding(incident: Incident, asked: Shredding | None) -> dict[str, str]:
    explanation = _(
        "All that leaked of people in this incident becomes unreadable at once and for "
        "good. Nobody can look up their data any more. Statements, counts and delivery "
        "records stay. Older backups of the database still hold the keyset: delete them "
        "too."
    )
    title = _("Shred the data of: %(incident)s (%(slug)s)") % {
        "incident": incident,
        "slug": incident.slug,
    }
    if asked:
        next_step = _("%(user)s asked for it. Another superuser types the slug to do it.")
        button, done = _("Shred for good"), _("Shredded the data.")
    else:
        next_step = _("This asks for it; another superuser does it.")
        button = _("Ask for it")
        done = _("Asked to shred the data: another superuser has 24 hours to do it here.")
    named = {"user": asked.asked_by if asked else ""}
    return {
        "title": title,
        "explanation": f"{explanation} {next_step % named}",
        "button": button,
        "done": done,
    }
