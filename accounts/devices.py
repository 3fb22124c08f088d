"""The sessions of a user, each with a description of the browser that its owner recognises."""

from typing import Any

from allauth.usersessions.models import UserSession

from accounts.browsers import describe_device
from accounts.models import User


def sessions_of(user: User) -> list[dict[str, Any]]:
    """Returns the open sessions of a user, newest first: id, device, ip, began_at, is_current.

    `is_current` is that of the request's own session.
    """
    active = UserSession.objects.purge_and_list(user)
    return [
        {
            "id": session.pk,
            "device": describe_device(session.user_agent),
            "ip": session.ip,
            "began_at": session.created_at,
            "is_current": session.is_current(),
        }
        for session in sorted(active, key=lambda session: session.created_at, reverse=True)
    ]
