"""Uploads on the desk: smaller files that a worker checks and imports."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import second_person
from accounts.admin_site import desk_path, number_column, person_column, require, staff_of
from accounts.audit import acts
from accounts.desk_tasks import TaskOverError
from accounts.models import AuditEntry, User
from accounts.step_up import step_up_required
from foundations.formatting import number
from incidents import saved_mappings, uploads
from incidents.admin.confirmation import call_worker, confirmation_page
from incidents.column_forms import ColumnsForm
from incidents.encryption import EncryptionError
from incidents.forms import DiscardUploadForm, ImportUploadForm, UploadForm
from incidents.importing import rejects
from incidents.importing.profile_report import translate_profile
from incidents.importing.refusals import translate_refusal
from incidents.importing.row_messages import translate_reject
from incidents.models import ExposureFile, Upload
from incidents.saved_mappings import MappingFit
from incidents.tasks import work_upload
from incidents.upload_profiles import UploadProfile

CHANGE_UPLOAD, CONFIRM_UPLOAD = "incidents.change_upload", "incidents.confirm_upload"
SAVE_MAPPING = ("incidents.add_savedmapping", "incidents.change_savedmapping")
MOST_FILES = 5  # of the loaded ones, named to the second person

logger = logging.getLogger(__name__)
State = Upload.State


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin):
    """Smaller files that a worker checks and imports. No page shows what they hold."""

    form = UploadForm
    change_form_template = "incidents/desk/upload.html"
    list_display = [
        *("name", "incident", "state"),
        *(number_column(Upload, name) for name in ("rows_taken", "rows_rejected")),
        *("by", "created_at"),
    ]
    list_filter = ["state"]
    list_select_related = ["incident", "by"]
    show_full_result_count = False
    fields = ("incident", "content", "as_before", "mapping", "encoding")
    shown = (
        *("incident", "name", number_column(Upload, "size"), "sha256", "state", "refused"),
        *(number_column(Upload, name) for name in ("rows_read", "rows_taken", "rows_rejected")),
        number_column(Upload, "people_joined"),
        *("rejects", "accepted_reason", "file", person_column(Upload, "by"), "created_at"),
        *("mapping_text", "encoding"),
    )

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        """Returns False: an upload does not change. Its next steps have pages of their own."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False

    def get_form(
        self, request: HttpRequest, obj: Upload | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Returns a plain form for an existing upload, because the page only shows it."""
        form = ModelForm if obj else self.form
        return super().get_form(request, obj, change, form=form, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Upload | None = None) -> Any:
        return self.shown if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Upload | None = None) -> Any:
        return self.shown if obj else ()

    @admin.display(description=gettext_lazy("why it was refused"))
    def refused(self, obj: Upload) -> str:
        return translate_refusal(obj.refusal) or "–"

    @admin.display(description=gettext_lazy("first rejects"))
    def rejects(self, obj: Upload) -> SafeString | str:
        """Lists line and reason of the first rejects that the check found."""
        lines = [(line, translate_reject(reason)) for line, reason in obj.first_rejects]
        return format_html_join("", "<div>{}: {}</div>", lines) or "–"

    @admin.display(description=gettext_lazy("mapping"))
    def mapping_text(self, obj: Upload) -> SafeString | str:
        return format_html("<pre>{}</pre>", obj.mapping) if obj.mapping else "–"

    def save_model(self, request: HttpRequest, obj: Upload, form: Any, change: bool) -> None:
        """Stores the file encrypted, and queues its check for the time after the commit."""
        stored = form.store(request.user)
        obj.pk, obj.name = stored.pk, stored.name
        call_worker(work_upload, str(stored.pk))

    def response_add(
        self, request: HttpRequest, obj: Upload, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect("admin:incidents_upload_change", obj.pk)

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("<uuid:pk>/columns/", self.choose_columns, "columns"),
            own("<uuid:pk>/import/", self.import_upload, "import"),
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
        may_change = request.user.has_perm(CHANGE_UPLOAD)
        context = {
            **(extra_context or {}),
            "tools": _upload_tools(upload, staff_of(request)) if upload else [],
            "upload": upload,
            "expires_at": uploads.expires_at(upload) if upload else None,
            "joined": joined_words(upload) if upload and upload.people_joined else "",
            "objection": _objection(upload, staff_of(request)) if upload else "",
            "refusal": translate_refusal(upload.refusal) if upload else "",
            "is_moving": bool(upload and upload.is_moving),
            "progress": uploads.progress_of(upload) if upload and upload.is_moving else None,
            "profile": _translated_profile(upload) if upload and may_change else None,
            "findings": [translate_refusal(why) for _code, why in upload.findings]
            if upload and upload.state == State.CHECKED
            else [],
        }
        return super().change_view(request, object_id, form_url, context)

    def choose_columns(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Shows the columns beside the first rows, masked; what is chosen becomes the mapping.

        Raises TaskOverError if they are not to be chosen (any more).
        """
        upload = _upload_to_change(request, pk)
        profile = _translated_profile(upload)
        if profile is None or upload.state not in (State.TO_MAP, State.CHECKED):
            raise TaskOverError(upload, upload.get_state_display())
        mappings = saved_mappings.fits(profile)
        fit = _chosen_fit(request, mappings)
        shown = replace(profile, choices=fit.choices) if fit else profile
        form = ColumnsForm(_posted(request), upload=upload, profile=shown)
        if not request.user.has_perms(SAVE_MAPPING):
            del form.fields["name"], form.fields["replaces"]
        if request.method == "POST" and form.is_valid() and form.act(staff_of(request)):
            self.log_change(request, upload, _("Chose the columns."))
            call_worker(work_upload, str(upload.pk))
            return redirect("admin:incidents_upload_change", upload.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Choose the columns of %(file)s") % {"file": upload},
            "opts": self.opts,
            "original": upload,
            "form": form,
            "profile": profile,
            "mappings": mappings,
            "fit": fit,
        }
        return TemplateResponse(request, "incidents/desk/columns.html", context)

    def import_upload(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Asks for a confirmation, then has a worker import the checked file.

        If it adds to people of other files, who uploaded it or chose its columns may not.
        """
        upload = _upload_to_change(request, pk, right=_import_right)
        if upload.state != State.CHECKED:
            raise TaskOverError(upload, upload.get_state_display())
        if reason := _objection(upload, staff_of(request)):
            raise PermissionDenied(reason)
        texts = {
            "title": _("Import %(file)s") % {"file": upload},
            "explanation": "\n".join(_what_is_imported(upload)),
            "button": _("Import it"),
            "done": _("A worker imports the file."),
        }
        form = ImportUploadForm(_posted(request), upload=upload)
        response = confirmation_page(self, request, upload, form=form, texts=texts, seen=form.seen)
        if response.status_code == 302:
            call_worker(work_upload, str(upload.pk))
        return response

    def discard(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Asks for a confirmation, then deletes the upload's bytes and its rejected rows.

        A second person whom the file waits for may do it, too: that refuses the import.
        """
        right = partial(_discard_right, staff=staff_of(request))
        upload = _upload_to_change(request, pk, right=right)
        if upload.is_moving or not upload.pieces.exists():
            raise TaskOverError(upload, upload.get_state_display())
        texts = {
            "title": _("Throw %(file)s away") % {"file": upload},
            "explanation": _(
                "What was uploaded is deleted, and so are the rows an import of it rejected. What "
                "is loaded stays loaded."
            ),
            "button": _("Throw it away"),
            "done": _("Threw the file away."),
        }
        form = DiscardUploadForm(_posted(request), upload=upload)
        return confirmation_page(self, request, upload, form=form, texts=texts)

    def download(self, request: HttpRequest, pk: UUID) -> FileResponse:
        """Returns the rejected rows as a CSV file, unencrypted, so that they can be corrected.

        Step-up guards it (get_urls), because an open session of the desk must not be enough.
        The history of the upload and the process log record the download. Raises TaskOverError if
        there are no rejected rows, or none any more.
        """
        upload = _upload_to_change(request, pk)
        if not upload.pieces.filter(kind="rejects").exists():
            raise TaskOverError(upload, upload.get_state_display())
        self.log_change(request, upload, _("Downloaded the rejected rows."))
        acts.record(
            AuditEntry.Kind.EXPORT,
            by=staff_of(request),
            about=upload,
            incident=upload.incident_id,
            what="rejected rows",
        )
        logger.info("user %s downloaded the rejects of upload %s", request.user.pk, upload.pk)
        content = BytesIO(rejects.translated(b"".join(uploads.rejects_of(upload))))
        name = f"{Path(upload.name).stem}.rejects.csv"
        return FileResponse(content, as_attachment=True, filename=name, content_type="text/csv")


def _chosen_fit(request: HttpRequest, mappings: list[MappingFit]) -> MappingFit | None:
    """Returns the fit of the saved mapping that the address names; says if there is none (more)."""
    chosen = request.GET.get("saved", "")
    found = next((one for one in mappings if str(one.saved.pk) == chosen), None)
    if chosen and not found:
        messages.warning(
            request, _("This saved mapping does not exist any more. Nothing of it is chosen.")
        )
    return found


def joined_words(upload: Upload) -> str:
    """Returns why a second person imports the file."""
    text = ngettext(
        "This file adds to %(people)s person of other files: a contact or a name that these files "
        "do not have, or values without a contact that they have.",
        "This file adds to %(people)s people of other files: a contact or a name that these files "
        "do not have, or values without a contact that they have.",
        upload.people_joined,
    )
    why = _(
        "Who has a contact of a person reads all data of the person: a second person imports it."
    )
    return f"{text % {'people': number(upload.people_joined)}} {why}"


def _posted(request: HttpRequest) -> QueryDict | None:
    """Returns the posted data, which may be empty: these forms have no field but the button."""
    return request.POST if request.method == "POST" else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _upload_to_change(
    request: HttpRequest,
    pk: UUID,
    *,
    right: Callable[[Upload], str] = lambda _upload: CHANGE_UPLOAD,
) -> Upload:
    """Returns the upload. Raises RightMissingError, or Http404 if it is unknown."""
    upload = get_object_or_404(Upload.objects.select_related("incident", "by"), pk=pk)
    require(request, right(upload))
    return upload


def _import_right(upload: Upload) -> str:
    return CONFIRM_UPLOAD if upload.people_joined else CHANGE_UPLOAD


def _discard_right(upload: Upload, staff: User) -> str:
    waits = upload.state == State.CHECKED and not staff.has_perm(CHANGE_UPLOAD)
    return _import_right(upload) if waits else CHANGE_UPLOAD


def _objection(upload: Upload, staff: User) -> str:
    """Returns why the user cannot be the second person that the upload needs; else ""."""
    if not upload.people_joined:
        return ""
    first = uploads.first_people(upload)
    if staff in first:
        return _("You uploaded this file or chose its columns; another person has to import it.")
    return second_person.objection(staff, first=first)


def _what_is_imported(upload: Upload) -> Iterator[str]:
    yield _(
        "{taken} rows can be taken, {rejected} are rejected. They go into the open "
        "scope version of {incident}, or open the next one."
    ).format(
        taken=f"{upload.rows_taken:,}",
        rejected=f"{upload.rows_rejected:,}",
        incident=upload.incident,
    )
    if upload.people_joined:
        loaded = ExposureFile.objects.filter(
            incident=upload.incident, state=ExposureFile.State.LOADED
        )
        names = loaded.order_by("pk").values_list("name", flat=True)
        yield joined_words(upload)
        yield _("Files that are loaded: {files}. Ask {user} where the addresses come from.").format(
            files=", ".join(names[:MOST_FILES]), user=upload.by or "–"
        )


def _translated_profile(upload: Upload) -> UploadProfile | None:
    """Returns the profile in the active language; None if there is none or no key to read it."""
    try:
        profile = uploads.profile_of(upload)
    except EncryptionError:
        return None
    return profile and profile.translated(translate_profile)


def _upload_tools(upload: Upload, staff: User) -> list[tuple[str, str]]:
    """Returns (URL, label) of each step that is possible now."""
    tools = []
    kinds = set(upload.pieces.values_list("kind", flat=True).distinct())
    may_change = staff.has_perm(CHANGE_UPLOAD)
    if may_change and upload.state in (State.TO_MAP, State.CHECKED) and "profile" in kinds:
        url = reverse("admin:incidents_upload_columns", args=[upload.pk])
        tools.append((url, _("Choose the columns")))
    is_to_import = upload.state == State.CHECKED and upload.rows_taken
    may_import = staff.has_perm(_import_right(upload)) and not _objection(upload, staff)
    if is_to_import and may_import:
        tools.append((reverse("admin:incidents_upload_import", args=[upload.pk]), _("Import it")))
    if may_change and "rejects" in kinds:
        url = reverse("admin:incidents_upload_rejects", args=[upload.pk])
        tools.append((url, _("Download the rejected rows")))
    if staff.has_perm(_discard_right(upload, staff)) and kinds:
        url = reverse("admin:incidents_upload_discard", args=[upload.pk])
        tools.append((url, _("Throw it away")))
    return tools
