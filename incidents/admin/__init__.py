"""Incidents on the response desk. What leaked of people is neither listed nor opened here."""

import logging
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import Task
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet, Sum
from django.forms import ModelForm
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError

from accounts.admin import ShownOnly
from accounts.admin_site import own_page, require, staff_of
from accounts.step_up import step_up_required
from incidents import uploads
from incidents.counting import Tally, counts_of
from incidents.forms import (
    BatchChangeForm,
    CloseBatchForm,
    ContactChangeForm,
    DiscardUploadForm,
    ImportUploadForm,
    IncidentForm,
    LookUpForm,
    ShredForm,
    UploadForm,
    WithdrawBatchForm,
)
from incidents.models import (
    AffectedPerson,
    BatchChange,
    ContactChange,
    DataClass,
    ExposureBatch,
    ExposureFile,
    Incident,
    IncidentDataClass,
    IncidentJurisdiction,
    Shredding,
    Upload,
)
from incidents.summaries import batches_of, leaked_classes_of
from incidents.tasks import work_batch_change, work_upload

logger = logging.getLogger(__name__)


def _ask(
    desk: admin.ModelAdmin,
    request: HttpRequest,
    instance: Model,
    *,
    form: ShredForm | BatchChangeForm | ImportUploadForm,
    words: dict[str, str],
) -> HttpResponse:
    """A page for one grave step: `words` are its title, explanation, button and what was done."""
    opts = instance._meta
    if request.method == "POST" and form.is_valid() and form.act():
        desk.log_change(request, instance, words["done"])
        messages.success(request, words["done"])
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", instance.pk)
    context = {
        **desk.admin_site.each_context(request),
        **words,
        "form": form,
        "opts": opts,
        "original": instance,
    }
    return TemplateResponse(request, "incidents/desk/ask.html", context)


def _call(task: Task, pk: int | str) -> None:
    """Without a queue the sweeper calls a worker later."""

    def call() -> None:
        with suppress(OperationalError):
            task.delay(pk)

    transaction.on_commit(call)


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
            for batch in _with_counts(obj.batches.all())
        ]
        words = _("{number}: {state} ({taken} rows taken, {rejected} rejected)")
        named = (
            dict(zip(("number", "state", "taken", "rejected"), line, strict=True)) for line in lines
        )
        return format_html_join("", f"<div>{words}</div>", named) or _how_to_import()

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
        return _tallied(counts_of(obj).standing)

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
            raise PermissionDenied
        incident = get_object_or_404(Incident, pk=pk)
        form = ShredForm(request.POST or None, incident=incident, by=request.user)
        words = _words_of_shredding(incident, form.request)
        return _ask(self, request, incident, form=form, words=words)


def _words_of_shredding(incident: Incident, asked: Shredding | None) -> dict[str, str]:
    explanation = _(
        "All that leaked of people in this incident becomes unreadable at once and for "
        "good. Nobody can look up their data any more. Statements, counts and delivery "
        "records stay. Older backups of the database still hold the keyset: delete them "
        "too."
    )
    title = _("Shred the data of %(incident)s") % {"incident": incident}
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


