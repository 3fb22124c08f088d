"""Writes the ledger of an approved notice: one row for everybody it is for, chunk by chunk."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Now

from accounts.contacts import normalise_email
from accounts.models import VerifiedPhone
from incidents.models import AffectedPerson, Exposure, ExposureBatch, Incident
from notices.engine import audiences, ramp
from notices.engine.audiences import DryRun, Keys
from notices.ledger_messages import LedgerMessages
from notices.models import AlertSubscription, Chunk, Notice, TestAddress
from notices.models.states import END_STATES, DeliveryState, in_sql

CHUNKS_A_STEP = 10  # written in one transaction
FIRST_KEY = UUID(int=0)


def count_now(notice: Notice) -> DryRun:
    """Counts the audience, for the desk's eyes before the approval."""
    if notice.is_test:
        addresses = audiences.test_addresses(notice)
        return audiences.count_languages(list(addresses.values_list("language", flat=True)))
    if notice.is_mandatory:
        return audiences.count_people(notice)
    subscribed = _concerned(notice, audiences.subscribers(notice).select_related("user"))
    return audiences.count_languages([one.user.language for one in subscribed])


@dataclass(frozen=True)
class AudienceQuery:
    """A notice's audience, by pages of `among`: everybody who may belong to it.

    `rows` gives those of a page who do, as "pk", "language", and "is_reachable" (over the notice's
    channel).
    """

    among: QuerySet[Any, Any]
    rows: Callable[[Keys], QuerySet[Any, Any]]
    column: str | None  # Delivery's own key for such rows


def audience_query(notice: Notice) -> AudienceQuery:
    """The people, subscriptions or test addresses that a notice goes to."""
    if notice.is_test:
        addresses = audiences.test_addresses(notice)
        return AudienceQuery(addresses, partial(_test_rows, addresses), None)
    if notice.is_mandatory:
        everybody = AffectedPerson.objects.filter(incident=notice.incident_id)
        return AudienceQuery(everybody, partial(_people_rows, notice), "person_id")
    subscribers = audiences.subscribers(notice)
    return AudienceQuery(subscribers, partial(_subscriber_rows, notice), "subscription_id")


_SHAPE = ("pk", "language", "is_reachable")


def _people_rows(notice: Notice, keys: Keys) -> QuerySet[Any, Any]:
    reach = audiences.REACH[Notice.Channel(notice.channel)]
    usable = Q(**{reach: AffectedPerson.Reach.USABLE})
    people: QuerySet[Any, Any] = audiences.people(notice, keys).annotate(is_reachable=usable)
    return people.values(*_SHAPE)


def _test_rows(addresses: QuerySet[TestAddress], keys: Keys) -> QuerySet[Any, Any]:
    of_page: QuerySet[Any, Any] = addresses.filter(**keys.of("pk")).annotate(
        is_reachable=Value(True)
    )
    return of_page.values(*_SHAPE)


def _subscriber_rows(notice: Notice, keys: Keys) -> QuerySet[Any, Any]:
    subscribers = audiences.subscribers(notice)
    concerned = _concerned(notice, subscribers.filter(**keys.of("pk")))
    chosen = subscribers.filter(pk__in=[one.pk for one in concerned])
    rows: QuerySet[Any, Any] = chosen.annotate(
        language=F("user__language"), is_reachable=Value(True)
    )
    return rows.values(*_SHAPE)


class _PlanResult(Enum):
    """What a step of the planning did."""

    NONE = auto()  # nothing to plan, or somebody else is at it
    WRITTEN = auto()
    LAST = auto()


class _StoppedError(Exception):
    """Somebody paused or cancelled the notice while a step was written: the step is taken back."""


def plan(notice_id: int, *, on_first_chunk: Callable[[], object] = lambda: None) -> bool:
    """Writes the ledger from where the last attempt came to; True once it is complete.

    Steps are transactions, so this can be stopped anywhere and run again. A second planner leaves
    at once. Senders need not wait for the last step.
    """
    has_begun = False
    with suppress(_StoppedError):
        while (step := _plan_step(notice_id)) is _PlanResult.WRITTEN:
            if not has_begun:
                on_first_chunk()
                has_begun = True
        return step is _PlanResult.LAST
    return False


def _plan_step(notice_id: int) -> _PlanResult:
    """Writes the next chunks and their rows; at the audience's end, the notice is planned.

    The notice's row is not locked meanwhile: senders count in it what they give back. Nor does a
    step wait for the disk: what a crash of PostgreSQL forgets of it it forgets as a whole, with
    `planned_to`, and whatever a sender commits of the step's chunks takes the step to the disk.
    Raises _StoppedError.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ONE_PLANNER, [_LOCK_SPACE, notice_id])
        [is_ours] = cursor.fetchone()
        planned = Notice.objects.select_related("incident").filter(pk=notice_id)
        notice = planned.filter(state=Notice.State.PLANNING).first() if is_ours else None
        if notice is None:
            return _PlanResult.NONE
        keys = _next_page(notice)
        if keys is None:
            _begin_sending(notice)
            return _PlanResult.LAST
        _write_page(notice, keys)
    return _PlanResult.WRITTEN


_LOCK_SPACE = 0x62706E70  # "bpnp"; tells our advisory locks from others in the same database
# PostgreSQL takes a page of keys for a single one (of UUIDs it cannot tell how far apart they are),
# and would compare each person of the page with each exposure of it: a page is hashed or merged.
_ONE_PLANNER = """
SELECT pg_try_advisory_xact_lock(%s, %s) FROM set_config('synchronous_commit', 'off', true) AS disk,
    set_config('enable_nestloop', 'off', true) AS loops
