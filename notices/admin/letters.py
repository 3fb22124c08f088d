"""Letters on the desk: the export for a print house, and what happened to the letters."""

import logging
from collections.abc import Iterator

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin_site import staff_of
from accounts.audit import acts
from accounts.models import AuditEntry
from notices import letter_export, letter_qr_codes
from notices.admin.history import HistoryMessages
from notices.forms.letters import LETTERS, QR_CODES, LetterExportForm, LetterReportForm
from notices.models import Notice

logger = logging.getLogger(__name__)


def export(desk: admin.ModelAdmin, request: HttpRequest, notice: Notice) -> HttpResponseBase:
    """Shows the letters' states and the export form; streams the file once the form is valid.

    Records the export in the notice's history and in the process log.
    """
    objection = letter_export.letter_objection(notice)
    form = LetterExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and not objection:
        return _file(desk, request, notice, form)
    context = {
        **desk.admin_site.each_context(request),
        "title": _("Letters"),
        "opts": desk.opts,
        "notice": notice,
        "objection": objection,
        "counts": letter_export.letter_counts(notice),
        "form": form,
        "button": _("Export"),
        "is_export": True,
    }
    return TemplateResponse(request, "admin/notices/notice/letters.html", context)


def _file(
    desk: admin.ModelAdmin, request: HttpRequest, notice: Notice, form: LetterExportForm
) -> StreamingHttpResponse:
    file, order = form.cleaned_data["file"], form.order()
    is_opened = file != QR_CODES
    encoding = order.encoding if file == LETTERS else letter_export.UTF8
    done = (
        HistoryMessages.EXPORTED_OPENED.stored(what_words=file, format=f"csv {encoding}")
        if is_opened
        else HistoryMessages.EXPORTED.stored(what_words=file, format="tar")
    )
    desk.log_change(request, notice, done)
    acts.record(
        AuditEntry.Kind.EXPORT,
        by=staff_of(request),
        about=notice,
        incident=notice.incident_id,
        what=file,
        opened=is_opened,
    )
    logger.info("user %s exported %s of notice %s", request.user.pk, file, notice.pk)
    if file == QR_CODES:
        name = f"{file}-{notice.pk}.tar"
        return _download(letter_qr_codes.archive(notice), "application/x-tar", name)
    lines = letter_export.letters_file if file == LETTERS else letter_export.not_printable_file
    content_type = f"text/csv; charset={encoding}"
    return _download(lines(notice, order), content_type, f"{file}-{notice.pk}.csv")


def _download(content: Iterator[bytes], content_type: str, name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def reports(desk: admin.ModelAdmin, request: HttpRequest, notice: Notice) -> HttpResponse:
    """Shows the form for a file of letter codes, and records it."""
    form = LetterReportForm(request.POST or None, request.FILES or None, notice=notice)
    if request.method == "POST" and (changed := form.record()) is not None:
        words, day = form.cleaned_data["kind"], form.cleaned_data["day"]
        done = HistoryMessages.LETTERS_RECORDED.stored(kind_words=words, day=day, number=changed)
        desk.log_change(request, notice, done)
        text = ngettext("{number} letter changed.", "{number} letters changed.", changed)
        messages.success(request, text.format(number=changed))
        return redirect("admin:notices_notice_letters", notice.pk)
    context = {
        **desk.admin_site.each_context(request),
        "title": _("Letters posted or returned"),
        "opts": desk.opts,
        "notice": notice,
        "counts": letter_export.letter_counts(notice),
        "form": form,
        "button": _("Record"),
    }
    return TemplateResponse(request, "admin/notices/notice/letters.html", context)
