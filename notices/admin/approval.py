"""What the approval page shows of a notice besides its audience and its messages."""

from typing import Any

from django.db.models import Sum
from django.utils import translation

from foundations.languages import with_own_names
from notices.models import Notice
from notices.models.notice import NoticeQuerySet
from statements.models import StatementVersion
from statements.public.differences import Change, changes


def context(notice: Notice) -> dict[str, Any]:
    """Returns who was or will be sent this version, and what changed in it."""
    before = previous_version(notice.version)
    return {
        "already": already_sent(notice),
        "has_unfinished": has_unfinished(notice),
        "previous": before,
        "differences": _differences(before, notice) if before else [],
    }


def already_sent(notice: Notice) -> int:
    """Returns how many messages of other notices with the same version were accepted.

    Returns 0 for a test, and for an audience that leaves out the people who have the version.
    """
    if notice.audience not in (Notice.Audience.EVERYBODY, Notice.Audience.BATCH):
        return 0
    return _others(notice).aggregate(total=Sum("accepted"))["total"] or 0


def has_unfinished(notice: Notice) -> bool:
    """Returns whether another notice with the same version waits for its time, is being sent or is
    paused. No audience leaves out the people who only get such a notice later. Never for a test.
    """
    states = [Notice.State.PLANNING, Notice.State.SENDING, Notice.State.PAUSED]
    return not notice.is_test and _others(notice).filter(state__in=states).exists()


def _others(notice: Notice) -> NoticeQuerySet:
    same = Notice.objects.real().filter(version=notice.version_id, channel=notice.channel)
    return same.filter(kind=notice.kind, topic=notice.topic).exclude(pk=notice.pk)


def previous_version(version: StatementVersion) -> StatementVersion | None:
    """Returns the newest published version of the statement before `version`."""
    published = StatementVersion.objects.filter(
        statement=version.statement_id,
        number__lt=version.number,
        state=StatementVersion.State.PUBLISHED,
    )
    return published.order_by("-number").first()


def _differences(before: StatementVersion, notice: Notice) -> list[tuple[str, str, list[Change]]]:
    """Returns (language, its name, the parts that differ) for each language of the incident."""
    found = []
    for code, name in with_own_names(notice.incident.languages):
        with translation.override(code):
            found.append((code, name, changes(before, notice.version)))
    return found
