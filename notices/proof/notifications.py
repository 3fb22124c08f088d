"""The mandatory notices of an incident, as duties and reports to authorities see them."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from incidents.models import Incident
from notices.models import Milestone, Notice
from statements.notifications import Notification


def notifications(incident: Incident) -> Iterator[Notification]:
    """Yields what the law demanded and was approved for all affected people, oldest first."""
    sent = Notice.objects.real().filter(
        incident=incident,
        kind=Notice.Kind.MANDATORY,
        audience=Notice.Audience.EVERYBODY,
        approved_at__isnull=False,
    )
    related = sent.select_related("digest").prefetch_related("milestones")
    for notice in related.order_by("approved_at"):
        if notice.approved_at is None:
            continue
        yield Notification(
            approved_at=notice.approved_at,
            planned=notice.planned,
            accepted=notice.accepted,
            all_told_at=_all_told_at(notice),
            description=_description(notice),
            url=reverse("admin:notices_notice_change", args=[notice.pk]),
        )


def _description(notice: Notice) -> str:
    words = _("%(accepted)s of %(planned)s messages accepted by %(channel)s; %(state)s") % {
        "accepted": number_format(notice.accepted, force_grouping=True),
        "planned": number_format(notice.planned, force_grouping=True),
        "channel": notice.get_channel_display(),
        "state": notice.get_state_display(),
    }
    digest = getattr(notice, "digest", None)
    return f"{words}; SHA-256 {digest.digest[:16]}…" if digest else words


def _all_told_at(notice: Notice) -> datetime | None:
    """Returns when 99 per cent were accepted; else when the notice closed with an acceptance."""
    for milestone in notice.milestones.all():
        if milestone.kind == Milestone.Kind.NEARLY_ALL:
            return milestone.at
    is_closed = notice.state == Notice.State.CLOSED and notice.accepted
    return notice.closed_at if is_closed else None
