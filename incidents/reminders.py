"""Reminders of steps that are not done: two mails at most, which a user asks for on "my data"."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import due_mails, emails, sent_mails
from accounts.mail_codes import MailKind
from accounts.models import User
from accounts.sent_mail import SentMail
from incidents.encryption import EncryptionError
from incidents.models import Incident, StepReminder
from incidents.models.step_reminder import REMIND_AFTER, after_mail
from incidents.own_facts import facts_of
from incidents.own_rows import OwnRows, own_rows_of_many
from incidents.steps import steps_for

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
    StepReminder.objects.bulk_create(  # one statement: another tab may end it at the same moment
        [StepReminder(user=user, incident=incident, **values)],
        update_conflicts=True,
        unique_fields=["user", "incident"],
        update_fields=[*values],
    )


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
    rows = StepReminder.objects.due().select_related("user", "incident")
    due_mails.send_batches(rows.all, _Reminders)


class _Reminders:
    """The mails of some due reminders. What decides about all is read in a few queries."""

    def __init__(self, reminders: list[StepReminder]) -> None:
        self._facts = facts_of([each.user_id for each in reminders])
        self._kept: list[SentMail] = []
        self._keys: dict[tuple[int, frozenset[int]], set[str]] = {}
        self._rows: dict[tuple[int, int], OwnRows] = {}  # by the ids of incident and user
        self._unreadable: set[int] = set()  # ids of incidents
        for incident in {each.incident_id: each.incident for each in reminders}.values():
            self._read(incident, [each.user for each in reminders if each.incident == incident])

    def _read(self, incident: Incident, users: list[User]) -> None:
        if incident.shredded_at or not incident.is_public:
            return
        contacts = {user: self._facts[user.pk].contacts for user in users}
        try:
            found = own_rows_of_many(contacts, incident)
        except EncryptionError:
            self._unreadable.add(incident.pk)
        else:
            self._rows |= {(incident.pk, user): own for user, own in found.items()}

    def mail(self, reminder: StepReminder, connection: Any) -> None:
        """Sends the mail if a step is open. Raises NotNowError, OSError or SMTPException."""
        if reminder.incident_id in self._unreadable:
            raise due_mails.NotNowError("the incident cannot be read")
        if not self._has_open_steps(reminder):
            return
        user = reminder.user
        with override(user.mail_language):
            subject, text, code = emails.send_kept(
                "step_reminder",
                user.email or "",
                url=end_url(reminder),
                kind=MailKind.REMINDER,
                message_id=_message_id(reminder),
                connection=connection,
            )
            self._kept.append(sent_mails.row_of(user, subject, text, code))

    def _has_open_steps(self, reminder: StepReminder) -> bool:
        """Returns whether "my data" shows the user a step of the incident that is not done."""
        own = self._rows.get((reminder.incident_id, reminder.user_id))
        if own is None:
            return False
        done = self._facts[reminder.user_id].done_in(reminder.incident)
        leaked = (
            frozenset(key for row in own.exposed[person.pk] for key in row.data_classes)
            for person in own.opened
            if person.pk in own.exposed
        )
        return any(self._keys_of(reminder, classes) - done for classes in leaked)

    def _keys_of(self, reminder: StepReminder, classes: frozenset[int]) -> set[str]:
        """Returns the keys of the steps about these data classes."""
        key = (reminder.incident_id, classes)
        if key not in self._keys:
            public = self._facts[reminder.user_id].public
            incident = next(each for each in public.incidents if each.pk == reminder.incident_id)
            named = [each.jurisdiction for each in incident.jurisdictions.all()]
            known = [each for pk, each in public.catalogue.items() if pk in classes]
            self._keys[key] = {step.key for step in steps_for(known, (), named)}
        return self._keys[key]

    def record(self, taken: Sequence[StepReminder]) -> None:
        """Records the mails, and keeps their texts for "messages that we sent you"."""
        for number in {each.mails for each in taken}:
            keys = [each.pk for each in taken if each.mails == number]
            StepReminder.objects.filter(pk__in=keys).update(
                mail_tries=0, mail_after=None, **after_mail(number)
            )
        SentMail.objects.bulk_create(self._kept)


def _message_id(reminder: StepReminder) -> str:
    return f"reminder-{reminder.pk}-{reminder.asked_at:%Y%m%d%H%M}-{reminder.mails}"
