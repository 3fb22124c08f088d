"""What notices add to the copy of a user's own data: alerts, browsers, and messages sent."""

from typing import Any

from incidents.own_copy import CopySource, Section
from notices.forms.alerts import topic_label
from notices.models import AlertNumber
from notices.own_messages import OwnMessage, own_messages


def alerts(source: CopySource) -> Section:
    """Returns the user's alert subscriptions, the ended ones too."""
    rows = source.user.subscriptions.select_related("incident").order_by("subscribed_at")
    return "alerts", [
        {
            "incident": row.incident.slug,
            "title": str(row.incident.title),
            "topic": topic_label(row),
            "is_weekly": row.is_weekly,
            "weekly_until": row.weekly_until,
            "subscribed_at": row.subscribed_at,
            "unsubscribed_at": row.unsubscribed_at,
        }
        for row in rows
    ]


def number(source: CopySource) -> Section:
    """Returns the number to which the user's alerts go by text message, if one is chosen."""
    rows = AlertNumber.objects.live().filter(user=source.user).select_related("phone")
    return "number_for_alerts", [
        {"number": row.phone.number, "chosen_at": row.chosen_at} for row in rows
    ]


def browsers(source: CopySource) -> Section:
    """Returns when each browser was added that gets push messages."""
    rows = source.user.push_subscriptions.order_by("subscribed_at")
    return "browsers_with_push_messages", [{"added_at": row.subscribed_at} for row in rows]


def messages(source: CopySource) -> Section:
    """Returns the messages to the user's proven contacts, with the name in full."""
    return "messages", [_message(each) for each in own_messages(source.user, str)]


def _message(message: OwnMessage) -> dict[str, Any]:
    return {
        "title": message.subject,
        "channel": message.channel,
        "sent_at": message.at,
        "language": message.language,
        "code": message.code,
        "text": message.text,
        "notes": list(message.notes),
    }
