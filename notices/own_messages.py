"""The messages that the portal sent to the proven contacts of one user, with their texts.

Notices and alerts are made again from what was bound: the message that the approval rendered, and
the data classes that the delivery recorded. Mails about the account are kept as they were sent. A
message with a sign-in code is not recorded, so it is not among them. See docs/decisions/0078.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from email import message_from_bytes
from email.policy import SMTP
from uuid import UUID

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.models import User
from incidents.encryption import CONTACT, EncryptionError
from incidents.models import AffectedPerson, Exposure, FurtherContact, Incident
from incidents.own_rows import looked_up, own_rows
from notices.message_codes import message_code
from notices.message_filling import (
    MessageFiller,
    Recipient,
    UnusableAddressError,
    safe_name,
    spoken_name,
)
from notices.models import Delivery, Notice, NoticeMessage

MOST = 100  # of each kind, and on the page
_RELATED = ("letter", "notice__incident", "notice__version__statement__incident")
State, Channel, Kind = Delivery.State, Notice.Channel, FurtherContact.Kind
ShowName = Callable[[str], str]  # turns the name in a message into what the page shows


@dataclass(frozen=True)
class OwnMessage:
    """One message to the user. `text` is "" if it cannot be shown as it was sent."""

    at: datetime
    channel: str
    subject: str
    language: str
    code: str = ""  # for the message check; a push message has none
    text: str = ""
    url: str = ""  # of the published version
    notes: Sequence[str] = ()


def own_messages(user: User, show_name: ShowName) -> list[OwnMessage]:
    """Returns the newest MOST messages to the user's proven contacts, the newest first.

    The message about a row is among them only if "my data" opens the row, and the row names a
    proven contact of the user. An incident that cannot be decrypted is left out.
    """
    found = [*_account_mails(user), *_alerts(user), *_push_messages(user)]
    for incident in Incident.objects.public():
        try:
            found += _NoticesOf(user, incident, show_name).messages()
        except EncryptionError:
            continue
    return sorted(found, key=lambda message: message.at, reverse=True)[:MOST]


def _account_mails(user: User) -> Iterator[OwnMessage]:
    for mail in user.sent_mails.all()[:MOST]:
        yield OwnMessage(
            at=mail.sent_at,
            channel=str((Channel.SMS if mail.is_text else Channel.EMAIL).label),
            subject=mail.subject,
            language=mail.language,
            code=mail.code,
            text=mail.text,
        )


def _alerts(user: User) -> Iterator[OwnMessage]:
    contact = {"email": user.email or "", "phone": next(iter(user.verified_phones()), "")}
    for delivery in _sent(Q(subscription__in=list(user.subscriptions.all()))):
        yield _with_text(delivery, _recipient(delivery, **contact))


def _push_messages(user: User) -> Iterator[OwnMessage]:
    """Yields the push messages to the browsers that the user has not ended."""
    browsers = list(user.push_subscriptions.values_list("pk", flat=True))
    if not browsers:
        return
    # The index has the notice first, so no query may look for a recipient alone.
    pushed = Notice.objects.real().filter(channel=Channel.PUSH).values_list("pk", flat=True)
    for delivery in _sent(Q(notice__in=list(pushed), recipient__in=browsers)):
        template = _template(delivery)
        content = json.loads(bytes(template.mime)) if template else {"title": "", "url": ""}
        message = _without_text(delivery)
        yield replace(message, subject=content["title"], text=content["url"], code="")


class _NoticesOf:
    """The notices of one incident about the rows that open for the user."""

    def __init__(self, user: User, incident: Incident, show_name: ShowName) -> None:
        self._incident, self._show_name = incident, show_name
        rows = own_rows(user, [incident])[incident.pk]
        self._people = {person.pk: person for person in rows.opened}
        self._by_letter = self._people.keys() - rows.by_number_only
        self._own = {
            Channel.EMAIL: _indexes(incident, Kind.EMAIL, user.verified_emails()),
            Channel.SMS: _indexes(incident, Kind.PHONE, user.verified_phones()),
        }
        self._changed_at = _changes_of(rows.opened)

    def messages(self) -> Iterator[OwnMessage]:
        """Yields the messages, then the letters. Raises EncryptionError."""
        for delivery in _sent(Q(person__in=list(self._people))):
            person = self._people[delivery.recipient]
            if self._is_own_contact(delivery, person):
                yield self._message(delivery, person)
        letters = Delivery.objects.filter(person__in=list(self._by_letter))
        for delivery in letters.filter(letter__posted_on__isnull=False).select_related(*_RELATED):
            yield _letter(delivery)

    def _is_own_contact(self, delivery: Delivery, person: AffectedPerson) -> bool:
        is_sms = delivery.notice.channel == Channel.SMS
        index = person.phone_index if is_sms else person.email_index
        return index in self._own[Channel(delivery.notice.channel)]

    def _message(self, delivery: Delivery, person: AffectedPerson) -> OwnMessage:
        if reason := self._why_without_text(delivery):
            message = _without_text(delivery)
            return replace(message, notes=[*message.notes, reason])
        cipher = self._incident.cipher()
        contact = cipher.decrypt(person.contact, person=person.pk, purpose=CONTACT)
        name = spoken_name(safe_name(contact.get("n", "")))
        return _with_text(
            delivery,
            _recipient(
                delivery,
                email=contact.get("e", ""),
                phone=contact.get("p", ""),
                name=self._show_name(name) if name else "",
            ),
        )

    def _why_without_text(self, delivery: Delivery) -> str:
        changed_at = self._changed_at.get(delivery.recipient)
        if changed_at and changed_at > _sent_at(delivery):
            return _("Your data here changed after this message, so we cannot show its exact text.")
        if not delivery.data_classes and not delivery.went_to_shared_contact():
            return _("We do not know which text arrived.")
        return ""


def _indexes(incident: Incident, kind: FurtherContact.Kind, addresses: Sequence[str]) -> set[UUID]:
    return {contact.contact_index for contact in looked_up(incident, kind, addresses)}


def _changes_of(people: Sequence[AffectedPerson]) -> dict[UUID, datetime]:
    """Returns when a file last added to or was withdrawn from each person, if one did.

    Either may have changed the person's name, address or number.
    """
    rows = Exposure.objects.filter(person__in=[person.pk for person in people])
    last = Greatest(Max("file__finished_at"), Max("file__batch__withdrawn_at"))
    found = rows.order_by().values_list("person").annotate(last=last)
    return {key: at for key, at in found if at is not None}


def _sent(which: Q) -> QuerySet[Delivery]:
    """Selects the newest deliveries that a server took or may have taken."""
    taken = Q(state__in=(State.ACCEPTED, State.IN_DOUBT)) | Q(is_possible_duplicate=True)
    returned = ~Q(data_classes=[]) | Q(notice__kind=Notice.Kind.ALERT)
    sent = Delivery.objects.filter(which, taken | Q(state=State.BOUNCED) & returned)
    return sent.select_related(*_RELATED).order_by("-pk")[:MOST]


def _sent_at(delivery: Delivery) -> datetime:
    notice = delivery.notice
    return delivery.ended_at or notice.planned_at or notice.approved_at or notice.created_at


def _recipient(delivery: Delivery, **contact: str) -> Recipient:
    return Recipient(
        delivery_id=delivery.pk,
        recipient=delivery.recipient,
        email=contact.get("email", ""),
        phone=contact.get("phone", ""),
        name=contact.get("name", ""),
        data_classes=tuple(delivery.data_classes),
    )


def _without_text(delivery: Delivery) -> OwnMessage:
    notice = delivery.notice
    return OwnMessage(
        at=_sent_at(delivery),
        channel=notice.get_channel_display(),
        subject=str(notice.version.title),
        language=delivery.language,
        code=message_code(delivery.pk),
        url=notice.version.get_absolute_url() if notice.incident.is_public else "",
        notes=list(_notes(delivery)),
    )


def _notes(delivery: Delivery) -> Iterator[str]:
    if delivery.state == State.BOUNCED:
        yield _("It came back to us: your mailbox or phone did not take it.")
    elif delivery.state != State.ACCEPTED:
        yield _("The connection broke while it went out. It may not have arrived.")
    if delivery.is_possible_duplicate:
        yield _("It may have come twice.")


def _with_text(delivery: Delivery, recipient: Recipient) -> OwnMessage:
    """Returns the message with the text that its notice's message gives for the recipient."""
    message, template = _without_text(delivery), _template(delivery)
    if template is None:
        return message
    try:
        data = MessageFiller(template).mail(recipient).data
    except UnusableAddressError:
        return message
    if delivery.notice.channel == Channel.SMS:
        return replace(message, text=data.decode())
    mail = message_from_bytes(data, policy=SMTP)
    body = mail.get_body(("plain",))
    return replace(message, subject=mail["Subject"], text=body.get_content() if body else "")


def _template(delivery: Delivery) -> NoticeMessage | None:
    messages = NoticeMessage.objects.filter(notice=delivery.notice, language=delivery.language)
    is_shared = delivery.went_to_shared_contact()
    found = messages.filter(is_for_shared_contact=is_shared).select_related("notice")
    return found.first()


def _letter(delivery: Delivery) -> OwnMessage:
    """Returns the posted letter of a delivery. Its day has no time, and its text is not stored."""
    noon = time(12, tzinfo=delivery.notice.incident.zone)
    posted_on = delivery.letter.posted_on or delivery.notice.created_at.date()
    at = datetime.combine(posted_on, noon)
    return replace(_without_text(delivery), at=at, channel=_("letter by post"), notes=[])
