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
_KOREAN_MOBILE = re.compile(r"(?:\+?820?|0)(10\d{8}|1[16789]\d{7,8})", re.ASCII)
_SEPARATORS = str.maketrans("", "", " -.()/~_'\t\u00a0\u3000\u2010\u2012\u2013\u2014\u2212")


def normalise_email(text: str) -> str:
    """NFKC, trimmed, lower case. The part after `+` belongs to the address."""
    if text.isascii():
        return text.strip().lower()
    # Lower case can undo NFKC (U+0130 becomes two characters), so NFKC comes after it as well.
    lowered = unicodedata.normalize("NFKC", text).lower()
    return unicodedata.normalize("NFKC", lowered).strip()


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
    plain = unicodedata.normalize("NFKC", text).translate(_SEPARATORS).strip()
    mobile = _KOREAN_MOBILE.fullmatch(plain)
    if mobile and region == "KR":
        return f"+82{mobile[1]}"
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" alone would include numbers without their area code, which name nobody.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    plainest = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    # The library also takes cut-off 010 numbers; many people would share one.
    is_cut_off = plainest.startswith("+8210") and len(plainest) != len("+821012345678")
    return None if is_cut_off else plainest
