"""After a run through a real web process no secret, address or value is where it can be read.

The test searches every table, Redis, PostgreSQL's log and the output of the web process, after
journeys of a customer, a visitor and a member of the response team, with refusals and a crash.
"""

import base64
import contextlib
import os
import re
import secrets
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis
from django.conf import settings as django_settings
from django.core import signing
from django.db import connection

from accounts.models import User
from breachportal.demo.app_codes import code_at
from foundations import keys
from harness.exposure_factory import expose, file_of, hanbit, person
from harness.product import BIN, free_port
from harness.sign_in import give_app
from incidents import encryption
from tests.running.test_database_logs import SERVER_LOG
from tests.smtp_server import SmtpServer

# The columns that hold the proven address of a user, in the clear, to sign in and to write mails.
ADDRESSES_OF_USERS = {"accounts_user", "account_emailaddress"}
VALUE = "서울특별시 강남구 테헤란로 558"
TYPED, CUSTOMER, STAFF = "typed.only@example.com", "minji.kim@example.com", "team@portal.example"
SCAMMER, NUMBER = "refund.desk@example.net", "+821055557777"


def spellings(text: str) -> set[bytes]:
    """Returns how `text` can stand in a row: as it is, in hex, escaped in JSON, in base64."""
    raw = text.encode()
    found = {raw, raw.hex().encode(), text.encode("unicode_escape")}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        found.add(coded[(0, 2, 3)[shift] : -4])  # without what depends on the bytes beside it
    return found


def unpacked(content: bytes) -> bytes:
    """Returns `content`, also without places to break a line, and what its words in base64 hold.

    These words may be compressed.
    """
    found = [content, content.replace(b"<wbr>", b"")]
    for word in re.findall(rb"[\w+/-]{24,}", content):
        packed = word.translate(bytes.maketrans(b"-_", b"+/"))
        with contextlib.suppress(ValueError, zlib.error):
            found.append(base64.b64decode(packed + b"=" * (-len(packed) % 4)))
            found.append(zlib.decompress(found[-1]))
    return b"\n".join(found)


def finds(content: bytes, texts: dict[str, str]) -> set[str]:
    haystack = unpacked(content)
    return {
        name
        for name, text in texts.items()
        if any(spelling in haystack for spelling in spellings(text))
    }


