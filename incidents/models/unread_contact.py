"""Contacts of rejected rows, and of cells that are not certain."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models.exposure_file import ExposureFile


class UnreadContact(models.Model):
    """What can be read of the contacts of a rejected row, as blind indexes.

    The row may be another person's who shares a contact with a stored one. So a contact counts as
    shared as if the row were stored (incidents.own_rows), until the row is loaded, corrected. A row
    with further contacts has a further UnreadContact for each.

    A row that is taken has one for each contact that a cell of it may mean
    (incidents.uncertain_contacts). Those of patterns have the line 0 and no person. A row of whose
    contact nothing can be kept has one without any contact (incidents.unlinked). A contact that a
    cell of another column mentions (incidents.mentioned_contacts) is kept like a pattern.
    """

    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.CASCADE,
        related_name="unread_contacts",
    )
    line = models.PositiveIntegerField(_("line"))
    # The key that the person of the row would have; null if it has no reference for certain.
    person_key = models.UUIDField(null=True, editable=False)
    email_index = models.UUIDField(null=True, editable=False)
    phone_index = models.UUIDField(null=True, editable=False)
    # Of the name in normal form (incidents.person_names); null if there is none for certain.
    name_index = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = _("contact of an unread row")
        verbose_name_plural = _("contacts of unread rows")
        # For incidents.unread_contacts.
        indexes = [
            models.Index(
                fields=["email_index"],
                condition=Q(email_index__isnull=False),
                name="unread_by_email",
            ),
            models.Index(
                fields=["phone_index"],
                condition=Q(phone_index__isnull=False),
                name="unread_by_phone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_id}:{self.line}"
