"""A TLS certificate as a fixture (a plugin of the test modules that name it)."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone


@pytest.fixture
def certificate(tmp_path) -> Path:
    """A PEM file with a key and a self-signed certificate for 127.0.0.1."""
    return _written(tmp_path / "server.pem", days=1)


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
