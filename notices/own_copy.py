"""What notices add to the copy of a user's own data: alerts, browsers, and messages sent."""

from typing import Any

from django.db.models import Q

from accounts.models import User
from incidents.own_copy import CopySource, Section
from notices.message_codes import message_code
from notices.models import Delivery


def alerts(source: CopySource) -> Section:
    """Returns the user's alert subscriptions, the ended ones too."""
    rows = source.user.subscriptions.select_related("incident").order_by("subscribed_at")
    return "alerts", [
        {
            "incident": row.incident.slug,
            "title": str(row.incident.title),
            "topic": row.get_topic_display(),
            "subscribed_at": row.subscribed_at,
            "unsubscribed_at": row.unsubscribed_at,
        }
        for row in rows
    ]


def browsers(source: CopySource) -> Section:
    """Returns when each browser was added that gets push messages."""
    rows = source.user.push_subscriptions.order_by("subscribed_at")
    return "browsers_with_push_messages", [{"added_at": row.subscribed_at} for row in rows]


def messages(source: CopySource) -> Section:
    """Returns the messages to the rows that the copy shows in full, and the user's alerts.

    Each has its code, by which the message check finds it, and the text of its version in the
    active language.
    """
    own = Q(person__in=source.people()) | Q(subscription__in=_subscriptions(source.user))
    sent = Delivery.objects.filter(own, state=Delivery.State.ACCEPTED).order_by("ended_at")
    related = sent.select_related("notice__version__statement__incident")
    return "messages", [_message(delivery) for delivery in related]


def _subscriptions(user: User) -> list[Any]:
    return list(user.subscriptions.values_list("pk", flat=True))


def _message(delivery: Delivery) -> dict[str, Any]:
    notice = delivery.notice
    sections = notice.version.sections.order_by("position")
    return {
        "title": str(notice.version.title),
        "channel": str(notice.get_channel_display()),
        "sent_at": delivery.ended_at,
        "language": delivery.language,
        "code": message_code(delivery.pk),
        "texts": [{"heading": one.label, "text": str(one.body)} for one in sections],
    }
