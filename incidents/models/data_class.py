"""Data classes: kinds of data that can leak."""

from typing import TypeAlias

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import portal_codes
from foundations.localized_fields import LocalizedTextField
from incidents import kinds


class DataClassQuerySet(models.QuerySet["DataClass"]):
    """Data classes by the use of their values."""

    def postal_addresses(self) -> "DataClassQuerySet":
        """Returns the classes that hold postal addresses, to which a letter can be sent."""
        return self.filter(masking=DataClass.Masking.ADDRESS)

    def descriptions(self) -> dict[str, str]:
        """Returns the names of the classes in the portal's languages, in one text, by slug."""
        return {
            slug: " / ".join(text for _code, text in reversed(name.only(portal_codes()).in_order()))
            for slug, name in self.values_list("slug", "name")
        }


class DataClass(models.Model):
    """A kind of data: its names, how a value is masked, and what to do when it leaks."""

    class Sensitivity(models.IntegerChoices):
        LOW = 1, _("low")
        MEDIUM = 2, _("medium")
        HIGH = 3, _("high")

    Masking: TypeAlias = kinds.Masking

    class DateMeaning(models.TextChoices):
        """The meaning of the date that an export gives for a value."""

        SAVED = "saved", _("it was saved")
        ORDERED = "ordered", _("it was ordered")

    # Two bytes, because every exposure stores a list of these ids.
    id = models.SmallAutoField(primary_key=True)
    slug = models.SlugField(_("slug"), unique=True)
    hibp_name = models.CharField(
        _("Have I Been Pwned name"),
        max_length=100,
        blank=True,
        help_text=_("Two classes may share one: theirs are coarser."),
    )
    name = LocalizedTextField(_("name"), max_length=100)
    # Used in sentences such as "2 addresses and 1 entrance code leaked"; see incidents.phrasing.
    unit = LocalizedTextField(
        _("counted as (one)"),
        max_length=50,
        help_text=_("In Korean the counter only, such as 개 or 건."),
    )
    # A language without plural forms has no text here.
    units = LocalizedTextField(_("counted as (several)"), max_length=50, blank=True)
    is_one_each = models.BooleanField(
        _("one a person"),
        default=False,
        help_text=_('One of it is told without its number: "your name", not "1 name".'),
    )
    sensitivity = models.SmallIntegerField(_("sensitivity"), choices=Sensitivity.choices)
    may_have_lines = models.BooleanField(
        _("several lines"),
        default=False,
        help_text=_(
            "A value may have several lines, as an address or a note. In any other class a line "
            "break rejects the row."
        ),
    )
    masking = models.CharField(_("masking"), max_length=10, choices=Masking.choices)
    date_meaning = models.CharField(
        _("on the date of a value"),
        max_length=10,
        choices=DateMeaning.choices,
        default=DateMeaning.SAVED,
        help_text=_("Shown where the export has a date for a value."),
    )
    actions = LocalizedTextField(
        _("what to do"), is_long=True, blank=True, help_text=_("One step a line.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    objects = DataClassQuerySet.as_manager()

    class Meta:
        verbose_name = _("data class")
        verbose_name_plural = _("data classes")
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return str(self.name) or self.slug
