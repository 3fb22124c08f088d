"""Offers: what the company gives to those affected, such as credit monitoring, and its codes.

A person takes one code of an offer's pool. The claims of a taking, which are unique in the
database, keep a second taking of the same person away; see docs/decisions/0091.
"""

import uuid
from datetime import date
from typing import Self

from django.core.validators import URLValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from foundations.localized_fields import LocalizedTextField
from incidents.encryption import OFFER_CODE
from incidents.models import DataClass, Incident
from notices.models import Notice


class OfferQuerySet(models.QuerySet["Offer"]):
    """Offers as customers see them."""

    def shown(self) -> Self:
        """Returns the offers of public incidents, also ended and withdrawn ones.

        An offer with codes is shown once its pool has had one. `pool_is_empty` says that all of
        them are handed out.
        """
        codes = PoolCode.objects.filter(offer=OuterRef("pk"))
        shown = self.filter(incident__is_public=True, incident__shredded_at__isnull=True)
        shown = shown.filter(Q(has_codes=False) | Exists(codes))
        return shown.annotate(pool_is_empty=~Exists(codes.filter(taken_at__isnull=True)))

    def are_open(self) -> bool:
        """Returns whether customers see an offer that may be taken."""
        return any(offer.is_open for offer in self.shown().select_related("incident"))


class Offer(models.Model):
    """One offer of the company to people whom an incident affects. Its fields are public facts."""

    class Audience(models.TextChoices):
        ALL = "all", _("all whose data leaked")
        CLASSES = "classes", _("those of whom one of the chosen data classes leaked")
        NOTICE = "notice", _("those whom the chosen notice reached")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="offers"
    )
    title = LocalizedTextField(_("title"), max_length=100)
    text = LocalizedTextField(_("what it is"), is_long=True, max_length=1_000)
    use = LocalizedTextField(_("how to use it"), is_long=True, max_length=1_000)
    link = models.URLField(
        _("official link"),
        validators=[URLValidator(schemes=["https"])],
        help_text=_("Where the offer is used. It is shown with the offer, as it is here."),
    )
    ends_on = models.DateField(_("last day"), help_text=_("In the time zone of the incident."))
    audience = models.CharField(
        _("for whom"), max_length=7, choices=Audience.choices, default=Audience.ALL
    )
    notice = models.ForeignKey(
        Notice,
        verbose_name=_("notice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    has_codes = models.BooleanField(
        _("each person gets a code"),
        default=True,
        help_text=_("Customers see the offer once it has codes. Without codes it is the link."),
    )
    withdrawn_reason = LocalizedTextField(
        _("withdrawn because"),
        is_long=True,
        max_length=500,
        blank=True,
        help_text=_("A text here ends the offer. Those who have a code read it beside the code."),
    )

    objects = OfferQuerySet.as_manager()

    pool_is_empty: bool  # of OfferQuerySet.shown

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        default_permissions = ("add", "change", "view")
        permissions = [("import_codes", _("Can import codes of offers"))]
        ordering = ["ends_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(audience="notice", notice__isnull=False)
                | ~Q(audience="notice") & Q(notice__isnull=True),
                name="offer_names_its_notice",
            )
        ]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def is_withdrawn(self) -> bool:
        """Returns whether the company has withdrawn the offer."""
        return bool(self.withdrawn_reason)

    @property
    def has_ended(self) -> bool:
        """Returns whether its last day has passed in the incident's time zone."""
        today: date = timezone.now().astimezone(self.incident.zone).date()
        return self.ends_on < today

    @property
    def is_open(self) -> bool:
        """Returns whether it may be taken."""
        return not self.is_withdrawn and not self.has_ended


class OfferClass(models.Model):
    """A data class that an offer of the audience "classes" is for."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="classes")
    data_class = models.ForeignKey(
        DataClass, verbose_name=_("data class"), on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("data class of the offer")
        verbose_name_plural = _("data classes of the offer")
        ordering = ["data_class__position", "data_class__slug"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "data_class"], name="offer_class_once")
        ]

    def __str__(self) -> str:
        return str(self.data_class.name)


class PoolCode(models.Model):
    """One code of an offer, encrypted under the incident's data keyset."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="codes", db_index=False)
    # The blind index of offer and code, so that no code is twice in the pool.
    digest = models.UUIDField(editable=False)
    ciphertext = models.BinaryField(editable=False)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("code of an offer")
        verbose_name_plural = _("codes of offers")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["offer", "digest"], name="code_once")]
        indexes = [  # read by the hand-out, and by the count of those left
            models.Index(
                fields=["offer", "id"], condition=Q(taken_at__isnull=True), name="codes_left"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def decrypt(self) -> str:
        """Returns the code. Raises KeysetShreddedError or EncryptionError."""
        cipher = self.offer.incident.cipher()
        return str(cipher.decrypt(self.ciphertext, person=self.pk, purpose=OFFER_CODE))


class OfferTaking(models.Model):
    """One person's taking of a code. It is never changed or deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, related_name="takings", db_index=False
    )
    code = models.OneToOneField(PoolCode, on_delete=models.PROTECT, related_name="taking")
    # Null once the customer closed the account. The claims stay.
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    taken_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("taking of an offer")
        verbose_name_plural = _("takings of offers")
        default_permissions = ()
        indexes = [  # read by the counts of the desk
            models.Index(fields=["offer", "taken_at"], name="takings_of_offer")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class TakingClaim(models.Model):
    """What identifies the person of a taking: a row of the data, or a mailbox. Once an offer."""

    pk = models.CompositePrimaryKey("offer_id", "key")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The id of an affected person, or the blind index of a mailbox.
    key = models.UUIDField(editable=False)
    taking = models.ForeignKey(OfferTaking, on_delete=models.PROTECT, related_name="claims")

    class Meta:
        verbose_name = _("claim of a taking")
        verbose_name_plural = _("claims of takings")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.key)
