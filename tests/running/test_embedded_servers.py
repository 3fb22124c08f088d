"""The embedded servers: processes share them, and the last process stops them."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

ROOT = Path(__file__).parents[2]
USE = """
import sys
from pathlib import Path
from breachportal import embedded_servers as embedded
var = Path(sys.argv[1])
print(embedded.database_url(var), embedded.redis_url(var), flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses both servers until its input is closed."""

    def __init__(self, var: Path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", USE, str(var)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.database, self.redis = self.process.stdout.readline().split()

    def leave(self):
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self):
        self.process.kill()
        self.process.communicate()


def postgres_answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def redis_answers(url: str) -> bool:
    try:
        return redis.from_url(url).ping()
    except redis.exceptions.ConnectionError:
        return False


@pytest.fixture
def var(tmp_path):
    """A path with spaces, and longer than the name of a Unix socket may be."""
    return tmp_path / "a path with spaces" / ("deep " * 20).strip() / "var"


def test_the_last_process_to_leave_stops_the_servers(var):
    first, second = User(var), User(var)
    assert (first.database, first.redis) == (second.database, second.redis)
    first.leave()
    assert postgres_answers(second.database)
    assert redis_answers(second.redis)
    second.leave()
    assert not postgres_answers(second.database)
    assert not redis_answers(second.redis)


def test_a_killed_process_does_not_keep_the_servers_alive_for_ever(var):
    killed = User(var)
    killed.kill()
    later = User(var)
    assert postgres_answers(later.database)
    later.leave()
    assert not postgres_answers(later.database)
    assert not redis_answers(later.redis)


def test_data_outlives_a_stop(var):
    first = User(var)
    with psycopg.connect(first.database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.leave()
    second = User(var)
    with psycopg.connect(second.database) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    second.leave()


def test_a_deleted_var_gets_new_servers_while_the_old_one_runs(var, tmp_path):
    orphaned = User(var)
    orphaned.kill()
    (var / "postgres").rename(tmp_path / "gone")
    fresh = User(var)
    assert postgres_answers(fresh.database)
    fresh.leave()


def test_the_servers_listen_on_no_network_address(var):
    user = User(var)
    with psycopg.connect(user.database) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert redis.from_url(user.redis).config_get("port") == {"port": "0"}
    user.leave()
