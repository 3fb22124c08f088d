"""The audiences of notices: the querysets from which planning writes the ledger, and the count
before the approval.

`people` is the audience of a mandatory notice, `subscribers` that of an alert, `test_addresses`
that of a test of either. A test informs no affected person. Code that needs the people who were
notified uses `Notice.objects.real()`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from incidents.models import AffectedPerson, Exposure, Incident
from notices.engine import held_back
from notices.models import (
    AlertNumber,
    AlertSubscription,
    Delivery,
    Notice,
    PushSubscription,
    TestAddress,
)
from notices.returned_mail import suppression_list

Audience = Notice.Audience
REACH = {Notice.Channel.EMAIL: "email_reach", Notice.Channel.SMS: "phone_reach"}
# End states in which the message did not reach the person.
NOT_REACHED = [Delivery.State.UNREACHABLE, Delivery.State.BOUNCED, Delivery.State.SUPPRESSED]


class Keys(NamedTuple):
    """A range of primary keys of people, with both ends included."""

    first: UUID
    last: UUID

    def between(self, column: str) -> dict[str, Any]:
        """Returns the range as a filter on `column`."""
        return {f"{column}__gte": self.first, f"{column}__lte": self.last}


ALL_KEYS = Keys(UUID(int=0), UUID(int=(1 << 128) - 1))


def people(notice: Notice, keys: Keys = ALL_KEYS) -> QuerySet[AffectedPerson]:
    """Returns the affected people of a mandatory notice, reachable or not, within `keys`.

    `keys` limits every table in the query, because PostgreSQL does not derive the range of
    exposures from the range of people. It would read the exposures from the start for each page of
    people.
    """
    candidates = affected(notice.incident, keys)
    match notice.audience:
        case Audience.BATCH:
            exposed = Exposure.objects.not_withdrawn().filter(
                person=OuterRef("pk"), file__batch=notice.batch, **keys.between("person_id")
            )
            return candidates.filter(Exists(exposed))
        case Audience.EARLIER:
            same_version = _primary_keys(Notice.objects.real().filter(version=notice.version_id))
            earlier = _primary_keys(_of_earlier_versions(notice))
            return candidates.filter(
                Exists(_accepted(earlier, keys)),
                ~Exists(_accepted(same_version, keys)),
            )
        case Audience.UNREACHED:
            ended = Delivery.objects.filter(notice=notice.follows).ended_as(NOT_REACHED)
            return candidates.filter(
                Exists(ended.filter(recipient=OuterRef("pk"), **keys.between("recipient")))
            )
        case _:
            return candidates


def affected(incident: Incident, keys: Keys = ALL_KEYS) -> QuerySet[AffectedPerson]:
    """Returns the incident's people within `keys` who have an exposure that is not withdrawn."""
    exposures = Exposure.objects.not_withdrawn().filter(
        person=OuterRef("pk"), **keys.between("person_id")
    )
    return AffectedPerson.objects.filter(Exists(exposures), incident=incident, **keys.between("pk"))


def _of_earlier_versions(notice: Notice) -> QuerySet[Notice]:
    """Returns the notices, without tests, of earlier versions of the notice's statement."""
    return Notice.objects.real().filter(
        version__statement=notice.version.statement_id, version__number__lt=notice.version.number
    )


def _primary_keys(notices: QuerySet[Notice]) -> list[int]:
    """Returns the ids of `notices`, read in a query of its own. They are few, and with their values
    the index on deliveries (notice, recipient) can be used.
    """
    return list(notices.values_list("pk", flat=True))


def _accepted(notices: list[int], keys: Keys) -> QuerySet[Delivery]:
    """Returns the accepted deliveries of `notices` to the person of the outer query."""
    return Delivery.objects.filter(
        notice__in=notices,
        recipient=OuterRef("pk"),
        state=Delivery.State.ACCEPTED,
        **keys.between("recipient"),
    )


def subscribers(notice: Notice) -> QuerySet[AlertSubscription]:
    """Returns the live subscriptions to the alert's topic, of users who are active.

    An alert by text message goes to those who chose a number. One by e-mail leaves out those who
    want one mail a week and have an address; who has none, and signs in with a number, ends as
    unreachable, so that no weekly mail brings the alert to an address that is added later. A weekly
    mail goes to those who wanted that when one of its alerts was approved, or want it now, and to
    whom that alert did not go.
    """
    live = _live_subscriptions(notice)
    if notice.channel == Notice.Channel.SMS:
        return live.filter(_HAS_NUMBER)
    if notice.channel == Notice.Channel.PUSH:
        return live
    if notice.is_weekly_mail:
        return live.filter(_missed(notice.weekly_alerts.all()), user__email__isnull=False)
    return live.exclude(is_weekly=True, user__email__isnull=False)


_HAS_NUMBER = Exists(AlertNumber.objects.live().filter(user=OuterRef("user")))


def subscribers_by_text(alert: Notice) -> QuerySet[AlertSubscription]:
    """Returns the subscriptions of users who want an alert by e-mail as a text message, too."""
    is_by_mail = alert.channel == Notice.Channel.EMAIL and not alert.is_test
    live = _live_subscriptions(alert) if is_by_mail else AlertSubscription.objects.none()
    return live.filter(_HAS_NUMBER)


