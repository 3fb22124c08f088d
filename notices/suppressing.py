"""Addresses not to be written to. Only blind indexes are kept: nobody can read the list.

An entry about one incident carries the index that its affected people carry, so that a query joins
them; one about all incidents carries a MAC under the portal's secret key.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from accounts.contacts import normalise_email
from accounts.models import User
from incidents.models import AffectedPerson, Incident
from notices.messages import Recipient
from notices.models import Delivery, Notice, Suppression
from notices.models.returned import SuppressionQuerySet

Source = Suppression.Source
_KINDS = {"email": "email", "sms": "phone"}
INDEX_FIELD = {"email": "email_index", "sms": "phone_index"}
# RFC 3463 X.1.x: the address itself is bad. A full mailbox is another matter.
_BAD_ADDRESS = r"\m5\.1\.\d"


def portal_index(channel: str, address: str) -> UUID:
    """The index of an address (normalised) or number (E.164) over all incidents."""
    mac = hmac.digest(_portal_key(settings.SECRET_KEY), f"{channel}\0{address}".encode(), "sha256")
    return UUID(bytes=mac[:16])


@lru_cache(maxsize=2)
def _portal_key(secret: str) -> bytes:
    return salted_hmac("notices.suppression", "", secret=secret, algorithm="sha256").digest()


def index_in(channel: str, address: str, incident: Incident | None) -> UUID:
    """The index under which an address stands for one incident, or for all (None).

    Raises SealingError.
    """
    if incident is None:
        return portal_index(channel, address)
    return incident.seal().name(_KINDS[channel], address)


def indexes(channel: str, address: str, incidents: Iterable[Incident]) -> list[UUID]:
    """Every index under which an address may stand.

    Raises SealingError.
    """
    return [index_in(channel, address, one) for one in (None, *incidents)]


def entries_of(channel: str, address: str) -> QuerySet[Suppression]:
    """All entries of an address, lifted ones too, newest first. Raises SealingError."""
    incidents = Incident.objects.filter(shredded_at__isnull=True)
    wanted = indexes(channel, address, incidents)
    return Suppression.objects.filter(channel=channel, index__in=wanted)


def reasons(notice: Notice, recipients: Iterable[Recipient]) -> dict[UUID, str]:
    """Why not to write to some of a chunk's recipients: recipient's key → reason.

    One query if the list is empty for this notice, else two. Raises SealingError.
    """
    counting = Suppression.objects.against(notice)
    if notice.is_test or not counting.exists():
        return {}
    owners: dict[UUID, list[UUID]] = defaultdict(list)
    for one in recipients:
        for index in indexes(notice.channel, normalise_email(one.email), [notice.incident]):
            owners[index].append(one.recipient)
    listed = counting.filter(index__in=list(owners)).values_list("index", "source")
    return {
        recipient: f"on the suppression list: {source}"
        for index, source in listed
        for recipient in owners[index]
    }


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


def take_bounces(deliveries: QuerySet[Delivery], *, channel: str) -> None:
    """Suppresses, for their incident, the addresses of those deliveries that bounced because the
    address is bad. In SQL: nothing is opened, and an address that stands already stays as it is.
    """
    bad = deliveries.filter(state=Delivery.State.BOUNCED, reply__regex=_BAD_ADDRESS)
    index = F(f"person__{INDEX_FIELD[channel]}")
    rows = bad.filter(person__isnull=False).values_list(index, "notice__incident", "reply")
    add_automatic(
        [(at, incident, reply) for at, incident, reply in rows if at is not None],
        channel=channel,
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
