"""Kinds of data."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import in_language


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
    actions_ko = models.TextField(
        _("what to do (Korean)"), blank=True, help_text=_("One step a line.")
    )
    actions_en = models.TextField(
        _("what to do (English)"), blank=True, help_text=_("One step a line.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)

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
