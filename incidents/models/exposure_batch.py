"""Scope versions of an incident."""

from typing import NamedTuple

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident


class Unread(NamedTuple):
    """What could not be read: single rows, and files with an unknown number of rows."""

    rows: int
    files: int


class Unlinked(NamedTuple):
    """Entries whose owner no address or number shows, so that no sign-in finds them."""

    people: int  # with a reference: a member number finds them all the same
    recipients: int  # other people, stored or not: no member number finds them

    @property
    def entries(self) -> int:
        """Returns how many there are in all."""
        return self.people + self.recipients


class ExposureBatchQuerySet(models.QuerySet["ExposureBatch"]):
    """Scope versions of one incident, taken together."""

    def are_complete(self) -> bool:
        """Returns whether at least one scope version is closed and none is open."""
        states = {batch.state for batch in self}
        return ExposureBatch.State.CLOSED in states and ExposureBatch.State.OPEN not in states

    def unread(self) -> Unread:
        """Returns how much of the files of the closed scope versions could not be read."""
        closed = [batch for batch in self if batch.state == ExposureBatch.State.CLOSED]
        return Unread(
            sum(batch.rows_unread for batch in closed), sum(batch.files_unread for batch in closed)
        )

    def unlinked(self) -> Unlinked:
        """Returns how many entries of the closed scope versions have no owner's contact."""
        closed = [batch for batch in self if batch.state == ExposureBatch.State.CLOSED]
        return Unlinked(
            sum(batch.people_unlinked for batch in closed),
            sum(batch.recipients_unlinked for batch in closed),
        )


class ExposureBatch(models.Model):
    """A scope version: imported files that together list the affected people.

    A later version adds what became known after this one was closed.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open: files may be loaded")
        CLOSED = "closed", _("closed: complete")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class PublicReason(models.TextChoices):
        """Why it is withdrawn, as the people read it whose data it held.

        The sentences are fixed, so that one person's note on the desk is not published.
        """

        NOT_LEAKED = "not_leaked", _("It was not part of the data that leaked.")
        REPLACED = "replaced", _("It had mistakes. A corrected version replaces it.")
        MISTAKES = "mistakes", _("It had mistakes.")
        OTHER = "other", _("Another reason. The page says how to ask the company.")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="batches"
    )
    number = models.PositiveIntegerField(_("scope version"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    note = models.TextField(_("note"), blank=True)
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    # The time when its people were counted; see incidents.scope_counts.
    counted_at = models.DateTimeField(_("counted"), null=True, editable=False)
    # What could not be read of its files; see incidents.unread. Counted when it is closed, and
    # again when a corrected reject file is loaded or withdrawn.
    rows_unread = models.PositiveBigIntegerField(_("rows that could not be read"), default=0)
    files_unread = models.PositiveIntegerField(_("files that could not be read"), default=0)
    # Entries without a contact of their owner; see incidents.unlinked. Counted with the people of
    # the incident. A person counts in the first closed version that holds them.
    people_unlinked = models.PositiveBigIntegerField(_("people without a contact"), default=0)
    recipients_unlinked = models.PositiveBigIntegerField(
        _("recipients without a number"), default=0
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)
    withdrawn_reason = models.TextField(_("reason for the withdrawal"), blank=True)
    public_reason = models.CharField(
        _("reason that customers read"), max_length=10, choices=PublicReason.choices, blank=True
    )

    objects = ExposureBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("scope version")
        verbose_name_plural = _("scope versions")
        ordering = ["incident", "number"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="scope_version_once"),
            models.UniqueConstraint(
                fields=["incident"], condition=Q(state="open"), name="one_open_batch"
            ),
        ]

    def __str__(self) -> str:
        template = _("{incident}, scope version {number}")
        return template.format(incident=self.incident, number=self.number)

    @property
    def code(self) -> str:
        """Returns the name that commands print, such as "acme v2"."""
        return f"{self.incident.slug} v{self.number}"