def weekly_subscribers(alert: Notice) -> QuerySet[AlertSubscription]:
    """Returns the subscriptions to which the next weekly mail brings an alert by e-mail."""
    is_by_mail = alert.channel == Notice.Channel.EMAIL and not alert.is_test
    live = _live_subscriptions(alert) if is_by_mail else AlertSubscription.objects.none()
    return live.filter(user__email__isnull=False, is_weekly=True)


def has_missed(alert: Notice) -> bool:
    """Returns whether there is a subscription to which a weekly mail has to bring the alert."""
    by_mail = _live_subscriptions(alert).filter(user__email__isnull=False)
    return by_mail.filter(_missed([alert])).exists()


def _live_subscriptions(notice: Notice) -> QuerySet[AlertSubscription]:
    return AlertSubscription.objects.live().filter(
        incident=notice.incident_id, topic=notice.topic, user__is_active=True
    )


def _missed(alerts: Iterable[Notice]) -> Q:
    """Returns the condition of subscriptions that are older than the ledger of one of the alerts,
    and of which that ledger has no row, nor has that of a weekly mail that named its text. The user
    wants one mail a week, or did so until after the approval. So a user who changes how often they
    want alerts gets each once.
    """
    condition = Q(pk__in=[])
    for alert in alerts:
        notices = [alert.pk, *_primary_keys(_mails_that_named(alert))]
        sent = Delivery.objects.filter(notice__in=notices, subscription=OuterRef("pk"))
        weekly = Q(is_weekly=True) | Q(weekly_until__gt=alert.approved_at)
        condition |= Q(weekly, ~Exists(sent), subscribed_at__lt=alert.planned_at)
    return condition


def _mails_that_named(alert: Notice) -> QuerySet[Notice]:
    """Returns the weekly mails that named the alert's version, or a newer one, for another alert on
    its statement; see `Notice.weekly_versions`.
    """
    version = alert.version
    mails = Notice.objects.filter(
        incident=alert.incident_id,
        audience=Audience.WEEKLY,
        created_at__gte=version.published_at,
        weekly_alerts__version__statement=version.statement_id,
    )
    own = Q(pk=alert.weekly_mail_id) if alert.weekly_mail_id else Q()
    return mails.exclude(Q(state=Notice.State.CANCELLED) | own)


def browsers(notice: Notice) -> QuerySet[PushSubscription]:
    """Returns the browsers of the users who subscribe to the alert's topic, or those to which a
    test is sent: its author's own.
    """
    if notice.is_test:
        return PushSubscription.objects.filter(user=notice.created_by, user__is_active=True)
    return PushSubscription.objects.of_topic(notice.incident_id, notice.topic)


def test_addresses(notice: Notice) -> QuerySet[TestAddress]:
    """Returns the addresses that a test is sent to."""
    return TestAddress.objects.filter(notice=notice)


# ---------------------------------------------------------------- before the approval


@dataclass
class DryRun:
    """The count of a notice's audience. Each person is in one bucket (reachable, suppressed, shared
    contact, marked, no address, unusable address, landline) and has one language and one relation.
    """

    people: int = 0
    reachable: int = 0
    suppressed: int = 0
    shared_contact: int = (
        0  # who get no message of their own, because many people share the contact
    )
    marked: int = 0  # on the desk, as deceased or restricted
    no_address: int = 0
    unusable_address: int = 0
    landline: int = 0  # which takes no text messages
    weekly: int = 0  # subscribers who get the alert with the next weekly mail, besides the people
    by_text: int = 0  # subscribers who want the alert by text message, too: another notice
    by_language: Counter[str] = field(default_factory=Counter)
    by_relation: Counter[int] = field(default_factory=Counter)

    @property
    def unreachable(self) -> int:
        """Returns how many people have no usable address for the channel."""
        return self.no_address + self.unusable_address + self.landline


def count_people(notice: Notice) -> DryRun:
    """Counts the audience of a mandatory notice. It scans the incident's people."""
    reach = AffectedPerson.Reach
    groups = people(notice).values_list(
        "language", "relation", REACH[Notice.Channel(notice.channel)]
    )
    run = DryRun()
    for language, relation, usable, number in groups.annotate(Count("pk")).order_by():
        run.people += number
        run.reachable += number if usable == reach.USABLE else 0
        run.no_address += number if usable == reach.MISSING else 0
        run.unusable_address += number if usable == reach.UNUSABLE else 0
        run.landline += number if usable == reach.LANDLINE else 0
        run.by_language[language] += number
        run.by_relation[relation] += number
    run.suppressed = suppression_list.suppressed_people(notice, people(notice)).count()
    run.marked, run.shared_contact = held_back.count_held_back(notice, people(notice))
    run.reachable -= run.suppressed + run.marked + run.shared_contact
    return run


def count_languages(languages: list[str], *, no_address: int = 0) -> DryRun:
    """Returns the count of an audience of subscribers, browsers or test addresses.

    `languages` holds one entry for each recipient. `no_address` of them cannot be reached.
    """
    return DryRun(
        people=len(languages),
        reachable=len(languages) - no_address,
        no_address=no_address,
        by_language=Counter(languages),
    )
