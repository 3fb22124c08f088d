"""Notices: a frozen statement version, sent to an audience over a channel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, FilteredRelation, Q, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from incidents.models import ExposureBatch, Incident
from notices.ledger_messages import LedgerMessages
from notices.models.states import END_STATES, ChunkState, sum_of_counters
from notices.models.subscription import AlertSubscription
from statements.models import StatementVersion

NOT_ADDING_UP = LedgerMessages.NOT_ADDING_UP.stored()


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices by what has to be done about them."""

    def unfinished(self) -> "NoticeQuerySet":
        """Selects the notices that the sweep checks: those being planned, sent, or cancelled row by
        row, and none that begins later.
        """
        rows = self.filter(
            Q(state__in=[Notice.State.PLANNING, Notice.State.SENDING])
            | Q(state=Notice.State.CANCELLED, closed_at__isnull=True)
        )
        return rows.exclude(state=Notice.State.PLANNING, begins_at__gt=Now()).order_by("pk")

    def finished(self) -> "NoticeQuerySet":
        """Selects the notices that can be closed: no chunk has work left, and the sums are exact.

        A person decides about an SMS in doubt, and has time until the deadline. So a notice with
        such deliveries is not finished before.
        """
        undone = [ChunkState.DUE, ChunkState.LEASED]
        doubt = Q(channel=Notice.Channel.SMS, in_doubt__gt=0, deadline_at__gt=Now())
        waits_for_a_person = doubt & Q(state=Notice.State.SENDING)
        return (
            self.filter(planned=sum_of_counters())
            .exclude(chunks__state__in=undone)
            .exclude(waits_for_a_person)
        )

    def live_counts(self, pk: int) -> dict[str, int]:
        """Returns the current counters of one notice: its own plus those of its leased chunks.

        The result is {"planned": …, "accepted": …, …}. It is read in one statement, so that a chunk
        that is released at the same time is not counted twice. The cost does not grow with the
        notice.
        """
        leased = FilteredRelation("chunks", condition=Q(chunks__state=ChunkState.LEASED))
        sums: dict[str, Any] = {
            f"live_{name}": F(name) + Coalesce(Sum(f"leased__{name}"), 0) for name in END_STATES
        }
        row = self.filter(pk=pk).annotate(leased=leased).annotate(**sums)
        counts = row.values("planned", *sums).get()
        return {name.removeprefix("live_"): number for name, number in counts.items()}

    def counted(self, incident: Incident, *, most: int) -> list["CountedNotice"]:
        """Returns the `most` newest notices of the incident, with live counts, and no tests.

        It takes one query and no scan of deliveries; see `live_counts`.
        """
        leased = FilteredRelation("chunks", condition=Q(chunks__state=ChunkState.LEASED))
        sums: dict[str, Any] = {
            f"live_{name}": F(name) + Coalesce(Sum(f"leased__{name}"), 0) for name in END_STATES
        }
        rows: Any = self.real().filter(incident=incident).annotate(leased=leased).annotate(**sums)
        related = rows.select_related("version__statement", "incident", "approved_by")
        return [
            CountedNotice(row, {name: getattr(row, f"live_{name}") for name in END_STATES})
            for row in related.order_by("-created_at", "-pk")[:most]
        ]

    def without_digest(self) -> "NoticeQuerySet":
        """Selects the closed notices without a ledger digest, except those with sums known to be
        wrong.
        """
        ended = self.filter(closed_at__isnull=False, planned__gt=0, digest__isnull=True)
        return ended.exclude(problem=NOT_ADDING_UP).order_by("closed_at")

    def real(self) -> "NoticeQuerySet":
        """Excludes tests. Code that asks who was notified uses this filter."""
        return self.exclude(audience=Notice.Audience.TEST)


@dataclass(frozen=True)
class CountedNotice:
    """A notice with its current counts by end state, those of leased chunks included."""

    notice: "Notice"
    counts: dict[str, int]

    @property
    def planned(self) -> int:
        """Returns the number of its deliveries."""
        return self.notice.planned

    @property
    def ended(self) -> int:
        """Returns the number of its deliveries with an end state."""
        return sum(self.counts.values())


