"""Who is affected, what leaked of them, how many they are, and who looked."""

import uuid
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents import encryption
from incidents.models.batches import ExposureBatch, ExposureFile
from incidents.models.data_classes import DataClass
from incidents.models.incidents import Incident


class AffectedPersonQuerySet(models.QuerySet["AffectedPerson"]):
    """Affected people by who asks."""

    def for_user(
        self, user: User, incidents: Iterable[Incident] | None = None
    ) -> "AffectedPersonQuerySet":
        """The rows that carry one of the user's verified e-mails or phones, in public incidents.

        Computed at each visit, so that a batch loaded later shows by itself. Raises SealingError
        if the keyset of one of them does not open; `incidents` names those that do.
        """
        if incidents is None:
            incidents = Incident.objects.public().filter(shredded_at__isnull=True)
        return self.with_contact(
            emails=user.verified_emails(), phones=user.verified_phones(), incidents=incidents
        )

    def with_contact(
        self, *, emails: Sequence[str], phones: Sequence[str], incidents: Iterable[Incident]
    ) -> "AffectedPersonQuerySet":
        """The rows of `incidents` that carry one of the addresses (normalised) or numbers (E.164).

        Raises SealingError.
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
    """Somebody whose data is in the exposed set. Need not have an account here.

    The primary key is a PRF of the source's own reference under the incident's index keyset: the
    same person in another file or a second attempt is the same row, without a look-up.
    """

    class Relation(models.IntegerChoices):
        MEMBER = 1, _("member")
        FORMER_MEMBER = 2, _("former member")
        RECIPIENT = 3, _("recipient")

    class Reach(models.IntegerChoices):
        """Whether a message could be sent there."""

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
    # {"n": name, "e": e-mail, "p": phone}, each only where there is one.
    contact = models.BinaryField(editable=False)

    objects = AffectedPersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("affected person")
        verbose_name_plural = _("affected people")
        indexes = [
            # AffectedPerson.objects.for_user
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
        """{"n": name, "e": e-mail, "p": phone}, each only where there is one.

        Raises SealingError.
        """
        opened: dict[str, str] = self.incident.cipher().decrypt(
            self.contact, person=self.pk, purpose=encryption.CONTACT
        )
        return opened


class ExposureQuerySet(models.QuerySet["Exposure"]):
    """Exposures that still stand."""

    def not_withdrawn(self) -> "ExposureQuerySet":
        """Without those of withdrawn batches."""
        return self.exclude(file__batch__state=ExposureBatch.State.WITHDRAWN)


class Exposure(models.Model):
    """What one row of one file says leaked of one person.

    `sealed` is a list of [data class id, value] or [data class id, value, ISO date]; a class that
    is in `data_classes` but not in the list leaked as the person's `contact` holds it (name,
    e-mail, phone), and is not stored twice.
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


class ScopeCount(models.Model):
    """Stored counts of people, so that no page counts millions of rows; see scope_counts.py."""

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="scope_counts",
        db_index=False,
    )
    # Null: over all closed scope versions of the incident, each person once.
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("exposure batch"),
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
    )
    relation = models.SmallIntegerField(_("relation"), choices=AffectedPerson.Relation.choices)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    # Null: everybody, whatever leaked of them.
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


class Reveal(models.Model):
    """A record that somebody saw unmasked values: who, whose, when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.SET_NULL, null=True, related_name="reveals"
    )
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="reveals",
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")

    def __str__(self) -> str:
        return f"{self.person_id} {self.at:%Y-%m-%d %H:%M}"