"""


def _next_page(notice: Notice) -> Keys | None:
    """The keys of the next chunks' people, if all of them belong to the audience."""
    after = notice.planned_to or FIRST_KEY
    ahead = audience_query(notice).among.filter(pk__gt=after).values_list("pk", flat=True)
    size = settings.NOTICE_CHUNK_SIZE * CHUNKS_A_STEP
    last = ahead.order_by("pk")[size - 1 : size].first() or ahead.order_by("-pk").first()
    return Keys(UUID(int=after.int + 1), last) if last else None


# A page of the audience, its ledger rows, and the chunks they fall into.
_WRITE_PAGE = """
WITH page AS MATERIALIZED (
    SELECT pk, language, is_reachable, (row_number() OVER (ORDER BY pk) - 1) / {chunk_size} AS part
    FROM ({page}) AS audience (pk, language, is_reachable)
), written AS (
    INSERT INTO notices_delivery (notice_id, recipient, person_id, subscription_id, language,
        state, attempts, is_possible_duplicate, doubt_cause, reply, ended_at, data_classes)
    SELECT {notice}, pk, {person}, {subscription}, language,
        CASE WHEN is_reachable THEN {pending} ELSE {unreachable} END, 0, false, '',
        CASE WHEN is_reachable THEN '' ELSE '{no_address}' END,
        CASE WHEN NOT is_reachable THEN now() END, '{{}}'
    FROM page ORDER BY pk
), cut AS (
    INSERT INTO notices_chunk (notice_id, first, last, people, state, fencing_token, failures,
        on_wire, {counters})
    SELECT {notice}, (array_agg(pk ORDER BY pk))[1], (array_agg(pk ORDER BY pk DESC))[1], count(*),
        {due}, 0, 0, '{{}}', {zeros}
    FROM page GROUP BY part HAVING bool_or(is_reachable)
)
SELECT count(*), count(*) FILTER (WHERE NOT is_reachable) FROM page
"""


def _write_page(notice: Notice, keys: Keys) -> None:
    people, unreachable = _write_rows(notice, keys)
    rows = Notice.objects.filter(pk=notice.pk, state=Notice.State.PLANNING)
    changed = rows.update(
        planned_to=keys.last,
        planned=F("planned") + people,
        unreachable=F("unreachable") + unreachable,
    )
    if not changed:
        raise _StoppedError


def _write_rows(notice: Notice, keys: Keys) -> tuple[int, int]:
    """(people, of whom unreachable). Rows never pass through here: there are millions."""
    audience = audience_query(notice)
    try:
        query, values = audience.rows(keys).query.sql_with_params()
    except EmptyResultSet:
        return 0, 0
    statement = _WRITE_PAGE.format(
        page=query,
        notice=int(notice.pk),
        person="pk" if audience.column == "person_id" else "NULL",
        subscription="pk" if audience.column == "subscription_id" else "NULL",
        chunk_size=int(settings.NOTICE_CHUNK_SIZE),
        no_address=LedgerMessages.NO_ADDRESS.stored(),
        pending=in_sql([DeliveryState.PENDING]),
        unreachable=in_sql([DeliveryState.UNREACHABLE]),
        due=in_sql([Chunk.State.DUE]),
        counters=", ".join(END_STATES),
        zeros=", ".join("0" for _name in END_STATES),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        people, unreachable = cursor.fetchone()
    return people, unreachable


def _begin_sending(notice: Notice) -> None:
    rows = Notice.objects.filter(pk=notice.pk, state=Notice.State.PLANNING)
    if not rows.update(state=Notice.State.SENDING, planned_at=Now()):
        raise _StoppedError
    ramp.begin(notice)


def _concerned(
    notice: Notice, subscriptions: Iterable[AlertSubscription]
) -> list[AlertSubscription]:
    """All of them; of "changes to my own data" those whose rows the newest batch changed."""
    chosen = list(subscriptions)
    if notice.topic != AlertSubscription.Topic.MY_DATA:
        return chosen
    changed = _users_changed(notice.incident, [subscription.user_id for subscription in chosen])
    return [subscription for subscription in chosen if subscription.user_id in changed]


def _users_changed(incident: Incident, users: list[int]) -> set[int]:
    """Which users carry a verified contact of somebody in the newest batch that is closed."""
    closed = ExposureBatch.State.CLOSED
    newest = incident.batches.filter(state=closed).order_by("-number").first()
    if newest is None:
        return set()
    cipher = incident.cipher()
    emails = EmailAddress.objects.filter(user__in=users, verified=True)
    phones = VerifiedPhone.objects.filter(user__in=users)
    owners = {cipher.email_index(normalise_email(one.email)): one.user_id for one in emails}
    owners |= {cipher.phone_index(one.number): one.user_id for one in phones}
    in_batch = Exposure.objects.filter(person=OuterRef("pk"), file__batch=newest)
    people = AffectedPerson.objects.filter(
        Q(email_index__in=owners) | Q(phone_index__in=owners), Exists(in_batch), incident=incident
    )
    found = people.values_list("email_index", "phone_index")
    return {owners[index] for pair in found for index in pair if index in owners}
