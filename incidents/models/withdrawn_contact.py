"""Contacts under which a withdrawn scope version held people."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.affected_person import AffectedPerson
from incidents.models.exposure_batch import ExposureBatch


class WithdrawnContact(models.Model):
    """The blind index of a contact of a person of whom a withdrawn scope version held data.

    It opens nothing and receives no message. By it "my data" tells the owner of the contact what
    the page said before the withdrawal (incidents.earlier_answers). See docs/decisions/0051.
    """

    # The contact comes first, for the look-up of a proven contact.
    pk = models.CompositePrimaryKey("contact_index", "batch_id", "person_id")
    contact_index = models.UUIDField(editable=False)
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("scope version"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    # Without a foreign key in the database, because a large import replaces the table of people.
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        verbose_name = _("withdrawn contact")
        verbose_name_plural = _("withdrawn contacts")

    def __str__(self) -> str:
        return f"{self.batch_id} {self.person_id}"
