"""The clocks of an incident: for every duty when it is due, whether it is met, and the evidence.

Not legal advice (docs/legal-checks.md). A clock starts when the company became aware
(`Incident.aware_at`). The laws in force on that day apply.
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
from statements.legal import duties, laws, own_laws, review
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
    """The status of a duty in one incident, in the order in which staff have to look at them."""

    OVERDUE = "overdue", gettext_lazy("OVERDUE")
    OPEN = "open", gettext_lazy("open")
    LATE = "late", gettext_lazy("met, but late")
    WAIVED = "waived", gettext_lazy("not met, but waived")
    MET = "met", gettext_lazy("met")
    NOT_APPLICABLE = "not_applicable", gettext_lazy("does not apply")


@dataclass(frozen=True)
class Evidence:
    """One thing that shows that a duty is met."""

    words: str  # a description in the active language
    url: str = ""  # of its page
    at: datetime | None = None  # since when the duty is met; None if this does not meet it (yet)


@dataclass(frozen=True)
class DutyClock:
    """One duty in one incident: when it is due, its status and what shows that it is met."""

    duty: Duty
    due_at: datetime | None  # None for a duty without a deadline
    where: DutyStatus
    evidence: list[Evidence]
    confirmation: DutyConfirmation | None = None  # the live one, if a person confirmed the duty

    @property
    def met_at(self) -> datetime | None:
        """Returns since when the duty is met; None if it is not met."""
        return _met_at(self.evidence)

    @property
    def is_asked(self) -> bool:
        """Returns whether a person has to answer first if the duty applies."""
        return self.where != DutyStatus.NOT_APPLICABLE and not self.duty.is_certain


def clocks_of(incident: Incident) -> list[DutyClock]:
    """Returns the clock of every duty of the incident's jurisdictions, by status and due time.

    A jurisdiction without a law on file has no clock: own_laws.without_law names it.
    """
    order = list(DutyStatus)
    # Within a status, duties without a deadline come last. Two days are subtracted, so that a
    # conversion to another time zone does not overflow.
    far = datetime.max.replace(tzinfo=timezone.get_current_timezone()) - timedelta(days=2)
    with timezone.override(incident.zone):
        found = [*_ClockFacts(incident).clocks()]
    return sorted(found, key=lambda clock: (order.index(clock.where), clock.due_at or far))


def timed_clocks_of(incident: Incident) -> list[DutyClock]:
    """Returns the clocks of the incident's deadlines and reports, the first due time first.

    It is cheap: no text of a statement is reviewed for it.
    """
    with timezone.override(incident.zone):
        found = [*_ClockFacts(incident).clocks(kinds=("deadline", "report"))]
    return sorted(found, key=lambda clock: clock.due_at or incident.aware_at)


class _ClockFacts:
    """The rows of one incident that decide its clocks, each queried once."""

    def __init__(self, incident: Incident) -> None:
        self.incident, self.now = incident, timezone.now()

    def clocks(self, *, kinds: tuple[str, ...] = ()) -> Iterator[DutyClock]:
        """Yields the clocks in the order of the law files; empty `kinds` means every kind."""
        standings = own_laws.standings_of(self.incident)
        day = timezone.localdate(self.incident.aware_at, self.incident.zone)
        in_force = [
            duty
            for duty in laws.all_duties()
            if duty.jurisdiction in standings
            and duty.in_force(day)
            and (not kinds or duty.kind in kinds)
        ]
        facts = review.facts_of(self.incident)
        applicable = {duty.id: duty for duty in duties.applicable(standings, facts=facts, on=day)}
        due_times = duties.due_times(in_force, self.incident.aware_at)
        due_at = {each.duty.id: each.due_at for each in due_times}
        for duty in in_force:
            yield self._clock(duty, applicable.get(duty.id), due_at.get(duty.id))

    def _clock(self, duty: Duty, applicable: Duty | None, due_at: datetime | None) -> DutyClock:
        """Returns the clock of one duty; `applicable` is None if the duty does not apply."""
        confirmation = self.confirmations.get(duty.id)
        confirmed = [_confirmation_evidence(confirmation)] if confirmation else []
        is_excluded = confirmation and confirmation.verdict == confirmation.Verdict.NOT_APPLICABLE
        if applicable is None or is_excluded:
            return DutyClock(duty, due_at, DutyStatus.NOT_APPLICABLE, confirmed, confirmation)
        evidence = [*confirmed, *self._evidence(applicable)]
        status = self._status(due_at, _met_at(evidence), is_waived=duty.id in self.waived)
        return DutyClock(applicable, due_at, status, evidence, confirmation)

    def _status(
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
        """The published versions of the incident's notices, oldest first; empty if it is hidden."""
        public = StatementVersion.objects.public().filter(statement__incident=self.incident)
        notices = public.filter(statement__kind=Statement.Kind.NOTICE)
        return list(notices.order_by("published_at").prefetch_related("sections", "waivers"))

    @cached_property
    def waived(self) -> set[str]:
        """The rules that a published version waives."""
        return {waiver.rule for version in self.versions for waiver in version.waivers.all()}

    @cached_property
    def reports(self) -> list[RegulatorReport]:
        """The filed regulator reports, oldest first."""
        filed = self.incident.reports.filter(state=RegulatorReport.State.FILED)
        return list(filed.order_by("filed_at"))

    @cached_property
    def missing(self) -> dict[int, set[str]]:
        """The rules with a finding about each version, by its primary key; waived ones too."""
        return {
            version.pk: {each.rule for each in review.review(version, _sections(version))}
            for version in self.versions
        }

    def _published(self, duty: Duty) -> Iterator[Evidence]:
        """Yields the first version that meets the duty and violates none of its lint rules."""
        for version in self.versions:
            if not {duty.id, *duty.lint} & (self.missing[version.pk] | _unmet(duty, version)):
                yield _version_evidence(version, at=version.published_at)
                return

    def _displayed(self, duty: Duty) -> Iterator[Evidence]:
        """Yields the first version that is shown for the days that the duty requires.

        It meets the duty once these days have passed.
        """
        today = timezone.localdate(self.now, self.incident.zone)
        for version in self.versions:
            published = version.published_at
            until = timezone.localdate(published, self.incident.zone) + timedelta(
                days=duty.display_days or 0
            )
            if version.display_until >= until:
                yield _version_evidence(version, at=published if today >= until else None)
                return

    def _reported(self, duty: Duty) -> Iterator[Evidence]:
        for report in self.reports:
            if report.duty == duty.id:
                description = _("Filed with %(authority)s, reference %(reference)s") % {
                    "authority": report.authority,
                    "reference": report.reference or "–",
                }
                url = reverse("admin:statements_regulatorreport_change", args=[report.pk])
                yield Evidence(description, url, report.filed_at)

    def _notified(self) -> Iterator[Evidence]:
        for sent in notifications_of(self.incident):
            yield Evidence(sent.description, sent.url, sent.all_told_at)


