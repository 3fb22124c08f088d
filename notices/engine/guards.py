"""The automatic pause: it stops the send to one destination, or a whole notice, after too many
bounces, refusals or complaints.

Workers count their results by destination in memory and judge them after a turn that had failures,
before they start the next messages. Bounces and refusals count people, not attempts. A person who
resumes sets the `watched_…` counts to the current ones: earlier failures never pause again.
"""

import logging
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from notices.engine import ledger
from notices.engine.ledger import Transition
from notices.engine.provider_replies import is_block
from notices.models import Delivery, Destination, Notice

logger = logging.getLogger(__name__)
StoppedFor = Destination.StoppedFor
State = Delivery.State
AT_ONCE = 5  # failures that are judged in the same turn; fewer wait for JUDGE_SECONDS
JUDGE_SECONDS = 0.1
FEWEST_WRITTEN = 10  # acceptances of a destination without failures
FEWEST_TRIES = 20  # a percentage of fewer tries says nothing
# Of push messages: any customer may add browsers that refuse our key, and few of them must not hold
# back a warning to the others. A fault of our key has all messages refused.
PUSH_REFUSAL_PERCENT = 50
# The lower bound of a percentage (Wilson's score interval) with this many standard deviations: one
# in a hundred is wrong.
DEVIATIONS = 2.33


@dataclass(frozen=True)
class Limits:
    """The limits of one notice for the automatic pause, in per cent."""

    bounce: float
    refusal: float
    complaint: float


def default_limits(notice: Notice) -> Limits:
    """Returns the limits of a notice that has none of its own."""
    is_push = notice.channel == Notice.Channel.PUSH
    return Limits(
        bounce=settings.NOTICE_PAUSE_BOUNCE_PERCENT,
        refusal=PUSH_REFUSAL_PERCENT if is_push else settings.NOTICE_PAUSE_REFUSAL_PERCENT,
        complaint=settings.NOTICE_PAUSE_COMPLAINT_PERCENT,
    )


def limits_of(notice: Notice) -> Limits:
    """Returns the notice's own limits, and those of the settings where it has none."""
    usual = default_limits(notice)
    return Limits(
        bounce=notice.pause_bounce_percent or usual.bounce,
        refusal=notice.pause_refusal_percent or usual.refusal,
        complaint=notice.pause_complaint_percent or usual.complaint,
    )


@dataclass
class ResultCounts:
    """Numbers of people with a result, of one destination or a whole notice."""

    accepted: int = 0
    bounced: int = 0
    refused: int = 0
    complaints: int = 0
    reply: str = ""  # of the last failure
    is_blocked: bool = False  # the last failure says that the provider blocks our server

    @property
    def tries(self) -> int:
        """Returns the number of people with a result."""
        return self.accepted + self.bounced + self.refused


def lower_bound(part: int, whole: int) -> float:
    """Returns the lower bound of `part` in `whole` in per cent, by Wilson's score interval."""
    if whole <= 0:
        return 0.0
    share, square = min(part / whole, 1.0), DEVIATIONS**2
    spread = DEVIATIONS * math.sqrt(share * (1 - share) / whole + square / (4 * whole**2))
    return 100 * max(share + square / (2 * whole) - spread, 0.0) / (1 + square / whole)


def _has_too_many_bounces(counts: ResultCounts, limit: float) -> bool:
    """Returns whether the bounces exceed the limit: in fact, or with confidence if there are fewer
    than NOTICE_PAUSE_AT_LEAST tries.
    """
    if counts.tries >= settings.NOTICE_PAUSE_AT_LEAST:
        return counts.bounced * 100 > counts.tries * limit
    return counts.tries >= FEWEST_TRIES and lower_bound(counts.bounced, counts.tries) > limit


