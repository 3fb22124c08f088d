"""Every duty's clock in one incident: when it is due, what met it, when, and the evidence.

Not legal advice (docs/legal-checks.md). Clocks count from the moment the incident's page says the
company became aware. Which law applied is asked of that day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundations.formatting import moment
from incidents.models import Incident
from statements.legal import duties, laws, review
from statements.legal.laws import Duty
from statements.models import (
    DutyConfirmation,
    RegulatorReport,
    Section,
    Statement,
    StatementVersion,
)
from statements.notifications import notifications_of


class DutyStatus(models.TextChoices):
    """Where a duty stands; in the order in which somebody has to look at them."""

    OVERDUE = "overdue", gettext_lazy("OVERDUE")
    OPEN = "open", gettext_lazy("open")
    LATE = "late", gettext_lazy("met, but late")
    WAIVED = "waived", gettext_lazy("not met, but waived")
    MET = "met", gettext_lazy("met")
    NOT_APPLICABLE = "not_applicable", gettext_lazy("does not apply")


@dataclass(frozen=True)
class Evidence:
    """What shows that a duty is met, and since when (None: not yet, or never)."""

    words: str
    url: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class DutyClock:
    """One duty in one incident."""

    duty: Duty
    due_at: datetime | None
    where: DutyStatus
    evidence: list[Evidence]
    confirmation: DutyConfirmation | None = None

    @property
    def met_at(self) -> datetime | None:
        """Since when it is met."""
        return min((each.at for each in self.evidence if each.at), default=None)

    @property
    def is_asked(self) -> bool:
        """Whether somebody has to say first if it applies at all."""
        return self.where != DutyStatus.NOT_APPLICABLE and not self.duty.is_certain


def clocks_of(incident: Incident) -> list[DutyClock]:
    """Every duty of the incident's jurisdictions: what needs a look first, then by due time."""
    order = list(DutyStatus)
    far = datetime.max.replace(tzinfo=timezone.get_current_timezone()) - timedelta(days=2)
    found = [*_ClockFacts(incident).clocks()]
    return sorted(found, key=lambda clock: (order.index(clock.where), clock.due_at or far))


def overdue() -> list[tuple[Incident, list[DutyClock]]]:
    """The incidents with a clock that ran out; of what certainly applies, content left aside."""
    late = []
    for incident in Incident.objects.order_by("-aware_at"):
        clocks = _ClockFacts(incident).clocks(kinds=("deadline", "report"))
        ran_out = [
            each for each in clocks if each.where == DutyStatus.OVERDUE and not each.is_asked
        ]
        if ran_out:
            late.append((incident, ran_out))
    return late


