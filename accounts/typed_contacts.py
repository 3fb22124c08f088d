"""Reads the e-mail address or mobile number that a person types to sign in.

A refusal says what to type instead. It depends on the spelling only, and on no data.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

from accounts.contacts import is_usable_email, normalise_email, read_emails
from accounts.phones import LOST_ZERO, NO_PERSONS_NUMBER, Phone, read_phones
from foundations.unbroken import in_one_line

_FEWEST_DIGITS = 5  # of a text that is read as a number
_MOST_LETTERS = 5  # of a label beside a number, such as "phone"
_MOST_CHARACTERS = 320
# The part of an address before the @, such as "minji1990", which is no number with a label.
_MAILBOX_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_FEWEST_DIGITS_AFTER_LABEL = 8

# Each function returns regions (ISO 3166) in which a number without a country code is read, besides
# settings.CODE_TEXT_REGIONS. The apps above this one add theirs in AppConfig.ready.
REGION_SOURCES: list[Callable[[], Iterable[str]]] = []


class SeveralNumbersError(ValidationError):
    """A text is a valid number in several regions; `numbers` are its readings in E.164."""

    def __init__(self, message: str, numbers: Sequence[str]) -> None:
        super().__init__(message)
        self.numbers = numbers


def read_contact(text: str, *, takes_numbers: bool) -> str:
    """Returns the normalised e-mail address or the number in E.164 that a text is.

    Raises ValidationError with the reason if it is neither, or a number that gets no code.
    """
    if takes_numbers and is_like_a_number(text[:_MOST_CHARACTERS]):
        return read_number(text[:_MOST_CHARACTERS])
    return _read_email(text, takes_numbers=takes_numbers)


def is_like_a_number(text: str) -> bool:
    """Returns whether a person who typed this text meant a number, and no e-mail address."""
    plain = unicodedata.normalize("NFKC", text)
    digits = sum(character.isdecimal() for character in plain)
    letters = sum(character.isalpha() for character in plain)
    if digits < _FEWEST_DIGITS_AFTER_LABEL and _MAILBOX_NAME.fullmatch(plain.strip()):
        return False
    return "@" not in plain and digits >= _FEWEST_DIGITS and letters <= _MOST_LETTERS


def _read_email(text: str, *, takes_numbers: bool) -> str:
    """Returns the address. Reads pasted forms too, such as `Name <a@b>`; see `read_emails`."""
    if is_usable_email(email := normalise_email(text)):
        return email
    found = read_emails(text).addresses
    if len(found) > 1:
        raise ValidationError(_("Enter one e-mail address only."))
    if found:
        return found[0]
    if takes_numbers:
        raise ValidationError(
            _(
                "Enter a whole e-mail address, such as name@example.com, or a whole mobile number, "
                "such as %(example)s."
            )
            % {"example": _example()}
        )
    raise ValidationError(_("Enter a whole e-mail address, such as name@example.com."))


def read_number(text: str) -> str:
    """Returns the mobile number in E.164 to which a code may go by text message.

    A number without a country code is read in settings.CODE_TEXT_REGIONS and REGION_SOURCES. Raises
    ValidationError with the reason, and SeveralNumbersError if it is another number in each.
    """
    cells = [read_phones(text, region) for region in _regions()]
    if any(len(cell.phones) > 1 for cell in cells):
        raise ValidationError(_("Enter one number only."))
    found = {phone for cell in cells for phone in cell.phones}
    if len(found) == 1:
        return _allowed(found.pop())
    oddities = {cell.oddity for cell in cells}
    begin = _("Begin the number with 0, or with the country code, such as %(code)s.")
    if found:
        numbers = sorted(phone.number for phone in found)
        raise SeveralNumbersError(begin % {"code": _country_codes()}, numbers)
    if oddities == {LOST_ZERO}:
        raise ValidationError(begin % {"code": _country_codes()})
    if NO_PERSONS_NUMBER in oddities:
        raise ValidationError(_no_texts())
    raise ValidationError(
        _("Enter a whole mobile number, such as %(example)s.") % {"example": _example()}
    )


def _regions() -> Sequence[str]:
    others = (region for source in REGION_SOURCES for region in source())
    return tuple(dict.fromkeys([*settings.CODE_TEXT_REGIONS, *others]))


def takes_texts(number: str) -> bool:
    """Returns whether the portal sends text messages to a number in E.164: it is a mobile number of
    one of settings.CODE_TEXT_REGIONS.
    """
    found = read_phones(number, settings.PHONE_REGION).phones
    return bool(found) and _is_mobile(found[0]) and _is_of_region(found[0])


def _is_mobile(phone: Phone) -> bool:
    # Personal numbers cost their caller more, and forward to any other number.
    kind = phonenumbers.number_type(phonenumbers.parse(phone.number))
    return not phone.is_landline and kind != PhoneNumberType.PERSONAL_NUMBER


def _is_of_region(phone: Phone) -> bool:
    number = phonenumbers.parse(phone.number)
    return phonenumbers.region_code_for_number(number) in settings.CODE_TEXT_REGIONS


def _allowed(phone: Phone) -> str:
    """Returns the number if it takes text messages and is of one of the regions."""
    if not _is_mobile(phone):
        raise ValidationError(_no_texts())
    if not _is_of_region(phone):
        raise ValidationError(
            _("We send text messages to numbers with %(codes)s only. Use your e-mail address.")
            % {"codes": _country_codes()}
        )
    return phone.number


def _no_texts() -> str:
    return _(
        "This number gets no text messages from us: it is a landline or a service number. Enter a "
        "mobile number, or your e-mail address."
    )


def _country_codes() -> str:
    codes = (phonenumbers.country_code_for_region(one) for one in settings.CODE_TEXT_REGIONS)
    return ", ".join(f"+{code}" for code in dict.fromkeys(codes))


def _example() -> str:
    """Returns a mobile number of the first region, as people write it there, for one line."""
    region = settings.CODE_TEXT_REGIONS[0]
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    if number is None:
        return _country_codes()
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return in_one_line(written)
