"""Writes the ledger of an approved notice: one delivery for each recipient, chunk by chunk."""

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
from foundations.languages import CODE
from incidents.models import (
    AffectedPerson,
    Exposure,
    ExposureBatch,
    FurtherContact,
    Incident,
    PersonMark,
)
from incidents.own_rows import Kind, LookedUpContact, strangers_among
from notices.engine import audiences, pacing, ramp, starting
from notices.engine.audiences import DryRun, Keys
from notices.ledger_messages import LedgerMessages
from notices.models import AlertSubscription, Chunk, Notice, TestAddress
from notices.models.states import END_STATES, DeliveryState, in_sql

CHUNKS_A_STEP = 10  # written in one transaction
FIRST_KEY = UUID(int=0)


def count_now(notice: Notice) -> DryRun:
    """Counts the audience and returns the result, for the desk before the approval."""
    if notice.channel == Notice.Channel.PUSH:
        rows = _browser_rows(notice, audiences.ALL_KEYS)
        return audiences.count_languages([row["language"] for row in rows])
    if notice.is_test:
        addresses = audiences.test_addresses(notice)
        return audiences.count_languages(list(addresses.values_list("language", flat=True)))
    if notice.is_mandatory:
        return audiences.count_people(notice)
    subscribed = _relevant(notice, audiences.subscribers(notice).select_related("user"))
    users = [subscription.user for subscription in subscribed]
    is_by_mail = notice.channel == Notice.Channel.EMAIL
    run = audiences.count_languages(
        [user.language for user in users],
        no_address=sum(is_by_mail and not user.email for user in users),
    )
    run.weekly = audiences.weekly_subscribers(notice).count()
    run.by_text = len(_relevant(notice, audiences.subscribers_by_text(notice)))
    return run


@dataclass(frozen=True)
class AudienceQuery:
    """The queries for a notice's audience, page by page.

    `candidates` are all rows that may belong to it. `rows` takes a page's range of keys and returns
    the rows that do, with the columns "pk", "language" and "is_reachable" (over the notice's
    channel).
    """

    candidates: QuerySet[Any, Any]
    rows: Callable[[Keys], QuerySet[Any, Any]]
    column: str | None  # the foreign key of Delivery that such rows fill; None: none


def audience_query(notice: Notice) -> AudienceQuery:
    """Returns the query for the people, subscriptions, browsers or test addresses of a notice."""
    if notice.channel == Notice.Channel.PUSH:
        return AudienceQuery(audiences.browsers(notice), partial(_browser_rows, notice), None)
    if notice.is_test:
        addresses = audiences.test_addresses(notice)
        return AudienceQuery(addresses, partial(_test_rows, addresses), None)
    if notice.is_mandatory:
        affected_people = AffectedPerson.objects.filter(incident=notice.incident_id)
        return AudienceQuery(affected_people, partial(_people_rows, notice), "person_id")
    subscribers = audiences.subscribers(notice)
    return AudienceQuery(subscribers, partial(_subscriber_rows, notice), "subscription_id")


_ROW_FIELDS = ("pk", "language", "is_reachable")


def _people_rows(notice: Notice, keys: Keys) -> QuerySet[Any, Any]:
    reach = audiences.REACH[Notice.Channel(notice.channel)]
    usable = Q(**{reach: AffectedPerson.Reach.USABLE})
    people: QuerySet[Any, Any] = audiences.people(notice, keys).annotate(is_reachable=usable)
    return people.values(*_ROW_FIELDS)


def _test_rows(addresses: QuerySet[TestAddress], keys: Keys) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = addresses.filter(**keys.between("pk")).annotate(
        is_reachable=Value(True)
    )
    return rows.values(*_ROW_FIELDS)


