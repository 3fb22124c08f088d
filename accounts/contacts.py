"""One spelling for one address or number, however it was typed.

Look-ups by blind index stand or fall with these two functions: the import, the sign-in form and
the suppression list all use them, and a change here needs a re-index.
"""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

DEFAULT_REGION = "KR"
# NFKC takes time in the square of what is typed; no address or number is longer.
_MOST_CHARACTERS = 320
# What mail servers agree on (RFC 5321's dot-atom), after lower case.
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Korean mobile numbers are nearly all there are; the library takes 30 times as long.
_KOREAN_MOBILE = re.compile(r"(?:\+?820?|0)(10\d{8}|1[16789]\d{7,8})", re.ASCII)
# How nine in ten of them are written; the same, without taking the text apart first.
_USUAL_MOBILE = re.compile(r"(?:\+82[ -]?|0)10[ -]?(\d{4})[ -]?(\d{4})", re.ASCII)
_SEPARATORS = str.maketrans("", "", " -.()/~_'\t\u00a0\u3000\u2010\u2012\u2013\u2014\u2212")


def normalise_email(text: str) -> str:
    """NFKC, trimmed, lower case; empty if too long to be an address at all.

    The part after `+` belongs to the address.
    """
    text = text.strip()
    if len(text) > _MOST_CHARACTERS:
        return ""
    if text.isascii():
        return text.lower()
    # Lower case can undo NFKC (U+0130 becomes two characters), so NFKC comes after it as well.
    lowered = unicodedata.normalize("NFKC", text).lower()
    normalised = unicodedata.normalize("NFKC", lowered).strip()
    return normalised if len(normalised) <= _MOST_CHARACTERS else ""


def is_usable_email(normalised: str) -> bool:
    """Whether a mail could be sent there at all, and to nobody else (spelling only).

    An address that mail servers may read as another one would let its owner be told, or shown,
    what belongs to the other.
    """
    local, _at, domain = normalised.rpartition("@")
    if len(normalised) > 254 or len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        return False
    # =?…?= is decoded in a mail's head.
    return "=?" not in local and _is_usable_domain(domain)


# Most of a nation's addresses are at a few domains.
@lru_cache(maxsize=1 << 14)
def _is_usable_domain(domain: str) -> bool:
    try:
        validate_email(f"a@{domain}")
    except ValidationError:
        return False
    return _stays_the_same_in_dns(domain)


def _stays_the_same_in_dns(domain: str) -> bool:
    """Whether the letters survive: mail to `straße.example` goes to `strasse.example`."""
    try:
        ascii_domain = domain.encode("idna")
        is_kept = domain.isascii() or ascii_domain.decode("idna") == domain
    except UnicodeError:
        return False
    return is_kept and re.fullmatch(rb"[a-z0-9.-]+", ascii_domain) is not None


def normalise_phone(text: str, region: str = DEFAULT_REGION) -> str | None:
    """The number in E.164 (`+821012345678`), or None if it cannot be a phone number."""
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
    # "Possible" alone would include numbers without their area code, which name nobody.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    plainest = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    # The library also takes cut-off 010 numbers; many people would share one.
    is_cut_off = plainest.startswith("+8210") and len(plainest) != len("+821012345678")
    return None if is_cut_off else plainest
