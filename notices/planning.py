"""Writes the ledger of an approved notice: one row for everybody it is for, chunk by chunk."""

from collections.abc import Iterable
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.contacts import normalise_email
from accounts.models import VerifiedPhone
from incidents.models import AffectedPerson, Exposure, ExposureBatch, Incident
from notices import audiences
from notices.audiences import DryRun
from notices.models import AlertSubscription, Chunk, Delivery, Notice

State = Delivery.State
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
    rows, last = _page(notice, after)
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


def _page(notice: Notice, after: UUID) -> tuple[list[Delivery], UUID | None]:
    """Ledger rows of the next people of the audience, and the key they go to."""
    if notice.is_test:
        return _test_addresses(notice, after)
    return _people(notice, after) if notice.is_mandatory else _subscribers(notice, after)


def _people(notice: Notice, after: UUID) -> tuple[list[Delivery], UUID | None]:
    """Ledger rows of the next affected people by key, and the key they go to."""
    page = audiences.people(notice).filter(pk__gt=after).order_by("pk")
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
    page = audiences.subscribers(notice).filter(pk__gt=after).order_by("pk").select_related("user")
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


def _test_addresses(notice: Notice, after: UUID) -> tuple[list[Delivery], UUID | None]:
    """Ledger rows of the next addresses of a test."""
    page = audiences.test_addresses(notice).filter(pk__gt=after).order_by("pk")
    rows = [
        Delivery(notice=notice, recipient=address.pk, language=address.language)
        for address in page[: settings.NOTICE_CHUNK_SIZE]
    ]
    return rows, rows[-1].recipient if rows else None


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
