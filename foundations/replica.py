"""The read replica: a copy of the database that PostgreSQL keeps by streaming replication.

Public pages and "my data" read it, if it is fresh. Everything else reads the primary, which is the
database that takes writes: sign-in, the desk, limits, and all processes but those of the web.

The replica is fresh if it has replayed a position of the write-ahead log (WAL) that the primary had
written at most LAG_SECONDS ago. Each process compares both servers every CHECK_SECONDS while it is
asked for pages. A replica that is behind, away, or no copy of this database serves no page. See
docs/decisions/0042.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse

T = TypeVar("T")
ALIAS = "replica"
# The oldest state that a page may show, before PUBLIC_PAGE_SECONDS are added.
LAG_SECONDS = 2.0
CHECK_SECONDS = 0.5
PATIENCE_SECONDS = 1.0  # of /readyz, so that a replica behind by milliseconds is not reported
AWAY_SECONDS = 5.0  # before a replica that failed is asked again
WRITTEN = "written_to"  # in a session: the position of the WAL after its last write
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
ERRORS = (DatabaseError, InterfaceError)
# The position that a commit may have reached, also one that does not wait for the disk; and which
# database it is, so that no other server passes for its replica.
_PRIMARY = """
SELECT pg_current_wal_insert_lsn() - '0/0', system_identifier || current_database()
FROM pg_control_system()
"""
_REPLICA = """
SELECT pg_last_wal_replay_lsn() - '0/0', system_identifier || current_database()
FROM pg_control_system() WHERE pg_is_in_recovery()
"""

logger = logging.getLogger(__name__)
_reads_replica: ContextVar[bool] = ContextVar("reads_replica", default=False)


class ReplicaState(StrEnum):
    """What a process knows about the replica. Only a fresh one serves pages."""

    OK = "ok"
    BEHIND = "behind"
    AWAY = "away"


class ReplicaError(Exception):
    """The server in DATABASE_REPLICA_URL is no replica of the database in DATABASE_URL."""


class _Position(NamedTuple):
    at: float  # of time.monotonic
    lsn: int  # the position in the WAL, in bytes


class Replica:
    """What one process knows about how far the replica has come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held by the thread that compares
        self._clear()
        self._state: ReplicaState | None = None  # as it was logged last

    def _clear(self) -> None:
        self._primary: deque[_Position] = deque(maxlen=int(LAG_SECONDS / CHECK_SECONDS) + 2)
        self._replayed = 0
        self._fresh_at = float("-inf")  # the replica holds everything committed before this time
        self._compare_at = float("-inf")

    def forget(self) -> None:
        """Makes this process compare again before the next page reads the replica.

        Its next page then shows everything that was committed before this call.
        """
        with self._lock:
            self._clear()

    def is_fresh(self, *, written_to: int = 0) -> bool:
        """Returns whether pages may read the replica now.

        It must also hold the write that ended at the position `written_to` of the WAL. Raises
        nothing: a server that does not answer is not fresh.
        """
        self._compare_if_due()
        if not self._is_fresh():
            return False
        return written_to <= self._replayed or written_to <= self._replayed_now()

    def state(self) -> ReplicaState:
        """Compares for up to PATIENCE_SECONDS, until the replica is fresh; returns its state."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with self._lock:
                if not self._compare():
                    return ReplicaState.AWAY
            if self._is_fresh():
                return ReplicaState.OK
            if time.monotonic() > deadline:
                return ReplicaState.BEHIND
            time.sleep(PATIENCE_SECONDS / 5)

    def require(self) -> None:
        """Raises ReplicaError if the server is no replica of this database, ERRORS if away."""
        self._read()

    def note_error(self, error: Exception) -> None:
        """Records that a query failed, so that no page reads the replica for AWAY_SECONDS."""
        with self._lock:
            self._clear()
            self._compare_at = time.monotonic() + AWAY_SECONDS
            self._note(ReplicaState.AWAY, str(error).strip())

    def _compare_if_due(self) -> None:
        """Compares, unless another thread does so: the other threads do not wait for it."""
        if time.monotonic() >= self._compare_at and self._lock.acquire(blocking=False):
            try:
                self._compare()
            finally:
                self._lock.release()

    def _compare(self) -> bool:
        """Reads both positions. Returns whether both servers answered."""
        now = time.monotonic()
        self._compare_at = now + CHECK_SECONDS
        try:
            primary, self._replayed = self._read()
        except (*ERRORS, ReplicaError) as error:
            self._clear()
            self._compare_at = now + AWAY_SECONDS
            self._note(ReplicaState.AWAY, str(error).strip())
            return False
        if self._primary and now - self._primary[-1].at > LAG_SECONDS:
            self._primary.clear()  # no page was asked for meanwhile
        self._primary.append(primary)
        held = [position.at for position in self._primary if position.lsn <= self._replayed]
        self._fresh_at = max([self._fresh_at, *held])
        if self._is_fresh():
            self._note(ReplicaState.OK, "")
        elif now - self._primary[0].at > LAG_SECONDS:
            self._note(ReplicaState.BEHIND, "")
        return True

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._fresh_at <= LAG_SECONDS

    def _read(self) -> tuple[_Position, int]:
        """Returns the position of the primary, and the one that the replica has replayed."""
        at = time.monotonic()
        primary, database = _row(connections[DEFAULT_DB_ALIAS], _PRIMARY) or (0, "")
        row = _row(connections[ALIAS], _REPLICA)
        if row is None or row[0] is None or row[1] != database:
            raise ReplicaError(
                "DATABASE_REPLICA_URL names no replica of the database in DATABASE_URL."
            )
        return _Position(at, int(primary)), int(row[0])

    def _replayed_now(self) -> int:
        try:
            row = _row(connections[ALIAS], _REPLICA)
        except ERRORS as error:
            self.note_error(error)
            return -1
        self._replayed = max(self._replayed, int(row[0] or 0) if row else 0)
        return self._replayed

    def _note(self, state: ReplicaState, reason: str) -> None:
        """Logs one line for each change of the state."""
        if state != self._state:
            level = logging.INFO if state == ReplicaState.OK else logging.ERROR
            logger.log(level, "the read replica is %s%s", state, reason and f": {reason}")
        self._state = state


_replica = Replica()


def is_configured() -> bool:
    """Returns whether this process has a replica: a web process with DATABASE_REPLICA_URL."""
    return ALIAS in connections.settings


def forget() -> None:
    """Makes this process read the primary until the replica holds what is committed now."""
    _replica.forget()


def state() -> ReplicaState:
    """Compares the replica with the primary, and returns its state."""
    return _replica.state()


def require_replica() -> None:
    """Raises ReplicaError if DATABASE_REPLICA_URL names another server, ERRORS if it is away."""
    _replica.require()


def read(view: Callable[[], T], *, written_to: int = 0) -> T:
    """Returns the result of `view`, whose queries read the replica if it is fresh.

    `written_to` is the position of the session's last write. If the replica fails in between,
    `view` is called again and reads the primary, so it must have no effect but its result.
    """
    if not is_configured() or not _replica.is_fresh(written_to=written_to):
        return view()
    try:
        with _reading_replica():
            return view()
    except ERRORS as error:
        _replica.note_error(error)
        return view()


@contextmanager
def _reading_replica() -> Iterator[None]:
    token = _reads_replica.set(True)
    try:
        yield
    finally:
        _reads_replica.reset(token)


def read_connection() -> BaseDatabaseWrapper:
    """Returns the connection for a query without a model, in a function that pages call."""
    return connections[ALIAS if _reads_replica.get() else DEFAULT_DB_ALIAS]


def remember_writes(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that notes in a user's session how far the WAL came with the user's last write.

    The user's next page reads the replica only if it has replayed that position.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if is_configured() and request.method not in SAFE_METHODS and request.user.is_authenticated:
            with suppress(*ERRORS):  # then the next page fails, too
                row = _row(connections[DEFAULT_DB_ALIAS], _PRIMARY)
                request.session[WRITTEN] = int(row[0]) if row else 0
        return response

    return middleware


class ReplicaRouter:
    """Django's database router: reads go to the replica inside `read`, all else to the primary."""

    def db_for_read(self, _model: Any, **_hints: Any) -> str:
        """Returns the alias of the database that a query reads."""
        return ALIAS if _reads_replica.get() else DEFAULT_DB_ALIAS

    def db_for_write(self, _model: Any, **_hints: Any) -> str:
        """Returns the alias of the primary."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, _one: Any, _other: Any, **_hints: Any) -> bool:
        """Returns True: rows of both servers are the same rows."""
        return True

    def allow_migrate(self, database: str, _app: str, **_hints: Any) -> bool:
        """Returns False for the replica, which takes no writes."""
        return database != ALIAS


def _row(connection: BaseDatabaseWrapper, query: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
