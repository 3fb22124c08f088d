"""Writes the ledger of an approved notice: one row for everybody it is for, chunk by chunk."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
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
from notices import audiences, pacing
from notices.audiences import DryRun
from notices.models import AlertSubscription, Notice

CHUNKS_A_STEP = 10  # written in one transaction
FIRST_KEY = UUID(int=0)


def dry_run(notice: Notice) -> DryRun:
    """Counts the audience, for the desk's eyes before the approval."""
    if notice.is_test:
        addresses = audiences.test_addresses(notice)
        return audiences.count_languages(list(addresses.values_list("language", flat=True)))
    if notice.is_mandatory:
        return audiences.count_people(notice)
    subscribed = _concerned(notice, audiences.subscribers(notice).select_related("user"))
    return audiences.count_languages([one.user.language for one in subscribed])


@dataclass(frozen=True)
class Whom:
    """A notice's audience as rows of one shape.

    `rows` yields "pk", "language", and "is_reachable" (over the notice's channel). What SQL cannot
    say, `choose` does: it is given some hundred primary keys and returns those that belong to it.
    """

    rows: QuerySet[Any, Any]
    column: str | None  # Delivery's own key for such rows
    choose: Callable[[list[UUID]], Collection[UUID]] | None = None


def whom(notice: Notice) -> Whom:
    """The people, subscriptions or test addresses that a notice goes to."""
    shape = ("pk", "language", "is_reachable")
    if notice.is_test:
        addresses = audiences.test_addresses(notice).annotate(is_reachable=Value(True))
        return Whom(addresses.values(*shape), None)
    if notice.is_mandatory:
        reach = audiences.REACH[Notice.Channel(notice.channel)]
        usable = Q(**{reach: AffectedPerson.Reach.USABLE})
        people = audiences.people(notice).annotate(is_reachable=usable)
        return Whom(people.values(*shape), "person_id")
    subscribers = audiences.subscribers(notice).annotate(
        language=F("user__language"), is_reachable=Value(True)
    )
    choose = partial(_concerned_keys, notice)
    return Whom(subscribers.values(*shape), "subscription_id", choose=choose)


def plan(notice_id: int, *, on_first_chunk: Callable[[], object] = lambda: None) -> bool:
    """Writes the ledger from where the last attempt came to; True once it is complete.

    Steps are transactions, so this can be stopped anywhere and run again. A second planner finds
    the notice's row locked, and leaves at once. Senders need not wait for the last step.
    """
    has_begun = False
    while True:
        with transaction.atomic():
            notice = (
                Notice.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
                .select_related("incident")
                .filter(pk=notice_id, state=Notice.State.PLANNING)
                .first()
            )
            if notice is None:
                return False
            if not _plan_step(notice):
                _begin_sending(notice)
                return True
        if not has_begun:
            on_first_chunk()
            has_begun = True


# A page of the audience, its ledger rows, and the chunks they fall into.
_WRITE_PAGE = """
WITH page AS MATERIALIZED (
    SELECT pk, language, is_reachable, (row_number() OVER (ORDER BY pk) - 1) / {chunk_size} AS part
    FROM ({page}) AS audience (pk, language, is_reachable)
), written AS (
    INSERT INTO notices_delivery (notice_id, recipient, person_id, subscription_id, language,
        state, attempts, is_possible_duplicate, reply, ended_at, data_classes)
    SELECT {notice}, pk, {person}, {subscription}, language,
        CASE WHEN is_reachable THEN 'pending' ELSE 'unreachable' END, 0, false,
        CASE WHEN is_reachable THEN '' ELSE 'no usable address' END,
        CASE WHEN NOT is_reachable THEN now() END, '{{}}'
    FROM page ORDER BY pk
), cut AS (
    INSERT INTO notices_chunk (notice_id, first, last, people, state, fence, failures, on_wire,
        accepted, bounced, suppressed, unreachable, in_doubt, cancelled)
    SELECT {notice}, (array_agg(pk ORDER BY pk))[1], (array_agg(pk ORDER BY pk DESC))[1], count(*),
        'due', 0, 0, '{{}}', 0, 0, 0, 0, 0, 0
    FROM page GROUP BY part HAVING bool_or(is_reachable)
)
SELECT count(*), count(*) FILTER (WHERE NOT is_reachable), (array_agg(pk ORDER BY pk DESC))[1]
FROM page
"""


def _plan_step(notice: Notice) -> bool:
    """The next chunks and their rows; False at the end of the audience."""
    audience = whom(notice)
    rows = audience.rows.filter(pk__gt=notice.planned_to or FIRST_KEY).order_by("pk")
    page = rows[: settings.NOTICE_CHUNK_SIZE * CHUNKS_A_STEP]
    read_to = None
    if audience.choose is not None:
        keys = [row["pk"] for row in page]
        if not keys:
            return False
        page, read_to = audience.rows.filter(pk__in=list(audience.choose(keys))), keys[-1]
    people, unreachable, last = _write_page(notice, page, column=audience.column)
    if people == 0 and read_to is None:
        return False
    Notice.objects.filter(pk=notice.pk).update(
        planned_to=read_to or last,
        planned=F("planned") + people,
        unreachable=F("unreachable") + unreachable,
    )
    return True


def _write_page(
    notice: Notice, page: QuerySet[Any, Any], *, column: str | None
) -> tuple[int, int, UUID | None]:
    """(people, of whom unreachable, last key). Rows never pass through here: there are millions."""
    try:
        query, values = page.query.sql_with_params()
    except EmptyResultSet:
        return 0, 0, None
    statement = _WRITE_PAGE.format(
        page=query,
        notice=int(notice.pk),
        person="pk" if column == "person_id" else "NULL",
        subscription="pk" if column == "subscription_id" else "NULL",
        chunk_size=int(settings.NOTICE_CHUNK_SIZE),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        people, unreachable, last = cursor.fetchone()
    return people, unreachable, last


def _begin_sending(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.SENDING, planned_at=Now())
    pacing.begin(notice)


def _concerned_keys(notice: Notice, keys: list[UUID]) -> list[UUID]:
    chosen = AlertSubscription.objects.filter(pk__in=keys)
    return [subscription.pk for subscription in _concerned(notice, chosen)]


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
    seal = incident.seal()
    emails = EmailAddress.objects.filter(user__in=users, verified=True)
    phones = VerifiedPhone.objects.filter(user__in=users)
    owners = {seal.email_index(normalise_email(one.email)): one.user_id for one in emails}
    owners |= {seal.phone_index(one.number): one.user_id for one in phones}
    in_batch = Exposure.objects.filter(person=OuterRef("pk"), file__batch=newest)
    people = AffectedPerson.objects.filter(
        Q(email_index__in=owners) | Q(phone_index__in=owners), Exists(in_batch), incident=incident
    )
    found = people.values_list("email_index", "phone_index")
    return {owners[index] for pair in found for index in pair if index in owners}
