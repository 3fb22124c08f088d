"""The pool's check of a connection: rare while the server answers, and never too late."""

from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from psycopg import OperationalError
from psycopg_pool import ConnectionPool

from foundations import pooled_connection
from foundations.pooled_connection import PooledConnection
from tests.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pooled() -> Iterator[PooledConnection]:
    with PooledConnection.connect(conninfo(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def asked(pooled) -> Iterator[psycopg.Cursor]:
    """A cursor that counts the statements of the pooled connection."""
    with psycopg.connect(conninfo(), autocommit=True) as other:
        yield other.cursor()


def last_statement_at(asked, pooled) -> datetime:
    pid = pooled.info.backend_pid
    row: tuple[datetime] = asked.execute(
        "SELECT query_start FROM pg_stat_activity WHERE pid = %s", [pid]
    ).fetchone()
    return row[0]


def test_a_server_that_answered_a_moment_ago_is_not_asked_again(pooled, asked):
    ConnectionPool.check_connection(pooled)
    before = last_statement_at(asked, pooled)
    ConnectionPool.check_connection(pooled)
    assert last_statement_at(asked, pooled) == before


def test_a_server_is_asked_again_after_a_while(pooled, asked, monkeypatch):
    ConnectionPool.check_connection(pooled)
    before = last_statement_at(asked, pooled)
    monkeypatch.setattr(pooled_connection, "ASKED_AGAIN_SECONDS", 0.0)
    ConnectionPool.check_connection(pooled)
    assert last_statement_at(asked, pooled) > before


def test_a_connection_that_the_server_ended_fails_its_check_at_once(pooled, asked):
    ConnectionPool.check_connection(pooled)
    asked.execute("SELECT pg_terminate_backend(%s, 10000)", [pooled.info.backend_pid])
    with pytest.raises(OperationalError):
        ConnectionPool.check_connection(pooled)


def test_a_closed_connection_fails_its_check(pooled):
    ConnectionPool.check_connection(pooled)
    pooled.close()
    with pytest.raises(OperationalError):
        ConnectionPool.check_connection(pooled)


def test_other_statements_are_always_sent(pooled):
    assert pooled.execute("SELECT 1").fetchone() == (1,)
    assert pooled.execute("SELECT 2").fetchone() == (2,)
