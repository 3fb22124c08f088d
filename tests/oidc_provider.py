"""An OpenID Connect provider for tests: django-oauth-toolkit in a process of its own.

Run as `python -m tests.oidc_provider PORT DIRECTORY`. It asks no password: `?as=NAME` at its
sign-in page, or a button there, chooses one of PEOPLE. A person named after a fault gets a forged
ID token, which the toolkit would never issue.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent
CLIENT, SECRET = "portal", "a-secret-of-the-tests"
FAULTS = (
    "nonce", "no-nonce", "issuer", "audience", "azp", "expired", "none", "hs256", "signature",
    "unknown-key", "no-subject", "slow", "redirect", "large", "not-json",
)  # fmt: skip


def claims_of(name: str) -> dict[str, Any]:
    """Returns the claims of a person: `name` may end in "+unverified", "+mfa", "+1001"."""
    person, *marks = name.split("+")
    claims: dict[str, Any] = {"email": f"{person}@example.com", "name": person.title()}
    claims["email_verified"] = "unverified" not in marks
    if "text" in marks:
        claims["email_verified"] = "false"
    if "no-flag" in marks:
        del claims["email_verified"]
    if numbers := [mark for mark in marks if mark.isdigit()]:
        claims["member_number"] = numbers[0]
    if "mfa" in marks:
        claims["amr"] = ["pwd", "mfa"]
    if "moved" in marks:
        claims["email"] = "new.address@example.com"
    if "takes" in marks:
        claims["email"] = f"{marks[-1]}@example.com"
    return claims


@contextlib.contextmanager
def provider(directory: Path, redirect_uris: list[str]) -> Iterator[str]:
    """Context manager: gives the issuer of a running provider."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.oidc_provider", str(port), str(directory)]
    (directory / "redirect_uris").write_text(" ".join(redirect_uris))
    log = (directory / "log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    issuer = f"http://127.0.0.1:{port}"
    try:
        _wait_for(issuer, process, directory)
        yield issuer
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        log.close()


def _wait_for(issuer: str, process: subprocess.Popen[bytes], directory: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{issuer}/.well-known/openid-configuration").is_success:
                return
        time.sleep(0.1)
    raise AssertionError((directory / "log").read_text())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def forged(fault: str, token: str, key: Any) -> str:
    """Returns the ID token with one fault, signed again by `key` where that is the point."""
    from jwcrypto import jwk, jwt

    header, claims = (_decoded(part) for part in token.split(".")[:2])
    changed = {
        "nonce": {"nonce": "of-another-sign-in"},
        "issuer": {"iss": "https://other-issuer.example"},
        "audience": {"aud": "another-program"},
        "azp": {"aud": [CLIENT, "another-program"], "azp": "another-program"},
        "expired": {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200},
    }.get(fault, {})
    claims |= changed
    if fault in ("no-nonce", "no-subject"):
        claims.pop({"no-nonce": "nonce", "no-subject": "sub"}[fault], None)
    if fault in ("none", "hs256"):
        header["alg"] = {"none": "none", "hs256": "HS256"}[fault]
        body = ".".join(_encoded(json.dumps(each).encode()) for each in (header, claims))
        public = key.export_to_pem()
        mac = hmac.digest(public, body.encode(), hashlib.sha256) if fault == "hs256" else b""
        return f"{body}.{_encoded(mac)}"
    if fault == "signature":
        key = jwk.JWK.generate(kty="RSA", size=2048)
    if fault == "unknown-key":
        key = jwk.JWK.generate(kty="RSA", size=2048)
        header["kid"] = key.thumbprint()
    made = jwt.JWT(header=json.dumps(header), claims=json.dumps(claims))
    made.make_signed_token(key)
    return str(made.serialize())


def _configure(port: int, directory: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from django.conf import settings

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    settings.configure(
        SECRET_KEY="only-for-tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.oidc_provider_site",
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": directory / "db.sqlite3"}
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        SESSION_COOKIE_NAME="provider_session",  # cookies do not tell ports apart
        LOGIN_URL="/sign-in/",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}",
            "OIDC_RSA_PRIVATE_KEY": private.decode(),
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "", "email": "", "profile": ""},
            "OAUTH2_VALIDATOR_CLASS": "tests.oidc_provider_site.Validator",
        },
    )


def _serve(port: int, directory: Path) -> None:
    import django
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    _configure(port, directory)
    django.setup()
    call_command("migrate", verbosity=0)
    from oauth2_provider.models import Application

    Application.objects.create(
        name="portal",
        client_id=CLIENT,
        client_secret=SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
        redirect_uris=(directory / "redirect_uris").read_text(),
    )
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer, make_server

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    make_server("127.0.0.1", port, get_wsgi_application(), server_class=Server).serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]))