def _met_at(evidence: list[Evidence]) -> datetime | None:
    return min((each.at for each in evidence if each.at), default=None)


def _confirmation_evidence(confirmation: DutyConfirmation) -> Evidence:
    description = _("%(person)s confirmed on %(time)s: %(evidence)s") % {
        "person": confirmation.confirmed_by,
        "time": moment(confirmation.confirmed_at),
        "evidence": confirmation.evidence,
    }
    return Evidence(description, at=confirmation.met_at)


def _version_evidence(version: StatementVersion, *, at: datetime | None) -> Evidence:
    description = _(
        "“%(title)s”, version %(number)s, shown at least until %(day)s, SHA-256 %(hash)s…"
    ) % {
        "title": version.title,
        "number": version.number,
        "day": date_format(version.display_until),
        "hash": version.hash[:16],
    }
    return Evidence(description, version.get_absolute_url(), at)


def _sections(version: StatementVersion) -> list[Section]:
    return list(version.sections.all())


def _unmet(duty: Duty, version: StatementVersion) -> set[str]:
    """Returns the duty's id if the version's content does not meet the duty, else an empty set.

    This is needed besides `review.review`, which applies only the duties in force today.
    """
    written = [section for section in _sections(version) if section.body]
    found = duties.unmet_content(
        [duty],
        sections={section.key for section in written},
        title=version.title,
        headings=[section.heading for section in written],
        languages=version.title.languages(),
    )
    return {finding.rule for finding in found}
