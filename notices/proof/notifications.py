"""The mandatory notices of an incident as `statements` reads them, for duties and reports."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from foundations.formatting import number
from incidents.models import Incident
from notices.models import Milestone, Notice
from statements.notifications import Notification


def notifications(incident: Incident) -> Iterator[Notification]:
    """Yields the mandatory notices to all affected people that have begun, oldest first."""
    sent = Notice.objects.real().filter(
        incident=incident,
        kind=Notice.Kind.MANDATORY,
        audience=Notice.Audience.EVERYBODY,
        approved_at__isnull=False,
    )
    related = sent.select_related("digest").prefetch_related("milestones")
    for notice in related.order_by("approved_at"):
        if notice.started_at is None or notice.waits_until or _is_stopped_before_start(notice):
            continue
        yield Notification(
            begun_at=notice.started_at,
            planned=notice.planned,
            accepted=notice.accepted,
            all_told_at=_all_told_at(notice),
            description=_description(notice),
            url=reverse("admin:notices_notice_change", args=[notice.pk]),
        )


def _is_stopped_before_start(notice: Notice) -> bool:
    """Returns whether the notice was paused or cancelled before its ledger was begun."""
    is_stopped = notice.state in (Notice.State.PAUSED, Notice.State.CANCELLED)
    return is_stopped and notice.planned_to is None


def _description(notice: Notice) -> str:
    counts = _("%(accepted)s of %(planned)s messages accepted by %(channel)s; %(state)s") % {
        "accepted": number(notice.accepted),
        "planned": number(notice.planned),
        "channel": notice.get_channel_display(),
        "state": notice.get_state_display(),
    }
    digest = getattr(notice, "digest", None)
    return f"{counts}; SHA-256 {digest.digest[:16]}…" if digest else counts


def _all_told_at(notice: Notice) -> datetime | None:
    """Returns when 99 per cent of the messages were accepted.

    If that was never recorded, returns when the notice closed with at least one acceptance, or
    None.
    """
    for milestone in notice.milestones.all():
        if milestone.kind == Milestone.Kind.NEARLY_ALL:
            return milestone.at
    is_closed = notice.state == Notice.State.CLOSED and notice.accepted
    return notice.closed_at if is_closed else None
