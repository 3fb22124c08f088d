"""Addresses not to be written to. Only blind indexes are kept: nobody can read the list.

An entry about one incident carries the index that its affected people carry, so that a query joins
them; one about all incidents carries a MAC under the portal's secret key.
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
from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, Notice, Suppression
from notices.models.suppression import SuppressionQuerySet

Source = Suppression.Source
_KINDS = {"email": "email", "sms": "phone"}
INDEX_FIELD = {"email": "email_index", "sms": "phone_index"}
# RFC 3463 X.1.x: the address itself is bad. A full mailbox is another matter.
_BAD_ADDRESS = r"\m5\.1\.\d"


def portal_indexes(channel: str, address: str) -> list[UUID]:
    """The index of an address (normalised) or number (E.164) over all incidents.

    The secret key's comes first, then one for each earlier key of settings.SECRET_KEY_FALLBACKS.
    """
    named = f"{channel}\0{address}".encode()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    macs = (hmac.digest(_portal_key(secret), named, "sha256") for secret in secrets)
    return [UUID(bytes=mac[:16]) for mac in macs]


@lru_cache(maxsize=8)
def _portal_key(secret: str) -> bytes:
    return salted_hmac("notices.suppression", "", secret=secret, algorithm="sha256").digest()


def index_in(channel: str, address: str, incident: Incident | None) -> UUID:
    """The index under which an address stands for one incident, or for all (None).

    Raises SealingError.
    """
    if incident is None:
        return portal_indexes(channel, address)[0]
    return incident.cipher().blind_index(_KINDS[channel], address)


def indexes(channel: str, address: str, incidents: Iterable[Incident]) -> list[UUID]:
    """Every index under which an address may stand.

    Raises SealingError.
    """
    in_incidents = [index_in(channel, address, one) for one in incidents]
    return [*portal_indexes(channel, address), *in_incidents]


def entries_of(channel: str, address: str) -> QuerySet[Suppression]:
    """All entries of an address, lifted ones too, newest first. Raises SealingError."""
    incidents = Incident.objects.filter(shredded_at__isnull=True)
    wanted = indexes(channel, address, incidents)
    return Suppression.objects.filter(channel=channel, index__in=wanted)


class SuppressionLookup:
    """Why not to write to some of a notice's recipients, a chunk at a time.

    Made once a worker's run: somebody added meanwhile counts from the next run on.
    """

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        entries = Suppression.objects.none() if notice.is_test else _against(notice)
        # Typed in by people, one by one: few enough to be held.
        self._everywhere = dict(
            entries.filter(incident__isnull=True).values_list("index", "source")
        )
        self._of_incident = entries.filter(incident=notice.incident_id)
        self._has_any = self._of_incident.exists()
        self._recipients: dict[UUID, str] = {}

    def look_at(self, chunk: Chunk, emails: Mapping[UUID, str]) -> None:
        """Finds whom of a chunk an entry about this incident names.

        Affected people by their own index; subscribers, by recipient, by their address.
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
        cipher = self._notice.incident.cipher()
        owners = {cipher.email_index(normalise_email(emails[key])): key for key in emails}
        listed = self._of_incident.filter(index__in=list(owners))
        self._recipients |= {
            owners[index]: source for index, source in listed.values_list("index", "source")
        }

    def reason(self, recipient: UUID, address: str) -> str:
        """Why nothing is sent there; "" if nothing speaks against it."""
        source = self._recipients.get(recipient, "")
        if self._everywhere and not source:
            channel = self._notice.channel
            known = portal_indexes(channel, normalised(channel, address))
            source = next((self._everywhere[one] for one in known if one in self._everywhere), "")
        return LedgerMessages.HELD_BACK.stored(source_words=source) if source else ""


def _against(notice: Notice) -> SuppressionQuerySet:
    return Suppression.objects.against(notice)


def normalised(channel: str, address: str) -> str:
    """The one spelling under which an address of a channel is indexed."""
    return normalise_email(address) if channel == "email" else normalise_phone(address) or ""


def suppressed_people(notice: Notice, people: QuerySet[AffectedPerson]) -> QuerySet[AffectedPerson]:
    """Those of `people` whom an entry about this incident keeps the notice from."""
    index = OuterRef(INDEX_FIELD[notice.channel])
    return people.filter(Exists(_of_incident(notice).filter(index=index)))


def _of_incident(notice: Notice) -> SuppressionQuerySet:
    return Suppression.objects.against(notice).filter(incident=notice.incident_id)


# ---------------------------------------------------------------- adding and lifting


def lift(entry: Suppression, *, by: User, reason: str) -> bool:
    """Lets the address be written to again; False if it was lifted before."""
    rows = Suppression.objects.live().filter(pk=entry.pk)
    return rows.update(lifted_at=Now(), lifted_by=by, lifted_reason=reason) == 1


def take_bounces(chunk: Chunk, notice: Notice) -> None:
    """Suppresses, for their incident, the addresses of a chunk that turned out to be bad.

    Nothing is opened for it; what stands on the list already stays as it is.
    """
    deliveries = Delivery.objects.of_chunk(chunk).filter(person__isnull=False)
    bad = deliveries.filter(state=Delivery.State.BOUNCED, reply__regex=_BAD_ADDRESS)
    rows = bad.values_list(f"person__{INDEX_FIELD[notice.channel]}", "reply")
    add_automatic(
        [(index, notice.incident_id, reply) for index, reply in rows if index is not None],
        channel=notice.channel,
        source=Source.BOUNCE,
    )


def add_automatic(
    entries: Iterable[tuple[UUID, int, str]], *, channel: str, source: Suppression.Source
) -> None:
    """Adds (index, incident, reason) that no person decided; twice does no harm."""
    Suppression.objects.bulk_create(
        [
            Suppression(
                index=index, incident_id=incident, channel=channel, source=source, reason=reason
            )
            for index, incident, reason in entries
        ],
        ignore_conflicts=True,
    )
