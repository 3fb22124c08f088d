"""TLS certificates as fixtures (a plugin of test modules that name it), and servers with TLS."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils import timezone


@pytest.fixture
def certificate(tmp_path) -> Path:
    """A PEM file with a key and a self-signed certificate for 127.0.0.1."""
    return _written(tmp_path / "server.pem", days=1)


@pytest.fixture
def lasting_certificate(tmp_path) -> Path:
    """The same, which is valid for 20 days."""
    return _written(tmp_path / "lasting.pem", days=20)


@pytest.fixture
def expired_certificate(tmp_path) -> Path:
    """The same, a day after its end."""
    return _written(tmp_path / "expired.pem", days=-1)


def _written(path: Path, *, days: int) -> Path:
    """Writes a certificate that ends in `days` days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(timezone.now() - timedelta(days=2))
    builder = builder.not_valid_after(timezone.now() + timedelta(days=days))
    signed = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(pem)
    )
    return path


def redis_socket() -> str:
    """Returns the path at which the tests' Redis listens."""
    return str(settings.REDIS_URL.removeprefix("unix://").partition("?")[0])


@contextmanager
def tls_before(path: str, certificate: Path, *, is_postgresql: bool = False) -> Iterator[int]:
    """Context manager: a port of 127.0.0.1 that speaks TLS for the server at a Unix socket.

    A client of PostgreSQL asks for TLS with eight bytes, and waits for a letter.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def pass_on(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.accept()
                with suppress(OSError):
                    if is_postgresql:
                        client.recv(8)
                        client.sendall(b"S")
                    inside = context.wrap_socket(client, server_side=True)
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(path)
                    for one in ((inside, server), (server, inside)):
                        threading.Thread(target=pass_on, args=one, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
