"""The read replica: pages read it while it is fresh, and never hide what was just written."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from django.conf import settings

from tests.running.postgres_pair import Server, postgres_pair
from tests.running.stalling_proxy import StallingProxy, stalling_proxy
from tests.web_processes import web_processes

ROOT = Path(__file__).parents[2]
HOME, MY_DATA = "/en/", "/en/my-data/"
KEPT_SECONDS = 1  # PUBLIC_PAGE_SECONDS of the web process
# A page is kept for KEPT_SECONDS, and shows what the replica held LAG_SECONDS ago at most. The rest
# is for a busy machine.
MOST_SECONDS = KEPT_SECONDS + 2 + 2
# One answer that does not come (ANSWER_SECONDS), one wait for the pool, and a busy machine.
HANGING_SECONDS = 3 + 1 + 3
_FILL = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from statements import sample
from accounts.models import User
sample.load_sample_incident()
User.objects.create_user("minji@example.com", language="en")
"""
_SIGN_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import User
from foundations.sessions import cookie_of
user = User.objects.get(email="minji@example.com")
session = import_module(settings.SESSION_ENGINE).SessionStore()
session.update({
    SESSION_KEY: str(user.pk),
    BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
    HASH_SESSION_KEY: user.get_session_auth_hash(),
})
session.save()
print(cookie_of(session.session_key))
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code with Django set up, as a command of the portal does."""
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "breachportal.settings", "REDIS_URL": settings.REDIS_URL}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    with postgres_pair() as (primary, replica):
        filled = python(_FILL, DATABASE_URL=primary.url)
        assert filled.returncode == 0, filled.stderr
        yield primary, replica


@pytest.fixture
def primary(pair) -> Server:
    return pair[0]


@pytest.fixture
def replica(pair) -> Iterator[Server]:
    yield pair[1]
    pair[1].run("SELECT pg_wal_replay_resume()")
    pair[1].run("ALTER SYSTEM RESET recovery_min_apply_delay")
    pair[1].run("SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def web(pair) -> Iterator[int]:
    """A web process with one worker."""
    primary, replica = pair
    environment = {
        "DATABASE_URL": primary.url,
        "DATABASE_REPLICA_URL": replica.url,
        "WEB_THREADS": "4",
        "PUBLIC_PAGE_SECONDS": str(KEPT_SECONDS),
    }
    with web_processes("--workers 1 --blocking-threads 4", **environment) as port:
        wait_for(port, "/healthz")
        yield port


@pytest.fixture
def port(web, replica) -> int:
    """The port of the web process, which reads the replica."""
    wait_for_state(web, "ok")
    return web


@pytest.fixture
def proxy(replica) -> Iterator[StallingProxy]:
    """A proxy in front of the replica, which can stop passing anything on."""
    with stalling_proxy(replica.port) as proxy:
        yield proxy


@pytest.fixture
def port_behind_proxy(primary, replica, proxy) -> Iterator[int]:
    """A web process whose connections to the replica go through the proxy."""
    environment = {
        "DATABASE_URL": primary.url,
        "DATABASE_REPLICA_URL": replica.url.replace(str(replica.port), str(proxy.port)),
        "WEB_THREADS": "4",
        "PUBLIC_PAGE_SECONDS": "0",
    }
    with web_processes("--workers 1 --blocking-threads 4", **environment) as port:
        wait_for(port, "/healthz")
        wait_for_state(port, "ok")
        yield port


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, str]:
    visitor = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        visitor.request(method, path, headers=headers)
        response = visitor.getresponse()
        return response, response.read().decode()
    finally:
        visitor.close()


def wait_for(port: int, path: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError):
            get(port, path)
            return
        time.sleep(0.2)
    raise AssertionError("the web process does not start")


def state_of(port: int) -> str:
    response, text = get(port, "/readyz")
    assert response.status == 200, text
    return text.partition('"replica": "')[2].partition('"')[0]


def wait_for_state(port: int, state: str) -> None:
    deadline = time.monotonic() + 20
    while state_of(port) != state:
        assert time.monotonic() < deadline, f"the replica is not {state}"
        time.sleep(0.1)


def correct(primary: Server, title: str) -> None:
    """Changes the title of the incident, as another host does."""
    primary.run(
        "UPDATE incidents_incident"
        " SET title = jsonb_build_object('ko', %(title)s::text, 'en', %(title)s::text)",
        title=title,
    )


def seconds_until_shown(port: int, words: str) -> float:
    began = time.monotonic()
    while words not in get(port, HOME)[1]:
        assert time.monotonic() - began < 30, f"{words} is not shown"
        time.sleep(0.1)
    return time.monotonic() - began


def statements_of(server: Server, table: str) -> int:
    """Returns how often the server was asked about the table."""
    return server.log.read_text(errors="replace").count(f'FROM "{table}"')


def test_public_pages_read_the_replica(port, primary, replica):
    time.sleep(KEPT_SECONDS + 0.1)
    asked = (
        statements_of(primary, "statements_section"),
        statements_of(replica, "statements_section"),
    )
    assert get(port, HOME)[0].status == 200
    assert statements_of(primary, "statements_section") == asked[0]
    assert statements_of(replica, "statements_section") > asked[1]


def test_a_correction_is_seen_in_time(port, primary):
    correct(primary, "Correction A")
    assert seconds_until_shown(port, "Correction A") < MOST_SECONDS


def test_a_replica_that_stops_replaying_hides_no_correction(port, primary, replica):
    replica.run("SELECT pg_wal_replay_pause()")
    correct(primary, "Correction B")
    assert seconds_until_shown(port, "Correction B") < MOST_SECONDS
    assert state_of(port) == "behind"
    assert get(port, HOME)[0].status == 200
    replica.run("SELECT pg_wal_replay_resume()")
    wait_for_state(port, "ok")


def test_a_replica_that_is_late_by_an_hour_hides_no_correction(port, primary, replica):
    replica.run("ALTER SYSTEM SET recovery_min_apply_delay = '1h'")
    replica.run("SELECT pg_reload_conf()")
    correct(primary, "Correction C")
    assert seconds_until_shown(port, "Correction C") < MOST_SECONDS
    correct(primary, "Correction D")
    assert seconds_until_shown(port, "Correction D") < MOST_SECONDS


def test_pages_read_the_primary_while_the_replica_is_away(port, primary, replica):
    replica.stop()
    try:
        for _second in range(3):
            assert get(port, HOME)[0].status == 200
            assert get(port, "/en/incidents/unknown/")[0].status == 404
            time.sleep(KEPT_SECONDS)
        assert state_of(port) == "away"
        correct(primary, "Correction E")
        assert seconds_until_shown(port, "Correction E") < MOST_SECONDS
    finally:
        replica.start()
    wait_for_state(port, "ok")
    asked = statements_of(replica, "statements_section")
    time.sleep(KEPT_SECONDS + 0.1)
    assert get(port, HOME)[0].status == 200
    assert statements_of(replica, "statements_section") > asked


@pytest.fixture
def cookie(primary) -> str:
    done = python(_SIGN_IN, DATABASE_URL=primary.url)
    assert done.returncode == 0, done.stderr
    return f"{settings.SESSION_COOKIE_NAME}={done.stdout.strip()}"


@pytest.mark.parametrize("path", [HOME, MY_DATA])
def test_a_replica_that_stops_answering_delays_a_page_within_a_bound(
    port_behind_proxy, proxy, replica, cookie, path
):
    """It accepts connections and data, as a suspended server or a dead network behind NAT does."""
    visit = partial(get, port_behind_proxy, path, Cookie=cookie)
    assert visit()[0].status == 200
    proxy.stall()
    for _visit in range(3):
        began = time.monotonic()
        assert visit()[0].status == 200
        assert time.monotonic() - began < HANGING_SECONDS
    began = time.monotonic()
    assert state_of(port_behind_proxy) == "away"
    assert time.monotonic() - began < HANGING_SECONDS
    proxy.resume()
    time.sleep(1)
    wait_for_state(port_behind_proxy, "ok")


class TestMyData:
    def add_address(self, primary: Server, address: str) -> None:
        primary.run(
            'INSERT INTO account_emailaddress (user_id, email, verified, "primary")'
            " SELECT id, %(address)s, true, false FROM accounts_user"
            " WHERE email = 'minji@example.com'",
            address=address,
        )

    def post(self, port: int, path: str, cookie: str) -> None:
        """Posts a form as a browser does, with a CSRF token."""
        token = "a" * 32
        headers = {
            "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}",
            "X-CSRFToken": token,
            "Content-Length": "0",
        }
        assert get(port, path, method="POST", **headers)[0].status == 302

    def test_the_page_reads_the_replica(self, port, replica, cookie):
        asked = statements_of(replica, "incidents_incident")
        response, text = get(port, MY_DATA, Cookie=cookie)
        assert response.status == 200
        assert "minji@example.com" in text
        assert statements_of(replica, "incidents_incident") > asked

    def test_the_user_sees_what_the_user_wrote(self, port, primary, replica, cookie):
        """Within the time in which other pages may still be older."""
        get(port, MY_DATA, Cookie=cookie)
        replica.run("SELECT pg_wal_replay_pause()")
        self.add_address(primary, "minji@hanbit.example")
        self.post(port, "/en/my-data/hide/", cookie)
        text = get(port, MY_DATA, Cookie=cookie)[1]
        assert "minji@hanbit.example" in text.replace("<wbr>", "")

    def test_the_replica_is_read_again_when_it_holds_the_write(self, port, replica, cookie):
        self.post(port, "/en/my-data/hide/", cookie)
        time.sleep(1)
        before = replica.log.stat().st_size
        assert get(port, MY_DATA, Cookie=cookie)[0].status == 200
        with replica.log.open() as log:
            log.seek(before)
            assert "incidents_exposurebatch" in log.read()


@pytest.mark.parametrize("which", ["the primary itself", "another server"])
def test_another_server_is_refused_at_the_start(primary, which):
    from tests.database import database_url

    other = primary.url if which == "the primary itself" else database_url()
    done = start(primary.url, other)
    assert done.returncode == 1
    assert "names no replica of the database" in done.stderr


def test_a_replica_that_is_away_does_not_stop_the_start(primary):
    done = start(primary.url, "postgresql://portal@127.0.0.1:1/portal")
    assert done.stdout.strip() == "usable", done.stderr
    assert "the read replica cannot be checked" in done.stderr


def test_an_account_without_privileges_may_compare(primary, replica):
    """The portal's own account is no superuser."""
    if not primary.run("SELECT 1 FROM pg_roles WHERE rolname = 'guest'"):
        primary.run("CREATE ROLE guest LOGIN")
    time.sleep(1)
    urls = [server.url.replace("postgres@", "guest@") for server in (primary, replica)]
    code = "from foundations import replica; print(replica.state())"
    done = python(
        code, DATABASE_URL=urls[0], DATABASE_REPLICA_URL=urls[1], BREACHPORTAL_PROCESS="web"
    )
    assert done.stdout.strip() == "ok", done.stderr


def start(url: str, replica_url: str) -> subprocess.CompletedProcess[str]:
    """Does in another process what each web process does at its start."""
    code = (
        "from breachportal import database_checks\n"
        "database_checks.require_usable_database(); print('usable')"
    )
    return python(
        code, DATABASE_URL=url, DATABASE_REPLICA_URL=replica_url, BREACHPORTAL_PROCESS="web"
    )
