"""Kinds of data."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import in_language

# The classes that the contact columns of a mapping are values of; the catalogue always holds them,
# for the desk neither renames nor deletes a class.
CONTACT_CLASSES = {"name": "names", "email": "email-addresses", "phone": "phone-numbers"}


class DataClassQuerySet(models.QuerySet["DataClass"]):
    """Data classes by what their values are good for."""

    def postal_addresses(self) -> "DataClassQuerySet":
        """Those with addresses that a letter can be sent to."""
        return self.filter(masking=DataClass.Masking.ADDRESS)


class DataClass(models.Model):
    """A kind of data: how it is named, masked, and what to do when it leaks."""

    class Sensitivity(models.IntegerChoices):
        LOW = 1, _("low")
        MEDIUM = 2, _("medium")
        HIGH = 3, _("high")

    class Masking(models.TextChoices):
        NAME = "name", _("name: first and last character stay")
        EMAIL = "email", _("e-mail: first character and ending stay")
        PHONE = "phone", _("phone: prefix and last four digits stay")
        ADDRESS = "address", _("address: city and district stay")
        SECRET = "secret", _("secret: nothing stays")
        TEXT = "text", _("text: first characters stay")

    class DateMeaning(models.TextChoices):
        """What happened on the date that a leaked value carries."""

        SAVED = "saved", _("it was saved")
        ORDERED = "ordered", _("it was ordered")

    # Small, so that an exposure's list of classes stays small.
    id = models.SmallAutoField(primary_key=True)
    slug = models.SlugField(_("slug"), unique=True)
    hibp_name = models.CharField(
        _("Have I Been Pwned name"),
        max_length=100,
        blank=True,
        help_text=_("Two classes may share one: theirs are coarser."),
    )
    name_ko = models.CharField(_("name (Korean)"), max_length=100)
    name_en = models.CharField(_("name (English)"), max_length=100)
    # "2 addresses and 1 entrance code leaked"
    unit_ko = models.CharField(
        _("counted as (Korean)"), max_length=50, help_text=_("The counter only, such as 개 or 건.")
    )
    unit_en = models.CharField(_("counted as (English, one)"), max_length=50)
    units_en = models.CharField(_("counted as (English, several)"), max_length=50)
    is_one_each = models.BooleanField(
        _("one a person"),
        default=False,
        help_text=_('One of it is told without its number: "your name", not "1 name".'),
    )
    sensitivity = models.SmallIntegerField(_("sensitivity"), choices=Sensitivity.choices)
    masking = models.CharField(_("masking"), max_length=10, choices=Masking.choices)
    date_meaning = models.CharField(
        _("on the date of a value"),
        max_length=10,
        choices=DateMeaning.choices,
        default=DateMeaning.SAVED,
        help_text=_("Shown where the export has a date for a value."),
    )
    actions_ko = models.TextField(
        _("what to do (Korean)"), blank=True, help_text=_("One step a line.")
    )
    actions_en = models.TextField(
        _("what to do (English)"), blank=True, help_text=_("One step a line.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    objects = DataClassQuerySet.as_manager()

    class Meta:
        verbose_name = _("data class")
        verbose_name_plural = _("data classes")
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.name or self.slug

    @property
    def name(self) -> str:
        """In the active language."""
        return in_language(self, "name")

    @property
    def actions(self) -> list[str]:
        """In the active language, a step each."""
        return in_language(self, "actions").splitlines()
