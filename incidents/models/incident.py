"""Incidents, their keysets and how those are deleted."""

import hashlib
import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import phonenumbers
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from foundations.languages import CODE_LENGTH, default_language, portal_codes, portal_languages
from foundations.localized_fields import LocalizedTextField
from incidents import encryption
from incidents.models.shredding import Shredding

if TYPE_CHECKING:
    from incidents.models.exposure_batch import Unlinked, Unread


def default_phone_region() -> str:
    """Returns settings.PHONE_REGION, the region of a new incident."""
    return str(settings.PHONE_REGION)


def public_phone_regions() -> list[str]:
    """Returns the regions of phone numbers of the public incidents, one each."""
    regions = Incident.objects.public().order_by("phone_region")
    return list(regions.values_list("phone_region", flat=True).distinct())


@cache
def phone_regions() -> list[tuple[str, str]]:
    """Returns the choices of a region: KR, and "KR +82" with the country code of its numbers."""
    return sorted(
        (region, f"{region} +{code}")
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        for region in regions
        if region in phonenumbers.SUPPORTED_REGIONS  # not 001, which is no region
    )


def default_time_zone() -> str:
    """Returns settings.TIME_ZONE, the time zone of a new incident."""
    return str(settings.TIME_ZONE)


@cache
def time_zones() -> list[tuple[str, str]]:
    """Returns the choices of a time zone, by the names of IANA such as Europe/Berlin."""
    names = zoneinfo.available_timezones()
    # Names without a region are of other systems; Etc/GMT+9 lies west of Greenwich.
    return [(name, name) for name in sorted(names) if name == "UTC" or _is_region(name)]


