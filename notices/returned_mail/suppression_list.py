"""The suppression list: addresses that are not written to.

It stores only blind indexes, so that no person can read the addresses. An entry for one incident
has the same index as the incident's affected people, so that a query can join them. An entry for
all incidents has a MAC under the portal's secret key.
"""

import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from accounts.contacts import normalise_email, normalise_phone
from accounts.models import User
from incidents.models import AffectedPerson, Incident
from incidents.own_rows import MEMBER_NUMBER, Kind, LookedUpContact, StrangerCheck
from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, Notice, Suppression
from notices.models.suppression import SuppressionQuerySet
from notices.returned_mail.reply_reading import Cause, cause_of

Source = Suppression.Source
_INDEX_KIND = {"email": "email", "sms": "phone"}
INDEX_FIELD = {"email": "email_index", "sms": "phone_index"}


def portal_indexes(channel: str, address: str) -> list[UUID]:
    """Returns the indexes of an entry for all incidents.

    `address` is a normalised address or a number in E.164. The first index is that of the secret
    key; the others are those of settings.SECRET_KEY_FALLBACKS.
    """
    named = f"{channel}\0{address}".encode()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    macs = (hmac.digest(_portal_key(secret), named, "sha256") for secret in secrets)
    return [UUID(bytes=mac[:16]) for mac in macs]


@lru_cache(maxsize=8)
def _portal_key(secret: str) -> bytes:
    return salted_hmac("notices.suppression", "", secret=secret, algorithm="sha256").digest()


def index_in(channel: str, address: str, incident: Incident | None) -> UUID:
    """Returns the index of an entry for one incident, or for all incidents (None).

    Raises EncryptionError.
    """
    if incident is None:
        return portal_indexes(channel, address)[0]
    return incident.cipher().blind_index(_INDEX_KIND[channel], address)


def indexes(channel: str, address: str, incidents: Iterable[Incident]) -> list[UUID]:
    """Returns all indexes that an entry for this address may have. Raises EncryptionError."""
    in_incidents = [index_in(channel, address, one) for one in incidents]
    return [*portal_indexes(channel, address), *in_incidents]


def entries_of(channel: str, address: str) -> QuerySet[Suppression]:
    """Returns all entries of an address, also lifted ones, newest first. Raises EncryptionError."""
    incidents = Incident.objects.filter(shredded_at__isnull=True)
    wanted = indexes(channel, address, incidents)
    return Suppression.objects.filter(channel=channel, index__in=wanted)


_CHANNELS = {Kind.EMAIL: "email", Kind.PHONE: "sms"}


def _indexes_of(contact: LookedUpContact) -> list[UUID]:
    """Returns the indexes under which an entry may mark a contact as a stranger's.

    A member number is none of them: no message is sent to it.
    """
    if contact.kind == MEMBER_NUMBER:
        return []
    everywhere = portal_indexes(_CHANNELS[Kind(contact.kind)], contact.address)
    return [*everywhere, contact.contact_index]


# The contacts that a live entry marks as a stranger's.
STRANGERS = StrangerCheck(
    _indexes_of,
    "SELECT index FROM notices_suppression "
    "WHERE index = ANY(%s) AND source = 'stranger' AND lifted_at IS NULL",
)


def is_held_back(incident: Incident, kind: Kind, address: str) -> bool:
    """Returns whether no mandatory notice of the incident goes to a normalised address or number.

    Raises EncryptionError.
    """
    channel = _CHANNELS[kind]
    entries = Suppression.objects.live().filter(
        channel=channel,
        index__in=indexes(channel, address, [incident]),
        source__in=settings.NOTICE_MANDATORY_SUPPRESSIONS,
    )
    return entries.exists()