class _ClockFacts:
    """The facts of one incident, each read once."""

    def __init__(self, incident: Incident) -> None:
        self.incident, self.now = incident, timezone.now()

    def clocks(self, *, kinds: tuple[str, ...] = ()) -> Iterator[DutyClock]:
        standings = dict(self.incident.jurisdictions.values_list("jurisdiction", "standing"))
        day = timezone.localdate(self.incident.aware_at)
        wanted = [
            duty
            for duty in laws.all_duties()
            if duty.jurisdiction in standings
            and duty.in_force(day)
            and (not kinds or duty.kind in kinds)
        ]
        facts = review.facts_of(self.incident)
        apply = {duty.id: duty for duty in duties.applicable(standings, facts=facts, on=day)}
        for duty in wanted:
            yield self._clock(apply.get(duty.id), duty)

    def _clock(self, applies: Duty | None, duty: Duty) -> DutyClock:
        confirmation = self.confirmations.get(duty.id)
        allowed = duty.time_allowed()
        due_at = self.incident.aware_at + allowed if allowed is not None else None
        said = [_by_hand(confirmation)] if confirmation else []
        is_excluded = confirmation and confirmation.verdict == confirmation.Verdict.NOT_APPLICABLE
        if applies is None or is_excluded:
            return DutyClock(duty, due_at, DutyStatus.NOT_APPLICABLE, said, confirmation)
        evidence = [*said, *self._evidence(applies)]
        met_at = min((each.at for each in evidence if each.at), default=None)
        where = self._where(due_at, met_at, is_waived=duty.id in self.waived)
        return DutyClock(applies, due_at, where, evidence, confirmation)

    def _where(
        self, due_at: datetime | None, met_at: datetime | None, *, is_waived: bool
    ) -> DutyStatus:
        if met_at is not None:
            return DutyStatus.LATE if due_at and met_at > due_at else DutyStatus.MET
        if is_waived:
            return DutyStatus.WAIVED
        return DutyStatus.OVERDUE if due_at and self.now > due_at else DutyStatus.OPEN

    def _evidence(self, duty: Duty) -> Iterator[Evidence]:
        if duty.kind == "content":
            yield from self._published(duty)
        elif duty.kind == "display":
            yield from self._displayed(duty)
        elif duty.kind == "report":
            yield from self._reported(duty)
        elif duty.by_notice:
            yield from self._notified()

    @cached_property
    def confirmations(self) -> dict[str, DutyConfirmation]:
        live = self.incident.confirmations.live().select_related("confirmed_by")
        return {each.duty: each for each in live}

    @cached_property
    def versions(self) -> list[StatementVersion]:
        """The notices that stand in public, oldest first."""
        public = StatementVersion.objects.public().filter(statement__incident=self.incident)
        notices = public.filter(statement__kind=Statement.Kind.NOTICE)
        return list(notices.order_by("published_at").prefetch_related("sections", "waivers"))

    @cached_property
    def waived(self) -> set[str]:
        return {waiver.rule for version in self.versions for waiver in version.waivers.all()}

    @cached_property
    def reports(self) -> list[RegulatorReport]:
        filed = self.incident.reports.filter(state=RegulatorReport.State.FILED)
        return list(filed.order_by("filed_at"))

    @cached_property
    def missing(self) -> dict[int, set[str]]:
        """By version, the rules that objected to it; what was waived objected too."""
        return {
            version.pk: {each.rule for each in review.review(version, _sections(version))}
            for version in self.versions
        }

    def _published(self, duty: Duty) -> Iterator[Evidence]:
        """The first version that says it, without an objection of the wording it is bound to."""
        for version in self.versions:
            if not {duty.id, *duty.lint} & (self.missing[version.pk] | _unsaid(duty, version)):
                yield _version_evidence(version, at=version.published_at)
                return

    def _displayed(self, duty: Duty) -> Iterator[Evidence]:
        for version in self.versions:
            published = version.published_at
            until = timezone.localdate(published) + timedelta(days=duty.display_days or 0)
            if version.display_until >= until:
                yield _version_evidence(version, at=published)
                return

    def _reported(self, duty: Duty) -> Iterator[Evidence]:
        for report in self.reports:
            if report.duty == duty.id:
                words = _("Filed with %(authority)s, reference %(reference)s") % {
                    "authority": report.authority,
                    "reference": report.reference or "–",
                }
                url = reverse("admin:statements_regulatorreport_change", args=[report.pk])
                yield Evidence(words, url, report.filed_at)

    def _notified(self) -> Iterator[Evidence]:
        for sent in notifications_of(self.incident):
            yield Evidence(sent.description, sent.url, sent.all_told_at)


def _by_hand(confirmation: DutyConfirmation) -> Evidence:
    words = _("%(person)s confirmed on %(time)s: %(evidence)s") % {
        "person": confirmation.confirmed_by,
        "time": moment(confirmation.confirmed_at),
        "evidence": confirmation.evidence,
    }
    return Evidence(words, at=confirmation.met_at)


def _version_evidence(version: StatementVersion, *, at: datetime | None) -> Evidence:
    words = _(
        "“%(title)s”, version %(number)s, shown at least until %(day)s, SHA-256 %(hash)s…"
    ) % {
        "title": version.title,
        "number": version.number,
        "day": date_format(version.display_until),
        "hash": version.hash[:16],
    }
    return Evidence(words, version.get_absolute_url(), at)


def _sections(version: StatementVersion) -> list[Section]:
    return list(version.sections.all())


def _unsaid(duty: Duty, version: StatementVersion) -> set[str]:
    """The duty's id, if the version does not say what it asks: `check` asks today's law only."""
    said = [
        section for section in _sections(version) if (section.body_ko + section.body_en).strip()
    ]
    found = duties.unmet_content(
        [duty],
        sections={section.key for section in said},
        title_en=version.title_en,
        headings_en=[section.heading_en for section in said],
    )
    return {finding.rule for finding in found}
