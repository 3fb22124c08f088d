"""Bounces that a person takes back: the server was wrong, or refused us and not the recipients.

One step takes back all bounces with the same reply: the addresses leave the suppression list, and
the messages are sent again.
"""

from django.db import transaction
from django.db.models import CharField, Count, Exists, F, Func, OuterRef, Value
from django.db.models.functions import Left, Now
from django.db.models.lookups import Exact

from accounts.models import User
from notices import tasks
from notices.models import Chunk, Delivery, Notice, Suppression
from notices.models.delivery import DeliveryQuerySet
from notices.returned_mail.suppression_list import INDEX_FIELD

REPLIES_SHOWN = 100
# What differs between the replies to two people: addresses, queue ids, long numbers.
_OWN_PARTS = r"<+[^>]*>+|\m(?=\w*\d)\w{8,}\M|\d{4,}"
_SHAPE = Left(
    Func(
        *(F("reply"), Value(_OWN_PARTS), Value("…"), Value("g")),
        function="regexp_replace",
        output_field=CharField(),
    ),
    200,
)


def bounces_by_reply(notice: Notice) -> list[tuple[str, int]]:
    """Returns (reply, number of people) for the notice's bounces, the most frequent first.

    Parts that differ from person to person are replaced by an ellipsis.
    """
    bounced = _bounced(notice).annotate(shape=_SHAPE)
    rows = bounced.values_list("shape").annotate(people=Count("pk"))
    return list(rows.order_by("-people", "shape")[:REPLIES_SHOWN])


def take_back(notice: Notice, reply: str, *, by: User, reason: str) -> int:
    """Makes all bounces with this reply pending again, and lifts the suppressions that they made.

    `reply` is one of `bounces_by_reply`. Returns how many; 0 if the notice has ended, because its
    ledger is then final.
    """
    rows = _bounced(notice).filter(Exact(_SHAPE, reply))
    with transaction.atomic():
        # The order of locks is that of the ledger: chunk, delivery, notice.
        of_chunk = rows.filter(recipient__gte=OuterRef("first"), recipient__lte=OuterRef("last"))
        chunks = Chunk.objects.filter(Exists(of_chunk), notice=notice)
        chunks.exclude(state=Chunk.State.LEASED).update(state=Chunk.State.DUE, not_before=None)
        _lift_suppressions(notice, rows, by=by, reason=reason)
        changed = Delivery.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(
            state=Delivery.State.PENDING, not_before=None, ended_at=None
        )
        open_states = [Notice.State.SENDING, Notice.State.PAUSED]
        counted = Notice.objects.filter(pk=notice.pk, state__in=open_states, closed_at=None)
        if not counted.update(bounced=F("bounced") - changed):
            transaction.set_rollback(True)
            return 0
        tasks.send_chunks.delay_on_commit(notice.pk)
    return changed


def _bounced(notice: Notice) -> DeliveryQuerySet:
    return Delivery.objects.filter(notice=notice, is_bounced=True)


def _lift_suppressions(notice: Notice, rows: DeliveryQuerySet, *, by: User, reason: str) -> None:
    """Lifts the suppressions by bounces of these rows; those by a person or a complaint stay."""
    if notice.channel not in INDEX_FIELD:
        return
    indexes = rows.filter(person__isnull=False).values(f"person__{INDEX_FIELD[notice.channel]}")
    Suppression.objects.not_lifted().filter(
        incident=notice.incident_id,
        channel=notice.channel,
        source=Suppression.Source.BOUNCE,
        index__in=indexes,
    ).update(lifted_at=Now(), lifted_by=by, lifted_reason=reason)
