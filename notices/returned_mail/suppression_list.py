"""The suppression list: addresses that are not written to.

It stores only blind indexes, so that no person can read the addresses. An entry for one incident
has the same index as the incident's affected people, so that a query can join them. An entry for
all incidents has a MAC under the portal's secret key.

One bounce never lasts, whatever its words say: a server may be wrong about all of its users for a
day. Two bounces on different days last if the words of each can mean nothing else.
"""

import hmac
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from accounts.contacts import is_phone, normalise_email, normalise_phone
from accounts.models import User
from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson, Incident
from incidents.own_rows import MEMBER_NUMBER, Kind, LookedUpContact, StrangerCheck
from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, Notice, Suppression
from notices.models.suppression import SuppressionQuerySet
from notices.returned_mail.reply_reading import Cause, cause_of, names_only_the_recipient

Source = Suppression.Source
_INDEX_KIND = {"email": "email", "sms": "phone"}
INDEX_FIELD = {"email": "email_index", "sms": "phone_index"}
HELD_FOR = timedelta(days=7)
NO_TIME, ANOTHER_DAY = timedelta(), timedelta(days=1)
LATELY = timedelta(days=180)


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


def is_held_back(incident: Incident, kind: Kind, address: str, *, or_lately: bool = False) -> bool:
    """Returns whether no mandatory notice of the incident goes to a normalised address or number;
    with `or_lately` also whether a mail to it came back in the last half year.

    Raises EncryptionError.
    """
    channel = _CHANNELS[kind]
    entries = Suppression.objects.live()
    if or_lately:
        lately = Q(applies_until__isnull=True) | Q(added_at__gt=Now() - LATELY)
        entries = Suppression.objects.not_lifted().filter(lately)
    held = entries.filter(
        channel=channel,
        index__in=indexes(channel, address, [incident]),
        source__in=settings.NOTICE_MANDATORY_SUPPRESSIONS,
    )
    return held.exists()


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
    rows = Suppression.objects.not_lifted().filter(pk=entry.pk)
    return rows.update(lifted_at=Now(), lifted_by=by, lifted_reason=reason) == 1


def lift_bounces(contact: str) -> None:
    """Lifts the bounces of an e-mail address whose owner has just entered a code from a mail to it.

    `contact` is a normalised address, or a number, of which there are no bounces.
    """
    if is_phone(contact):
        return
    bounces = Suppression.objects.not_lifted().filter(channel="email", source=Source.BOUNCE)
    has_some = Exists(bounces.filter(incident=OuterRef("pk")))
    in_incidents = []
    incidents = Incident.objects.only("slug", "data_keyset", "index_keyset")
    for incident in incidents.filter(has_some, shredded_at__isnull=True):
        with suppress(EncryptionError):  # the sign-in goes on
            in_incidents.append(index_in("email", contact, incident))
    if in_incidents:
        reason = LedgerMessages.ENTERED_CODE.stored()
        bounces.filter(index__in=in_incidents).update(lifted_at=Now(), lifted_reason=reason)


# The columns of the rows to add, each as an array. What is older than the lifting of such an entry
# is not added. Only a bounce is changed: by what lasts, or, if it ends, by another bounce.
_ADD = """
INSERT INTO notices_suppression AS known (index, incident_id, channel, source, reason, added_at,
    applies_until, is_plain, lifted_reason)
SELECT n.index, n.incident, %(channel)s, %(source)s, n.reason, n.at, n.until,
    coalesce(n.until > n.at, false), ''
FROM unnest(%(indexes)s::uuid[], %(incidents)s::bigint[], %(reasons)s::text[],
    %(times)s::timestamptz[], %(ends)s::timestamptz[]) AS n (index, incident, reason, at, until)
WHERE NOT EXISTS (
    SELECT FROM notices_suppression l WHERE l.index = n.index AND l.incident_id = n.incident
    AND l.channel = %(channel)s AND l.source = %(source)s AND l.lifted_at > n.at)
ON CONFLICT (index, channel, incident_id) WHERE lifted_at IS NULL
DO UPDATE SET source = excluded.source, reason = excluded.reason,
    added_at = greatest(known.added_at, excluded.added_at),
    is_plain = known.is_plain OR excluded.is_plain,
    applies_until = CASE
        WHEN excluded.applies_until IS NULL OR (known.is_plain AND excluded.is_plain
            AND excluded.added_at > known.added_at + %(day)s) THEN NULL
        WHEN excluded.added_at > known.added_at + %(day)s THEN excluded.added_at + %(week)s
        ELSE greatest(known.applies_until, excluded.applies_until) END
WHERE known.source = 'bounce'
    AND (known.applies_until IS NOT NULL OR excluded.applies_until IS NULL)
"""


@dataclass(frozen=True)
class AutomaticEntry:
    """An entry that a program decided. `at` is the time of the bounce or complaint."""

    index: UUID
    incident: int
    reason: str
    at: datetime
    applies_until: datetime | None = None


def bounce_entry(
    index: UUID, incident: int, reply: str, at: datetime, *, names_other: bool = False
) -> AutomaticEntry:
    """Returns the entry of one bounce, whose stored `reply` calls the address bad.

    It holds messages back for a week if no word of the reply can name anything else, and else for
    no time: it is only known when another one comes. With `names_other` the reply had the address
    of another person.
    """
    is_certain = not names_other and names_only_the_recipient(reply)
    return AutomaticEntry(index, incident, reply, at, at + (HELD_FOR if is_certain else NO_TIME))


def take_bounces(deliveries: Iterable[int], notice: Notice) -> None:
    """Adds an entry for each e-mail address that the server has just called bad, for the notice's
    incident.

    `deliveries` are ids; those that did not bounce are left out. The server's words decide
    (reply_reading). It decrypts nothing.
    """
    named = Delivery.objects.filter(pk__in=deliveries, person__isnull=False)
    bounced = named.filter(state=Delivery.State.BOUNCED, ended_at__isnull=False)
    rows = bounced.values_list("person__email_index", "reply", "ended_at")
    add_automatic(
        [
            bounce_entry(index, notice.incident_id, reply, at)
            for index, reply, at in rows
            if index is not None and at is not None and cause_of(reply) is Cause.ADDRESS
        ],
        channel="email",
        source=Source.BOUNCE,
    )


def add_automatic(
    entries: Iterable[AutomaticEntry], *, channel: str, source: Suppression.Source
) -> None:
    """Adds entries that a program decided. An entry of a person, and a complaint, stay as they are;
    a complaint replaces a bounce.

    A second bounce on another day lasts if both are plain, and else holds for a week.
    """
    # A statement cannot change a row twice: several people of a chunk may have one address.
    rows = list({(entry.incident, entry.index): entry for entry in entries}.values())
    if not rows:
        return
    values: dict[str, Any] = {
        "indexes": [row.index for row in rows],
        "incidents": [row.incident for row in rows],
        "reasons": [row.reason for row in rows],
        "times": [row.at for row in rows],
        "ends": [row.applies_until for row in rows],
        "channel": channel,
        "source": source,
        "day": ANOTHER_DAY,
        "week": HELD_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)
