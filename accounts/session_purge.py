"""The deletion of ended sessions: their data, network addresses and descriptions of browsers."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone


def purge() -> None:
    """Deletes expired sessions, and the listed sessions of users that no longer exist.

    A row of allauth's list contains the address of a network; nothing else deletes it if its user
    does not come back.
    """
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    session = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(session)).delete()
