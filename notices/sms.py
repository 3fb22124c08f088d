"""A notice as a text message: short, in one language, filled per person like a mail.

There is no markup, no name (the phone may be shared) and no link to tap: a text message about
leaked data that asks to tap a link is what scammers send.
"""

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

# GSM 03.38's basic letters; those of its extension take two places.
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = set("^{}\\[~]|€\f")
# Letters a message holds alone, and each of several joined ones.
_GSM_LENGTH, _UCS2_LENGTH = (160, 153), (70, 67)
KOREAN_SHORT_BYTES = 90  # what Korean carriers send as SMS; above it is LMS


@dataclass(frozen=True)
class SmsSize:
    """How long a text is for those who carry and bill it."""

    characters: int
    segments: int  # of the world's networks
    korean_bytes: int  # in EUC-KR
    is_too_long: bool

    @property
    def is_long(self) -> bool:
        """Whether a Korean carrier sends it as a long message (LMS)."""
        return self.korean_bytes > KOREAN_SHORT_BYTES


def sms_size(text: str) -> SmsSize:
    """Measures a text message as it goes out."""
    korean = len(text.encode("cp949", "replace"))
    return SmsSize(
        characters=len(text),
        segments=_segments(text),
        korean_bytes=korean,
        is_too_long=korean > settings.SMS_MAX_BYTES,
    )


def _segments(text: str) -> int:
    if set(text) <= _GSM | _GSM_EXTENSION:
        length = len(text) + sum(sign in _GSM_EXTENSION for sign in text)
        alone, joined = _GSM_LENGTH
    else:
        length = len(text.encode("utf-16-be")) // 2
        alone, joined = _UCS2_LENGTH
    return 1 if length <= alone else -(-length // joined)


def render_sms_template(context: dict[str, object]) -> bytes:
    """The text with its slots, in the active language."""
    text = render_to_string("sms/notice.txt", context)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line).encode()
