"""Encrypts and authenticates web push messages (RFC 8291, RFC 8188 and RFC 8292).

A browser gives an address at its push service, the endpoint, and two keys. The push service cannot
read the message. It accepts messages only from the key (VAPID) with which the browser subscribed.
"""

import binascii
import json
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CURVE = ec.SECP256R1()
RECORD_OCTETS = 4096  # push services need not accept more (RFC 8291, 4)
MOST_OCTETS = RECORD_OCTETS - 103  # of a message: header, padding octet and tag take the rest
LONGEST_ENDPOINT = 2_000  # characters
TOKEN_SECONDS = 12 * 3600  # RFC 8292 allows 24 hours
_AUTH_OCTETS = 16
_POINT = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint


class WebPushError(ValueError):
    """An endpoint or a key cannot be used. The message holds neither."""


@dataclass(frozen=True)
class PushAddress:
    """What a browser gives with a subscription: all of it as text, the keys in base64url."""

    endpoint: str
    p256dh: str  # the browser's public key
    auth: str  # a secret that the browser and this portal share

    def as_json(self) -> bytes:
        """Returns the address as JSON, for `from_json`."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "PushAddress":
        """Returns the address that `as_json` wrote."""
        return cls(**json.loads(text))

    def check(self, allowed: Sequence[str]) -> None:
        """Checks the keys, and that the endpoint is https at one of the `allowed` hosts or below.

        A stranger chooses the endpoint, and this portal connects to it: so no other host can be
        named, and none of the internal network. Raises WebPushError.
        """
        origin_of(self.endpoint)
        host = urlsplit(self.endpoint).netloc.lower()
        if not any(f".{host}".endswith(f".{one.lower()}") for one in allowed):
            raise WebPushError("the endpoint is at no push service that this portal knows")
        self.encrypt(b"")

    def encrypt(self, message: bytes) -> bytes:
        """Returns `message` as one encrypted record of the content coding aes128gcm.

        Raises WebPushError for keys that are none, and for a message over MOST_OCTETS.
        """
        own_key = ec.generate_private_key(CURVE)
        return encrypt(message, to=self, own_key=own_key, salt=os.urandom(16))


def origin_of(endpoint: str) -> str:
    """Returns the origin of an endpoint, such as https://push.example.

    Raises WebPushError if it is no https URL of printable ASCII, or holds a user name.
    """
    is_text = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    try:
        parts = urlsplit(endpoint)
        has_port = parts.port is not None
    except ValueError:
        raise WebPushError("the endpoint is no URL") from None
    is_usable = is_text and len(endpoint) <= LONGEST_ENDPOINT and "\\" not in endpoint
    if not is_usable or parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise WebPushError("the endpoint is no https URL")
    port = f":{parts.port}" if has_port else ""
    return f"https://{parts.hostname}{port}"


def encrypt(
    message: bytes, *, to: PushAddress, own_key: ec.EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """Encrypts `message` by RFC 8291. `own_key` and `salt` are used once. Raises WebPushError."""
    if len(message) > MOST_OCTETS:
        raise WebPushError("the message is too long")
    auth, point = _octets(to.auth), _octets(to.p256dh)
    if len(auth) != _AUTH_OCTETS:
        raise WebPushError("the browser's secret has another length")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except ValueError:
        raise WebPushError("the browser's key is no point of P-256") from None
    own_point = own_key.public_key().public_bytes(*_POINT)
    info = b"WebPush: info\0" + point + own_point
    shared = _derive(own_key.exchange(ec.ECDH(), key), salt=auth, info=info, length=32)
    content_key = _derive(shared, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derive(shared, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    header = salt + RECORD_OCTETS.to_bytes(4, "big") + bytes([len(own_point)]) + own_point
    return header + AESGCM(content_key).encrypt(nonce, message + b"\x02", None)


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def new_vapid_key() -> str:
    """Returns a new private key in base64url, for WEB_PUSH_PRIVATE_KEY."""
    number = ec.generate_private_key(CURVE).private_numbers().private_value
    return as_base64url(number.to_bytes(32, "big"))


class VapidKey:
    """The key pair by which push services recognise this portal (RFC 8292).

    Raises WebPushError for a text that `new_vapid_key` cannot have returned.
    """

    def __init__(self, text: str) -> None:
        octets = _octets(text)
        if len(octets) != 32:
            raise WebPushError("the key is not what `make_secret vapid-key` prints")
        try:
            self._key = ec.derive_private_key(int.from_bytes(octets, "big"), CURVE)
        except ValueError:
            raise WebPushError("the key is no number of P-256") from None
        self.public = as_base64url(self._key.public_key().public_bytes(*_POINT))

    def authorization(self, endpoint: str, *, contact: str) -> str:
        """Returns the value of the header Authorization, valid for TOKEN_SECONDS.

        `contact` is a mailto: or https: URI, by which the push service can ask. Raises
        WebPushError.
        """
        claims = {
            "aud": origin_of(endpoint),
            "exp": int(time.time()) + TOKEN_SECONDS,
            "sub": contact,
        }
        parts = [{"typ": "JWT", "alg": "ES256"}, claims]
        signed = ".".join(as_base64url(json.dumps(part).encode()) for part in parts)
        signature = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        numbers = (number.to_bytes(32, "big") for number in decode_dss_signature(signature))
        return f"vapid t={signed}.{as_base64url(b''.join(numbers))}, k={self.public}"


def as_base64url(octets: bytes) -> str:
    """Returns the octets in base64url without padding."""
    return urlsafe_b64encode(octets).decode().rstrip("=")


def _octets(text: str) -> bytes:
    """Returns the octets of a text in base64url. Raises WebPushError."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise WebPushError("a key is not in base64url") from None
