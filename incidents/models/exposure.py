"""What leaked of a person, one row of an imported file at a time."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.affected_person import AffectedPerson
from incidents.models.exposure_batch import ExposureBatch
from incidents.models.exposure_file import ExposureFile


class ExposureQuerySet(models.QuerySet["Exposure"]):
    """Exposures by the state of their batch."""

    def not_withdrawn(self) -> "ExposureQuerySet":
        """Returns the exposures without those of withdrawn batches."""
        return self.exclude(file__batch__state=ExposureBatch.State.WITHDRAWN)


class Exposure(models.Model):
    """The data that one row of an imported file holds of one person.

    `ciphertext` encrypts a list of [data class id, value] or [data class id, value, ISO date]. A
    class that is in `data_classes` but not in that list leaked with the value in the person's
    `contact` (name, e-mail, phone), which is not stored twice. `ciphertext` is null if every
    class is of that kind.
    """

    pk = models.CompositePrimaryKey("person_id", "file_id", "line")
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="exposures",
        db_index=False,
    )
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    line = models.PositiveIntegerField(
        help_text="The row's first physical line; the header is line 1."
    )
    data_classes = ArrayField(models.SmallIntegerField(), help_text="DataClass ids, ascending.")
    ciphertext = models.BinaryField(null=True, editable=False)

    objects = ExposureQuerySet.as_manager()

    class Meta:
        verbose_name = _("exposure")
        verbose_name_plural = _("exposures")

    def __str__(self) -> str:
        return f"{self.person_id} {self.file_id}:{self.line}"
