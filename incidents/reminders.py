"""Reminders of steps that are not done: two mails at most, which a user asks for on "my data"."""

from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import due_mails, sent_mails
from accounts.mail_codes import MailKind
from accounts.models import User
from incidents.models import Incident, StepReminder
from incidents.models.step_reminder import REMIND_AFTER
from incidents.my_data import masked, parts_for
from incidents.own_facts import own_facts

_SIGNER = Signer(salt="incidents.reminders")


def ask(user: User, incident: Incident) -> None:
    """Records that the user wants to be reminded; a second call starts the days again."""
    now = timezone.now()
    values = {
        "asked_at": now,
        "mails": 0,
        "due_at": now + REMIND_AFTER[0],
        "mail_tries": 0,
        "mail_after": None,
    }
    StepReminder.objects.update_or_create(user=user, incident=incident, defaults=values)


def end(user: User, incident: Incident) -> None:
    """Ends the reminder of one incident."""
    StepReminder.objects.filter(user=user, incident=incident).delete()


def end_url(reminder: StepReminder) -> str:
    """Returns the URL that ends the reminder without a sign-in, in the active language."""
    return settings.PORTAL_URL + reverse("end_reminder", args=[_SIGNER.sign(str(reminder.pk))])


def key_of_token(token: str) -> int | None:
    """Returns the primary key that `end_url` signed; None for any other token."""
    try:
        return int(_SIGNER.unsign(token))
    except BadSignature:
        return None


def send_due() -> None:
    """Sends the reminders that are due. A user whose steps are all done gets none."""
    due_mails.send_each(
        StepReminder.objects.due().select_related("user", "incident").all,
        _mail,
        StepReminder.after_mail,
    )


def _mail(reminder: StepReminder, connection: Any) -> None:
    if not _has_open_steps(reminder):
        return
    with override(reminder.user.mail_language):
        url = end_url(reminder)
        sent_mails.send(
            "step_reminder",
            reminder.user,
            {"url": url},
            kind=MailKind.REMINDER,
            message_id=f"reminder-{reminder.pk}-{reminder.asked_at:%Y%m%d%H%M}-{reminder.mails}",
            unsubscribe_url=url,
            connection=connection,
        )


def _has_open_steps(reminder: StepReminder) -> bool:
    """Returns whether "my data" shows the user a step of the incident that is not done.

    Raises NotNowError while the incident cannot be decrypted.
    """
    user, key = reminder.user, reminder.incident_id
    every = parts_for(user, own_facts(user), masked)
    parts = [part for part in every if part.incident.pk == key]
    if any(part.kind == "unavailable" for part in parts):
        raise due_mails.NotNowError("the incident cannot be read")
    return any(part.next_step for part in parts)
