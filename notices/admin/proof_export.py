"""Taking the proof, and the list of those not reached, out of the portal."""

import logging
from collections.abc import Iterator

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

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
    """Asks for the format, then streams the file."""
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
    }
    return TemplateResponse(request, "admin/notices/notice/export.html", context)


def counts(notice: Notice) -> list[tuple[str, int]]:
    """Label and number of those not reached, from the kept counters."""
    labels = dict(Delivery.State.choices)
    live = Notice.objects.live_counts(notice.pk)
    shown = [*NOT_REACHED, Delivery.State.IN_DOUBT]
    return [(str(labels[state.value]), live[state.value]) for state in shown]


def _ways(notice: Notice) -> ledger_export.Ways | None:
    """By which other way they could be reached; None where they are too many to look at each."""
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
    whom: PeopleList | None = form.cleaned_data.get("whom")
    what = whom.name if whom else "proof"
    done = HistoryMessages.EXPORTED_OPENED if is_opened else HistoryMessages.EXPORTED
    desk.log_change(request, notice, done.stored(what_words=what, format=kind))
    how = "opened" if is_opened else "without contacts"
    logger.info("user %s exported %s of notice %s, %s", request.user.pk, what, notice.pk, how)
    return StreamingHttpResponse(
        _text(notice, kind=kind, is_opened=is_opened, whom=whom),
        content_type=ledger_export.CONTENT_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{what}-{notice.pk}.{kind}"'},
    )


def _text(notice: Notice, *, kind: str, is_opened: bool, whom: PeopleList | None) -> Iterator[str]:
    """The proof, or a list of some of its people."""
    if whom is None:
        fields = ledger_export.proof_fields(is_opened=is_opened)
        rows = ledger_export.proof(notice, is_opened=is_opened)
    else:
        fields = ledger_export.escalation_fields(is_opened=is_opened)
        rows = ledger_export.not_reached(notice, is_opened=is_opened, states=whom.states)
    return ledger_export.FORMATS[kind](fields, rows)
