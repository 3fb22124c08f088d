"""compose.yaml and the image run the processes of the Procfile and of systemd, and give no more."""

import re
import shutil
import subprocess
from typing import Any

import psycopg
import pytest
import yaml

from breachportal import embedded_servers, processes
from breachportal.production_settings import REQUIRED_IN_PRODUCTION
from harness.product import BIN, free_port
from tests.house.test_docs import variables_read
from tests.running.container_files import (
    CONTAINER,
    ROOT,
    compose,
    env_file,
    processes_of_compose,
    unit,
    units,
)

CONTAINERFILE = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
ACCOUNT = "10001:10001"


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_compose_runs_the_processes_of_systemd_and_of_the_command():
    assert set(processes_of_compose()) == units() == set(processes.names())
    assert set(compose()["services"]) - units() == {"database", "redis", "prepare", "owner"}


@pytest.mark.parametrize("name", processes.names())
def test_a_service_runs_and_ends_as_its_unit(name):
    service = processes_of_compose()[name]
    assert service["command"][:2] == ["run", name]
    assert service["healthcheck"]["test"] == ["CMD", "breachportal", "healthy", name]
    assert service.get("stop_signal", "SIGTERM") == unit(name).get("KillSignal", "SIGTERM")
    if "TimeoutStopSec" in unit(name):
        assert seconds(service["stop_grace_period"]) == int(unit(name)["TimeoutStopSec"])


def test_a_command_of_compose_adds_only_where_it_listens():
    added = {name: one["command"][2:] for name, one in processes_of_compose().items()}
    assert {name: words for name, words in added.items() if words} == {
        "bounces": ["--listen", f"0.0.0.0:{processes.BOUNCES_PORT}"]
    }


def test_every_container_is_confined():
    for name, service in compose()["services"].items():
        assert service["user"] == ACCOUNT, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert not service.get("privileged"), name
        assert service["healthcheck"], name


def test_ports_are_open_on_this_host_only():
    ports = [port for one in compose()["services"].values() for port in one.get("ports", [])]
    assert sorted(ports) == ["127.0.0.1:2526:2526", "127.0.0.1:8000:8000"]


def test_each_account_is_seen_by_its_services_only():
    having = {
        url: {name for name, one in compose()["services"].items() if url in one.get("secrets", [])}
        for url in ("owner-database-url", "import-database-url", "postgres-password")
    }
    assert having == {
        "owner-database-url": {"prepare", "owner"},
        "import-database-url": {"import"},
        "postgres-password": {"database"},
    }
    for name, service in compose()["services"].items():
        url = service.get("environment", {}).get("DATABASE_URL_FILE")
        assert url is None or url.removeprefix("/run/secrets/") in service["secrets"], name


def test_no_secret_is_in_a_variable():
    names = set(env_file(CONTAINER / "portal.env.example"))
    names |= {name for one in compose()["services"].values() for name in one.get("environment", {})}
    secret = re.compile(r"PASSWORD|SECRET_KEY|KEYSET|_URL$")
    assert {n for n in names if secret.search(n) and not n.endswith("_FILE")} == {"PORTAL_URL"}


def test_the_example_has_what_production_needs_and_only_settings():
    names = {name.removesuffix("_FILE") for name in env_file(CONTAINER / "portal.env.example")}
    assert set(REQUIRED_IN_PRODUCTION) <= names <= variables_read()


def test_the_image_runs_without_root_and_is_built_with_hashes():
    last = CONTAINERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert '"breachportal", "healthy", "web"' in last
    assert "--require-hashes --only-binary :all:" in CONTAINERFILE
    assert not re.search(r"^(ARG|ENV).*(SECRET|PASSWORD|KEYSET)", CONTAINERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)) == {"${PYTHON}"}


