"""The store of sessions: Django's table, with the data of each session encrypted.

A session contains the address that a visitor typed, and the secret of an authenticator app while
the app is being set up. Django's own store only signs the data, so that each reader of the database
or of a backup could read it. settings.SESSION_ENGINE names this module.
"""

import base64
import os
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, UpdateError
from django.db import DatabaseError, IntegrityError, connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

from foundations.prepared_statements import run_prepared
from foundations.random_texts import random_text

_NONCE_BYTES = 12
_KEY_LENGTH = 32
_ENDS_WITH_BROWSER = "_ends_with_browser"
# Django's ORM takes longer to write these statements than the server to run them.
_INSERT = """
INSERT INTO django_session (session_data, expire_date, session_key) VALUES (%s, %s, %s)
"""
_SELECT = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"
_RENAME = """
UPDATE django_session SET session_data = %s, expire_date = %s, session_key = %s
WHERE session_key = %s
"""
_DELETE = "DELETE FROM django_session WHERE session_key = %s"
_UPDATE = "UPDATE django_session SET session_data = %s, expire_date = %s WHERE session_key = %s"


class SessionStore(db.SessionStore):
    """Django's store in the database; the data is encrypted with a key of the secret key.

    The session's key is the associated data, so that data that is copied to another row is not
    accepted there.
    """

    _written: tuple[str, bytes] | None = None  # the key and the data that `save` wrote last

    @classmethod
    def get_model_class(cls) -> Any:
        """Returns Django's model of sessions."""
        return db.SessionStore.get_model_class()

    def save(self, must_create: bool = False) -> None:
        """Writes the session in one statement, unless this object has just written the same data.

        Django's own method opens a transaction for the statement, and so asks the server three
        times. Raises CreateError if `must_create` and the key exists, and UpdateError if not
        `must_create` and the session is gone.
        """
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        plain = self.serializer().dumps(data)
        written = (self.session_key, plain)
        if written == self._written:
            return
        values = [self._encrypted(plain), self.get_expiry_date(), self.session_key]
        if must_create:
            self._insert(values)
        else:
            self._update(values)
        self._written = written

    def load(self) -> dict[str, Any]:
        """Returns the data of the session. Without a row, returns {} and forgets the key."""
        with run_prepared(connection, _SELECT, [self.session_key, timezone.now()]) as cursor:
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])

    def cycle_key(self) -> None:
        """Gives the session a new key; the old one ends. One statement if the session has a row."""
        data, old = self._get_session(), self.session_key  # type: ignore[attr-defined]
        self._session_key = self._get_new_session_key()
        plain = self.serializer().dumps(data)
        values = [self._encrypted(plain), self.get_expiry_date(), self.session_key, old]
        if old and _run(_RENAME, values):
            self._written = (str(self.session_key), plain)
            self.modified = True
        else:
            self.create()
            self._session_cache = data

    def _insert(self, values: list[Any]) -> None:
        try:
            _run(_INSERT, values)
        except IntegrityError as error:
            raise CreateError from error

    def _update(self, values: list[Any]) -> None:
        try:
            is_there = _run(_UPDATE, values)
        except DatabaseError as error:
            raise UpdateError from error
        if not is_there:
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """Deletes the row of `session_key`, or of this session, without reading it first."""
        self._written = None
        if key := session_key or self.session_key:
            _run(_DELETE, [key])

    def end_with_browser(self, seconds: int) -> None:
        """Lets the session end when the browser is closed, and after so many seconds at the latest.

        Django's own `set_expiry` does one of the two.
        """
        self.set_expiry(timezone.now() + timedelta(seconds=seconds))
        self[_ENDS_WITH_BROWSER] = True

    def get_expire_at_browser_close(self) -> bool:
        """Returns whether the cookie is one that the browser forgets when it is closed."""
        return bool(self.get(_ENDS_WITH_BROWSER)) or super().get_expire_at_browser_close()

    def _get_new_session_key(self) -> str:
        """Returns a new key without a look-up: `create` takes another one if the key exists."""
        return random_key()

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Returns the data encrypted, in base64."""
        return self._encrypted(self.serializer().dumps(session_dict))

    def _encrypted(self, plain: bytes) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = _cipher(settings.SECRET_KEY).encrypt(nonce, plain, self._bound_to())
        return base64.b64encode(nonce + ciphertext).decode()

    def decode(self, session_data: Any) -> dict[str, Any]:
        """Returns the data, or an empty dict if none of the portal's secret keys decrypts it."""
        try:
            raw = base64.b64decode(session_data, validate=True)
        except ValueError:
            return {}
        nonce, ciphertext = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                plain = _cipher(secret).decrypt(nonce, ciphertext, self._bound_to())
            except (InvalidTag, ValueError):
                continue
            return dict(self.serializer().loads(plain))
        return {}

    def _bound_to(self) -> bytes:
        return (self.session_key or "").encode()


def random_key() -> str:
    """Returns a random key."""
    return random_text(VALID_KEY_CHARS, _KEY_LENGTH)


def _run(statement: str, values: list[Any]) -> int:
    """Runs a statement on the primary, and returns how many rows it wrote."""
    with run_prepared(connection, statement, values) as cursor:
        return int(cursor.rowcount)


@lru_cache(maxsize=8)
def _cipher(secret: str) -> AESGCM:
    key = salted_hmac("foundations.session_store", "", secret=secret, algorithm="sha256")
    return AESGCM(key.digest())