def _subscriber_rows(notice: Notice, keys: Keys) -> QuerySet[Any, Any]:
    subscribers = audiences.subscribers(notice)
    relevant = _relevant(notice, subscribers.filter(**keys.between("pk")))
    selected = subscribers.filter(pk__in=[subscription.pk for subscription in relevant])
    has_address: Q | Value = Value(True)
    if notice.channel == Notice.Channel.EMAIL:
        has_address = Q(user__email__isnull=False)
    rows: QuerySet[Any, Any] = selected.annotate(
        language=F("user__language"), is_reachable=has_address
    )
    return rows.values(*_ROW_FIELDS)


def _browser_rows(notice: Notice, keys: Keys) -> QuerySet[Any, Any]:
    browsers = audiences.browsers(notice).filter(**keys.between("pk"))
    if not notice.is_test:
        subscribers = audiences.subscribers(notice).filter(user__in=browsers.values("user"))
        users = [subscription.user_id for subscription in _relevant(notice, subscribers)]
        browsers = browsers.filter(user__in=users)
    rows: QuerySet[Any, Any] = browsers.annotate(
        language=F("user__language"), is_reachable=Value(True)
    )
    return rows.values(*_ROW_FIELDS)


class _PlanResult(Enum):
    """What a step of the planning did."""

    NONE = auto()  # nothing to plan, or it paused, or another process plans the notice
    WRITTEN = auto()  # chunks were written
    LAST = auto()  # the ledger is complete


class _StoppedError(Exception):
    """A person paused or cancelled the notice while a step was written. The step is rolled back."""


def plan_ledger(notice_id: int, *, on_first_chunk: Callable[[], object] = lambda: None) -> bool:
    """Writes the rest of the ledger. Returns True once it is complete.

    Each step is a transaction, so the planning can be stopped at any point and run again. A second
    planner returns at once. `on_first_chunk` is called after the first step that wrote chunks,
    because workers can send them before the planning is complete.
    """
    has_written = False
    with suppress(_StoppedError):
        while (step := _plan_step(notice_id)) is _PlanResult.WRITTEN:
            if not has_written:
                on_first_chunk()
                has_written = True
        return step is _PlanResult.LAST
    return False


def _plan_step(notice_id: int) -> _PlanResult:
    """Writes the next chunks and their deliveries. At the end of the audience it starts the
    sending.

    The step does not lock the notice's row, because workers add the counters of released chunks to
    it. The step does not wait for the disk either. If PostgreSQL crashes it loses the step as a
    whole, together with `planned_to`. A worker's commit on the step's chunks flushes the step, too.
    A step may pause the notice instead; see `starting.begin` and `_write_page`. Raises
    _StoppedError.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_PLANNING, [_LOCK_SPACE, notice_id])
        [is_locked] = cursor.fetchone()
        planned = Notice.objects.select_related("incident", "version").filter(pk=notice_id)
        due = planned.filter(state=Notice.State.PLANNING).exclude(begins_at__gt=Now())
        notice = due.first() if is_locked else None
        if notice is None:
            return _PlanResult.NONE
        if notice.planned_to is None and not starting.begin(notice, count=partial(_count, notice)):
            return _PlanResult.NONE
        keys = _next_page(notice)
        if keys is None:
            _start_sending(notice)
            return _PlanResult.LAST
        has_room = _write_page(notice, keys)
    return _PlanResult.WRITTEN if has_room else _PlanResult.NONE


_LOCK_SPACE = 0x62706E70  # "bpnp": separates our advisory locks from others in the database
# The lock fails while another process plans the notice. PostgreSQL estimates one row for a page of
# keys, because it cannot compute the distance of two UUIDs. With a nested loop it would compare
# each person of the page with each exposure of it. Without nested loops it uses a hash or merge
# join.
_LOCK_PLANNING = """
SELECT pg_try_advisory_xact_lock(%s, %s) FROM set_config('synchronous_commit', 'off', true) AS disk,
    set_config('enable_nestloop', 'off', true) AS loops
"""


def _count(notice: Notice) -> int:
    """Returns the number of the notice's recipients now, reachable or not."""
    return audience_query(notice).rows(audiences.ALL_KEYS).count()


