"""Stored counts of affected people."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import CODE_LENGTH
from incidents.models.affected_person import AffectedPerson
from incidents.models.data_class import DataClass
from incidents.models.exposure_batch import ExposureBatch
from incidents.models.incident import Incident


class ScopeCount(models.Model):
    """A stored count of affected people; see incidents.scope_counts.

    Pages read it, so that no request counts millions of rows.
    """

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="scope_counts",
        db_index=False,
    )
    # Null: all closed scope versions of the incident together; each person counts once.
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("scope version"),
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
    )
    relation = models.SmallIntegerField(_("relation"), choices=AffectedPerson.Relation.choices)
    language = models.CharField(_("language"), max_length=CODE_LENGTH)
    # Null: all people, with any data class.
    data_class = models.ForeignKey(
        DataClass,
        verbose_name=_("data class"),
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    people = models.PositiveBigIntegerField(_("people"))

    class Meta:
        verbose_name = _("count of people")
        verbose_name_plural = _("counts of people")
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "batch", "relation", "language", "data_class"],
                nulls_distinct=False,
                name="people_counted_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.batch_id}: {self.people}"