class SuppressionLookup:
    """The suppressed recipients of one notice, loaded chunk by chunk.

    A worker creates it once per run. An entry that is added during the run applies from the next
    run on.
    """

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        entries = Suppression.objects.none()
        if not notice.is_test:
            entries = Suppression.objects.against(notice)
        # Staff type these in one by one, so they are few enough to hold in memory.
        self._everywhere = dict(
            entries.filter(incident__isnull=True).values_list("index", "source")
        )
        self._of_incident = entries.filter(incident=notice.incident_id)
        self._has_any = self._of_incident.exists()
        self._recipients: dict[UUID, str] = {}

    def look_at(self, chunk: Chunk, addresses: Mapping[UUID, str]) -> None:
        """Loads the recipients of a chunk that an entry for this incident suppresses.

        Affected people are found by their stored index. Subscribers are found by `addresses`: their
        e-mail addresses or numbers by recipient.
        """
        if not self._has_any:
            return
        if self._notice.is_mandatory:
            index = OuterRef(f"person__{INDEX_FIELD[self._notice.channel]}")
            source = Subquery(self._of_incident.filter(index=index).values("source")[:1])
            rows = Delivery.objects.of_chunk(chunk).annotate(source=source)
            self._recipients |= dict(
                rows.filter(source__isnull=False).values_list("recipient", "source")
            )
            return
        channel, incident = self._notice.channel, self._notice.incident
        owners = {
            index_in(channel, normalised(channel, address), incident): key
            for key, address in addresses.items()
        }
        listed = self._of_incident.filter(index__in=list(owners))
        self._recipients |= {
            owners[index]: source for index, source in listed.values_list("index", "source")
        }

    def reason(self, recipient: UUID, address: str) -> str:
        """Returns the stored message for a suppressed recipient; "" if they are not suppressed."""
        source = self._recipients.get(recipient, "")
        if self._everywhere and not source:
            channel = self._notice.channel
            known = portal_indexes(channel, normalised(channel, address))
            source = next((self._everywhere[one] for one in known if one in self._everywhere), "")
        return LedgerMessages.HELD_BACK.stored(source_words=source) if source else ""


def normalised(channel: str, address: str) -> str:
    """Returns an address in the spelling under which the channel indexes it; "" for no number."""
    return normalise_email(address) if channel == "email" else normalise_phone(address) or ""


def suppressed_people(notice: Notice, people: QuerySet[AffectedPerson]) -> QuerySet[AffectedPerson]:
    """Returns those of `people` who are suppressed by an entry for this incident."""
    return people.filter(_is_suppressed(notice))


def not_suppressed(notice: Notice, people: QuerySet[AffectedPerson]) -> QuerySet[AffectedPerson]:
    """Returns those of `people` who are not suppressed by an entry for this incident."""
    return people.filter(~_is_suppressed(notice))


def _is_suppressed(notice: Notice) -> Exists:
    index = OuterRef(INDEX_FIELD[notice.channel])
    return Exists(_of_incident(notice).filter(index=index))


def _of_incident(notice: Notice) -> SuppressionQuerySet:
    return Suppression.objects.against(notice).filter(incident=notice.incident_id)


# ---------------------------------------------------------------- adding and lifting


def lift(entry: Suppression, *, by: User, reason: str) -> bool:
    """Lifts an entry, so that notices reach its address. Returns False if it was lifted before."""
    rows = Suppression.objects.live().filter(pk=entry.pk)
    return rows.update(lifted_at=Now(), lifted_by=by, lifted_reason=reason) == 1


def take_bounces(chunk: Chunk, notice: Notice) -> None:
    """Suppresses the e-mail addresses of a chunk that bounced as bad, for the notice's incident.

    The server's words decide (reply_reading). It decrypts nothing. Addresses that are on the list
    already stay unchanged.
    """
    deliveries = Delivery.objects.of_chunk(chunk).filter(person__isnull=False)
    bounced = deliveries.filter(state=Delivery.State.BOUNCED)
    rows = bounced.values_list("person__email_index", "reply")
    add_automatic(
        [
            (index, notice.incident_id, reply)
            for index, reply in rows
            if index is not None and cause_of(reply) is Cause.ADDRESS
        ],
        channel="email",
        source=Source.BOUNCE,
    )


def add_automatic(
    entries: Iterable[tuple[UUID, int, str]], *, channel: str, source: Suppression.Source
) -> None:
    """Adds entries (index, incident id, reason) that a program decided. Skips existing ones."""
    Suppression.objects.bulk_create(
        [
            Suppression(
                index=index, incident_id=incident, channel=channel, source=source, reason=reason
            )
            for index, incident, reason in entries
        ],
        ignore_conflicts=True,
    )
