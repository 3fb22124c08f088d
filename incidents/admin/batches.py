"""Scope versions on the desk: what they hold, and how they are closed and withdrawn."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, number_column, require, staff_of
from accounts.desk_tasks import TaskOverError
from foundations.formatting import moment
from foundations.typed_numbers import number_of
from incidents import phrasing, scope_versions
from incidents.admin.batch_withdrawals import consequences, shown_withdrawal
from incidents.admin.confirmation import call_worker, confirmation_page
from incidents.admin.scope import import_help, shown_tally, with_row_sums
from incidents.admin.write_offs import next_step, shown_write_off
from incidents.forms import CloseBatchForm, WithdrawBatchForm
from incidents.importing.refusals import translate_refusal
from incidents.models import BatchChange, ExposureBatch, ExposureFile, Unlinked, Unread
from incidents.scope_counts import counts_of
from incidents.tasks import work_batch_change
from incidents.unread import unread_amount


class ExposureFileInline(ReadOnlyAdmin, admin.TabularInline):
    model = ExposureFile
    fk_name = "batch"
    can_delete = False
    shown: Any = (  # Any, because Django accepts functions here and its type stubs only names.
        *("name", "state"),
        *(
            number_column(ExposureFile, name)
            for name in ("rows_read", "rows_taken", "rows_rejected")
        ),
        *("settled", "written_off", "corrects", "encoding", "fingerprint", "finished_at"),
    )
    readonly_fields = fields = shown
    ordering = ["pk"]

    @admin.display(description=gettext_lazy("loaded later"))
    def settled(self, obj: ExposureFile) -> str:
        loaded = ExposureFile.State.LOADED
        return f"{obj.rejected_rows.filter(settled_by__state=loaded).count():,}"

    @admin.display(description=gettext_lazy("written off"))
    def written_off(self, obj: ExposureFile) -> SafeString | str:
        return shown_write_off(obj)

    @admin.display(description="SHA-256")
    def fingerprint(self, obj: ExposureFile) -> SafeString:
        return format_html('<code title="{}">{}…</code>', obj.sha256, obj.sha256[:12])


@admin.register(ExposureBatch)
class ExposureBatchAdmin(ReadOnlyAdmin, admin.ModelAdmin):
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
        "public_reason",
        "next_step",
        "unread",
        "unlinked",
        "withdrawal",
        "last_change",
        "people",
    )
    fields = readonly_fields
    inlines = [ExposureFileInline]

    def has_delete_permission(self, request: HttpRequest, obj: ExposureBatch | None = None) -> bool:
        """Returns False: a wrong scope version is withdrawn, with a reason."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_row_sums(super().get_queryset(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "subtitle": import_help()}
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("people affected"))
    def people(self, obj: ExposureBatch) -> SafeString | str:
        """Shows the people of this version alone, from the stored counts."""
        return shown_tally(counts_of(obj.incident).by_batch.get(obj.number))

    @admin.display(description=gettext_lazy("next step"))
    def next_step(self, obj: ExposureBatch) -> SafeString | str:
        return next_step(obj)

    @admin.display(description=gettext_lazy("could not be read"))
    def unread(self, obj: ExposureBatch) -> str:
        """Shows how much of the files is not loaded: of a closed version, what the portal says."""
        if obj.state == ExposureBatch.State.CLOSED:
            amount = Unread(obj.rows_unread, obj.files_unread)
        else:
            amount = unread_amount(obj)
        return phrasing.unread(amount) if any(amount) else "–"

    @admin.display(description=gettext_lazy("without a contact"))
    def unlinked(self, obj: ExposureBatch) -> str:
        """Shows what the portal says of entries without a contact, once the version is closed."""
        entries = Unlinked(obj.people_unlinked, obj.recipients_unlinked).entries
        return phrasing.unlinked(entries) if entries else "–"

    @admin.display(description=gettext_lazy("withdrawal"))
    def withdrawal(self, obj: ExposureBatch) -> SafeString | str:
        return shown_withdrawal(obj)

    @admin.display(description=gettext_lazy("closing or withdrawal by a worker"))
    def last_change(self, obj: ExposureBatch) -> SafeString | str:
        """Shows the last change that was requested on the desk, with its state."""
        change = obj.changes.select_related("asked_by").order_by("-pk").first()
        if change is None:
            return "–"
        at = moment(change.finished_at or change.asked_at)
        state = change.get_state_display()
        lines = [(change.get_kind_display(), f"{state} ({at})"), (_("asked by"), change.asked_by)]
        if change.refusal:
            lines.append((_("why it failed"), translate_refusal(change.refusal)))
        return format_html_join("", "<div>{}: {}</div>", lines)

    @admin.display(description=gettext_lazy("rows taken"))
    def taken(self, obj: Any) -> str:
        return f"{obj.taken or 0:,}"

    @admin.display(description=gettext_lazy("rows rejected"))
    def rejected(self, obj: Any) -> str:
        return f"{obj.rejected or 0:,}"

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
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
        if pk := number_of(object_id):
            changes = BatchChange.objects.unfinished().filter(batch=pk)
            is_moving = changes.exists()
            if request.user.has_perm("incidents.change_exposurebatch") and not is_moving:
                tools = _batch_tools(pk)
        context = {**(extra_context or {}), "tools": tools, "is_moving": is_moving}
        return super().change_view(request, object_id, form_url, context)

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for a confirmation, then closes the batch, or asks a worker to close a large one."""
        batch = _batch_to_change(request, pk)
        if batch.state != ExposureBatch.State.OPEN:
            raise _closed_or_withdrawn(batch)
        texts = {
            "title": _("Close: %(batch)s") % {"batch": batch},
            "explanation": _what_is_closed(batch),
            "button": _("Close this scope version"),
            "done": _("Closed the scope version."),
        }
        form = CloseBatchForm(request.POST or None, batch=batch, by=staff_of(request))
        context = {}
        if why := scope_versions.why_not_closed(batch):
            context["warning"] = translate_refusal(why)
        if form.takes_long:
            by_worker = _("A worker does it, and counts everybody affected: this takes minutes.")
            texts["explanation"] = f"{texts['explanation']} {by_worker}"
            texts["done"] = _("Asked for it: this page shows when it is done.")
        response = confirmation_page(self, request, batch, form=form, texts=texts, **context)
        if response.status_code == 302:
            for change in BatchChange.objects.unfinished().filter(batch=batch):
                call_worker(work_batch_change, change.pk)
        return response

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for a reason, then proposes to withdraw the version: a second person confirms it."""
        batch = _batch_to_change(request, pk)
        if batch.state == ExposureBatch.State.WITHDRAWN:
            raise _closed_or_withdrawn(batch)
        texts = {
            "title": _("Withdraw: %(batch)s") % {"batch": batch},
            "explanation": "\n".join([consequences(batch), _("A second person confirms it.")]),
            "button": _("Propose the withdrawal"),
            "done": _("Proposed. Now another person has to confirm it."),
        }
        form = WithdrawBatchForm(request.POST or None, batch=batch, by=staff_of(request))
        return confirmation_page(self, request, batch, form=form, texts=texts)