def judge_destination(counts: ResultCounts, limits: Limits) -> StoppedFor | None:
    """Returns the reason to stop a destination with these counts; None if there is none."""
    has_refusals = counts.refused >= settings.NOTICE_PAUSE_REFUSALS
    is_many = lower_bound(counts.refused, counts.tries) > limits.refusal
    if has_refusals and (is_many or counts.is_blocked):
        return StoppedFor.REFUSED
    if _has_too_many_bounces(counts, limits.bounce):
        return StoppedFor.BOUNCES
    has_complaints = counts.complaints >= settings.NOTICE_PAUSE_COMPLAINTS
    share = lower_bound(counts.complaints, max(counts.accepted, counts.complaints))
    return StoppedFor.COMPLAINTS if has_complaints and share > limits.complaint else None


def judge_notice(counts: ResultCounts, limits: Limits, *, refusing: int) -> Notice.PausedFor | None:
    """Returns the reason to pause a whole notice with these counts; None if there is none.

    Refusals pause it if more than half of the people are refused, by more than one destination
    (`refusing` is their number) or before any message was accepted: the cause is then our relay.
    """
    is_refused = counts.refused >= settings.NOTICE_PAUSE_REFUSALS
    is_everywhere = refusing > 1 or not counts.accepted
    if is_refused and is_everywhere and counts.refused * 2 > counts.tries:
        return Notice.PausedFor.REFUSED
    too_many = _has_too_many_bounces(counts, limits.bounce)
    return Notice.PausedFor.BOUNCES if too_many else None


class Guard:
    """The counts of one worker's run for one notice, and the judgement of them."""

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        self._counts: defaultdict[str, ResultCounts] = defaultdict(ResultCounts)
        self._failures = 0  # since the last judgement
        self._judged_at = 0.0

    def count(self, destination: str, transition: Transition) -> None:
        """Counts the result of one message."""
        counts = self._counts[destination]
        if transition.state is State.ACCEPTED:
            counts.accepted += 1
            return
        is_bounce = transition.state is State.BOUNCED
        counts.bounced += is_bounce
        counts.refused += transition.is_first_refusal
        if is_bounce or transition.is_first_refusal:
            counts.reply = transition.reply
            self._failures += 1

    def is_due(self) -> bool:
        """Returns whether there are failures to judge now."""
        waited = time.monotonic() - self._judged_at
        return self._failures >= AT_ONCE or (self._failures > 0 and waited > JUDGE_SECONDS)

    def judge(self) -> bool:
        """Writes the counts, and stops each destination, or the notice, that fails too often.

        Returns whether the notice was paused.
        """
        failed = [name for name, counts in self._counts.items() if counts.reply]
        self.write()
        self._failures, self._judged_at = 0, time.monotonic()
        if pause_if_failing(self._notice):
            return True
        _stop_failing(self._notice, failed)
        return False

    def finish(self) -> None:
        """Judges the failures that were not judged yet, and writes the counts."""
        if self._failures:
            self.judge()
        else:
            self.write()

    def write(self) -> None:
        """Adds the counts to the destinations' rows. A few acceptances of a destination without a
        failure are kept until it has one: a nation's mail goes to very many small domains.
        """
        written = {
            name: counts
            for name, counts in self._counts.items()
            if counts.reply or counts.accepted >= FEWEST_WRITTEN
        }
        add_counts(self._notice.pk, written)
        for name in written:
            del self._counts[name]


_ADD_COUNTS = """
INSERT INTO notices_destination AS d
    (notice_id, name, accepted, bounced, refused, complaints, reply)
SELECT %s, * FROM unnest(%s::text[], %s::int[], %s::int[], %s::int[], %s::int[], %s::text[])
    AS n (name, accepted, bounced, refused, complaints, reply) ORDER BY name
ON CONFLICT (notice_id, name) DO UPDATE
SET accepted = d.accepted + excluded.accepted, bounced = d.bounced + excluded.bounced,
    refused = d.refused + excluded.refused, complaints = d.complaints + excluded.complaints,
    reply = CASE WHEN excluded.reply = '' THEN d.reply ELSE excluded.reply END
"""


def add_counts(notice_id: int, counts: Mapping[str, ResultCounts]) -> None:
    """Adds counts by destination to the rows of the notice. One statement, in the order of names,
    so that two workers cannot deadlock.
    """
    if not counts:
        return
    columns = [
        [getattr(one, name) for one in counts.values()]
        for name in ("accepted", "bounced", "refused", "complaints", "reply")
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_COUNTS, [notice_id, [name[:255] for name in counts], *columns])


