"""One spelling for one address or number, however it was typed.

Look-ups by blind index stand or fall with these two functions: the import, the sign-in form and
the suppression list all use them, and a change here needs a re-index.
"""

import re
import unicodedata

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

DEFAULT_REGION = "KR"
# Korean mobile numbers are nearly all there are; the library takes 30 times as long.
_KOREAN_MOBILE = re.compile(r"(?:\+?82-?|0)(1[016789]\d{7,8})")
_SEPARATORS = str.maketrans("", "", " -.()\u00a0\u3000")


def normalise_email(text: str) -> str:
    """NFKC, trimmed, lower case. The part after `+` belongs to the address."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def is_usable_email(normalised: str) -> bool:
    """Whether a mail could be sent there at all (syntax only)."""
    if len(normalised) > 254:
        return False
    try:
        validate_email(normalised)
    except ValidationError:
        return False
    return True


def normalise_phone(text: str, region: str = DEFAULT_REGION) -> str | None:
    """The number in E.164 (`+821012345678`), or None if it cannot be a phone number."""
    plain = unicodedata.normalize("NFKC", text).strip()
    mobile = _KOREAN_MOBILE.fullmatch(plain.translate(_SEPARATORS))
    if mobile and region == "KR":
        return f"+82{mobile[1]}"
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
