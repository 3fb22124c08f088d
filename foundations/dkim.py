"""Signs mails with DKIM (RFC 6376), by RSA-SHA256 or Ed25519-SHA256 (RFC 8463).

Header and body are canonicalised "relaxed", so that a relay may change white space and folding. The
engine and the code mails sign the bytes that they hand to the mail server.
"""

import re
import time
from base64 import b64encode
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

HEADER = "DKIM-Signature"
# RFC 8058 requires the two headers of List-Unsubscribe among the signed ones.
SIGNED_HEADERS = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"auto-submitted",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)
RSA_BITS = (2048, 4096)  # RFC 8301: signers use at least 2048; verifiers know up to 4096
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})+", re.IGNORECASE)
_LINE = 70  # characters of the signature in a line

SigningKey = RSAPrivateKey | Ed25519PrivateKey


class DkimError(ValueError):
    """The domain, the selector or the key cannot be used. The message holds no part of the key."""


class DkimSigner:
    """Signs mails for `domain` by `private_key` (PEM). The record is at `record_name` in the DNS.

    Raises DkimError.
    """

    def __init__(self, *, domain: str, selector: str, private_key: str) -> None:
        if not _DOMAIN.fullmatch(domain):
            raise DkimError(f"the domain {domain!r} is not like example.com")
        if not _SELECTOR.fullmatch(selector):
            raise DkimError(f"the selector {selector!r} is not like mail2026")
        self._key = _load_key(private_key)
        self.domain = domain.lower()
        self.record_name = f"{selector}._domainkey.{domain}".lower()
        self._algorithm = "rsa" if isinstance(self._key, RSAPrivateKey) else "ed25519"
        self._tags = (
            f"v=1; a={self._algorithm}-sha256; c=relaxed/relaxed;\r\n d={domain}; s={selector};"
        ).encode()

    def record(self) -> str:
        """Returns the TXT record that receivers need, as one string (RFC 6376, 3.6.1)."""
        if isinstance(self._key, RSAPrivateKey):
            octets = self._key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        else:
            octets = self._key.public_key().public_bytes_raw()
        return f"v=DKIM1; k={self._algorithm}; p={b64encode(octets).decode()}"

    def signed(self, mail: bytes) -> bytes:
        """Returns a complete mail, with CRLF line ends, behind its DKIM-Signature."""
        return b"%b: %b\r\n%b" % (HEADER.encode(), self.signature(mail), mail)

    def signature(self, mail: bytes) -> bytes:
        """Returns the value of the DKIM-Signature for a complete mail with CRLF line ends.

        It is folded by CRLF, and has no CRLF at its end.
        """
        head, _blank, body = mail.partition(b"\r\n\r\n")
        fields = _relaxed_fields(head)
        # Of several fields with one name the last one counts as the first (RFC 6376, 5.4.2).
        signed = [(name, one) for name in SIGNED_HEADERS for one in fields.get(name, ())[::-1]]
        unsigned = self._unsigned([name for name, _value in signed], body)
        lines = [b"%b:%b\r\n" % field for field in signed]
        own = b"dkim-signature:" + _relaxed_value(unsigned)
        octets = b64encode(self._sign(b"".join([*lines, own])))
        parts = [octets[start : start + _LINE] for start in range(0, len(octets), _LINE)]
        return unsigned + b"\r\n ".join(parts)

    def _unsigned(self, names: list[bytes], body: bytes) -> bytes:
        """Returns the value up to the empty tag b=."""
        # A second From would be the one that a reader sees. The additional name forbids it.
        names = [*names, b"from"]
        groups = [b":".join(names[start : start + 4]) for start in range(0, len(names), 4)]
        return b"%b t=%d;\r\n h=%b;\r\n bh=%b;\r\n b=" % (
            self._tags,
            time.time(),
            b":\r\n ".join(groups),
            b64encode(sha256(_relaxed_body(body)).digest()),
        )

    def _sign(self, octets: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(sha256(octets).digest())  # RFC 8463 signs the hash


def _load_key(text: str) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DkimError("the key is not a private key in PEM without a password") from None
    if isinstance(key, RSAPrivateKey):
        least, most = RSA_BITS
        if not least <= key.key_size <= most:
            raise DkimError(f"the RSA key has {key.key_size} bits, not {least} to {most}")
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise DkimError("the key is neither RSA nor Ed25519")


def _relaxed_fields(head: bytes) -> dict[bytes, list[bytes]]:
    """Returns {name in small letters: its values, canonicalised, in their order} (3.4.2)."""
    fields: dict[bytes, list[bytes]] = {}
    for line in re.sub(rb"\r\n(?=[ \t])", b"", head).split(b"\r\n"):
        name, _colon, value = line.partition(b":")
        fields.setdefault(name.rstrip(b" \t").lower(), []).append(_relaxed_value(value))
    return fields


def _relaxed_value(value: bytes) -> bytes:
    return re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """Returns the body without white space at line ends and empty lines at its end (3.4.4)."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    # The pattern begins with fixed octets, which makes the search fast.
    body = re.sub(rb"  +", b" ", body.replace(b"\t", b" ")).replace(b" \r\n", b"\r\n")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""
