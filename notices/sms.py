"""A notice as an SMS: its template and its size.

An SMS has no markup, no name (the phone may be shared) and no link to tap: scammers send text
messages about leaked data that ask to tap a link.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.template.loader import render_to_string

# The basic characters of GSM 03.38. A character of its extension table counts as two.
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = set("^{}\\[~]|€\f")
# Characters of a message in one segment, and of each segment of a longer message.
_GSM_LENGTH, _UCS2_LENGTH = (160, 153), (70, 67)
_LAST_OF_BMP = 0xFFFF
KOREAN_SHORT_BYTES = 90  # Korean carriers send up to 90 bytes as SMS, and more as LMS


@dataclass(frozen=True)
class SmsSize:
    """The size of a text message, in the units by which carriers bill it."""

    characters: int
    segments: int  # as networks outside Korea count
    korean_bytes: int  # in EUC-KR
    is_too_long: bool
    lost: str = ""  # the characters that Korean carriers replace with question marks

    @property
    def is_long(self) -> bool:
        """Returns whether a Korean carrier sends it as a long message (LMS)."""
        return self.korean_bytes > KOREAN_SHORT_BYTES


def sms_size(text: str) -> SmsSize:
    """Measures a text message with all slots filled. settings.SMS_MAX_BYTES limits its size."""
    korean = len(text.encode("cp949", "replace"))
    return SmsSize(
        characters=len(text),
        segments=_segments(text),
        korean_bytes=korean,
        is_too_long=korean > settings.SMS_MAX_BYTES,
        lost="" if bills_segments() else _outside_cp949(text),
    )


def price_of(size: SmsSize) -> Decimal | None:
    """Returns the price of one message of this size by settings.SMS_PRICES; None if not known.

    A gateway bills by segments if "segment" is set, else by Korean kinds, "sms" and "lms".
    """
    if bills_segments():
        return Decimal(str(settings.SMS_PRICES["segment"])) * size.segments
    kind = "lms" if size.is_long else "sms"
    price = settings.SMS_PRICES.get(kind)
    return None if price is None else Decimal(str(price))


def bills_segments() -> bool:
    """Returns whether settings.SMS_PRICES has a price of a segment, not of Korean kinds."""
    return "segment" in settings.SMS_PRICES


def _outside_cp949(text: str) -> str:
    return "".join(sign for sign in dict.fromkeys(text) if not sign.encode("cp949", "ignore"))


def _segments(text: str) -> int:
    """Returns the number of segments. No character is split: an escaped one takes two septets of
    GSM-7, and one outside the Basic Multilingual Plane two units of UCS-2.
    """
    if set(text) <= _GSM | _GSM_EXTENSION:
        lengths = [2 if sign in _GSM_EXTENSION else 1 for sign in text]
        alone, joined = _GSM_LENGTH
    else:
        lengths = [2 if ord(sign) > _LAST_OF_BMP else 1 for sign in text]
        alone, joined = _UCS2_LENGTH
    if sum(lengths) <= alone:
        return 1
    segments, used = 1, 0
    for length in lengths:
        if used + length > joined:
            segments, used = segments + 1, 0
        used += length
    return segments


def render_sms_template(context: dict[str, object], *, name: str) -> bytes:
    """Renders the SMS sms/<name>.txt with open slots in the active language.

    Returns it in UTF-8 without empty lines.
    """
    text = render_to_string(f"sms/{name}.txt", context)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line).encode()
