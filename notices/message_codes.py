"""Codes and addresses that identify a delivery or a subscription and that only the portal can make.

They are the message code, the Message-ID, the envelope sender (VERP) and the unsubscribe address.
Each is derived from a row's key with settings.SECRET_KEY, so that no table of them is stored.
"""

import hmac
import re
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.translation import override

from foundations.masked_codes import MaskedCodes, keyed_hash

_CODES = MaskedCodes("notices.code")
# As it is, and as links and quoted-printable write it. The code and the MAC look alike in all.
_ENVELOPE_SENDER = re.compile(
    r"<?(?:bounce(?:\+|%2b|=2b)|[0-9a-z]{12}-[0-9a-f]{20})[^\s<>:;,'\"()&]{0,300}>?", re.IGNORECASE
)


@lru_cache(maxsize=64)  # each code is used twice: in the message and in its envelope
def message_code(delivery_id: int) -> str:
    """Returns the code that the message of a delivery contains, such as 7QK2-X9ND-4HTB.

    It holds the delivery's id, masked and authenticated with the secret key. The portal reads it
    without an index (see `delivery_of_code`). An outsider can neither make a code nor derive from
    codes how many deliveries there are.
    """
    return _CODES.code_of(delivery_id)


def delivery_of_code(code: str) -> int | None:
    """Returns the id of the delivery with this message code; None if the portal never made it.

    `code` is as a person typed it (see foundations.base32). Codes made with an earlier secret key
    are valid while settings.SECRET_KEY_FALLBACKS contains that key.
    """
    return _CODES.number_of(code)


def message_id(notice_id: int, recipient: UUID, *, resend: int = 0) -> str:
    """Returns the Message-ID of a delivery, without angle brackets.

    It is the same for every attempt; a message that is sent again has another one, because
    mailboxes drop a second mail with the same. It is a keyed hash, so an outsider can neither
    compute it nor decode it.
    """
    again = f":{resend}" if resend else ""
    mac = keyed_hash("notices.message-id", f"{notice_id}:{recipient}{again}")
    return f"{mac.hex()}@{settings.MAIL_DOMAIN}"


def envelope_sender(delivery_id: int) -> str:
    """Returns the envelope sender of a delivery: the address that its bounces are sent to (VERP).

    It has the message code and a MAC. Every reader of a forwarded message can see the code. The MAC
    is only in the envelope, so that a reader cannot forge a bounce. The local part has 40 octets,
    of the 64 that RFC 5321 allows.
    """
    return f"{public_part_of_sender(delivery_id)}-{_bounce_mac(delivery_id)}@{settings.MAIL_DOMAIN}"


def public_part_of_sender(delivery_id: int) -> str:
    """Returns the envelope sender up to its MAC, to be found in a mail server's log."""
    return f"bounce+{message_code(delivery_id).replace('-', '').lower()}"


def hide_envelope_senders(text: str) -> str:
    """Returns `text` with <sender> for each envelope sender and each reference of a text message,
    however it is encoded. Who knows one can report a bounce.
    """
    return _ENVELOPE_SENDER.sub("<sender>", text)


def receipt_reference(delivery_id: int) -> str:
    """Returns the reference of a text message, by which a gateway's receipt names the delivery.

    It has the MAC of the envelope sender, so that a reader of the message cannot forge a receipt.
    """
    return envelope_sender(delivery_id).partition("@")[0].removeprefix("bounce+")


def is_bounce_mac(delivery_id: int, mac: str) -> bool:
    """Returns whether `mac` is the MAC of the delivery's envelope sender.

    The current secret key and those of settings.SECRET_KEY_FALLBACKS are valid.
    """
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(_bounce_mac(delivery_id, key), mac) for key in keys)


def _bounce_mac(delivery_id: int, secret: str = "") -> str:
    return keyed_hash("notices.bounce", str(delivery_id), secret)[:10].hex()


def unsubscribe_url(subscription: UUID, language: str) -> str:
    """Returns the signed URL that ends one alert subscription. It does not expire."""
    token = Signer(salt="notices.unsubscribe").sign(subscription.hex)
    with override(language):
        return settings.PORTAL_URL + reverse("unsubscribe", args=[token])


def subscription_of_token(token: str) -> UUID | None:
    """Returns the subscription that `unsubscribe_url` signed; None for any other token."""
    try:
        return UUID(hex=Signer(salt="notices.unsubscribe").unsign(token))
    except (BadSignature, ValueError):
        return None
