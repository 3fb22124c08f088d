"""Whom a notice is for: querysets that planning writes the ledger from, and the count beforehand.

`people` is the audience of a mandatory notice, `subscribers` that of an alert, `test_addresses`
that of a test of either. A test tells nobody: wherever it matters who was told, ask
`Notice.objects.real()`.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet

from incidents.models import AffectedPerson, Exposure, Incident
from notices.models import AlertSubscription, Delivery, Notice, TestAddress
from notices.returned_mail import suppression_list

Audience = Notice.Audience
REACH = {Notice.Channel.EMAIL: "email_reach", Notice.Channel.SMS: "phone_reach"}
# Ends of a delivery after which nobody can say that the person was told.
NOT_REACHED = [Delivery.State.UNREACHABLE, Delivery.State.BOUNCED, Delivery.State.SUPPRESSED]


class Keys(NamedTuple):
    """A range of people's primary keys, both ends in it."""

    first: UUID
    last: UUID

    def of(self, column: str) -> dict[str, Any]:
        """As a filter."""
        return {f"{column}__gte": self.first, f"{column}__lte": self.last}


ALL_KEYS = Keys(UUID(int=0), UUID(int=(1 << 128) - 1))


def people(notice: Notice, keys: Keys = ALL_KEYS) -> QuerySet[AffectedPerson]:
    """The affected people a mandatory notice is for, whether they can be reached or not.

    `keys` bounds every table that is asked: PostgreSQL does not conclude from the people's range
    to their exposures', and would read these from their beginning for each page of people.
    """
    everybody = affected(notice.incident, keys)
    match notice.audience:
        case Audience.BATCH:
            exposed = Exposure.objects.filter(person=OuterRef("pk"), **keys.of("person_id"))
            return everybody.filter(Exists(exposed.filter(file__batch=notice.batch)))
        case Audience.EARLIER:
            told = _keys_of(Notice.objects.real().filter(version=notice.version_id))
            earlier = _keys_of(_of_earlier_versions(notice))
            return everybody.filter(
                Exists(_accepted(earlier, keys)),
                ~Exists(_accepted(told, keys)),
            )
        case Audience.UNREACHED:
            ended = Delivery.objects.filter(notice=notice.follows, state__in=NOT_REACHED)
            return everybody.filter(
                Exists(ended.filter(recipient=OuterRef("pk"), **keys.of("recipient")))
            )
        case _:
            return everybody


def affected(incident: Incident, keys: Keys = ALL_KEYS) -> QuerySet[AffectedPerson]:
    """Everybody with such a key of whom some exposure still stands."""
    standing = Exposure.objects.not_withdrawn().filter(
        person=OuterRef("pk"), **keys.of("person_id")
    )
    return AffectedPerson.objects.filter(Exists(standing), incident=incident, **keys.of("pk"))


def _of_earlier_versions(notice: Notice) -> QuerySet[Notice]:
    """The notices that told what the same statement said before."""
    return Notice.objects.real().filter(
        version__statement=notice.version.statement_id, version__number__lt=notice.version.number
    )


def _keys_of(notices: QuerySet[Notice]) -> list[int]:
    """Asked beforehand: they are few, and begin the index that finds their deliveries."""
    return list(notices.values_list("pk", flat=True))


def _accepted(notices: list[int], keys: Keys) -> QuerySet[Delivery]:
    """Deliveries of `notices` to the person of the outer query that a server took."""
    return Delivery.objects.filter(
        notice__in=notices,
        recipient=OuterRef("pk"),
        state=Delivery.State.ACCEPTED,
        **keys.of("recipient"),
    )


def subscribers(notice: Notice) -> QuerySet[AlertSubscription]:
    """The live subscriptions of the alert's topic, of people who may sign in."""
    return AlertSubscription.objects.live().filter(
        incident=notice.incident_id, topic=notice.topic, user__is_active=True
    )


def test_addresses(notice: Notice) -> QuerySet[TestAddress]:
    """Where a test goes."""
    return TestAddress.objects.filter(notice=notice)


# ---------------------------------------------------------------- before the approval


@dataclass
class DryRun:
    """Whom a notice would go to now: each person is in one bucket, and has one language."""

    people: int = 0
    reachable: int = 0
    suppressed: int = 0
    no_address: int = 0
    unusable_address: int = 0
    by_language: Counter[str] = field(default_factory=Counter)
    by_relation: Counter[int] = field(default_factory=Counter)

    @property
    def unreachable(self) -> int:
        """Those nothing can be sent to over this channel."""
        return self.no_address + self.unusable_address


def count_people(notice: Notice) -> DryRun:
    """Counts the audience of a mandatory notice; a scan of the incident."""
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
        run.by_language[language] += number
        run.by_relation[relation] += number
    run.suppressed = suppression_list.suppressed_people(notice, people(notice)).count()
    run.reachable -= run.suppressed
    return run


def count_languages(languages: list[str]) -> DryRun:
    """The same for an audience of which every address was used or typed in: subscribers, a test."""
    return DryRun(people=len(languages), reachable=len(languages), by_language=Counter(languages))
