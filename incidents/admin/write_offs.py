"""Write-offs on the desk: rejected rows and failed files that will not be loaded."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin_site import staff_of
from foundations.typed_numbers import number_of
from incidents import unread
from incidents.admin.proposals import ProposalAdmin
from incidents.forms import WriteOffForm
from incidents.importing.row_messages import translate_reject
from incidents.models import ExposureBatch, ExposureFile, Upload, WriteOff


@admin.register(WriteOff)
class WriteOffAdmin(ProposalAdmin):
    """Write-offs that one person proposes and another confirms. The list is the record of all."""

    confirm_right = "incidents.confirm_writeoff"
    confirmed_text = gettext_lazy(
        "Confirmed: the portal says publicly that these rows could not be read."
    )
    form = WriteOffForm
    change_form_template = "incidents/desk/write_off.html"
    list_display = ["file", "rows", "proposed_at", "proposed_by", "confirmed_by", "withdrawn_at"]
    list_filter = ["file__incident"]
    list_select_related = ["file", "proposed_by", "confirmed_by"]

    def get_fields(self, request: HttpRequest, obj: WriteOff | None = None) -> Any:
        """Returns the fields of a new proposal. The template shows an existing one."""
        return [] if obj else ["file", "reason"]

    def save_model(self, request: HttpRequest, obj: WriteOff, form: Any, change: bool) -> None:
        obj.proposed_by = staff_of(request)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: WriteOff, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Redirects to the page of the proposal, where a second person confirms it."""
        messages.success(request, _("Proposed. Now another person has to confirm it."))
        return redirect("admin:incidents_writeoff_change", obj.pk)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Adds the number of rows by reason for the file in the query."""
        reasons = _reasons(number_of(request.GET.get("file", "")))
        return super().add_view(request, form_url, {**(extra_context or {}), "reasons": reasons})

    def incident_of(self, proposal: WriteOff) -> int:
        return proposal.file.incident_id

    def details(self, proposal: WriteOff) -> dict[str, Any]:
        """Returns the number of rows by reason."""
        return {"reasons": _reasons(proposal.file_id)}


def _reasons(file_id: int) -> list[tuple[str, str]]:
    """Returns (reason, number of unread rows) of a file, in the active language."""
    reasons = unread.reasons_of(file_id)
    return [(translate_reject(reason), f"{rows:,}") for reason, rows in reasons]


def shown_write_off(file: ExposureFile) -> SafeString | str:
    """Returns a link to the write-off of a file with its state, or a dash."""
    write_off = file.write_offs.filter(withdrawn_at=None).first()
    if write_off is None:
        return "–"
    rows = "–" if write_off.rows is None else f"{write_off.rows:,}"
    state = _("written off") if write_off.confirmed_at else _("waits for a second person")
    url = reverse("admin:incidents_writeoff_change", args=[write_off.pk])
    return format_html('<a href="{}">{} ({})</a>', url, rows, state)


def next_step(batch: ExposureBatch) -> SafeString | str:
    """Returns the one next step of a scope version, as HTML for the desk."""
    if batch.state != ExposureBatch.State.OPEN:
        url = reverse("admin:incidents_incident_page", args=[batch.incident_id])
        return format_html('<a href="{}">{}</a>', url, _("The incident’s page"))
    if not batch.files.filter(state=ExposureFile.State.LOADED).exists():
        return _("Import a file.")
    left = [file for file in unread.unread_files(batch) if not file.is_written_off]
    waiting = WriteOff.objects.waiting().filter(file__in=[file.pk for file in left])
    proposed = dict(waiting.values_list("file_id", "pk"))
    for file in left:
        if file.pk not in proposed:
            return _write_off_link(file)
    for file in left:
        url = reverse("admin:incidents_writeoff_change", args=[proposed[file.pk]])
        text = _("A second person confirms the write-off of %(file)s.") % {"file": file.name}
        return format_html('<a href="{}">{}</a>', url, text)
    return _("Close this scope version, once every file is loaded.")


def _write_off_link(file: unread.UnreadFile) -> SafeString:
    links = [(f"{reverse('admin:incidents_writeoff_add')}?file={file.pk}", _("Or write them off."))]
    if file.rows is None:
        text = _("%(file)s failed: import it again.") % {"file": file.name}
    else:
        text = ngettext(
            "%(rows)s rejected row of %(file)s: correct and import the reject file.",
            "%(rows)s rejected rows of %(file)s: correct and import the reject file.",
            file.rows,
        ) % {"rows": f"{file.rows:,}", "file": file.name}
        links = [*_reject_file_links(file), *links]
    shown = format_html_join(" ", '<a href="{}">{}</a>', links)
    return format_html("{} {}", text, shown)


def _reject_file_links(file: unread.UnreadFile) -> Iterator[tuple[str, str]]:
    """Yields (URL, label) of where the reject file is downloaded, and the corrected one loaded.

    A file that the server's command imported has its reject file there.
    """
    upload = Upload.objects.filter(file=file.pk, pieces__kind="rejects").first()
    if upload:
        yield (
            reverse("admin:incidents_upload_change", args=[upload.pk]),
            _("The reject file is on the page of the upload."),
        )
        url = f"{reverse('admin:incidents_upload_add')}?incident={upload.incident_id}"
        yield url, _("Load the corrected one.")
