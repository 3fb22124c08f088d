"""The export of the proof, and of the list of people not reached, from the desk."""

import logging
from collections.abc import Iterator

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from accounts.admin_site import staff_of
from accounts.audit import acts
from accounts.models import AuditEntry
from notices.admin.history import HistoryMessages
from notices.engine.audiences import NOT_REACHED
from notices.forms.exports import ExportForm, PeopleList
from notices.models import Delivery, Notice
from notices.proof import ledger_export

logger = logging.getLogger(__name__)
EXPORT, OPEN = "notices.export_proof", "notices.open_contacts"


def export(
    desk: admin.ModelAdmin, request: HttpRequest, notice: Notice, *, is_proof: bool
) -> HttpResponseBase:
    """Shows the export form; streams the file once the form is valid.

    `is_proof` selects the proof; else it is a list of people not reached or in doubt. Records the
    export in the notice's history and in the process log.
    """
    form = ExportForm(request.POST or None, may_open=request.user.has_perm(OPEN), is_proof=is_proof)
    if request.method == "POST" and form.is_valid():
        return _file(desk, request, notice, form=form)
    title = _("Export the proof") if is_proof else _("Those not reached")
    context = {
        **desk.admin_site.each_context(request),
        "title": title,
        "button": _("Export"),
        "form": form,
        "opts": desk.opts,
        "notice": notice,
        "counts": [] if is_proof else counts(notice),
        "ways": None if is_proof else _ways(notice),
        "is_proof": is_proof,
        "may_export_letters": notice.is_mandatory and request.user.has_perm(OPEN),
    }
    return TemplateResponse(request, "admin/notices/notice/export.html", context)


def counts(notice: Notice) -> list[tuple[str, int]]:
    """Returns (label, number) for each state of people not reached, from the stored counters."""
    labels = dict(Delivery.State.choices)
    live = Notice.objects.live_counts(notice.pk)
    shown = [*NOT_REACHED, Delivery.State.IN_DOUBT]
    return [(str(labels[state.value]), live[state.value]) for state in shown]


def _ways(notice: Notice) -> ledger_export.Ways | None:
    """Counts by which other ways these people can be reached.

    Returns None for more than settings.NOTICE_COUNT_AT_ONCE people, because it reads each row.
    """
    live = Notice.objects.live_counts(notice.pk)
    people = sum(live[state.value] for state in NOT_REACHED)
    return ledger_export.ways(notice) if people <= settings.NOTICE_COUNT_AT_ONCE else None


def _file(
    desk: admin.ModelAdmin,
    request: HttpRequest,
    notice: Notice,
    *,
    form: ExportForm,
) -> StreamingHttpResponse:
    kind, is_opened = form.cleaned_data["format"], form.cleaned_data.get("is_opened", False)
    people: PeopleList | None = form.cleaned_data.get("whom")
    what = people.name if people else "proof"
    done = HistoryMessages.EXPORTED_OPENED if is_opened else HistoryMessages.EXPORTED
    desk.log_change(request, notice, done.stored(what_words=what, format=kind))
    acts.record(
        AuditEntry.Kind.EXPORT,
        by=staff_of(request),
        about=notice,
        incident=notice.incident_id,
        what=what,
        format=kind,
        opened=is_opened,
    )
    how = "opened" if is_opened else "without contacts"
    logger.info("user %s exported %s of notice %s, %s", request.user.pk, what, notice.pk, how)
    return StreamingHttpResponse(
        _lines(notice, kind=kind, is_opened=is_opened, people=people),
        content_type=ledger_export.CONTENT_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{what}-{notice.pk}.{kind}"'},
    )


def _lines(
    notice: Notice, *, kind: str, is_opened: bool, people: PeopleList | None
) -> Iterator[str]:
    """Yields the lines of the proof, or of a list of people if `people` is given."""
    if people is None:
        fields = ledger_export.proof_fields(is_opened=is_opened)
        rows = ledger_export.proof(notice, is_opened=is_opened)
    else:
        fields = ledger_export.escalation_fields(is_opened=is_opened)
        rows = ledger_export.not_reached(notice, is_opened=is_opened, states=people.states)
    return ledger_export.FORMATS[kind](fields, rows)
