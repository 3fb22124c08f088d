"""Signs mails with DKIM (RFC 6376), by RSA-SHA256 or Ed25519-SHA256 (RFC 8463).

Header and body are canonicalised "relaxed", so that a relay may change white space and folding. The
engine and the code mails sign the bytes that they hand to the mail server. A mail may carry the
signatures of two keys: RSA and Ed25519, or an old and a new one.
"""

import re
import time
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
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
_SPARE_SPACE = re.compile(rb" [ \r]")  # in a row or at a line's end
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
        return signed(mail, [self])

    def header(self, mail: "_CanonicalMail") -> bytes:
        """Returns the field DKIM-Signature of a mail, folded, with CRLF at its end."""
        unsigned = self._unsigned(mail)
        # The value has no other white space than its folds, each of one space.
        own = b"dkim-signature:" + unsigned.replace(b"\r\n", b"")
        octets = b64encode(self._sign(mail.signed_lines + own))
        parts = [octets[start : start + _LINE] for start in range(0, len(octets), _LINE)]
        return b"%b: %b%b\r\n" % (HEADER.encode(), unsigned, b"\r\n ".join(parts))

    def _unsigned(self, mail: "_CanonicalMail") -> bytes:
        """Returns the value up to the empty tag b=."""
        return b"%b t=%d;\r\n h=%b;\r\n bh=%b;\r\n b=" % (
            self._tags,
            time.time(),
            mail.signed_names,
            mail.body_hash,
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


def signed(mail: bytes, signers: Sequence[DkimSigner]) -> bytes:
    """Returns a complete mail, with CRLF line ends, behind one DKIM-Signature of each signer.

    The mail is canonicalised and hashed once for all of them. No signature covers another one.
    """
    if not signers:
        return mail
    canonical = _CanonicalMail(mail)
    return b"".join([*(signer.header(canonical) for signer in signers), mail])


class _CanonicalMail:
    """The parts of a mail that all its signatures share, canonicalised "relaxed"."""

    def __init__(self, mail: bytes) -> None:
        head, _blank, body = mail.partition(b"\r\n\r\n")
        fields: dict[bytes, list[bytes]] = {}
        # Without its CRLF a folded field is one line (RFC 6376, 3.4.2).
        for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
            name, canonical = _relaxed_field(line)
            fields.setdefault(name, []).append(canonical)
        # Of several fields with one name the last one counts as the first (RFC 6376, 5.4.2).
        found = [(name, one) for name in SIGNED_HEADERS for one in fields.get(name, ())[::-1]]
        self.signed_lines = b"".join([line for _name, line in found])
        self.signed_names = _name_list(tuple(name for name, _line in found))
        self.body_hash = b64encode(sha256(_relaxed_body(body)).digest())


@lru_cache(maxsize=64)
def _name_list(names: tuple[bytes, ...]) -> bytes:
    """Returns the value of the tag h=, folded."""
    # A second From would be the one that a reader sees. The additional name forbids it.
    names = (*names, b"from")
    groups = [b":".join(names[start : start + 4]) for start in range(0, len(names), 4)]
    return b":\r\n ".join(groups)


@lru_cache(maxsize=256)  # most fields of a notice's mails are the same
def _relaxed_field(line: bytes) -> tuple[bytes, bytes]:
    """Returns the name in small letters, and the canonical field with CRLF (3.4.2)."""
    name, _colon, value = line.partition(b":")
    name = name.rstrip(b" \t").lower()
    return name, b"%b:%b\r\n" % (name, _relaxed_value(value))


def _relaxed_value(value: bytes) -> bytes:
    return re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """Returns the body without white space at line ends and empty lines at its end (3.4.4)."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    # Each replacement copies the body, which is faster than a pattern that replaces. Most bodies
    # of notices need none of them; two searches find that out in less time.
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    if _SPARE_SPACE.search(body):
        while b"  " in body:
            body = body.replace(b"  ", b" ")
        body = body.replace(b" \r\n", b"\r\n")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""
