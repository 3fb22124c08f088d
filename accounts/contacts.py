"""The normal form of e-mail addresses and phone numbers.

Look-ups by blind index depend on these functions: the import, the sign-in form and the suppression
list use them. After a change here all blind indexes must be computed again.
"""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

DEFAULT_REGION = "KR"
# The time of NFKC can grow with the square of the length. No address or number is longer than this.
_MOST_CHARACTERS = 320
# The local parts that all mail servers accept (the dot-string of RFC 5321), in lower case.
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Nearly all numbers are Korean mobile numbers, and phonenumbers needs 30 times as long for them.
_KOREAN_MOBILE = re.compile(r"(?:\+?820?|0)(10\d{8}|1[16789]\d{7,8})", re.ASCII)
# The form in which 90 % of them are written. It needs no translation of separators.
_USUAL_MOBILE = re.compile(r"(?:\+82[ -]?|0)10[ -]?(\d{4})[ -]?(\d{4})", re.ASCII)
_SEPARATORS = str.maketrans("", "", " -.()/~_'\t\u00a0\u3000\u2010\u2012\u2013\u2014\u2212")


def normalise_email(text: str) -> str:
    """Returns the address in NFKC and lower case, without surrounding spaces.

    Returns "" if it is too long for an address. A part after `+` stays in the address.
    """
    text = text.strip()
    if len(text) > _MOST_CHARACTERS:
        return ""
    if text.isascii():
        return text.lower()
    # `lower` can undo NFKC (U+0130 becomes two characters), so NFKC is applied after it again.
    lowered = unicodedata.normalize("NFKC", text).lower()
    normalised = unicodedata.normalize("NFKC", lowered).strip()
    return normalised if len(normalised) <= _MOST_CHARACTERS else ""


def is_usable_email(normalised: str) -> bool:
    """Returns whether the spelling is that of one address, for every mail server.

    If a mail server could read an address as another one, its owner would receive or see the data
    of the other. `normalised` comes from `normalise_email`.
    """
    local, _at, domain = normalised.rpartition("@")
    if len(normalised) > 254 or len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        return False
    # Mail programs decode =?…?= in a header.
    return "=?" not in local and _is_usable_domain(domain)


# Cached, because most addresses are at a few domains.
@lru_cache(maxsize=1 << 14)
def _is_usable_domain(domain: str) -> bool:
    try:
        validate_email(f"a@{domain}")
    except ValidationError:
        return False
    return _stays_the_same_in_dns(domain)


def _stays_the_same_in_dns(domain: str) -> bool:
    """Returns whether DNS looks up the domain as it is written.

    Mail to `straße.example`, for example, is sent to `strasse.example`.
    """
    try:
        ascii_domain = domain.encode("idna")
        is_unchanged = domain.isascii() or ascii_domain.decode("idna") == domain
    except UnicodeError:
        return False
    return is_unchanged and re.fullmatch(rb"[a-z0-9.-]+", ascii_domain) is not None


def normalise_phone(text: str, region: str = DEFAULT_REGION) -> str | None:
    """Returns the number in E.164 (`+821012345678`), or None if it cannot be a phone number.

    A number without a country code is a number of `region`.
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    usual = _USUAL_MOBILE.fullmatch(text)
    if usual and region == "KR":
        return f"+8210{usual[1]}{usual[2]}"
    plain = unicodedata.normalize("NFKC", text).translate(_SEPARATORS).strip()
    mobile = _KOREAN_MOBILE.fullmatch(plain)
    if mobile and region == "KR":
        return f"+82{mobile[1]}"
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    # IS_POSSIBLE only: other reasons include numbers without area code, which identify no phone.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    formatted = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    # phonenumbers also accepts truncated 010 numbers, and several people could share one.
    is_truncated = formatted.startswith("+8210") and len(formatted) != len("+821012345678")
    return None if is_truncated else formatted
