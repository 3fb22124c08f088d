"""The installed package is the whole portal: nothing of it needs a checkout.

The tests build the wheel, install it apart from this checkout, and work in an empty folder.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from breachportal import processes
from foundations import make_secret
from harness.product import free_port
from tests.database import database_url
from tests.running.packages import install, release_module, repository
from tests.running.test_settings import COMPLETE

DATABASE, OWNER, PORTAL = "package_trial", "package_owner", "package_portal"
START_SECONDS = 60
HEADERS = {
    "Host": COMPLETE["ALLOWED_HOSTS"],
    "Visitorscheme": "https",
    "Visitoraddress": "203.0.113.9",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Returns the folder into which the wheel of this checkout is installed."""
    folder = tmp_path_factory.mktemp("package")
    release_module().build(repository(folder / "source"), folder / "dist", epoch="1764374400")
    [wheel] = (folder / "dist").glob("*.whl")
    return install(wheel, folder / "installed")


@pytest.fixture
def environment(installed, tmp_path) -> dict[str, str]:
    """Returns the environment of a new account in an empty folder: no settings, no checkout."""
    (tmp_path / "empty").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "PWD": str(tmp_path / "empty"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def portal(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command `breachportal` of the package."""
    return subprocess.run(
        [str(Path(environment["PYTHONPATH"]) / "bin" / "breachportal"), *words],
        cwd=environment["PWD"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_help_teaches_without_settings(environment):
    for words in ([], ["--help"], ["-h"]):
        done = portal(environment, *words)
        assert (done.returncode, done.stderr) == (0, "")
        for command in ("make_secret", "migrate", "run web|send|import|work|beat", "doctor"):
            assert f"breachportal {command}" in done.stdout
    examples = Path(done.stdout.splitlines()[-1].strip())
    assert (examples / "nginx" / "breachportal.conf").is_file()
    assert portal(environment, "--version").stdout == f"breachportal {version()}\n"


def version() -> str:
    return release_module()._version(settings.BASE_DIR)


def test_without_settings_a_command_names_what_is_missing(environment):
    done = portal(environment, "migrate")
    assert done.returncode == 1
    assert done.stderr.startswith("breachportal: breachportal does not start in production without")
    assert all(f"  {name}: " in done.stderr for name in COMPLETE)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["run"], ["run", "wbe"], ["healthy", "wbe"]])
def test_an_unknown_process_is_refused_with_the_known_ones(environment, words):
    done = portal(environment, *words)
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"the processes are {', '.join(processes.names())}")


def test_the_secrets_of_the_first_evening_need_no_settings(environment, tmp_path):
    for kind in ("secret-key", "master-keyset"):
        done = portal(environment, "make_secret", kind, str(tmp_path / kind))
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / kind).stat().st_mode & 0o777 == 0o600


def test_what_is_written_is_never_beside_the_code(environment):
    script = (
        "from breachportal import settings as s;"
        "print(s.VAR, s.STATIC_ROOT, s.BACKUP_FOLDER, s.BASE_DIR, sep='\\n')"
    )

    def places(**given: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=environment["PWD"],
            env=environment | COMPLETE | given,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    var = "/var/lib/breachportal"
    package = f"{environment['PYTHONPATH']}/breachportal/files"
    assert places() == [var, f"{var}/staticfiles", f"{var}/backups", package]
    assert places(STATIC_ROOT="/srv/static")[1] == "/srv/static"
    assert places(BREACHPORTAL_MODE="demo")[0] == f"{environment['PWD']}/var"


@pytest.fixture
def database(db) -> Iterator[dict[str, str]]:
    """Makes an empty database with its two accounts. Gives the URL of each account."""
    place = (
        database_url().partition("@")[2].replace(settings.DATABASES["default"]["NAME"], "{name}")
    )
    administrator = f"postgresql://postgres@{place.format(name='postgres')}"

    def drop(server) -> None:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        server.execute(f"DROP ROLE IF EXISTS {PORTAL}")
        server.execute(f"DROP ROLE IF EXISTS {OWNER}")

    with psycopg.connect(administrator, autocommit=True) as server:
        drop(server)
        server.execute(f"CREATE ROLE {OWNER} LOGIN")
        server.execute(f"CREATE ROLE {PORTAL} LOGIN")
        server.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        yield {
            name: f"postgresql://{name}@{place.format(name=DATABASE)}" for name in (OWNER, PORTAL)
        }
        drop(server)


def test_an_empty_machine_becomes_a_portal(environment, database, tmp_path):
    """Follows `breachportal --help` from the first line to the doctor."""
    var, secrets, port = tmp_path / "var", tmp_path / "secrets", free_port()
    var.mkdir()
    secrets.mkdir()
    for kind, name in (("secret-key", "SECRET_KEY"), ("master-keyset", "MASTER_KEYSET")):
        make_secret.main([kind, str(secrets / name)])
    for name, url in (("DATABASE_URL", database[PORTAL]), ("OWNER", database[OWNER])):
        (secrets / name).write_text(url)
        (secrets / name).chmod(0o600)
    files = ("SECRET_KEY", "MASTER_KEYSET", "DATABASE_URL")
    environment |= {name: value for name, value in COMPLETE.items() if name not in files}
    environment |= {f"{name}_FILE": str(secrets / name) for name in files}
    environment |= {
        "REDIS_URL": settings.REDIS_URL,
        "BREACHPORTAL_VAR": str(var),
        "TRUSTED_PROXY_HEADER": "Visitorscheme",
        "TRUSTED_ADDRESS_HEADER": "Visitoraddress",
        "PORT": str(port),
        "WEB_WORKERS": "1",
    }
    owner = environment | {"DATABASE_URL_FILE": str(secrets / "OWNER")}
    for words in (
        ["migrate", "--verbosity", "0"],
        ["grant_portal_role", PORTAL],
        ["make_roles"],
        ["createsuperuser", "--noinput", "--email", "admin@hanbit.example"],
        ["collectstatic", "--noinput", "--verbosity", "0"],
    ):
        done = portal(owner, *words)
        assert done.returncode == 0, done.stderr

    web = subprocess.Popen(
        [environment["PYTHONPATH"] + "/bin/breachportal", "run", "web", "--host", "127.0.0.1"],
        cwd=environment["PWD"],
        env=environment,
    )
    try:
        _wait_until_healthy(environment, web)
        page = _get(port, "/ko/")
        assert 'lang="ko"' in page
        assert "메시지 확인하기" in page  # from the compiled catalogue
        [sheet] = set(re.findall(r'href="(/static/[^"]+\.css)"', page))
        assert re.search(r"\.[0-9a-f]{12}\.css$", sheet)
        assert "font-family" in _get(port, sheet)
    finally:
        web.terminate()
        web.wait(timeout=60)
    assert portal(environment, "healthy", "web").returncode == 1

    done = portal(environment, "doctor", "--json")
    found = {row["check"]: row for row in json.loads(done.stdout)}
    for check in ("settings", "secrets", "code", "database", "migrations", "account", "redis"):
        assert found[check]["level"] != "fault", found[check]
    assert list(Path(environment["PWD"]).iterdir()) == []


def _wait_until_healthy(environment, web) -> None:
    deadline = time.monotonic() + START_SECONDS
    while portal(environment, "healthy", "web").returncode:
        assert web.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _get(port: int, path: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=HEADERS)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()
