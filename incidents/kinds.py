"""Kinds of people, contacts and masks, for the models and for processes that have no models."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _

# The data classes of a mapping's contact columns, by column. These classes always exist, because
# the desk neither renames nor deletes a class.
CONTACT_CLASSES = {"name": "names", "email": "email-addresses", "phone": "phone-numbers"}


class Relation(IntegerChoices):
    """What an affected person is to the company."""

    MEMBER = 1, _("member")
    FORMER_MEMBER = 2, _("former member")
    RECIPIENT = 3, _("recipient")


class Reach(IntegerChoices):
    """Whether a message can be sent to the address or number."""

    USABLE = 1, _("usable")
    MISSING = 2, _("missing")
    UNUSABLE = 3, _("cannot be one")
    # People are found by it. It is no reach of an e-mail address.
    LANDLINE = 4, _("landline: takes no text messages")


class ContactKind(IntegerChoices):
    """The kind of a contact."""

    EMAIL = 1, _("e-mail")
    PHONE = 2, _("phone")


class Masking(TextChoices):
    """How a value is masked; see incidents.masking."""

    NAME = "name", _("name: first and last character stay")
    EMAIL = "email", _("e-mail: first character and ending stay")
    PHONE = "phone", _("phone: prefix and last four digits stay")
    ADDRESS = "address", _("address: city and district stay")
    SECRET = "secret", _("secret: nothing stays")
    TEXT = "text", _("text: first characters stay")
