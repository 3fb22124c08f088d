"""A push service that decrypts what it gets, as a browser would, and checks who sent it."""

import json
import ssl
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from foundations.web_push import PushAddress, as_base64url
from tests.local_server import LocalServer


@dataclass
class LocalBrowser:
    """A browser's keys; `received` are the messages that were decrypted with them."""

    path: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"0123456789abcdef"
    received: list[dict[str, Any]] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def address(self, origin: str) -> PushAddress:
        auth = as_base64url(self.auth)
        return PushAddress(f"{origin}{self.path}", as_base64url(self.point), auth)

    def decrypt(self, body: bytes) -> bytes:
        """Decrypts one record of RFC 8188 by RFC 8291."""
        salt, length = body[:16], body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        secret = self.key.exchange(ec.ECDH(), other)
        shared = derive(secret, self.auth, b"WebPush: info\0" + self.point + sender, 32)
        content_key = derive(shared, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derive(shared, salt, b"Content-Encoding: nonce\0", 12)
        return AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0").removesuffix(b"\x02")


def derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


class LocalPushService(LocalServer):
    """Answers each message with the next of `answers` (status, headers), else with 201."""

    def __init__(self, certificate: Path, key: str) -> None:
        self.certificate, self.key = certificate, key
        self.browsers: dict[str, LocalBrowser] = {}
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.requests = 0

    def __enter__(self) -> Self:
        super().__enter__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")
        return self

    def browser(self, path: str) -> LocalBrowser:
        self.browsers[path] = LocalBrowser(path)
        return self.browsers[path]

    def serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        self.requests += 1
        status, headers = self.answers.pop(0) if self.answers else (201, {})
        if status == 201:
            self._take(request, body)
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert int(request.headers["TTL"]) > 0
        self.claims = verified(request.headers["Authorization"], self.key)
        browser = self.browsers[request.path]
        browser.topics.append(request.headers["Topic"])
        browser.received.append(json.loads(browser.decrypt(body)))


def verified(header: str, key: str) -> dict[str, Any]:
    """Returns the claims of an Authorization header, after its signature was checked."""
    scheme, _space, rest = header.partition(" ")
    values = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, values["k"]) == ("vapid", key)
    signed, _dot, signature = values["t"].rpartition(".")
    numbers = octets(signature)
    pair = [int.from_bytes(numbers[at : at + 32], "big") for at in (0, 32)]
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets(key))
    public.verify(encode_dss_signature(*pair), signed.encode(), ec.ECDSA(hashes.SHA256()))
    head, claims = (json.loads(octets(part)) for part in signed.split("."))
    assert head["alg"] == "ES256"
    return dict(claims)


def octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