@admin.register(ContactChange)
class ContactChangeAdmin(admin.ModelAdmin):
    """Proposed by one person, put in force by another; the list is the record."""

    form = ContactChangeForm
    change_form_template = "incidents/desk/contact_change.html"
    list_display = ["incident", "proposed_at", "proposed_by", "confirmed_by", "withdrawn_at"]
    list_display_links = ["proposed_at"]
    list_filter = ["incident"]
    list_select_related = ["incident", "proposed_by", "confirmed_by"]
    fields = ["incident", *ContactChange.FIELDS, "reason"]

    def has_change_permission(self, request: HttpRequest, obj: ContactChange | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ContactChange | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The contacts as they stand, to be changed."""
        asked = request.GET.get("incident", "")
        incident = Incident.objects.filter(pk=asked).first() if asked.isdecimal() else None
        if incident is None:
            return {}
        stands = {name: getattr(incident, name) for name in ContactChange.FIELDS}
        return {"incident": incident.pk, **stands}

    def save_model(self, request: HttpRequest, obj: ContactChange, form: Any, change: bool) -> None:
        obj.proposed_by = staff_of(request)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ContactChange, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Shows the proposal, where a second person goes on."""
        messages.success(request, _("Proposed. Now somebody else has to confirm it."))
        return redirect("admin:incidents_contactchange_change", obj.pk)

    def get_urls(self) -> list[URLPattern]:
        own = partial(own_page, self)
        return [
            own("<int:pk>/confirm/", require_POST(self.confirm), "confirm"),
            own("<int:pk>/withdraw/", require_POST(self.withdraw), "withdraw"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows what stands now beside what is proposed."""
        found = self.get_object(request, object_id)
        context = extra_context or {}
        if found:
            waits = found.confirmed_at is None and found.withdrawn_at is None
            may = request.user.has_perm("incidents.confirm_contactchange")
            is_own = found.proposed_by_id == request.user.pk
            context = {
                **context,
                "rows": _before_and_after(found),
                "may_confirm": waits and may and not is_own,
                "waits_for_another": waits and is_own,
                "may_withdraw": waits and (is_own or may),
            }
        return super().change_view(request, object_id, form_url, context)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Puts the contacts in force; not for whoever proposed them."""
        change = get_object_or_404(ContactChange, pk=pk)
        require(request, "incidents.confirm_contactchange")
        staff = staff_of(request)
        if change.proposed_by == staff:
            raise PermissionDenied
        return self._done(request, change, change.confirm(staff), _("Confirmed."))

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes the proposal back."""
        change = get_object_or_404(ContactChange, pk=pk)
        may = request.user.has_perm("incidents.confirm_contactchange")
        if not may and change.proposed_by != request.user:
            raise PermissionDenied
        return self._done(request, change, change.withdraw(), _("Withdrawn."))

    def _done(
        self, request: HttpRequest, change: ContactChange, is_done: bool, done: str
    ) -> HttpResponse:
        if is_done:
            self.log_change(request, change, done)
            messages.success(request, done)
        else:
            messages.warning(request, _("Nothing was done: it waits no more."))
        return redirect("admin:incidents_contactchange_change", change.pk)


def _before_and_after(change: ContactChange) -> list[tuple[str, str, str]]:
    """Name, what stands there (or stood, once it is confirmed), and what is proposed."""
    before = change.before or {
        name: getattr(change.incident, name) for name in ContactChange.FIELDS
    }
    return [
        (
            str(getattr(ContactChange._meta.get_field(name), "verbose_name", name)),
            before[name],
            getattr(change, name),
        )
        for name in ContactChange.FIELDS
    ]


@admin.register(DataClass)
class DataClassAdmin(admin.ModelAdmin):
    list_display = ["slug", "name_en", "name_ko", "hibp_name", "sensitivity", "masking"]
    list_filter = ["sensitivity", "masking"]
    search_fields = ["slug", "name_en", "name_ko", "hibp_name"]
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: DataClass | None = None) -> Any:
        """Mapping files and the import know a class by its slug."""
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: DataClass | None = None) -> bool:
        """Exposures name it by number, and no constraint could stop this."""
        return False


class ExposureFileInline(ShownOnly, admin.TabularInline):
    model = ExposureFile
    fk_name = "batch"
    can_delete = False
    readonly_fields = (
        "name",
        "state",
        "rows_read",
        "rows_taken",
        "rows_rejected",
        "encoding",
        "fingerprint",
        "finished_at",
    )
    fields = readonly_fields
    ordering = ["pk"]

    @admin.display(description="SHA-256")
    def fingerprint(self, obj: ExposureFile) -> SafeString:
        return format_html('<code title="{}">{}…</code>', obj.sha256, obj.sha256[:12])


def _tallied(tally: Tally | None) -> SafeString | str:
    """Everybody, by relation, by language and by class."""
    if tally is None:
        return _("Counted once a scope version is closed.")
    relations, languages = dict(AffectedPerson.Relation.choices), dict(settings.LANGUAGES)
    lines = [(_("everybody"), tally.people)]
    lines += [(str(relations[key]), people) for key, people in sorted(tally.by_relation.items())]
    lines += [(str(languages[key]), people) for key, people in sorted(tally.by_language.items())]
    lines += [
        (data_class.name, tally.by_class[data_class.pk])
        for data_class in DataClass.objects.filter(pk__in=tally.by_class)
    ]
    return format_html_join("", "<div>{}: {}</div>", [(name, f"{n:,}") for name, n in lines])


def _how_to_import() -> str:
    return _(
        "Smaller files are uploaded here, larger ones loaded on the server: "
        "manage.py import_exposures (see docs/import.md)."
    )


def _with_counts(batches: QuerySet[ExposureBatch]) -> QuerySet[Any]:
    return batches.annotate(taken=Sum("files__rows_taken"), rejected=Sum("files__rows_rejected"))


@admin.register(ExposureBatch)
class ExposureBatchAdmin(ShownOnly, admin.ModelAdmin):
    change_form_template = "incidents/desk/change_form.html"
    list_display = ["incident", "number", "state", "taken", "rejected", "opened_at", "closed_at"]
    list_display_links = ["number"]
    list_filter = ["incident", "state"]
    list_select_related = ["incident"]
    show_full_result_count = False
    readonly_fields = (
        "incident",
        "number",
        "state",
        "note",
        "opened_at",
        "closed_at",
        "withdrawn_at",
        "withdrawn_reason",
        "last_change",
        "people",
    )
    fields = readonly_fields
    inlines = [ExposureFileInline]

    def has_delete_permission(self, request: HttpRequest, obj: ExposureBatch | None = None) -> bool:
        """Wrong ones are withdrawn, with a reason."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return _with_counts(super().get_queryset(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "subtitle": _how_to_import()}
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("people affected"))
    def people(self, obj: ExposureBatch) -> SafeString | str:
        """Of this version alone, from the kept counts."""
        return _tallied(counts_of(obj.incident).by_batch.get(obj.number))

    @admin.display(description=gettext_lazy("closing or withdrawal by a worker"))
    def last_change(self, obj: ExposureBatch) -> SafeString | str:
        """The last one that was asked for here, and how far it is."""
        change = obj.changes.select_related("asked_by").order_by("-pk").first()
        if change is None:
            return "–"
        at = date_format(localtime(change.finished_at or change.asked_at), "DATETIME_FORMAT")
        state = change.get_state_display()
        lines = [(change.get_kind_display(), f"{state} ({at})"), (_("asked by"), change.asked_by)]
        if change.refusal:
            lines.append((_("why it failed"), change.refusal))
        return format_html_join("", "<div>{}: {}</div>", lines)

    @admin.display(description=gettext_lazy("rows taken"))
    def taken(self, obj: Any) -> int:
        return obj.taken or 0

    @admin.display(description=gettext_lazy("rows rejected"))
    def rejected(self, obj: Any) -> int:
        return obj.rejected or 0

    def get_urls(self) -> list[URLPattern]:
        own = partial(own_page, self)
        return [
            own("<int:pk>/close/", self.close, "close"),
            own("<int:pk>/withdraw/", self.withdraw, "withdraw"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        tools, is_moving = [], False
        if object_id.isdecimal():
            changes = BatchChange.objects.unfinished().filter(batch=int(object_id))
            is_moving = changes.exists()
            if request.user.has_perm("incidents.change_exposurebatch") and not is_moving:
                tools = _batch_tools(int(object_id))
        context = {**(extra_context or {}), "tools": tools, "is_moving": is_moving}
        return super().change_view(request, object_id, form_url, context)

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Says that the version is complete."""
        batch = _batch_to_change(request, pk)
        failed = batch.files.filter(state=ExposureFile.State.FAILED).count()
        words = {
            "title": _("Close scope version %(batch)s") % {"batch": batch},
            "explanation": _(
                "%(taken)s rows are taken, %(rejected)s rejected, %(failed)s attempts to load a "
                "file failed. Files that come later go into the next scope version."
            )
            % {"taken": batch.taken or 0, "rejected": batch.rejected or 0, "failed": failed},
            "button": _("Close this scope version"),
            "done": _("Closed the scope version."),
        }
        form = CloseBatchForm(request.POST or None, batch=batch, by=staff_of(request))
        return self._ask_or_call(request, batch, form, words)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes the version back."""
        batch = _batch_to_change(request, pk)
        words = {
            "title": _("Withdraw scope version %(batch)s") % {"batch": batch},
            "explanation": _(
                "What this version says leaked no longer counts: people do not see it, and no "
                "notice names it. The rows and this record stay."
            ),
            "button": _("Withdraw"),
            "done": _("Withdrew the scope version."),
        }
        form = WithdrawBatchForm(request.POST or None, batch=batch, by=staff_of(request))
        return self._ask_or_call(request, batch, form, words)

    def _ask_or_call(
        self, request: HttpRequest, batch: Any, form: BatchChangeForm, words: dict[str, str]
    ) -> HttpResponse:
        """Where counting takes long, a worker does what was confirmed."""
        if form.takes_long:
            by_worker = _("A worker does it, and counts everybody affected: this takes minutes.")
            words["explanation"] = f"{words['explanation']} {by_worker}"
            words["done"] = _("Asked for it: this page shows when it is done.")
        response = _ask(self, request, batch, form=form, words=words)
        if response.status_code == 302:
            for change in BatchChange.objects.unfinished().filter(batch=batch):
                _call(work_batch_change, change.pk)
        return response


def _batch_tools(pk: int) -> list[tuple[str, str]]:
    """The one step that is next: an open version is closed, a closed one can be withdrawn."""
    state = ExposureBatch.objects.filter(pk=pk).values_list("state", flat=True).first()
    if state == ExposureBatch.State.OPEN:
        url = reverse("admin:incidents_exposurebatch_close", args=[pk])
        return [(url, _("Close this scope version"))]
    if state == ExposureBatch.State.CLOSED:
        url = reverse("admin:incidents_exposurebatch_withdraw", args=[pk])
        return [(url, _("Withdraw"))]
    return []


def _batch_to_change(request: HttpRequest, pk: int) -> Any:
    require(request, "incidents.change_exposurebatch")
    return get_object_or_404(_with_counts(ExposureBatch.objects.select_related("incident")), pk=pk)


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin):
    """Smaller files, checked and imported by a worker. What stands in them is shown nowhere."""

    form = UploadForm
    change_form_template = "incidents/desk/upload.html"
    list_display = ["name", "incident", "state", "rows_taken", "rows_rejected", "by", "created_at"]
    list_filter = ["state"]
    list_select_related = ["incident", "by"]
    show_full_result_count = False
    fields = ("incident", "content", "mapping", "encoding")
    shown = (
        *("incident", "name", "size", "sha256", "state", "refusal"),
        *("rows_read", "rows_taken", "rows_rejected", "rejects", "file"),
        *("by", "created_at", "mapping", "encoding"),
    )

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        """Nobody changes what was sent; the next steps have pages of their own."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False

    def get_form(
        self, request: HttpRequest, obj: Upload | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """What was sent is only shown."""
        form = ModelForm if obj else self.form
        return super().get_form(request, obj, change, form=form, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Upload | None = None) -> Any:
        return self.shown if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Upload | None = None) -> Any:
        return self.shown if obj else ()

    @admin.display(description=gettext_lazy("first rejects"))
    def rejects(self, obj: Upload) -> SafeString | str:
        """Lines and reasons, as the check found them."""
        lines = [(line, reason) for line, reason in obj.first_rejects]
        return format_html_join("", "<div>{}: {}</div>", lines) or "–"

    def save_model(self, request: HttpRequest, obj: Upload, form: Any, change: bool) -> None:
        """Seals the file; the worker hears of it when that is committed."""
        kept = form.keep(request.user)
        obj.pk, obj.name = kept.pk, kept.name
        _call(work_upload, str(kept.pk))

    def response_add(
        self, request: HttpRequest, obj: Upload, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect("admin:incidents_upload_change", obj.pk)

    def get_urls(self) -> list[URLPattern]:
        own = partial(own_page, self)
        return [
            own("<uuid:pk>/import/", self.import_it, "import"),
            own("<uuid:pk>/discard/", self.discard, "discard"),
            own("<uuid:pk>/rejects/", step_up_required(self.download), "rejects"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        upload = Upload.objects.filter(pk=object_id).first() if _is_uuid(object_id) else None
        may = request.user.has_perm("incidents.change_upload")
        context = {
            **(extra_context or {}),
            "tools": _upload_tools(upload) if upload and may else [],
            "upload": upload,
            "is_moving": bool(upload and upload.is_moving),
            "progress": uploads.progress_of(upload) if upload and upload.is_moving else None,
        }
        return super().change_view(request, object_id, form_url, context)

    def import_it(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Has the checked file loaded."""
        upload = _upload_to_change(request, pk)
        words = {
            "title": _("Import %(file)s") % {"file": upload},
            "explanation": _(
                "{taken} rows can be taken, {rejected} are rejected. They go into the open "
                "scope version of {incident}, or open the next one."
            ).format(
                taken=f"{upload.rows_taken:,}",
                rejected=f"{upload.rows_rejected:,}",
                incident=upload.incident,
            ),
            "button": _("Import it"),
            "done": _("A worker imports the file."),
        }
        form = ImportUploadForm(_posted(request), upload=upload)
        response = _ask(self, request, upload, form=form, words=words)
        if response.status_code == 302:
            _call(work_upload, str(upload.pk))
        return response

    def discard(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Throws the file away."""
        upload = _upload_to_change(request, pk)
        words = {
            "title": _("Throw %(file)s away") % {"file": upload},
            "explanation": _(
                "What was uploaded is deleted, and so are the rows an import of it rejected. What "
                "is loaded stays loaded."
            ),
            "button": _("Throw it away"),
            "done": _("Threw the file away."),
        }
        form = DiscardUploadForm(_posted(request), upload=upload)
        return _ask(self, request, upload, form=form, words=words)

    def download(self, request: HttpRequest, pk: UUID) -> FileResponse:
        """The rejected rows, in the clear, to be corrected: after a fresh code, for an open session
        of the desk must not be enough for that. Leaves a record of who took them.
        """
        upload = _upload_to_change(request, pk)
        if not upload.pieces.filter(kind="rejects").exists():
            raise Http404
        self.log_change(request, upload, _("Downloaded the rejected rows."))
        logger.info("user %s downloaded the rejects of upload %s", request.user.pk, upload.pk)
        content = BytesIO(b"".join(uploads.rejects_of(upload)))
        name = f"{Path(upload.name).stem}.rejects.csv"
        return FileResponse(content, as_attachment=True, filename=name, content_type="text/csv")


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was posted, even if it is nothing: these forms ask for no more than the press."""
    return request.POST if request.method == "POST" else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _upload_to_change(request: HttpRequest, pk: UUID) -> Upload:
    require(request, "incidents.change_upload")
    return get_object_or_404(Upload.objects.select_related("incident"), pk=pk)


def _upload_tools(upload: Upload) -> list[tuple[str, str]]:
    """What can be done next."""
    tools = []
    if upload.state == Upload.State.CHECKED:
        tools.append((reverse("admin:incidents_upload_import", args=[upload.pk]), _("Import it")))
    kinds = set(upload.pieces.values_list("kind", flat=True).distinct())
    if "rejects" in kinds:
        url = reverse("admin:incidents_upload_rejects", args=[upload.pk])
        tools.append((url, _("Download the rejected rows")))
    if kinds:
        url = reverse("admin:incidents_upload_discard", args=[upload.pk])
        tools.append((url, _("Throw it away")))
    return tools


@admin.register(AffectedPerson)
class AffectedPersonAdmin(ShownOnly, admin.ModelAdmin):
    """A look-up by address, for support; a list of everybody exists nowhere."""

    def get_urls(self) -> list[URLPattern]:
        return [own_page(self, "", self.look_up, "changelist")]

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Which rows carry an address, and which classes leaked: names of classes, no values.

        By POST, so that the address stands in no URL and no access log.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = LookUpForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Look up an affected person"),
            "opts": self.opts,
            "form": form,
        }
        if form.is_valid():
            context["found"] = self._described(request, form)
        return TemplateResponse(request, "incidents/desk/look_up.html", context)

    def _described(self, request: HttpRequest, form: LookUpForm) -> list[dict[str, Any]]:
        """What the page says of each row; leaves a record of who looked."""
        people, ids = form.cleaned_data["people"], form.person_ids()
        logger.info("user %s looked up people %s", request.user.pk, [str(pk) for pk in ids])
        for person in people:
            self.log_change(request, person, _("Looked up."))
        classes, batches = leaked_classes_of(ids), batches_of(ids)
        catalogue = DataClass.objects.in_bulk()
        return [
            {
                "person": person,
                "batches": batches.get(person.pk, []),
                "classes": [catalogue[pk].name for pk in classes.get(person.pk, [])],
            }
            for person in people
        ]