def pause_if_failing(notice: Notice) -> bool:
    """Pauses the notice if too much of it bounced or was refused since a person last resumed it.

    Returns whether it did. Reads the limits again, because a person may have changed them.
    """
    now = Notice.objects.get(pk=notice.pk)
    live = Notice.objects.live_counts(notice.pk)
    counts = ResultCounts(
        accepted=live["accepted"] - now.watched_accepted,
        bounced=live["bounced"] - now.watched_bounced,
        refused=now.refusals - now.watched_refusals,
    )
    limits = limits_of(now)
    refusing = Destination.objects.filter(notice=notice, refused__gt=F("watched_refused"))
    reason = judge_notice(counts, limits, refusing=refusing.count())
    if reason is None:
        return False
    problem = _figures(counts.bounced, counts.tries, limits.bounce)
    if reason is Notice.PausedFor.REFUSED:
        worst = refusing.order_by("-refused").first()
        problem = worst.reply if worst else ""
    ledger.pause_for_problem(notice, problem, paused_for=reason)
    logger.warning("notice %s paused: %s", notice.pk, reason)
    return True


def _figures(failures: int, tries: int, limit: float) -> str:
    return f"{failures:,} / {tries:,} ({failures / tries:.1%} > {limit:g} %)"


def _stop_failing(notice: Notice, names: Iterable[str]) -> list[str]:
    """Stops those of the destinations that fail too often. Returns their names."""
    limits = limits_of(Notice.objects.get(pk=notice.pk))
    running = Destination.objects.filter(notice=notice, name__in=list(names), stopped_at=None)
    stopped = []
    for destination in running:
        counts = ResultCounts(
            accepted=destination.accepted - destination.watched_accepted,
            bounced=destination.bounced - destination.watched_bounced,
            refused=destination.refused - destination.watched_refused,
            complaints=destination.complaints - destination.watched_complaints,
            is_blocked=is_block(destination.name, destination.reply),
        )
        if reason := judge_destination(counts, limits):
            rows = Destination.objects.filter(pk=destination.pk, stopped_at=None)
            rows.update(stopped_at=Now(), stopped_for=reason)
            logger.warning("notice %s: %s stopped: %s", notice.pk, destination.name, reason)
            stopped.append(destination.name)
    return stopped


def stopped_destinations(notice: Notice) -> frozenset[str]:
    """Returns the names of the destinations to which nothing is sent now."""
    stopped = Destination.objects.filter(notice=notice, stopped_at__isnull=False)
    return frozenset(stopped.values_list("name", flat=True))


def count_returned(notice: Notice, destination: str, counts: ResultCounts) -> None:
    """Counts mail that came back from an open notice, and stops the destination or pauses the
    notice if there is too much. A refusal of us counts towards the people who were refused.
    """
    add_counts(notice.pk, {destination: counts})
    if counts.refused:
        Notice.objects.filter(pk=notice.pk).update(refusals=F("refusals") + counts.refused)
    if not pause_if_failing(notice):
        _stop_failing(notice, [destination])


def start_watching(notice: Notice) -> None:
    """Lets only failures after this call count for the pause of the notice; the counts stay."""
    counts = Notice.objects.live_counts(notice.pk)
    Notice.objects.filter(pk=notice.pk).update(
        watched_accepted=counts["accepted"],
        watched_bounced=counts["bounced"],
        watched_refusals=F("refusals"),
        paused_for="",
    )
    _watch(Destination.objects.filter(notice=notice))


def let_destination_go_on(notice: Notice, name: str) -> bool:
    """Ends the stop of a destination. Returns False if it is not stopped."""
    return (
        _watch(Destination.objects.filter(notice=notice, name=name, stopped_at__isnull=False)) == 1
    )


def _watch(destinations: QuerySet[Destination]) -> int:
    return destinations.update(
        watched_accepted=F("accepted"),
        watched_bounced=F("bounced"),
        watched_refused=F("refused"),
        watched_complaints=F("complaints"),
        stopped_at=None,
        stopped_for="",
    )
