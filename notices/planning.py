"""Writes the ledger of an approved notice: one row for everybody it is for, chunk by chunk."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.contacts import normalise_email
from accounts.models import VerifiedPhone
from incidents.models import AffectedPerson, Exposure, ExposureBatch, Incident
from notices.models import AlertSubscription, Chunk, Delivery, Notice

State = Delivery.State
FIRST_KEY = UUID(int=0)


@dataclass(frozen=True)
class DryRun:
    """Whom a notice would go to now."""

    people: int
    unreachable: int
    by_language: dict[str, int]

    @property
    def reachable(self) -> int:
        """Those a mail can be sent to at all."""
        return self.people - self.unreachable


def dry_run(notice: Notice) -> DryRun:
    """Counts the audience; a scan of the incident, for the desk's eyes before the approval."""
    if notice.is_mandatory:
        rows = (
            affected(notice.incident).values_list("language", "email_reach").annotate(Count("pk"))
        )
        counts = Counter({(language, reach): number for language, reach, number in rows})
        usable = AffectedPerson.Reach.USABLE
        unreachable = sum(number for (_, reach), number in counts.items() if reach != usable)
    else:
        subscribers = _concerned(notice, subscribed(notice).select_related("user"))
        counts = Counter((one.user.language, 1) for one in subscribers)
        unreachable = 0
    languages: Counter[str] = Counter()
    for (language, _reach), number in counts.items():
        languages[language] += number
    return DryRun(people=sum(counts.values()), unreachable=unreachable, by_language=dict(languages))


def affected(incident: Incident) -> QuerySet[AffectedPerson]:
    """Everybody of whom some exposure still stands."""
    standing = Exposure.objects.standing().filter(person=OuterRef("pk"))
    return AffectedPerson.objects.filter(Exists(standing), incident=incident)


def subscribed(notice: Notice) -> QuerySet[AlertSubscription]:
    """The live subscriptions of the alert's topic, of people who may sign in."""
    return AlertSubscription.objects.live().filter(
        incident=notice.incident_id, topic=notice.topic, user__is_active=True
    )


def plan(notice_id: int) -> bool:
    """Writes the ledger from where the last attempt came to; True once it is complete.

    Steps are transactions, so this can be stopped anywhere and run again. A second planner finds
    the notice's row locked, and leaves at once.
    """
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


def _plan_step(notice: Notice) -> bool:
    """The next chunk and its rows; False at the end of the audience."""
    after = notice.planned_to or FIRST_KEY
    rows, last = _people(notice, after) if notice.is_mandatory else _subscribers(notice, after)
    if last is None:
        return False
    Delivery.objects.bulk_create(rows)
    unreachable = sum(row.state == State.UNREACHABLE for row in rows)
    if len(rows) > unreachable:
        Chunk.objects.create(notice=notice, first=rows[0].recipient, last=rows[-1].recipient)
    Notice.objects.filter(pk=notice.pk).update(
        planned_to=last,
        planned=F("planned") + len(rows),
        unreachable=F("unreachable") + unreachable,
    )
    return True


def _begin_sending(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.SENDING, planned_at=Now())


def _people(notice: Notice, after: UUID) -> tuple[list[Delivery], UUID | None]:
    """Ledger rows of the next affected people by key, and the key they go to."""
    page = affected(notice.incident).filter(pk__gt=after).order_by("pk")
    rows = [
        Delivery(
            notice=notice,
            recipient=key,
            person_id=key,
            language=language,
            state=State.PENDING if reach == AffectedPerson.Reach.USABLE else State.UNREACHABLE,
            reply="" if reach == AffectedPerson.Reach.USABLE else "no usable e-mail address",
            ended_at=None if reach == AffectedPerson.Reach.USABLE else timezone.now(),
        )
        for key, language, reach in page.values_list("pk", "language", "email_reach")[
            : settings.NOTICE_CHUNK_SIZE
        ]
    ]
    return rows, rows[-1].recipient if rows else None


def _subscribers(notice: Notice, after: UUID) -> tuple[list[Delivery], UUID | None]:
    """Ledger rows of those the alert concerns among the next subscribers by key."""
    page = subscribed(notice).filter(pk__gt=after).order_by("pk").select_related("user")
    read = list(page[: settings.NOTICE_CHUNK_SIZE])
    rows = [
        Delivery(
            notice=notice,
            recipient=subscription.pk,
            subscription=subscription,
            language=subscription.user.language,
        )
        for subscription in _concerned(notice, read)
    ]
    return rows, read[-1].pk if read else None


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