def tables() -> Iterator[tuple[str, bytes]]:
    """Yields each table of the database and the text of all its rows; bytes are in hex."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            statement = f'SELECT string_agg(row::text, chr(10)) FROM "{table}" row'  # noqa: S608
            cursor.execute(statement)
            [[text]] = cursor.fetchall()
            yield table, (text or "").encode()


def redis_content() -> bytes:
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    read: dict[Any, Any] = {
        b"string": client.get,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"hash": client.hgetall,
    }
    found = {key: read[client.type(key)](key) for key in client.keys("*")}
    return repr(found).encode()


class Visitor:
    """A browser over HTTP: it keeps cookies and sends the CSRF token of the last page."""

    def __init__(self, port: int) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=30, follow_redirects=True
        )

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, page: str = "", **data: str) -> httpx.Response:
        html = self.get(page or path).text
        tokens = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
        return self.http.post(path, data=data | {"csrfmiddlewaretoken": "".join(tokens[:1])})

    def sign_in(self, email: str, mails: SmtpServer) -> httpx.Response:
        self.post("/en/account/sign-in/", email=email)
        return self.post("/en/account/sign-in/code/", code=code_in(mails, email))


def code_in(mails: SmtpServer, email: str) -> str:
    for _ in range(100):
        if messages := mails.to(email):
            body = messages[-1].get_body(("plain",))
            assert body
            [code] = re.findall(r"^ +(\d{6,8})\s*$", body.get_content(), re.MULTILINE)
            return str(code)
        time.sleep(0.1)
    raise TimeoutError(email)


def customers_journey(visitor: Visitor, mails: SmtpServer) -> None:
    assert visitor.sign_in(CUSTOMER, mails).status_code == 200
    assert "서울특별시 강남구" in visitor.get("/en/my-data/").text
    visitor.post("/en/account/confirm/send/", page="/en/account/confirm/")
    visitor.post("/en/account/confirm/", code=code_in(mails, CUSTOMER))
    assert VALUE in visitor.post("/en/my-data/reveal/", page="/en/account/").text


def strangers_journey(visitor: Visitor, mails: SmtpServer) -> None:
    visitor.post("/en/account/sign-in/", email=TYPED)
    visitor.post("/en/account/sign-in/code/", code="000000")
    visitor.get(f"/en/certificates/?code={TYPED}")
    visitor.get("/admin/")
    pasted = f"Refund of your order: write to {SCAMMER} or call {NUMBER}"
    assert SCAMMER in visitor.post("/en/check/answer/", page="/en/check/", text=pasted).text
    fields = {"text": pasted, "channel": "sms", "sender": NUMBER, "contact": TYPED}
    reported = {f"report-{name}": value for name, value in fields.items()}
    assert visitor.post("/en/check/report/", **reported).url.path == "/en/check/reported/"
    visitor.http.get("/en/nothing/", headers={"cookie": "sessionid=x"})
    visitor.http.post("/en/account/sign-in/", data={"email": TYPED})  # without a CSRF token


def staffs_journey(visitor: Visitor, mails: SmtpServer, app_secret: str) -> None:
    visitor.sign_in(STAFF, mails)
    visitor.post("/en/account/sign-in/second-step/", code=code_at(app_secret, time.time()))
    assert visitor.get("/admin/").status_code == 200
    # The second factor of the sign-in is no reauthentication, so this POST is interrupted.
    answer = visitor.post("/en/account/mfa/recovery-codes/new/", page="/en/account/")
    assert answer.url.path == "/en/account/mfa/confirm/"


def new_staffs_journey(visitor: Visitor, mails: SmtpServer, email: str) -> str:
    """Opens the set-up of an authenticator app and leaves; returns the secret that it showed."""
    visitor.sign_in(email, mails)
    page = visitor.get("/en/account/mfa/app/set-up/").text
    [secret] = re.findall(r"\b([A-Z2-7]{32})\b", page)
    return str(secret)


def crash(visitor: Visitor) -> None:
    """A page that fails: its traceback is in the output of the web process."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE incidents_affectedperson RENAME TO away")
        assert visitor.get("/en/my-data/").status_code == 500
        cursor.execute("ALTER TABLE away RENAME TO incidents_affectedperson")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_address_or_value_can_be_read_afterwards(settings, tmp_path, log_format):
    settings.MASTER_KEYSET = keys.new_master_keyset()
    settings.SECRET_KEY = secrets.token_urlsafe(40)
    encryption.incident_cipher.cache_clear()
    redis.Redis.from_url(settings.REDIS_URL).flushall()
    incident = hanbit()
    row = person(incident, name="김민지", email=CUSTOMER, phone="010-5555-7777")
    expose(row, file_of(incident), "names", values=[("physical-addresses", VALUE)])
    app_secret = give_app(User.objects.create_user(STAFF, is_staff=True, is_superuser=True))
    newcomer = "newcomer@portal.example"
    User.objects.create_user(newcomer, is_staff=True)
    in_environment = {
        "SECRET_KEY": settings.SECRET_KEY,
        "MASTER_KEYSET": settings.MASTER_KEYSET,
        "SMS_GATEWAY_URL": "https://gateway.example/",
        "SMS_GATEWAY_TOKEN": secrets.token_urlsafe(20),
        "IMAP_URL": f"imaps://portal:{secrets.token_urlsafe(20)}@mail.example/",
        "A_SECRET_OF_THE_HOST": secrets.token_urlsafe(20),
    }
    log_before, output, port = SERVER_LOG.stat().st_size, tmp_path / "output", free_port()

    known = connection.settings_dict
    url = f"postgresql://{known['USER']}@/{known['NAME']}?host={known['HOST']}"
    with SmtpServer() as mails, output.open("wb") as written:
        process = subprocess.Popen(
            [str(BIN / "granian"), "--host", "127.0.0.1", "--port", str(port), "--access-log"]
            + ["--interface", "wsgi", "--no-ws", "breachportal.wsgi:application"],
            env=os.environ
            | {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL}
            | {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mails.port), "EMAIL_SECURITY": "none"}
            | in_environment
            | {"LOG_FORMAT": log_format},
            stdout=written,
            stderr=written,
        )
        try:
            wait_for(port)
            customer = Visitor(port)
            customers_journey(customer, mails)
            strangers_journey(Visitor(port), mails)
            staffs_journey(Visitor(port), mails, app_secret)
            shown_secret = new_staffs_journey(Visitor(port), mails, newcomer)
            crash(customer)
        finally:
            process.terminate()
            process.wait(timeout=30)

    private = {
        **in_environment,
        "value": VALUE,
        "typed address": TYPED,
        "customer's address": CUSTOMER,
        "address in a pasted text": SCAMMER,
        "number": NUMBER,
        "number of the person": "1055557777",
        "app's secret": app_secret,
        "app's secret during the set-up": shown_secret,
    }
    of_users = {"customer's address"}
    for table, content in tables():
        allowed = of_users if table in ADDRESSES_OF_USERS else set()
        assert finds(content, private) <= allowed, table
    assert finds(redis_content(), private | {"network": "127.0.0.1"}) == set()
    assert finds(SERVER_LOG.read_bytes()[log_before:], private) == set()
    crashed = output.read_bytes()
    assert b"Traceback" in crashed
    assert finds(crashed, private) == set()


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}/en/")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(sys.executable)


def test_the_search_finds_each_spelling():
    for shift in range(3):
        coded = base64.b64encode(b"x" * shift + b"a secret of the portal" + b"tail")
        assert finds(coded, {"secret": "a secret of the portal"}) == {"secret"}
    for row in (b"a secret of the portal".hex().encode(), b"a secret of the portal"):
        assert finds(row, {"secret": "a secret of the portal"}) == {"secret"}
    assert finds(b"\\uc11c\\uc6b8", {"value": "서울"}) == {"value"}
    session = signing.dumps({"typed": "a secret of the portal" * 9}, compress=True).encode()
    assert finds(session, {"secret": "a secret of the portal"}) == {"secret"}
    assert finds(b"a secret", {"secret": "a secret of the portal"}) == set()