def _is_region(name: str) -> bool:
    return "/" in name and not name.startswith(("Etc/", "SystemV/"))


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents by visibility."""

    def public(self) -> "IncidentQuerySet":
        """Returns the incidents that the public pages show, the last one found out first."""
        return self.filter(is_public=True).order_by("-aware_at")

    def been_public(self) -> "IncidentQuerySet":
        """Returns the incidents that are or were public; see Incident.has_been_public."""
        return self.filter(Q(is_public=True) | Q(first_public_at__isnull=False))


class Incident(models.Model):
    """One data breach."""

    # Four bytes, as in ExposureFile, because the row of every affected person stores this id and
    # the row of every exposure stores that of its file.
    id = models.AutoField(primary_key=True)
    slug = models.SlugField(_("slug"), unique=True, help_text=_("Part of its web addresses."))
    languages = ArrayField(
        models.CharField(max_length=CODE_LENGTH, choices=portal_languages),
        verbose_name=_("languages"),
        default=portal_codes,
        help_text=_(
            "The languages of its texts, as codes with commas between them. A statement is "
            "published in all of them; the first one is the authority."
        ),
    )
    default_language = models.CharField(
        _("language of the others"),
        max_length=CODE_LENGTH,
        choices=portal_languages,
        default=default_language,
        help_text=_("People whose language is none of these get this one."),
    )
    company = LocalizedTextField(_("company"), max_length=200)
    title = LocalizedTextField(_("title"), max_length=200)
    summary = LocalizedTextField(
        _("summary"), is_long=True, help_text=_("What happened, in ten seconds.")
    )
    began_on = models.DateField(_("access began"), null=True, blank=True)
    ended_on = models.DateField(_("access ended"), null=True, blank=True)
    aware_at = models.DateTimeField(
        _("became aware"), help_text=_("The legal clocks count from this moment.")
    )
    illegal_access = models.BooleanField(
        _("illegal access from outside"),
        null=True,
        blank=True,
        help_text=_("Some duties depend on it. Leave open what is not known yet."),
    )
    reported_count = models.PositiveBigIntegerField(
        _("accounts reported"), null=True, blank=True, help_text=_("As the company stated it.")
    )
    department = LocalizedTextField(_("department"), max_length=200)
    contact_phone = models.CharField(_("telephone"), max_length=50, blank=True)
    contact_email = models.EmailField(_("e-mail"), blank=True)
    official_contacts = LocalizedTextField(
        _("official contacts"),
        is_long=True,
        blank=True,
        help_text=_("The addresses and numbers the company really uses, one a line."),
    )
    phone_region = models.CharField(
        _("region of phone numbers"),
        max_length=2,
        default=default_phone_region,
        choices=phone_regions,
        help_text=_("Phone numbers without a country code are read as numbers of this region."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=40,
        default=default_time_zone,
        choices=time_zones,
        help_text=_("The incident's days and clocks are those of this zone."),
    )
    shared_contact_bound = models.PositiveSmallIntegerField(
        _("people that may share a contact"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_(
            "An e-mail address or phone number of more people opens nothing by itself and gets one "
            "message. Up to this number, each person is asked for a second fact, as in a family. "
            "Notices follow a change from the next closing of a scope version on."
        ),
    )
    has_member_numbers = models.BooleanField(
        _("references are member numbers"),
        default=False,
        help_text=_(
            "Only if the reference column of each file holds the member number that the customers’ "
            "provider states at the sign-in. The number then opens its row, whatever the contact "
            "in the row is."
        ),
    )
    is_public = models.BooleanField(_("public"), default=False)
    # Null until the incident is public for the first time. Never reset.
    first_public_at = models.DateTimeField(_("first public"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Wrapped by the master keyset. Both are null once the incident's data is shredded.
    data_keyset = models.BinaryField(null=True, editable=False)
    index_keyset = models.BinaryField(null=True, editable=False)
    shredded_at = models.DateTimeField(_("shredded"), null=True, editable=False)
    # Set when the deletion of the leaked values begins: from then on, no page shows a value, and
    # nothing is imported (incidents.retention).
    values_deleted_at = models.DateTimeField(_("values deleted"), null=True, editable=False)
    # What customers read: the day of the plan in force. Null without one, and under a legal hold.
    kept_until = models.DateField(_("kept until"), null=True, editable=False)

    objects = IncidentQuerySet.as_manager()
    # When it was hidden and made public again, once incidents.visibility has read it.
    hidden_times: Sequence[tuple[datetime, datetime]] | None = None

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.CheckConstraint(
                condition=Q(languages__contains=[F("default_language")]),
                name="default_language_is_one_of_the_incident",
            ),
            models.CheckConstraint(
                condition=Q(began_on__isnull=True)
                | Q(ended_on__isnull=True)
                | Q(began_on__lte=F("ended_on")),
                name="incident_began_before_it_ended",
            ),
            models.CheckConstraint(
                condition=Q(
                    shredded_at__isnull=True,
                    data_keyset__isnull=False,
                    index_keyset__isnull=False,
                )
                | Q(
                    shredded_at__isnull=False,
                    data_keyset__isnull=True,
                    index_keyset__isnull=True,
                ),
                name="incident_has_keysets_or_is_shredded",
            ),
        ]

    def __str__(self) -> str:
        return str(self.title) or self.slug

    @property
    def zone(self) -> ZoneInfo:
        """Returns the time zone in which the incident's dates are written."""
        return ZoneInfo(self.time_zone)

    def language_for(self, wanted: str) -> str:
        """Returns the language of the incident that a reader of `wanted` gets.

        It is `wanted` if the incident has it, else `default_language`.
        """
        return wanted if wanted in self.languages else self.default_language

    @property
    def has_been_public(self) -> bool:
        """Returns whether the incident is or was public, so that people may know its facts.

        From then on two people change the facts together (FactChange).
        """
        return self.is_public or self.first_public_at is not None

    def make_keysets(self) -> None:
        """Makes the keysets of a new incident, bound to its slug. The caller saves the incident."""
        self.data_keyset, self.index_keyset = encryption.new_incident_keysets(self.slug)

    def cipher(self) -> encryption.IncidentCipher:
        """Returns the cipher that encrypts and decrypts this incident's data.

        Raises KeysetShreddedError if the data is shredded, and EncryptionError if the master
        keyset is not the one that wraps the keysets.
        """
        if self.data_keyset is None or self.index_keyset is None:
            raise encryption.keyset_shredded_error(self.slug)
        return encryption.incident_cipher(*self.keysets())

    def keysets(self) -> tuple[int, str, bytes, bytes]:
        """Returns (incident id, slug, data keyset, index keyset) for encryption.incident_cipher.

        The keysets are wrapped, and empty once the data is shredded.
        """
        return self.pk, self.slug, bytes(self.data_keyset or b""), bytes(self.index_keyset or b"")

    def shred(self, by: User | None = None) -> None:
        """Deletes the keysets, so that the encrypted data cannot be recovered any more.

        Proofs and counts stay. A Shredding records what was deleted, when, and by which superuser
        (None outside the desk). Raises KeysetShreddedError if the data is shredded already.
        """
        with transaction.atomic():
            locked = Incident.objects.select_for_update(no_key=True).get(pk=self.pk)
            if locked.data_keyset is None or locked.index_keyset is None:
                raise encryption.keyset_shredded_error(self.slug)
            self.shredded_at = timezone.now()
            Shredding.objects.update_or_create(
                incident=self,
                defaults={
                    "done_by": by,
                    "done_at": self.shredded_at,
                    "data_fingerprint": hashlib.sha256(locked.data_keyset).hexdigest(),
                    "index_fingerprint": hashlib.sha256(locked.index_keyset).hexdigest(),
                },
            )
            self.data_keyset = self.index_keyset = None
            self.save(update_fields=["data_keyset", "index_keyset", "shredded_at"])

    def is_scope_complete(self) -> bool:
        """Returns whether at least one batch is closed and none is open.

        Only then may a page show a user that they are not affected.
        """
        return self.batches.all().are_complete()

    def unread(self) -> "Unread":
        """Returns how much of the closed scope versions could not be read.

        If it is anything, no page may show a user that they are not affected.
        """
        return self.batches.all().unread()

    def unlinked(self) -> "Unlinked":
        """Returns how many entries of the closed scope versions have no contact of their owner.

        If there are any, no page may show a user that they are not affected.
        """
        return self.batches.all().unlinked()
