"""People whose data leaked, and their further contacts."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from foundations.languages import CODE_LENGTH
from incidents import encryption, kinds
from incidents.models.exposure_file import ExposureFile
from incidents.models.incident import Incident


class AffectedPersonQuerySet(models.QuerySet["AffectedPerson"]):
    """Affected people, found by an address or a number."""

    def with_contact(
        self, *, emails: Sequence[str], phones: Sequence[str], incidents: Iterable[Incident]
    ) -> "AffectedPersonQuerySet":
        """Returns the rows of `incidents` with one of the addresses or numbers, for the desk.

        Not all of them are the owner's; see incidents.own_rows for what a user may read.

        `emails` are normalised (accounts.contacts), `phones` are in E.164. The incident that the
        company learned of last comes first. Raises EncryptionError if a keyset of one incident
        cannot be decrypted.
        """
        match, indexes = Q(pk__in=[]), list[UUID]()
        for incident in incidents:
            cipher = incident.cipher()
            by_email = [cipher.email_index(email) for email in emails]
            by_phone = [cipher.phone_index(phone) for phone in phones]
            match |= Q(incident=incident, email_index__in=by_email)
            match |= Q(incident=incident, phone_index__in=by_phone)
            indexes += by_email + by_phone
        if indexes:
            match |= Q(_has_further_contact(indexes))
        return self.filter(match).select_related("incident").order_by("-incident__aware_at", "pk")


def _has_further_contact(indexes: Sequence[UUID]) -> Func:
    """Returns the condition that a person has one of these further contacts.

    An index contains the key of its incident, so that no other incident has it. The condition is
    "= ANY (ARRAY (...))". With IN, PostgreSQL reads the whole table of people, because it does not
    combine a subquery with the indexes of other columns.
    """
    found = FurtherContact.objects.filter(contact_index__in=indexes)
    return Func(
        F("pk"),
        ArraySubquery(found.values("person_id")),
        template="(%(expressions)s))",
        arg_joiner=" = ANY (",
        output_field=models.BooleanField(),
    )


class AffectedPerson(models.Model):
    """A person whose data leaked. The person does not need an account on the portal.

    The primary key is a PRF of the source's own reference, under the incident's index keyset. So
    the same person in another file, or in a second attempt, gets the same row without a look-up.
    """

    Relation: TypeAlias = kinds.Relation
    Reach: TypeAlias = kinds.Reach

    id = models.UUIDField(primary_key=True, editable=False)
    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="people",
        db_index=False,
    )
    relation = models.SmallIntegerField(_("relation"), choices=Relation.choices)
    language = models.CharField(_("language"), max_length=CODE_LENGTH)
    email_reach = models.SmallIntegerField(_("e-mail"), choices=Reach.choices)
    phone_reach = models.SmallIntegerField(_("phone"), choices=Reach.choices)
    email_index = models.UUIDField(null=True, editable=False)
    phone_index = models.UUIDField(null=True, editable=False)
    # The file that named the person first, of those that are not withdrawn. Without a foreign key
    # in the database, which would slow down the import. Null only for rows that no import made.
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    # Empty if every file with a contact of the person is withdrawn.
    # Encrypted: {"n": name, "e": e-mail, "p": phone}, without the keys that have no value. Further
    # e-mail addresses are under "e2", "e3" and so on, further phones under "p2", "p3" and so on.
    contact = models.BinaryField(editable=False)

    objects = AffectedPersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("affected person")
        verbose_name_plural = _("affected people")
        indexes = [
            # For AffectedPersonQuerySet.with_contact.
            models.Index(
                fields=["email_index"],
                condition=Q(email_index__isnull=False),
                name="person_by_email",
            ),
            models.Index(
                fields=["phone_index"],
                condition=Q(phone_index__isnull=False),
                name="person_by_phone",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(email_reach=1, email_index__isnull=False)
                | Q(email_reach__in=[2, 3], email_index__isnull=True),
                name="usable_email_has_index",
            ),
            models.CheckConstraint(
                condition=Q(phone_reach__in=[1, 4], phone_index__isnull=False)
                | Q(phone_reach__in=[2, 3], phone_index__isnull=True),
                name="usable_phone_has_index",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def has_contact(self, index: UUID) -> bool:
        """Returns whether the data has the address or number with this blind index of the person.

        One query at most.
        """
        first = (self.email_index, self.phone_index)
        return index in first or self.further_contacts.filter(contact_index=index).exists()

    def decrypt_contact(self) -> dict[str, str]:
        """Returns {"n": name, "e": e-mail, "p": phone}, without the keys that have no value.

        Returns an empty dictionary if every file with a contact of the person is withdrawn. Raises
        EncryptionError if the ciphertext or a keyset cannot be decrypted.
        """
        if not self.contact:
            return {}
        contact: dict[str, str] = self.incident.cipher().decrypt(
            self.contact, person=self.pk, purpose=encryption.CONTACT
        )
        return contact


class FurtherContact(models.Model):
    """A usable e-mail address or phone number of a person, besides the one in AffectedPerson.

    The row holds the blind index only. The address itself is in AffectedPerson.contact, encrypted
    with the others. A person is found by it as by the first one; messages go to the first one.
    """

    Kind: TypeAlias = kinds.ContactKind

    pk = models.CompositePrimaryKey("person_id", "kind", "contact_index")
    # Without a foreign key in the database: an import adds these rows before its new table of
    # people is in place (incidents.importing.people_rebuild).
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="further_contacts",
        db_constraint=False,
        db_index=False,
    )
    kind = models.SmallIntegerField(_("kind"), choices=Kind.choices)
    contact_index = models.UUIDField(editable=False)

    class Meta:
        verbose_name = _("further contact")
        verbose_name_plural = _("further contacts")
        # For AffectedPersonQuerySet.with_contact.
        indexes = [models.Index(fields=["contact_index"], name="person_by_further_contact")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.get_kind_display()}"