class Notice(models.Model):
    """A frozen statement version, sent to an audience over a channel."""

    class Kind(models.TextChoices):
        MANDATORY = "mandatory", _("mandatory: goes to all affected")
        ALERT = "alert", _("alert: goes to those who opted in")

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("text message")
        PUSH = "push", _("push message")

    class Audience(models.TextChoices):
        EVERYBODY = "everybody", _("all affected, or all subscribers of the topic")
        BATCH = "batch", _("those of whom a scope version holds something")
        EARLIER = "earlier", _("those who received an earlier version and not this one")
        UNREACHED = "unreached", _("those whom an earlier notice did not reach")
        TEST = "test", _("a test: only the addresses typed in")
        WEEKLY = "weekly", _("weekly mail: subscribers whom the alerts of the week did not go to")

    class Ramp(models.TextChoices):
        BY_SIZE = "by_size", _("by size: a large mandatory notice in steps, by itself")
        NONE = "none", _("all at once")
        PERSON = "person", _("in steps: a person lets each go")
        INTERVAL = "interval", _("in steps: each goes by itself after a while without trouble")

    class PausedFor(models.TextChoices):
        PERSON = "person", _("A person paused it.")
        BOUNCES = "bounces", _("It paused by itself: too many messages bounced.")
        REFUSED = "refused", _("It paused by itself: the server refuses us, not the recipients.")
        NEWER = "newer", _("It paused before its start: a newer version of its text is published.")
        HIDDEN = (
            "hidden",
            _("It paused before its start: the incident is not public, or its data was deleted."),
        )
        MORE = (
            "more",
            _("It paused by itself: it would go to more people than confirmed or allowed."),
        )

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PLANNING = "planning", _("approved: it is being prepared")
        SENDING = "sending", _("sending")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed: each person has a result")
        CANCELLED = "cancelled", _("cancelled")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="notices"
    )
    version = models.ForeignKey(
        StatementVersion,
        verbose_name=_("statement version"),
        on_delete=models.PROTECT,
        related_name="notices",
    )
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    topic = models.CharField(
        _("topic"), max_length=7, choices=AlertSubscription.Topic.choices, blank=True
    )
    channel = models.CharField(
        _("channel"), max_length=5, choices=Channel.choices, default=Channel.EMAIL
    )
    audience = models.CharField(
        _("audience"), max_length=9, choices=Audience.choices, default=Audience.EVERYBODY
    )
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("scope version"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    follows = models.ForeignKey(
        "self",
        verbose_name=_("the notice that did not reach them"),
        on_delete=models.PROTECT,
        related_name="followed_by",
        null=True,
        blank=True,
    )
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.DRAFT)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("approved by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
    )
    approved_at = models.DateTimeField(_("approved"), null=True, editable=False)
    # The comment of the person who returned the draft instead of approving it.
    returned_because = models.TextField(_("returned"), blank=True, editable=False)
    # A delivery that the server still defers at this time ends as unreachable.
    deadline_at = models.DateTimeField(_("deadline"), null=True, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    # Nothing is planned or sent before; null: at once after the approval.
    begins_at = models.DateTimeField(_("not sent before"), null=True, blank=True)
    # The number of people that the approver typed, or the one because of which the notice paused
    # before more of its ledger is written; null: they were not counted.
    confirmed_people = models.PositiveBigIntegerField(null=True, editable=False)
    ramp = models.CharField(_("pace"), max_length=8, choices=Ramp.choices, default=Ramp.BY_SIZE)
    # The current step, from 1; the last chunk that may be leased; the step's start. See ramp.py.
    ramp_step = models.PositiveSmallIntegerField(default=0, editable=False)
    ramp_to = models.BigIntegerField(null=True, editable=False)
    ramp_at = models.DateTimeField(null=True, editable=False)
    # The id of a plan in sending_plans.toml; "" is the one in the settings, "none" is no plan.
    sending_plan = models.CharField(_("sending plan"), max_length=40, blank=True, default="")
    # The plan as it was approved; see engine/sending_plans.py.
    frozen_plan = models.JSONField(null=True, editable=False)
    # When a person changed the plan; null once all people are due whom an earlier plan held back.
    replanned_at = models.DateTimeField(null=True, editable=False)
    paused_for = models.CharField(
        _("why it is paused"),
        max_length=8,
        choices=PausedFor.choices,
        blank=True,
        editable=False,
    )
    # People with a refusal whose cause is not theirs, each counted once.
    refusals = models.PositiveIntegerField(default=0, editable=False)
    # The counts when a person last resumed the notice. See engine/guards.py.
    watched_accepted = models.BigIntegerField(default=0, editable=False)
    watched_bounced = models.BigIntegerField(default=0, editable=False)
    watched_refusals = models.PositiveIntegerField(default=0, editable=False)
    # The notice's own limits for the automatic pause, in per cent; None: those of the settings.
    pause_bounce_percent = models.FloatField(null=True, editable=False)
    pause_refusal_percent = models.FloatField(null=True, editable=False)
    pause_complaint_percent = models.FloatField(null=True, editable=False)
    # The count of a draft's audience: a DryRun and the audience's kind, the time of the count, and
    # the time of an open request to count. See dry_runs.py.
    dry_run = models.JSONField(null=True, editable=False)
    dry_run_at = models.DateTimeField(null=True, editable=False)
    dry_run_asked_at = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(
        _("what stands in its way"), max_length=600, blank=True, editable=False
    )
    planned_at = models.DateTimeField(_("planned"), null=True, editable=False)
    # The day on which a weekly mail was due, in the incident's time zone. See weekly_mails.py.
    weekly_on = models.DateField(_("weekly mail of"), null=True, editable=False)
    # The weekly mail that names this alert.
    weekly_mail = models.ForeignKey(
        "self",
        verbose_name=_("weekly mail"),
        on_delete=models.PROTECT,
        related_name="weekly_alerts",
        null=True,
        editable=False,
    )
    # Planning reads the audience in the order of keys. This is the last key that it wrote.
    planned_to = models.UUIDField(null=True, editable=False)

    # Counting 33 million rows for a page would take too long. A worker counts the end states of its
    # chunk in the chunk's row, in the same transaction, and adds them here when it releases the
    # chunk; see live_counts. So workers do not wait for one another at this row.
    planned = models.PositiveBigIntegerField(_("planned"), default=0, editable=False)
    accepted = models.BigIntegerField(_("accepted"), default=0, editable=False)
    bounced = models.BigIntegerField(_("bounced"), default=0, editable=False)
    suppressed = models.BigIntegerField(_("suppressed"), default=0, editable=False)
    unreachable = models.BigIntegerField(_("unreachable"), default=0, editable=False)
    in_doubt = models.BigIntegerField(_("in doubt"), default=0, editable=False)
    cancelled = models.BigIntegerField(_("cancelled"), default=0, editable=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at"]
        permissions = [
            ("approve_notice", _("Can approve, pause and cancel notices")),
            ("pause_notice", _("Can pause notices")),
            ("export_proof", _("Can export who was told, and who was not reached")),
            ("open_contacts", _("Can export names and addresses, opened")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="mandatory", topic="") | Q(kind="alert") & ~Q(topic=""),
                name="alerts_have_a_topic",
            ),
            models.CheckConstraint(
                condition=Q(kind="mandatory") & ~Q(audience="weekly")
                | Q(kind="alert", audience__in=["everybody", "test", "weekly"]),
                name="alerts_go_to_subscribers",
            ),
            models.CheckConstraint(
                condition=Q(channel="email")
                | Q(channel="sms") & ~Q(audience="weekly")
                | Q(channel="push", kind="alert", audience__in=["everybody", "test"]),
                name="channel_fits_the_kind",
            ),
            models.CheckConstraint(
                condition=Q(audience="weekly", topic="updates", weekly_on__isnull=False)
                | ~Q(audience="weekly") & Q(weekly_on__isnull=True),
                name="weekly_mail_has_its_day",
            ),
            models.UniqueConstraint(
                fields=["incident", "weekly_on"], name="one_weekly_mail_a_week"
            ),
            models.CheckConstraint(
                condition=Q(audience="batch", batch__isnull=False)
                | ~Q(audience="batch") & Q(batch__isnull=True),
                name="audience_names_its_batch",
            ),
            models.CheckConstraint(
                condition=Q(audience="unreached", follows__isnull=False)
                | ~Q(audience="unreached") & Q(follows__isnull=True),
                name="audience_names_its_notice",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(audience="test")
                | ~Q(approved_by=F("created_by")),
                name="notice_approved_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "cancelled"])
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="sending_is_approved",
            ),
            models.CheckConstraint(
                condition=Q(planned__gte=sum_of_counters()),
                name="never_more_than_planned",
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(planned=sum_of_counters()),
                name="closed_adds_up",
            ),
        ]

    def __str__(self) -> str:
        if self.weekly_on:
            return _("Weekly mail of {day}").format(day=date_format(self.weekly_on))
        return f"{self.version} ({self.get_channel_display()})"

    @property
    def is_mandatory(self) -> bool:
        """Returns whether the law demands the notice. Then it ignores opt-outs."""
        return self.kind == self.Kind.MANDATORY

    @property
    def started_at(self) -> datetime | None:
        """Returns from when on it is sent: its approval, or a later time that is set; None before
        the approval.
        """
        return self.approved_at and max(self.approved_at, self.begins_at or self.approved_at)

    @property
    def waits_until(self) -> datetime | None:
        """Returns when it begins, if that is later than now; else None."""
        return self.begins_at if self.begins_at and self.begins_at > timezone.now() else None

    @property
    def is_test(self) -> bool:
        """Returns whether the notice is a test: it goes only to typed addresses, or as a push
        message to its author's browsers, and notifies no affected person.
        """
        return self.audience == self.Audience.TEST

    @property
    def is_weekly_mail(self) -> bool:
        """Returns whether the notice names the alerts of a week to those who chose one mail a
        week.
        """
        return self.audience == self.Audience.WEEKLY

    def weekly_versions(self) -> list[StatementVersion]:
        """Returns what a weekly mail names, the newest first: of each statement of its alerts the
        newest version that was published when the mail was made.
        """
        statements = self.weekly_alerts.values("version__statement")
        published = StatementVersion.objects.published().filter(
            statement__in=statements, published_at__lte=self.created_at
        )
        newest = published.order_by("statement_id", "-number").distinct("statement_id")
        found = newest.select_related("statement__incident")
        return sorted(found, key=lambda version: version.pk, reverse=True)

    def ended(self) -> int:
        """Returns the number of deliveries with an end state."""
        return sum(getattr(self, name) for name in END_STATES)

    def to_go(self) -> int:
        """Returns the number of planned deliveries without an end state."""
        return self.planned - self.ended()
