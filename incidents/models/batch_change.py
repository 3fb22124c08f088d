"""Requested changes of scope versions."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.exposure_batch import ExposureBatch


class BatchChangeQuerySet(models.QuerySet["BatchChange"]):
    """Changes of scope versions by state."""

    def unfinished(self) -> "BatchChangeQuerySet":
        """Returns the changes that a worker applies now or has yet to apply."""
        return self.filter(state__in=BatchChange.UNFINISHED)


class BatchChange(models.Model):
    """A closing or withdrawal of a scope version, requested on the desk and applied by a worker.

    A worker applies it, because every affected person is counted again. With tens of millions of
    people this takes minutes; see incidents.scope_versions.
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
        verbose_name=_("scope version"),
        on_delete=models.CASCADE,
        related_name="changes",
    )
    kind = models.CharField(_("change"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    # A stored message in one line. It names files and scope versions, and no person.
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
        """Returns whether a worker applies the change now or has yet to apply it."""
        return self.state in self.UNFINISHED
