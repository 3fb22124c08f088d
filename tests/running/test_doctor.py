"""The doctor: it names what is wrong with an installation, and prints no secret."""

import ctypes
import json
import os
import re
import shlex
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Thread

import certifi
import pytest
import redis
from celery import Celery
from celery.beat import PersistentScheduler
from celery.schedules import schedule
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.core.management import (
    CommandError,
    call_command,
    get_commands,
    load_command_class,
)
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.utils.translation import override
from dns.exception import DNSException

from accounts.models import User
from breachportal import beat, database_checks, health
from breachportal.doctor import CHECKS, _away, diagnose, encryption, machine, servers, typed
from breachportal.doctor.diagnosis import Diagnosis, Level
from breachportal.doctor.messages import DoctorMessages
from breachportal.signs import BEATS, WORKERS
from harness.nginx import NGINX, nginx
from harness.product import BIN, free_port
from notices.dns_records import DnsRecords
from tests.database import conninfo
from tests.local_server import LocalServer
from tests.pages.test_slow_bodies import wait_for
from tests.running.test_redis_away import own_redis
from tests.smtp_server import SmtpServer
from tests.tls_fixtures import redis_socket, tls_before
from tests.web_processes import web_processes

pytest_plugins = ["tests.notice_fixtures", "tests.tls_fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60
ROOT = Path(__file__).parents[2]
SOURCES = "".join(
    (ROOT / "breachportal" / "doctor" / name).read_text(encoding="utf-8")
    for name in ("machine.py", "servers.py")
)
SYSTEM = (
    *(
        "apt-get",
        "certbot",
        "chmod",
        "chown",
        "cp",
        "du",
        "update-ca-certificates",
        "journalctl",
        "mkdir",
        "redis-cli",
        "sudo",
    ),
    *("-u", "timedatectl", "dmesg", "mount"),
)


def found(check: str) -> list[tuple[Level, str]]:
    return [(finding.level, finding.text) for _name, finding in diagnose((check,))]


def printed(*words: str) -> str:
    out = StringIO()
    try:
        call_command("doctor", *words, stdout=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


@contextmanager
def celery(*words: str) -> Iterator[None]:
    """Context manager: a Celery process on the tests' database and Redis."""
    process = subprocess.Popen(
        [str(BIN / "celery"), "-A", "breachportal", *words],
        env=os.environ | {"DATABASE_URL": conninfo(), "REDIS_URL": django_settings.REDIS_URL},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def wait_until(check, wanted: tuple[Level, str]) -> None:
    """Runs a check until a finding has this level and begins with this text."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if any(level is wanted[0] and text.startswith(wanted[1]) for level, text in found(check)):
            return
        time.sleep(0.5)
    raise AssertionError(found(check))


def test_each_check_finds_something_and_a_fault_ends_with_1():
    with pytest.raises(CommandError, match=r"of \d+ findings are faults"):
        call_command("doctor", stdout=StringIO())
    text = printed()
    assert all(f"{name}: " in text for name in CHECKS)
    assert "the check ended with" not in text
    assert "no worker serves the queue send" in text
    assert "systemctl start breachportal-beat" in text


def test_a_monitor_reads_json():
    rows = json.loads(printed("--json", "migrations", "database"))
    assert {row["check"] for row in rows} == {"migrations", "database"}
    assert {row["level"] for row in rows} == {"ok"}


def test_an_unknown_check_is_refused():
    with pytest.raises(CommandError, match="no such check: klock"):
        call_command("doctor", "klock")


def test_a_check_that_fails_is_named_and_the_others_run(monkeypatch):
    def fail():
        yield from [Diagnosis.ok("the first part")]
        raise RuntimeError("password=hunter2")

    monkeypatch.setitem(CHECKS, "clock", fail)
    text = printed("clock", "database")
    assert "the check ended with builtins.RuntimeError" in text
    assert "hunter2" not in text
    assert "database: PostgreSQL" in text


def test_a_server_that_does_not_answer_is_one_finding(settings, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    findings = [one for _name, one in diagnose(("database", "clock", "redis", "team"))]
    connection.close()
    texts = [one.text for one in findings]
    assert texts[0].startswith("PostgreSQL does not answer: ")
    assert "Connection refused" in texts[0]
    assert texts[2] == "Redis does not answer: Connection refused"
    lost = "failed to resolve host 'db.example': [Errno -2] Name or service not known"
    assert _away(OperationalError(lost), set()).text == (
        "PostgreSQL does not answer: Name or service not known"
    )
    standby = _away(OperationalError("connection failed: … failed: session is read-only"), set())
    assert "pg_promote" in standby.remedy
    full = _away(OperationalError("… FATAL:  sorry, too many clients already"), set())
    assert full.text == "PostgreSQL refuses the portal: sorry, too many clients already"
    assert "pg_stat_activity" in full.remedy
    assert {texts[1], texts[3]} == {"this was not examined, because PostgreSQL does not answer"}
    assert "systemctl status postgresql" in findings[0].remedy
    assert {one.level for one in findings} == {Level.FAULT}


@pytest.mark.parametrize(
    ("error", "said", "remedy"),
    [
        (
            OperationalError(
                'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  '
                'password authentication failed for user "portal"\nconnection to server at …'
            ),
            'PostgreSQL refuses the portal: password authentication failed for user "portal"',
            "the password",
        ),
        (  # the messages of a server may be in Korean
            OperationalError('… failed: 치명적오류:  "portal" 데이터베이스 없음'),
            'PostgreSQL refuses the portal: "portal" 데이터베이스 없음',
            "the database in DATABASE_URL",
        ),
        (
            redis.AuthenticationError("Authentication required."),
            "Redis refuses the portal: Authentication required.",
            "REDIS_URL",
        ),
        (
            redis.exceptions.NoPermissionError("this user has no permissions to run 'info'"),
            "Redis refuses the portal: this user has no permissions to run 'info'",
            "REDIS_URL",
        ),
    ],
)
def test_a_server_that_refuses_the_account_runs(error, said, remedy):
    finding = _away(error, set())
    assert finding.text == said
    assert remedy in finding.remedy


@pytest.mark.parametrize("password", ["", ":wrong"])
def test_a_redis_with_a_password_names_the_fault(settings, tmp_path, password):
    with own_redis(tmp_path) as url:
        client = redis.Redis.from_url(url)
        client.config_set("requirepass", "sesame")
        settings.REDIS_URL = url.replace("unix://", f"unix://{password}@") if password else url
        [(level, text)] = found("redis")
        redis.Redis.from_url(url, password="sesame").config_set("requirepass", "")
    assert level is Level.FAULT
    assert text.startswith("Redis refuses the portal: ")


def test_a_disk_that_is_read_only_is_named(settings, monkeypatch):
    found_ = os.statvfs(settings.VAR)
    read_only = type(found_)([*found_[:8], found_.f_flag | os.ST_RDONLY, *found_[9:]])
    monkeypatch.setattr(os, "statvfs", lambda _folder: read_only)
    assert (Level.FAULT, f"{settings.VAR}: its disk takes no writes (read-only)") in found("disk")


def test_a_database_of_a_later_version_is_named(monkeypatch):
    applied = MigrationLoader.build_graph

    def build_graph(self) -> None:
        applied(self)
        self.applied_migrations = {**self.applied_migrations, ("incidents", "0099_later"): None}

    monkeypatch.setattr(MigrationLoader, "build_graph", build_graph)
    text = "the database has migrations of a later version: incidents 0099_later"
    assert (Level.WARNING, text) in found("migrations")


def test_another_portal_on_the_same_redis_is_a_fault(settings, tmp_path):
    with own_redis(tmp_path) as url:
        settings.REDIS_URL, here = url, settings.PORTAL_HOST
        settings.PORTAL_HOST = "other.example"
        BEATS.write("host:1")
        WORKERS.write("send send@host")
        settings.PORTAL_HOST = here
        BEATS.write("host:3")
        WORKERS.write("default work@host")
        findings = found("beat")
        assert WORKERS.alive() == ["default work@host"]
    assert (Level.FAULT, "another portal uses this Redis, too: other.example") in findings
    assert (Level.OK, "beat runs once: host:3") in findings
    assert BEATS.key not in str(findings)


CLOCK = {"now": 0.0}


def shown_time() -> datetime:
    """Returns what a clock shows that a test sets. Celery stores the function by its name."""
    return datetime.fromtimestamp(CLOCK["now"], UTC)


def test_tasks_go_on_when_the_clock_is_set_back(monkeypatch, tmp_path):
    """Celery would wait until the clock shows the time that it showed before."""
    sent: list[str] = []
    app = Celery("trial", broker="memory://", set_as_current=False)
    CLOCK["now"] = time.time()
    monkeypatch.setattr(time, "time", lambda: CLOCK["now"])
    monkeypatch.setattr(app, "now", shown_time)
    app.conf.beat_schedule = {
        name: {"task": name, "schedule": schedule(seconds, nowfun=shown_time, app=app)}
        for name, seconds in (("a", 5.0), ("b", 3600.0))
    }
    monkeypatch.setattr(BEATS, "write", lambda *_names: None)
    monkeypatch.setattr(
        PersistentScheduler, "apply_entry", lambda _self, entry, **_options: sent.append(entry.name)
    )
    scheduler = beat.SeenScheduler(app=app, schedule_filename=str(tmp_path / "schedule"))
    for seconds in [0, *[2] * 10, -3600, *[2] * 10]:
        CLOCK["now"] += seconds
        for _tick in range(3):
            scheduler.tick()
    scheduler.close()
    assert sent.count("a") >= 6


def test_a_database_that_takes_no_writes_is_a_fault(client):
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        [wrong] = [text for level, text in found("database") if level is Level.FAULT]
        assert wrong == "PostgreSQL takes no writes: default_transaction_read_only is on"
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (200, "read-only")
        client.raise_request_exception = False
        answer = client.post("/en/account/sign-in/", {"email": "minji@example.com"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    finally:
        connection.close()


def test_connections_that_others_hold_are_counted():
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT 1")
        try:
            texts = [text for level, text in found("database") if level is Level.WARNING]
        finally:
            cursor.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT -1")
    assert [re.sub(r"^\d+", "1", text) for text in texts] == [
        "1 of 1 database connections are in use"
    ]


def test_a_redis_that_takes_no_writes_is_a_fault_and_one_that_fills_a_warning(
    client, settings, tmp_path
):
    with own_redis(tmp_path) as url, redis.Redis.from_url(url) as server:
        settings.REDIS_URL = url
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": url}}
        server.config_set("maxmemory-policy", "noeviction")
        server.config_set("maxmemory", int(server.info()["used_memory"] * 1.1))
        [warning] = [text for level, text in found("redis") if level is Level.WARNING]
        assert re.fullmatch(r"Redis uses (8|9)\d per cent of its memory", warning)
        server.config_set("maxmemory", 1)
        [wrong] = [text for level, text in found("redis") if level is Level.FAULT]
        assert wrong.startswith("Redis takes no writes: ")
        assert "maxmemory" in wrong
        [(level, of_beat)] = found("beat")  # which may run, and cannot give a sign
        assert (level, of_beat.partition(":")[0]) == (Level.FAULT, "Redis takes no writes")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["redis"]) == (200, "read-only")


def test_a_full_disk_is_a_fault(monkeypatch):
    monkeypatch.setattr(machine, "FULL_BYTES", 1 << 60)
    assert {level for level, _text in found("disk")} == {Level.FAULT}


def test_the_disk_of_the_backups_is_examined_if_it_is_another(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(machine, "FULL_BYTES", 1 << 60)
    settings.VAR = settings.BACKUP_FOLDER = str(tmp_path)
    assert len(found("disk")) == 1
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        settings.BACKUP_FOLDER = folder
        full = [text for level, text in found("disk") if level is Level.FAULT]
        assert [text.partition(":")[0] for text in full] == [str(tmp_path), folder]


@pytest.mark.parametrize("is_server", [False, True])
def test_each_remedy_can_be_typed_as_it_stands(monkeypatch, tmp_path, is_server):
    """A command that is not one of the system is one of the portal, with words that it takes."""
    link = tmp_path / "breachportal"
    if is_server:
        link.symlink_to(ROOT / "deploy" / "breachportal")
    monkeypatch.setattr(typed, "ON_A_SERVER", link)
    commands = [typed.command("migrate"), typed.backup()]
    commands += re.findall(r"typed\.(?:command)\(\s*\"([^\"]+)\"", SOURCES)
    commands += [word for one in DoctorMessages for word in re.findall(r"`([^`]+)`", one.value)]
    units = {path.name for path in (ROOT / "deploy" / "systemd").iterdir()}
    units |= {f"{name}.service" for name in ("postgresql", "redis-server", "nginx")}
    for one in commands:
        own = "sudo breachportal --owner ", "sudo ", "breachportal ", "manage.py "
        prefix = next((each for each in own if one.startswith(each)), "")
        words = shlex.split(one.removeprefix(prefix))
        if words[0] in get_commands():
            load_command_class(get_commands()[words[0]], words[0]).create_parser(
                "manage.py", words[0]
            ).parse_args(words[1:])
        elif words[0] == "systemctl":
            names = [word for word in words[2:] if word[0] not in "-{" and "{" not in word]
            for name in names:
                known = name if "." in name else f"{name}.service"
                assert known in units | {"certbot.timer"}, name
        else:
            assert words[0] in SYSTEM or words[0].startswith(("{", "deploy/", "docs/", "web")), (
                words
            )
        assert "…" not in " ".join(words)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_may_read_is_a_fault(monkeypatch, tmp_path, mode):
    path = tmp_path / "secret-key"
    path.write_text("x" * 64)
    path.chmod(mode)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(path))
    text = f"SECRET_KEY_FILE: other accounts may read {path} (mode {mode:o})"
    assert (Level.FAULT, text) in found("secrets")
    path.chmod(0o600)
    assert [level for level, _text in found("secrets")] == [Level.OK]


def test_the_portal_must_not_read_the_password_of_the_owner(monkeypatch, tmp_path):
    """The owner of the tables could change what proves something."""
    path = tmp_path / "database-url"
    monkeypatch.setattr(machine, "OWNERS_URL", path)
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    assert not [text for level, text in found("secrets") if level is Level.FAULT]
    path.write_text("postgresql://breachportal_owner:sesame@127.0.0.1/breachportal")
    path.chmod(0o644)
    text = f"DATABASE_URL_FILE: other accounts may read {path} (mode 644)"
    assert (Level.FAULT, text) in found("secrets")
    monkeypatch.setattr(os, "geteuid", lambda: 0)  # with --owner
    assert not [text for level, text in found("secrets") if level is Level.FAULT]


def test_a_master_keyset_that_a_restart_deletes_is_a_fault(monkeypatch):
    monkeypatch.delenv("MASTER_KEYSET", raising=False)
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:  # mode 600
        monkeypatch.setenv("MASTER_KEYSET_FILE", file.name)
        assert any("is gone after a restart" in text for _level, text in found("secrets"))


def test_every_secret_of_the_settings_is_known():
    code = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "breachportal").glob("*.py")
    )
    kinds = "SECRET|TOKEN|PASSWORD|PRIVATE_KEY|KEYSET|SECRET_KEY|DATABASE_URL|REPLICA_URL|REDIS_URL"
    named = set(re.findall(rf'text\("((?:[A-Z]+_)*(?:{kinds}))"', code))
    assert "WEB_PUSH_PRIVATE_KEY" in named
    assert named <= set(machine.SECRETS)


def test_a_secret_in_the_environment_is_a_warning_without_its_value(monkeypatch):
    monkeypatch.setenv("EMAIL_HOST_PASSWORD", "hunter2")
    text = printed("secrets")
    assert "EMAIL_HOST_PASSWORD is in the environment" in text
    assert "hunter2" not in text


def test_beat_runs_once_twice_or_not(tmp_path):
    [(level, text)] = found("beat")
    assert (level, text[:7]) == (Level.FAULT, "no beat")
    with celery("beat", "--schedule", str(tmp_path / "one")):
        wait_until("beat", (Level.OK, "beat runs once"))
        with celery("beat", "--schedule", str(tmp_path / "two")):
            wait_until("beat", (Level.WARNING, "beat runs 2 times"))


def test_beat_works_while_redis_is_away(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    scheduler = object.__new__(beat.SeenScheduler)
    monkeypatch.setattr(beat.SeenScheduler, "_follow_clock", lambda _self: None)
    monkeypatch.setattr(PersistentScheduler, "tick", lambda _self: 0.5)
    assert scheduler.tick() == 0.5


def test_a_worker_of_one_queue_is_seen():
    with celery("worker", "--queues", "default", "--concurrency", "1", "--hostname", "work@%h"):
        wait_until("workers", (Level.OK, "queue default: work@"))
        assert [name[:13] for name in WORKERS.alive()] == ["default work@"]
        assert (Level.FAULT, "no worker serves the queue send") in found("workers")


def test_a_mail_server_that_refuses_the_account_is_a_fault(settings):
    settings.EMAIL_PORT = free_port()
    [(level, text)] = found("mail")
    assert level is Level.FAULT
    assert text == f"EMAIL_HOST 127.0.0.1:{settings.EMAIL_PORT}: [Errno 111] Connection refused"


def test_a_mail_server_that_answers_is_well(server, settings):
    place = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    assert found("mail")[0] == (Level.OK, f"EMAIL_HOST {place} accepts the portal")


def test_two_superusers_are_needed():
    User.objects.create_superuser(email="one@portal.example")
    assert (Level.WARNING, "superusers: 1, and two are needed") in found("team")
    User.objects.create_superuser(email="two@portal.example")
    call_command("make_roles", stdout=StringIO())
    assert found("team") == [(Level.OK, "2 superusers")]


def test_a_table_that_is_not_migrated_is_a_fault():
    from django.db.migrations.recorder import MigrationRecorder

    row = MigrationRecorder.Migration.objects.filter(app="scams").latest("pk")
    row.delete()
    try:
        assert (Level.FAULT, f"not migrated: scams {row.name}") in found("migrations")
    finally:
        row.save(force_insert=True)


BELIEVES = (Level.FAULT, "the portal believes an address that a visitor sends")


@pytest.mark.usefixtures("coupang")
def test_an_address_header_counts_only_behind_the_proxy_that_replaces_it(settings):
    settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER = "Visitoraddress"
    with web_processes("--workers 1", TRUSTED_ADDRESS_HEADER="Visitoraddress") as portal:
        wait_for(portal)
        settings.PORTAL_URL = f"http://127.0.0.1:{portal}"
        assert found("portal") == [(Level.OK, f"{settings.PORTAL_URL}/ko/ answers")]
        assert found("proxies") == [BELIEVES]
        if NGINX:
            with nginx(portal) as port:
                settings.PORTAL_URL = f"http://127.0.0.1:{port}"
                [(level, text)] = found("proxies")
                assert (level, text[:44]) == (
                    Level.OK,
                    "the portal sees this machine as 127.0.0.1, n",
                )


@pytest.mark.usefixtures("coupang")
def test_a_proxy_that_the_settings_do_not_name_is_found(settings):
    with web_processes("--workers 1") as portal:
        wait_for(portal)
        settings.PORTAL_URL = f"http://127.0.0.1:{portal}"
        [(level, text)] = found("proxies")  # the forged X-Forwarded-For is as a proxy's
        assert (level, text[:24]) == (Level.FAULT, "TRUSTED_PROXY_COUNT is 0")


def test_a_portal_that_does_not_answer_is_a_fault(settings):
    settings.PORTAL_URL = f"http://127.0.0.1:{free_port()}"
    assert found("portal") == [
        (Level.FAULT, f"{settings.PORTAL_URL} gives no answer: [Errno 111] Connection refused")
    ]
    settings.PORTAL_URL = settings.PORTAL_URL.replace("http:", "https:")
    assert found("certificate")[0][0] is Level.FAULT


def test_the_authorities_of_this_machine_are_trusted_as_for_the_certificate(
    settings, monkeypatch, live_server
):
    """Those of the package `certifi` do not include an authority of the company."""
    settings.PORTAL_URL = live_server.url
    monkeypatch.setattr(certifi, "where", lambda: "/nonexistent")
    assert (Level.OK, f"{live_server.url}/ko/ answers") in found("portal")


@pytest.mark.parametrize(
    ("name", "level", "text"),
    [
        ("expired_certificate", Level.FAULT, ": certificate has expired"),
        ("certificate", Level.WARNING, ", for 0 days"),
        ("lasting_certificate", Level.OK, ", for 19 days"),
    ],
)
def test_a_certificate_is_to_be_renewed_before_it_ends(
    settings, monkeypatch, request, name, level, text
):
    path = request.getfixturevalue(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)

    def greet(server: socket.socket) -> None:
        with suppress(ssl.SSLError), server.accept()[0] as plain:
            context.wrap_socket(plain, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=greet, args=[server])
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        settings.PORTAL_URL = f"https://{place}"
        [(_name, finding)] = diagnose(("certificate",))
        thread.join()
    assert (finding.level, finding.text.endswith(text)) == (level, True), finding.text
    assert ("certbot renew" in finding.remedy) == (level is not Level.OK)


class AnotherServer(LocalServer):
    """A web server that is not the portal, or a proxy whose portal does not answer."""

    def __init__(self, status: int, location: str = "", *, home: int = 0) -> None:
        self.status, self.location, self.home = status, location, home or status

    def serve(self, request, _body):
        request.send_response(self.home if request.path == "/" else self.status)
        if self.location and request.path == "/":
            request.send_header("Location", self.location)
        request.send_header("Content-Length", "0")
        request.end_headers()


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (400, "ALLOWED_HOSTS"),
        (404, "ALLOWED_HOSTS"),
        (500, "the log of the process `web`"),
        (502, "systemctl status breachportal-web"),
        (503, "systemctl status breachportal-web"),
        (504, "systemctl status breachportal-web"),
    ],
)
def test_a_wrong_answer_is_a_fault_with_its_status(settings, status, remedy):
    with AnotherServer(status) as server:
        settings.PORTAL_URL = server.url
        [portal, proxies] = [finding for _name, finding in diagnose(("portal", "proxies"))]
    assert (portal.level, portal.text) == (Level.FAULT, f"{server.url} answers {status}")
    assert remedy in portal.remedy
    assert proxies.level is Level.WARNING
    assert f"{status} " in proxies.text
    assert "\n" not in proxies.text
    assert (proxies.remedy == portal.remedy) == (status in (502, 503, 504))


@pytest.mark.parametrize(
    ("home", "status", "text", "remedy"),
    [
        (200, 503, "/healthz answers 503", "systemctl status breachportal-web"),  # a copy
        (503, 200, " answers 503", "the log of the process `web`"),  # of the portal itself
    ],
)
def test_a_home_page_that_nginx_keeps_is_not_taken_for_the_portal(
    settings, home, status, text, remedy
):
    with AnotherServer(status, home=home) as server:
        settings.PORTAL_URL = server.url
        [(_name, portal)] = diagnose(("portal",))
    assert (portal.level, portal.text) == (Level.FAULT, f"{server.url}{text}")
    assert remedy in portal.remedy


def test_a_portal_address_that_leads_to_another_server_is_a_fault(settings):
    with AnotherServer(200) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with AnotherServer(302, f"{elsewhere}/page") as server:
            settings.PORTAL_URL = server.url
            [(_name, finding)] = diagnose(("portal",))
    assert (finding.level, finding.text) == (Level.FAULT, f"{elsewhere}/page answers 200")
    assert "must lead to this portal" in finding.remedy


TRUSTED, UNKNOWN, OF_ANOTHER_HOST = "127.0.0.1", "127.0.0.1 unknown", "localhost"


@pytest.fixture(params=[TRUSTED, UNKNOWN, OF_ANOTHER_HOST])
def host(request, monkeypatch, certificate) -> str:
    """A host under which a server with `certificate` is reached."""
    if request.param != UNKNOWN:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return str(request.param)


def assert_names_the_certificate(check: str, host: str, server: str) -> None:
    first = next(finding for _name, finding in diagnose((check,)))
    if host == TRUSTED:
        assert first.level is Level.OK, first
        return
    assert (first.level, first.text.partition(": ")[0]) == (
        Level.FAULT,
        f"the certificate of {server} is refused",
    )
    assert "mismatch" in first.text or "match" in first.text or host == UNKNOWN
    assert "ca-certificates" in first.remedy


def test_a_redis_whose_certificate_is_refused(settings, certificate, host):
    with tls_before(redis_socket(), certificate) as port:
        settings.REDIS_URL = f"rediss://{host.split()[0]}:{port}/0"
        assert_names_the_certificate("redis", host, "Redis")


def test_a_postgresql_whose_certificate_is_refused(monkeypatch, certificate, tmp_path, host):
    known = connection.settings_dict
    path = f"{known['HOST']}/.s.PGSQL.{known['PORT'] or 5432}"
    connection.close()
    root = tmp_path / "missing.pem" if host == UNKNOWN else certificate
    with tls_before(path, certificate, is_postgresql=True) as port:
        monkeypatch.setitem(known, "HOST", host.split()[0])
        monkeypatch.setitem(known, "PORT", str(port))
        options = {"sslmode": "verify-full", "sslrootcert": str(root)}
        monkeypatch.setitem(known, "OPTIONS", known["OPTIONS"] | options)
        assert_names_the_certificate("database", host, "PostgreSQL")
        connection.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_server_whose_certificate_is_refused(settings, certificate, host, security):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = security == "starttls", security == "tls"
    with SmtpServer(ssl_context=context, is_implicit=security == "tls") as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = host.split()[0], server.port
        place = f"{settings.EMAIL_HOST}:{server.port}"
        assert_names_the_certificate("mail", host, f"EMAIL_HOST {place}")


def test_a_server_without_tls_is_named(settings, monkeypatch, tmp_path):
    settings.EMAIL_USE_SSL = True
    with SmtpServer() as server, socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        [(level, text)] = found("mail")
        assert (level, "answers without TLS" in text) == (Level.FAULT, True)
        refusing = Thread(target=lambda: silent.accept()[0].sendall(b"N" + b"x" * 64))
        refusing.start()
        known = connection.settings_dict
        connection.close()
        monkeypatch.setitem(known, "HOST", "127.0.0.1")
        monkeypatch.setitem(known, "PORT", str(silent.getsockname()[1]))
        monkeypatch.setitem(known, "OPTIONS", known["OPTIONS"] | {"sslmode": "require"})
        [(level, text)] = found("database")
        refusing.join()
        connection.close()
    assert (level, "PostgreSQL answers without TLS" in text) == (Level.FAULT, True)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis://8.8.8.8/0", "rediss://"),
        ("rediss://8.8.8.8/0?ssl_cert_reqs=none", "rediss://"),
        ("amqp://a:b@8.8.8.8//;amqp://9.9.9.9//", "amqps://"),
        ("rediss://8.8.8.8/0", ""),
        ("redis://10.0.0.1/0", ""),
        ("amqps://a:b@8.8.8.8//", ""),
        ("unix:///run/redis.sock", ""),
    ],
)
def test_a_connection_over_a_public_network_demands_a_checked_certificate(url, wanted):
    findings = list(encryption.unchecked_url("BROKER_URL", url))
    assert [one.level for one in findings] == [Level.WARNING] * bool(wanted)
    assert all(wanted in one.remedy for one in findings)


@pytest.mark.parametrize(
    ("options", "is_warned"),
    [
        ({}, True),
        ({"sslmode": "require"}, True),
        ({"sslmode": "prefer", "sslrootcert": "/etc/ca.pem"}, True),
        ({"sslmode": "require", "sslrootcert": "/etc/ca.pem"}, False),
        ({"sslrootcert": "system"}, False),
        ({"sslmode": "verify-full"}, False),
    ],
)
def test_a_database_over_a_public_network_demands_a_checked_certificate(
    options, is_warned, monkeypatch
):
    monkeypatch.setattr(encryption, "_is_public", lambda _host: True)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    levels = [one.level for one in encryption.unchecked_database()]
    assert levels == [Level.WARNING] * is_warned


def test_what_is_wrong_on_this_machine_and_in_the_database_is_named(
    settings, monkeypatch, tmp_path
):
    """The findings that no other test sees, each on a system that is broken in this way."""
    Group.objects.all().delete()
    monkeypatch.setattr(servers, "OLDEST_POSTGRESQL", 99)
    monkeypatch.setattr(database_checks, "MOST_DRIFT", timedelta(seconds=-1))
    monkeypatch.setattr(
        servers, "_TIME_ERROR", ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    )
    settings.STATIC_ROOT = settings.STATIC_COPY = tmp_path / "missing"
    for check, text in (
        ("database", "PostgreSQL 1"),
        ("clock", "this machine and the database differ by 0 seconds"),
        ("clock", "the clock of this machine is not kept right by NTP"),
        ("code", f"no static files are collected in {tmp_path}/missing"),
        ("disk", f"this account cannot write to {tmp_path}/missing"),
        ("account", "the account in DATABASE_URL may change or delete rows"),
        ("team", "the roles are missing"),
        ("settings", "BREACHPORTAL_MODE is not production"),
    ):
        wrong = [said for level, said in found(check) if level is not Level.OK]
        assert any(said.startswith(text) for said in wrong), (check, wrong)


def test_what_is_wrong_with_redis_is_named(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(servers, "OLDEST_REDIS", (99, 0))
    with own_redis(tmp_path) as url, redis.Redis.from_url(url) as server:
        settings.REDIS_URL = url
        server.config_set("maxmemory", "1gb")
        server.config_set("maxmemory-policy", "allkeys-lru")
        server.rpush("send", json.dumps({"headers": {"sent_at": time.time() - 500}}))
        texts = [text for level, text in found("redis") if level is Level.FAULT]
        assert texts[0].startswith("Redis 6")
        assert texts[1] == "Redis removes keys when its memory is full (allkeys-lru)"
        [waits] = [text for level, text in found("workers") if level is Level.WARNING]
    assert waits.startswith("queue send: 1 tasks wait, the oldest for 50")


def test_a_mail_domain_without_its_records_is_a_warning(settings, monkeypatch):
    settings.EMAIL_HOST, settings.MAIL_DOMAIN = "192.0.2.1", "notice.example"
    monkeypatch.setattr(DnsRecords, "_records", lambda *_question: [])
    findings = [one for _name, one in diagnose(("mail domain",))]
    assert {one.level for one in findings} == {Level.WARNING}
    assert any("notice.example has no record; publish TXT: v=spf1" in one.text for one in findings)
    assert "check_mail_domain" in findings[0].remedy

    def away(*_question: object) -> list[object]:
        raise DNSException("no answer")

    monkeypatch.setattr(DnsRecords, "_records", away)
    assert len(found("mail domain")) == 1


def test_only_the_doctor_learns_through_a_proxy_what_the_portal_sees(settings):
    settings.ALLOWED_HOSTS = ["*"]
    past = {"x-forwarded-for": "192.0.2.1"}
    ask = Client().get
    assert ask("/healthz", headers=past).status_code == 404
    assert ask("/healthz", headers=past | {"portaldoctor": "x:y:z"}).status_code == 404
    signed = past | {"portaldoctor": health.probe()}
    with override("ko"):  # the language of the request before in this thread
        seen = ask("/healthz", headers=signed).json()
    assert seen["address"] == "127.0.0.1"
    assert seen["problem"].startswith("TRUSTED_PROXY_COUNT is 0")
    assert ask("/readyz", headers=signed).status_code == 404
    settings.SECRET_KEY = "another secret key, with which the probe is not signed"
    assert ask("/healthz", headers=signed).status_code == 404


@pytest.mark.parametrize(
    ("mode", "level"), [(0o400, Level.OK), (0o440, Level.OK), (0o444, Level.FAULT)]
)
def test_a_mounted_secret_may_be_read_by_the_group_of_the_pod(monkeypatch, tmp_path, mode, level):
    path = tmp_path / "secret"
    path.write_text("of root")
    path.chmod(mode)
    monkeypatch.setenv("REDIS_URL_FILE", str(path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    levels = [one for one, text in found("secrets") if str(path) in text or "in files" in text]
    assert max(levels, key=list(Level).index) is level


@pytest.mark.parametrize(
    ("path", "mount", "is_volatile"),
    [
        ("/run/secrets/master-keyset", "/run/secrets/master-keyset", False),  # Compose
        ("/run/secrets/portal/MASTER_KEYSET", "/run/secrets/portal", False),  # Kubernetes
        ("/run/secrets/master-keyset", "/run", True),  # a folder of the machine itself
        ("/run/user/1000/master-keyset", "/run/user/1000", True),
        ("/run/secrets2/master-keyset", "/run/secrets2", True),
        ("/etc/breachportal/secrets/master-keyset", "/", False),
    ],
)
def test_a_secret_that_an_engine_mounts_stays(monkeypatch, path, mount, is_volatile):
    monkeypatch.setattr(os.path, "ismount", lambda place: str(place) == mount)
    assert machine._is_volatile(Path(path)) is is_volatile