def _next_page(notice: Notice) -> Keys | None:
    """Returns the key range of the next CHUNKS_A_STEP chunks; None at the end of the audience."""
    after = notice.planned_to or FIRST_KEY
    remaining = audience_query(notice).candidates.filter(pk__gt=after).values_list("pk", flat=True)
    size = settings.NOTICE_CHUNK_SIZE * CHUNKS_A_STEP
    last = remaining.order_by("pk")[size - 1 : size].first() or remaining.order_by("-pk").first()
    return Keys(UUID(int=after.int + 1), last) if last else None


# Reads a page of the audience and writes its deliveries and the chunks that they belong to.
_WRITE_PAGE = """
WITH page AS MATERIALIZED (
    SELECT pk, language, is_reachable, (row_number() OVER (ORDER BY pk) - 1) / {chunk_size} AS part
    FROM ({page}) AS audience (pk, language, is_reachable)
), written AS (
    INSERT INTO notices_delivery (notice_id, recipient, person_id, subscription_id, language,
        state, attempts, is_possible_duplicate, doubt_cause, reply, ended_at, data_classes)
    SELECT {notice}, pk, {person}, {subscription},
        CASE WHEN language IN ({languages}) THEN language ELSE {other_language} END,
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


def _write_page(notice: Notice, keys: Keys) -> bool:
    """Writes the deliveries and chunks of a page, and counts them in the notice.

    Pauses the notice in place of that, and returns False, if the ledger would have too many people.
    Raises _StoppedError.
    """
    with transaction.atomic():
        people, unreachable = _write_rows(notice, keys)
        is_too_large = starting.is_too_many(notice, notice.planned + people)
        transaction.set_rollback(is_too_large)
    if is_too_large:
        remaining = Keys(keys.first, audiences.ALL_KEYS.last)
        rest = audience_query(notice).rows(remaining).count()
        return starting.ask_again(notice, people=notice.planned + rest)
    rows = Notice.objects.filter(pk=notice.pk, state=Notice.State.PLANNING)
    changed = rows.update(
        planned_to=keys.last,
        planned=F("planned") + people,
        unreachable=F("unreachable") + unreachable,
    )
    if not changed:
        raise _StoppedError
    return True


def _write_rows(notice: Notice, keys: Keys) -> tuple[int, int]:
    """Writes the deliveries and chunks of a page. Returns the number of people and how many of them
    are unreachable.

    The rows do not pass through this process, because a notice can have millions.
    """
    audience = audience_query(notice)
    languages, other = _message_languages(notice)
    try:
        query, values = audience.rows(keys).query.sql_with_params()
    except EmptyResultSet:
        return 0, 0
    statement = _WRITE_PAGE.format(
        page=query,
        notice=int(notice.pk),
        person="pk" if audience.column == "person_id" else "NULL",
        subscription="pk" if audience.column == "subscription_id" else "NULL",
        chunk_size=_chunk_size(notice),
        no_address=LedgerMessages.NO_ADDRESS.stored(),
        pending=in_sql([DeliveryState.PENDING]),
        unreachable=in_sql([DeliveryState.UNREACHABLE]),
        due=in_sql([Chunk.State.DUE]),
        counters=", ".join(END_STATES),
        zeros=", ".join("0" for _name in END_STATES),
        languages=", ".join(map(_literal, languages)),
        other_language=_literal(other),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        people, unreachable = cursor.fetchone()
    return people, unreachable


def _chunk_size(notice: Notice) -> str:
    """Returns how many people a chunk of the page has, as SQL over the rows of the page.

    A ramp lets whole chunks go. So the first page of a notice with a ramp has a hundred chunks or
    one for each person; else the first step of 1 % would hold 500 people, or all of a small notice.
    """
    if notice.ramp in ramp.IN_STEPS and notice.planned_to is None:
        return f"GREATEST(1, LEAST({int(settings.NOTICE_CHUNK_SIZE)}, count(*) OVER () / 100))"
    return str(int(settings.NOTICE_CHUNK_SIZE))


def _message_languages(notice: Notice) -> tuple[list[str], str]:
    """Returns the languages of the approved messages, and the one for people of other languages.

    The incident's own languages may have changed since the approval.
    """
    languages = sorted(set(notice.messages.values_list("language", flat=True)))
    other = notice.incident.default_language
    return languages, other if other in languages else languages[0]


def _literal(language: str) -> str:
    """Returns the language code as SQL. Raises ValueError for any other text."""
    if not CODE.fullmatch(language):
        raise ValueError(f"{language!r} is no language code")
    return f"'{language}'"


def _start_sending(notice: Notice) -> None:
    rows = Notice.objects.filter(pk=notice.pk, state=Notice.State.PLANNING)
    decided = ramp.ramp_for(notice, people=None)  # no steps, unless they were chosen before
    if not rows.update(state=Notice.State.SENDING, planned_at=Now(), ramp=decided):
        raise _StoppedError
    ramp.start_ramp(notice)
    if notice.frozen_plan:
        pacing.correct_counts(notice)


def _relevant(
    notice: Notice, subscriptions: Iterable[AlertSubscription]
) -> list[AlertSubscription]:
    """Returns the subscriptions that the alert concerns. For the topic "changes to my own data"
    these are the subscriptions of users that the newest batch names; for every other topic all of
    them.
    """
    selected = list(subscriptions)
    if notice.topic != AlertSubscription.Topic.MY_DATA:
        return selected
    changed = _users_changed(notice.incident, [subscription.user_id for subscription in selected])
    return [subscription for subscription in selected if subscription.user_id in changed]


def _users_changed(incident: Incident, users: list[int]) -> set[int]:
    """Returns the ids of those `users` who have a verified contact of a person in the newest closed
    batch, unless the contact is shared by many people or a stranger's, or the person is marked as
    deceased or restricted.
    """
    closed = ExposureBatch.State.CLOSED
    newest = incident.batches.filter(state=closed).order_by("-number").first()
    if newest is None:
        return set()
    owners = _owners(incident, users)
    in_batch = Exposure.objects.filter(person=OuterRef("pk"), file__batch=newest)
    marks = PersonMark.objects.closing().filter(person=OuterRef("pk"))
    further = FurtherContact.objects.filter(contact_index__in=owners)
    people = AffectedPerson.objects.filter(
        Q(email_index__in=owners)
        | Q(phone_index__in=owners)
        | Q(pk__in=list(further.values_list("person_id", flat=True))),
        Exists(in_batch),
        ~Exists(marks),
        incident=incident,
    )
    found = people.values_list("email_index", "phone_index", "pk")
    by_person = dict(further.values_list("person_id", "contact_index"))
    indexes = {index for *pair, pk in found for index in (*pair, by_person.get(pk))}
    return {owners[index] for index in indexes if index in owners}


def _owners(incident: Incident, users: list[int]) -> dict[UUID, int]:
    """Returns the user's id for each contact index by which a row may open for one of `users`."""
    cipher = incident.cipher()
    emails = EmailAddress.objects.filter(user__in=users, verified=True)
    contacts = {
        LookedUpContact(incident, Kind.EMAIL, address, cipher.email_index(address)): email.user_id
        for email in emails
        for address in [normalise_email(email.email)]
    }
    for phone in VerifiedPhone.objects.filter(user__in=users):
        index = cipher.phone_index(phone.number)
        contacts[LookedUpContact(incident, Kind.PHONE, phone.number, index)] = phone.user_id
    strangers = strangers_among(list(contacts))
    shared = set(incident.shared_contacts.values_list("contact_index", flat=True))
    return {
        contact.contact_index: user
        for contact, user in contacts.items()
        if contact not in strangers and contact.contact_index not in shared
    }
