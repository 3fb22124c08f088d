"""Scope versions, their files, and who asked for a change of them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.incidents import Incident


class ExposureBatchQuerySet(models.QuerySet["ExposureBatch"]):
    """Scope versions by what they say together."""

    def are_complete(self) -> bool:
        """Whether one is closed and none is open, of those of an incident."""
        states = {batch.state for batch in self}
        return ExposureBatch.State.CLOSED in states and ExposureBatch.State.OPEN not in states


class ExposureBatch(models.Model):
    """A scope version: one or more files that together say whose data leaked, as then known."""

    class State(models.TextChoices):
        OPEN = "open", _("open: files may be loaded")
        CLOSED = "closed", _("closed: complete")
        WITHDRAWN = "withdrawn", _("withdrawn")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="batches"
    )
    number = models.PositiveIntegerField(_("scope version"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    note = models.TextField(_("note"), blank=True)
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    # When its people were counted; see incidents.scope_counts.
    counted_at = models.DateTimeField(_("counted"), null=True, editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)
    withdrawn_reason = models.TextField(_("reason for the withdrawal"), blank=True)

    objects = ExposureBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("exposure batch")
        verbose_name_plural = _("exposure batches")
        ordering = ["incident", "number"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="scope_version_once"),
            models.UniqueConstraint(
                fields=["incident"], condition=Q(state="open"), name="one_open_batch"
            ),
        ]

    def __str__(self) -> str:
        words = _("{incident}, scope version {number}")
        return words.format(incident=self.incident, number=self.number)

    @property
    def code(self) -> str:
        """As commands name it."""
        return f"{self.incident.slug} v{self.number}"


class BatchChangeQuerySet(models.QuerySet["BatchChange"]):
    """Changes of scope versions by where they stand."""

    def unfinished(self) -> "BatchChangeQuerySet":
        """Those a worker has, or will have."""
        return self.filter(state__in=BatchChange.UNFINISHED)


class BatchChange(models.Model):
    """The closing or withdrawal of a scope version, asked for on the desk and done by a worker.

    It counts every affected person, for a nation minutes; see incidents.scope_versions.
    """

    class Kind(models.TextChoices):
        CLOSE = "close", _("closing")
        WITHDRAW = "withdraw", _("withdrawal")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a worker")
        RUNNING = "running", _("under way: people are being counted")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    UNFINISHED = (State.WAITING, State.RUNNING)

    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("exposure batch"),
        on_delete=models.CASCADE,
        related_name="changes",
    )
    kind = models.CharField(_("change"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    reason = models.TextField(_("reason for the withdrawal"), blank=True)
    # One line that names files and versions, never anybody.
    refusal = models.TextField(_("why it failed"), blank=True)
    asked_by = models.ForeignKey(
        User, verbose_name=_("asked by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    objects = BatchChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of a scope version")
        verbose_name_plural = _("changes of scope versions")
        constraints = [
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_change_of_a_batch_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.kind} {self.state}"

    @property
    def is_moving(self) -> bool:
        """Whether a worker has it, or will."""
        return self.state in self.UNFINISHED


class ExposureFile(models.Model):
    """One imported file of a batch, and what became of its rows."""

    class State(models.TextChoices):
        LOADING = "loading", _("loading")
        LOADED = "loaded", _("loaded")
        FAILED = "failed", _("failed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.AutoField(primary_key=True)
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("exposure batch"),
        on_delete=models.CASCADE,
        related_name="files",
    )
    # Denormalised for the constraint: a file stands once in an incident, whatever the batch.
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField(_("bytes"))
    encoding = models.CharField(_("encoding"), max_length=20)
    mapping = models.TextField(_("mapping"), help_text=_("As it was used."))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.LOADING)
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    rows_taken = models.PositiveBigIntegerField(_("rows taken"), default=0)
    rows_rejected = models.PositiveBigIntegerField(_("rows rejected"), default=0)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("imported file")
        verbose_name_plural = _("imported files")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="loaded")
                | Q(rows_read=F("rows_taken") + F("rows_rejected"), finished_at__isnull=False),
                name="every_row_taken_or_rejected",
            ),
            models.UniqueConstraint(
                fields=["incident", "sha256"],
                condition=~Q(state__in=["failed", "withdrawn"]),
                name="file_loaded_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name