def _batch_tools(pk: int) -> list[tuple[str, str]]:
    """Returns (URL, label) of the next step, or nothing.

    An open version can be closed, and any version that is not withdrawn can be withdrawn.
    """
    state = ExposureBatch.objects.filter(pk=pk).values_list("state", flat=True).first()
    if state in (None, ExposureBatch.State.WITHDRAWN):
        return []
    tools = [(reverse("admin:incidents_exposurebatch_withdraw", args=[pk]), _("Withdraw"))]
    if state == ExposureBatch.State.OPEN:
        url = reverse("admin:incidents_exposurebatch_close", args=[pk])
        tools.insert(0, (url, _("Close this scope version")))
    return tools


def _closed_or_withdrawn(batch: ExposureBatch) -> TaskOverError:
    """Returns what the desk says of a version that is closed or withdrawn already.

    It names who closed it or asked a worker for it, or who confirmed the withdrawal.
    """
    state = batch.get_state_display()
    if batch.state == ExposureBatch.State.WITHDRAWN:
        decided = batch.withdrawals.filter(confirmed_at__isnull=False).first()
        by = decided.confirmed_by if decided else None
        return TaskOverError(batch, state, by=by, at=batch.withdrawn_at)
    change = batch.changes.filter(state=BatchChange.State.DONE).order_by("-pk").first()
    by, done = change.asked_by if change else None, "Closed the scope version."
    return TaskOverError(batch, state, by=by, at=batch.closed_at, act=done)


def _what_is_closed(batch: Any) -> str:
    """Returns how many rows are taken and rejected, and how many no later file corrects.

    `batch` is an ExposureBatch of `with_row_sums`.
    """
    rejected, unread = batch.rejected or 0, unread_amount(batch).rows
    texts = [
        _("%(taken)s rows are taken, %(rejected)s rejected.")
        % {"taken": f"{batch.taken or 0:,}", "rejected": f"{rejected:,}"}
    ]
    if rejected:
        text = _("Rejected rows that no later file corrects: %(rows)s.")
        texts.append(text % {"rows": f"{unread:,}"})
    return " ".join([*texts, _("Files that come later go into the next scope version.")])


def _batch_to_change(request: HttpRequest, pk: int) -> Any:
    """Returns the batch with its row sums. Raises RightMissingError, or Http404 if unknown."""
    require(request, "incidents.change_exposurebatch")
    return get_object_or_404(with_row_sums(ExposureBatch.objects.select_related("incident")), pk=pk)
