"""Marks that support sets on affected people."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.affected_person import AffectedPerson
from incidents.models.incident import Incident


class PersonMarkQuerySet(models.QuerySet["PersonMark"]):
    """Marks by what they change."""

    def live(self) -> "PersonMarkQuerySet":
        """Returns the marks that are not lifted."""
        return self.filter(lifted_at__isnull=True)

    def closing(self) -> "PersonMarkQuerySet":
        """Returns the live marks that open no row and hold back messages."""
        return self.live().filter(kind__in=PersonMark.CLOSING)


class PersonMark(models.Model):
    """The record that support marked an affected person, by whom, when and why.

    A mark is lifted, never changed or deleted. A trigger enforces it, except that the purge of a
    shredded incident deletes the marks with the people.
    """

    class Kind(models.TextChoices):
        DECEASED = "deceased", _("deceased")
        MINOR = "minor", _("a minor")
        RESTRICTED = "restricted", _("restricted")
        CORRECTED = "corrected", _("corrected")

    CLOSING = (Kind.DECEASED, Kind.RESTRICTED)

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="+"
    )
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="marks",
    )
    kind = models.CharField(_("mark"), max_length=10, choices=Kind.choices)
    reason = models.CharField(_("reason"), max_length=500)
    note = models.CharField(
        _("note for the person"),
        max_length=500,
        blank=True,
        help_text=_("Shown on the person's page “my data”. Needed for “corrected”."),
    )
    marked_by = models.ForeignKey(
        User, verbose_name=_("marked by"), on_delete=models.PROTECT, related_name="+"
    )
    marked_at = models.DateTimeField(_("marked"), auto_now_add=True)
    lifted_by = models.ForeignKey(
        User, verbose_name=_("lifted by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    lifted_reason = models.CharField(_("why it was lifted"), max_length=500, blank=True)

    objects = PersonMarkQuerySet.as_manager()

    class Meta:
        verbose_name = _("mark of a person")
        verbose_name_plural = _("marks of people")
        ordering = ["-marked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=Q(lifted_at__isnull=True),
                name="person_marked_once",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="mark_lifted_by_a_person",
            ),
            models.CheckConstraint(
                condition=~Q(kind="corrected") | ~Q(note=""), name="correction_has_a_note"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.kind}"

    def lift(self, by: User, reason: str) -> bool:
        """Lifts the mark. Returns False if it was lifted before."""
        live = PersonMark.objects.live().filter(pk=self.pk)
        lifted = {"lifted_at": timezone.now(), "lifted_by": by, "lifted_reason": reason}
        return live.update(**lifted) == 1
