"""People whose data leaked."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents import encryption
from incidents.models.incident import Incident


class AffectedPersonQuerySet(models.QuerySet["AffectedPerson"]):
    """Affected people, found by an address or a number."""

    def for_user(
        self, user: User, incidents: Iterable[Incident] | None = None
    ) -> "AffectedPersonQuerySet":
        """Returns the rows with one of the user's verified e-mail addresses or phone numbers.

        `incidents` limits the search; the default is every public incident that is not shredded.
        The rows are searched again at each visit, so that a batch that is imported later shows
        without another step. Raises EncryptionError if a keyset of one incident cannot be
        decrypted; a caller that wants the rows of the others names them in `incidents`.
        """
        if incidents is None:
            incidents = Incident.objects.public().filter(shredded_at__isnull=True)
        return self.with_contact(
            emails=user.verified_emails(), phones=user.verified_phones(), incidents=incidents
        )

    def with_contact(
        self, *, emails: Sequence[str], phones: Sequence[str], incidents: Iterable[Incident]
    ) -> "AffectedPersonQuerySet":
        """Returns the rows of `incidents` with one of the addresses or numbers.

        `emails` are normalised (accounts.contacts), `phones` are in E.164. The incident that the
        company learned of last comes first. Raises EncryptionError if a keyset of one incident
        cannot be decrypted.
        """
        match = Q(pk__in=[])
        for incident in incidents:
            cipher = incident.cipher()
            match |= Q(
                incident=incident, email_index__in=[cipher.email_index(email) for email in emails]
            )
            match |= Q(
                incident=incident, phone_index__in=[cipher.phone_index(phone) for phone in phones]
            )
        return self.filter(match).select_related("incident").order_by("-incident__aware_at", "pk")


class AffectedPerson(models.Model):
    """A person whose data leaked. The person does not need an account on the portal.

    The primary key is a PRF of the source's own reference, under the incident's index keyset. So
    the same person in another file, or in a second attempt, gets the same row without a look-up.
    """

    class Relation(models.IntegerChoices):
        MEMBER = 1, _("member")
        FORMER_MEMBER = 2, _("former member")
        RECIPIENT = 3, _("recipient")

    class Reach(models.IntegerChoices):
        """Whether a message can be sent to the address or number."""

        USABLE = 1, _("usable")
        MISSING = 2, _("missing")
        UNUSABLE = 3, _("cannot be one")

    id = models.UUIDField(primary_key=True, editable=False)
    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="people",
        db_index=False,
    )
    relation = models.SmallIntegerField(_("relation"), choices=Relation.choices)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    email_reach = models.SmallIntegerField(_("e-mail"), choices=Reach.choices)
    phone_reach = models.SmallIntegerField(_("phone"), choices=Reach.choices)
    email_index = models.UUIDField(null=True, editable=False)
    phone_index = models.UUIDField(null=True, editable=False)
    # Encrypted: {"n": name, "e": e-mail, "p": phone}, without the keys that have no value.
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
                | Q(email_reach__gt=1, email_index__isnull=True),
                name="usable_email_has_index",
            ),
            models.CheckConstraint(
                condition=Q(phone_reach=1, phone_index__isnull=False)
                | Q(phone_reach__gt=1, phone_index__isnull=True),
                name="usable_phone_has_index",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def decrypt_contact(self) -> dict[str, str]:
        """Returns {"n": name, "e": e-mail, "p": phone}, without the keys that have no value.

        Raises EncryptionError if the ciphertext or a keyset cannot be decrypted.
        """
        contact: dict[str, str] = self.incident.cipher().decrypt(
            self.contact, person=self.pk, purpose=encryption.CONTACT
        )
        return contact
