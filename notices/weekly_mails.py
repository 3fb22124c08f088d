"""The weekly mail: one e-mail a week with the updates of an incident, for those who chose that.

It is a notice of its own, which the send engine plans and sends. It says nothing new: it names
alerts that two people approved, with a link to each text. See docs/decisions/0104.
"""

import logging
from datetime import datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from incidents.models import Incident
from notices import message_templates
from notices.engine import audiences, starting
from notices.models import AlertSubscription, Notice

logger = logging.getLogger(__name__)
WEEKDAY, AT = 0, time(9)  # Monday, in the incident's time zone
OLDEST = timedelta(weeks=4)  # alerts that no weekly mail named; older ones are no news
LATEST = timedelta(days=1)  # after it was due; then the mail of the next week names the alerts
_SENT_STATES = (Notice.State.SENDING, Notice.State.CLOSED)


def start_due(*, latest: timedelta = LATEST) -> list[int]:
    """Starts the weekly mails that were due within `latest`, and returns the ids of their notices.

    A fault of one incident is logged, and stops no other incident's mail.
    """
    now = timezone.now()
    started = []
    for incident in Incident.objects.public().filter(shredded_at__isnull=True):
        due = last_due(incident, now)
        try:
            notice = _start(incident.pk, due) if now - due < latest else None
        except Exception:
            logger.exception("the weekly mail of incident %s cannot start", incident.pk)
        else:
            started += [notice.pk] if notice else []
    return started


def last_due(incident: Incident, now: datetime) -> datetime:
    """Returns the last time, up to `now`, at which the incident's weekly mail was due."""
    today = timezone.localdate(now, incident.zone)
    day = today - timedelta(days=(today.weekday() - WEEKDAY) % 7)
    due = datetime.combine(day, AT, tzinfo=incident.zone)
    if due > now:
        due = datetime.combine(day - timedelta(weeks=1), AT, tzinfo=incident.zone)
    return due


def _start(incident_id: int, due: datetime) -> Notice | None:
    """Starts the weekly mail that was due at `due`, once. Returns None if there is nothing new, or
    another process holds the incident; the next run tries again.

    It is one transaction under the incident's lock. So a second process finds the first one's mail,
    and a process that is killed leaves nothing.
    """
    with transaction.atomic():
        free = Incident.objects.select_for_update(no_key=True, skip_locked=True)
        incident = free.filter(pk=incident_id).first()
        mails = Notice.objects.filter(incident=incident)
        if incident is None or mails.filter(weekly_on=due.date()).exists():
            return None
        alerts = _new_alerts(incident, due)
        if not alerts:
            return None
        newest = alerts[-1]
        notice = Notice.objects.create(
            incident=incident,
            version=newest.version,
            kind=Notice.Kind.ALERT,
            topic=newest.topic,
            audience=Notice.Audience.WEEKLY,
            weekly_on=due.date(),
            created_by=newest.created_by,
            approved_by=newest.approved_by,
            approved_at=newest.approved_at,
        )
        mails.filter(pk__in=[alert.pk for alert in alerts]).update(weekly_mail=notice)
        if named := notice.weekly_versions():
            notice.version = named[0]
            notice.save(update_fields=["version"])
        render = message_templates.render_template
        messages = [render(notice, code) for code in incident.languages]
        people = audiences.subscribers(notice).count()
        starting.start(notice, messages, people=people)
    logger.info("notice %s: the weekly mail of %s starts", notice.pk, due.date())
    return notice


def _new_alerts(incident: Incident, due: datetime) -> list[Notice]:
    """Returns the alerts of updates that were planned before `due`, that no weekly mail named, and
    that did not go to all subscribers. The oldest is first.
    """
    alerts = Notice.objects.filter(
        incident=incident,
        kind=Notice.Kind.ALERT,
        topic=AlertSubscription.Topic.UPDATES,
        channel=Notice.Channel.EMAIL,
        audience=Notice.Audience.EVERYBODY,
        state__in=_SENT_STATES,
        planned_at__lt=due,
        planned_at__gt=due - OLDEST,
        weekly_mail__isnull=True,
    ).select_related("version", "created_by", "approved_by")
    return [alert for alert in alerts.order_by("approved_at") if audiences.has_missed(alert)]
