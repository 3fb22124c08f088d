"""The contacts that single files give of a person."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.affected_person import AffectedPerson
from incidents.models.exposure_file import ExposureFile


class FileContact(models.Model):
    """The contact that one file gives of a person whom several files name.

    A withdrawal computes the person's contact again from the other files (incidents.withdrawal).
    `contact` is null if it equals AffectedPerson.contact. The first file, AffectedPerson.file, has
    no row until another file adds to its contact. So most people have none.
    """

    pk = models.CompositePrimaryKey("person_id", "file_id")
    # Without a foreign key in the database: an import adds these rows before its new table of
    # people is in place (incidents.importing.people_rebuild).
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="file_contacts",
        db_constraint=False,
        db_index=False,
    )
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    contact = models.BinaryField(null=True, editable=False)
    email_reach = models.SmallIntegerField(_("e-mail"), choices=AffectedPerson.Reach.choices)
    phone_reach = models.SmallIntegerField(_("phone"), choices=AffectedPerson.Reach.choices)
    email_index = models.UUIDField(null=True, editable=False)
    phone_index = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = _("contact in a file")
        verbose_name_plural = _("contacts in files")
        # For the withdrawal of a file.
        indexes = [models.Index(fields=["file"], name="contact_by_file")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.file_id}"