@pytest.mark.parametrize(
    ("base", "is_built"),
    [
        ("", False),
        ("python:3.13-slim-trixie", False),
        ("python:3.13-slim-trixie@sha256:…", False),
        (f"python:3.13-slim-trixie@sha256:{'0' * 64}", True),
    ],
)
def test_an_image_is_built_on_a_base_with_a_digest_only(base, is_built):
    command = ["make", "--no-print-directory", "image", "ENGINE=echo", f"BASE={base}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is is_built
    assert (f"--build-arg PYTHON={base} " in done.stdout) is is_built
    assert ("BASE is not a name with a digest" in done.stderr) is not is_built


def test_hadolint_finds_nothing_in_the_containerfile():
    hadolint = shutil.which("hadolint", path=str(BIN)) or shutil.which("hadolint")
    if not hadolint:
        pytest.skip("hadolint is not installed; `make lint-deploy` installs it")
    command = [hadolint, str(CONTAINER / "Containerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_is_valid():
    compose_spec = pytest.importorskip("compose_spec", reason="`make lint-deploy` installs it")

    def check(services: dict[str, Any]) -> None:
        for service in services.values():  # the tool reads no variables
            service["image"] = re.sub(r"\$\{\w+:-(.+)\}", r"\1", service["image"])
        text = yaml.safe_dump(compose() | {"services": services})
        compose_spec.PyCompose.from_yaml(text).validate()

    check(compose()["services"])
    for name, value in (("stop_signall", "SIGINT"), ("networks", ["insde"]), ("secrets", ["key"])):
        services = compose()["services"]
        services["web"][name] = value
        with pytest.raises(ValueError, match=rf"{name}|{value[0]}"):
            check(services)


@pytest.fixture
def secrets(tmp_path):
    """Makes the secrets with the script, as the command of this checkout makes keys."""
    folder = tmp_path / "container"
    folder.mkdir()
    shutil.copy(CONTAINER / "make-secrets", folder)

    def make() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(folder / "make-secrets")],
            input="from the relay\n",
            env={"PATH": f"{BIN}:/usr/bin:/bin", "BREACHPORTAL_COMMAND": f"{BIN}/python manage.py"},
            capture_output=True,
            text=True,
            check=False,
        )

    (folder / "manage.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from breachportal.command import main; main()"
    )
    return folder / "secrets", make


def test_make_secrets_makes_each_secret_once(secrets):
    folder, make = secrets
    done = make()
    assert done.returncode == 0, done.stderr
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(files) == set(compose()["secrets"])
    for path in folder.iterdir():
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (10001, 0o400)
    for url, password in (
        ("database-url", "portal-password"),
        ("import-database-url", "import-password"),
        ("owner-database-url", "owner-password"),
    ):
        assert f":{files[password].strip()}@database/breachportal" in files[url]
    assert files["redis-conf"].split()[1] in files["redis-url"]
    assert files["smtp-password"] == "from the relay\n"
    assert make().returncode == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == files


def test_a_secret_that_cannot_be_made_stops_the_script(secrets):
    folder, make = secrets
    (folder.parent / "manage.py").write_text("raise SystemExit(3)")
    done = make()
    assert done.returncode == 1
    assert "make-secrets: no value for secret-key" in done.stderr
    assert list(folder.iterdir()) == []


def test_postgresql_starts_with_its_accounts(tmp_path):
    """Runs the image's steps: initdb, accounts.sh, and the server with its configuration file."""
    data, port = tmp_path / "server", free_port()
    for name in ("owner-password", "portal-password", "import-password"):
        (tmp_path / name).write_text(f"of-{name}\n")
    for source in ("postgresql/server.conf", "../postgresql/breachportal.conf"):
        text = (
            (CONTAINER / source).read_text().replace("/var/lib/postgresql/data/server", str(data))
        )
        name = "values.conf" if "../" in source else "server.conf"
        (tmp_path / name).write_text(text.replace("1GB", "16MB"))
    shutil.copy(CONTAINER / "postgresql" / "accounts.sh", tmp_path)
    run_as_server(
        f"""
        PATH={embedded_servers.postgres_program("initdb").parent}:$PATH
        initdb --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 \
            --username=postgres -D {data}
        pg_ctl -D {data} -w -o "-p {port} -k {tmp_path} -c config_file={tmp_path}/server.conf" \
            -l {tmp_path}/log start
        PGHOST={tmp_path} PGPORT={port} POSTGRES_USER=postgres SECRETS={tmp_path} \
            bash {tmp_path}/accounts.sh
        """,
        tmp_path,
    )
    try:
        for role, file in (
            ("breachportal_owner", "owner"),
            ("breachportal", "portal"),
            ("breachportal_import", "import"),
        ):
            url = f"postgresql://{role}:of-{file}-password@127.0.0.1:{port}/breachportal"
            with psycopg.connect(url) as connection:
                found = connection.execute(
                    "SELECT rolsuper, has_schema_privilege('public', 'CREATE'),"
                    " current_setting('log_min_error_statement') FROM pg_roles"
                    " WHERE rolname = current_user"
                ).fetchone()
            assert found == (False, role == "breachportal_owner", "panic")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgresql://breachportal:x@127.0.0.1:{port}/breachportal")
        log = (tmp_path / "log").read_text()
        assert not [file for file in ("owner", "portal", "import") if f"of-{file}-password" in log]
    finally:
        stop = embedded_servers.postgres_program("pg_ctl")
        run_as_server(f"{stop} -D {data} -m immediate stop", tmp_path)


def run_as_server(script: str, folder) -> None:
    """Runs a script as the unprivileged account that the tests' PostgreSQL uses."""
    user = embedded_servers._server_user()
    embedded_servers._let_server_user_reach(folder / "x")
    embedded_servers._let_server_user_reach(embedded_servers.postgres_program("postgres"))
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user.pw_uid, user.pw_gid)
    done = embedded_servers._run_as_server(["bash", "-euc", script])
    assert done.returncode == 0, done.stdout
