"""An upgrade and a way back while a notice is being sent: `make drill-upgrade`.

Installs this version with deploy/install on a machine with systemd, sends a notice to PEOPLE=
people to a mail server of this process, lets visitors ask for pages through nginx, brings in
another version with deploy/upgrade, and leads back. Exits with 1 if a request fails, if a delivery
is in doubt or missing, or if the machine does not run what it should. It needs root, debootstrap,
systemd-nspawn, and the ports 80, 443, 2526, 5432, 6379, 8000 and 8001.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from benchmarks import systemd_machine
from benchmarks.systemd_machine import Machine
from benchmarks.visitors import Visitors
from tests.drills.mail_server import MailServer

HOST = "notice.example.com"
ROOT = Path(__file__).parent.parent
PEOPLE = int(os.environ.get("PEOPLE") or 20_000)
RATE = int(os.environ.get("RATE") or 10)  # messages a second, so that the send outlasts both
RATE_AFTERWARDS, MOST_SECONDS = 500, 900.0
MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]
    operations = [
        migrations.RunSQL("ALTER TABLE incidents_incident ADD COLUMN drill integer",
                          "ALTER TABLE incidents_incident DROP COLUMN drill"),
    ]
"""
EMPTY = """
    systemctl stop breachportal.target 'breachportal-*'
    rm -rf /opt/breachportal /opt/breachportal-versions /etc/breachportal /var/lib/breachportal
    cd / && runuser -u postgres -- dropdb --if-exists --force breachportal
"""
SETTINGS = """
    while IFS='=' read -r name value; do
        [[ $name =~ ^[A-Z_]+$ ]] && export "$name=$value"
    done </etc/breachportal/production.env
    export BREACHPORTAL_VAR=/var/lib/breachportal PYTHONDONTWRITEBYTECODE=1
    export PYTHONPATH=/trial/packages
    export DATABASE_URL_FILE=/etc/breachportal/owner/database-url
    export DJANGO_SETTINGS_MODULE=breachportal.settings
    cd /opt/breachportal && exec .venv/bin/python -m tests.upgrade_inside "$@"
"""
_violations: list[str] = []
Result = TypeVar("Result")


def must(is_so: bool, what: str) -> None:
    """Records and prints a violation if `is_so` is false."""
    if not is_so:
        _violations.append(what)
        print(f"  VIOLATION: {what}", flush=True)


def main() -> None:
    """Runs the drill below the folder INTO=."""
    folder = Path(os.environ.get("INTO") or "/tmp/breachportal-upgrade")  # noqa: S108
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "machine"
    systemd_machine.make(root)
    _prepare(root)
    with MailServer(folder / "taken.log") as server, systemd_machine.booted(root) as machine:
        _timed("install", lambda: _install(machine, server.port))
        _inside(machine, "stage", str(PEOPLE))
        _wait(lambda: server.taken_count() > RATE, "the first mails")
        context = ssl.create_default_context(cafile=str(root / "trial" / "cert.pem"))
        for name, script in (("upgrade", "/new/deploy/upgrade"), ("back", "/src/deploy/upgrade")):
            _change(machine, name, script, context)
            print(f"  {_inside(machine, 'progress').strip()}", flush=True)
            must(server.taken_count() < PEOPLE, "the notice ended before the change; more PEOPLE=")
        _set_rate(machine, RATE_AFTERWARDS)
        _finish(machine, folder)
    print("did NOT hold" if _violations else "held")
    sys.exit(1 if _violations else 0)


def _prepare(root: Path) -> None:
    """Puts this version, the next one, a certificate and what the drill needs below `root`."""
    for name in ("src", "new", "trial"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        for version in ("src", "new"):
            if (ROOT / name).is_file():
                (root / version / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / version / name)
    project = root / "new" / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".*"', 'version = "99.0.0"', project.read_text()))
    (root / "new/incidents/migrations/0002_drill.py").write_text(MIGRATION)
    shutil.copytree(Path(psutil.__file__).parent, root / "trial/packages/psutil")
    if authority := os.environ.get("PIP_CERT"):
        shutil.copy(authority, root / "trial" / "ca.crt")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "60"]
        + ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},DNS:localhost"]
        + ["-keyout", str(root / "trial/key.pem"), "-out", str(root / "trial/cert.pem")],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    trusted = root / "usr/local/share/ca-certificates/trial.crt"
    shutil.copy(root / "trial" / "cert.pem", trusted)
    hosts = root / "etc" / "hosts"
    if HOST not in (hosts.read_text() if hosts.exists() else ""):
        with hosts.open("a") as file:
            file.write(f"127.0.0.1 localhost {HOST}\n")


def _install(machine: Machine, port: int) -> None:
    """Removes what a former run left, and installs this version with a low rate of mails."""
    machine.run("bash", "-c", EMPTY, check=False)
    machine.run("update-ca-certificates")
    done = machine.run(
        *("bash", "-c", '[[ ! -e /trial/ca.crt ]] || export PIP_CERT=/trial/ca.crt; exec "$@"'),
        *("bash", "/src/deploy/install", "--host", HOST, "--smtp", f"127.0.0.1:{port}"),
        *("--smtp-security", "none", "--from", "Example <notice@example.com>"),
        *("--admin", "a@example.com", "--admin", "b@example.com"),
        *("--certificate", "/trial/cert.pem", "--key", "/trial/key.pem"),
    )
    print(done.stdout, flush=True)
    # The doctor asks the portal by its own certificate.
    _set(machine, "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt")
    _set_rate(machine, RATE)


def _set_rate(machine: Machine, rate: int) -> None:
    """Sets the messages a second, and lets the senders read it."""
    _set(machine, f"NOTICE_RATES=*={rate}")
    machine.run("systemctl", "restart", "breachportal-send")


def _set(machine: Machine, setting: str) -> None:
    """Adds a setting; the last one of a name counts."""
    machine.run("bash", "-c", 'echo "$1" >>/etc/breachportal/production.env', "-", setting)


def _change(machine: Machine, name: str, script: str, context: ssl.SSLContext) -> None:
    """Runs the upgrade, or the way back, under visitors and readers of the tables."""
    slowest: list[float] = []
    reader = threading.Thread(
        target=lambda: slowest.append(float(_inside(machine, "read", "60"))), daemon=True
    )
    reader.start()
    words = [] if name == "upgrade" else ["--back"]
    shell = '[[ ! -e /trial/ca.crt ]] || export PIP_CERT=/trial/ca.crt; exec "$@"'
    with Visitors("https://localhost", HOST, context) as visitors:
        time.sleep(5)
        done = _timed(
            name,
            lambda: machine.run("bash", "-c", shell, "bash", script, *words, check=False),
        )
        time.sleep(5)
    reader.join()
    print(done.stdout, flush=True)
    counts = dict(visitors.counts) | {"slowest_s": round(visitors.slowest, 2)}
    print(f"  visitors: {counts}; a reader waited {max(slowest):.3f} s at most", flush=True)
    must(not visitors.failures, f"{len(visitors.failures)} requests: {visitors.failures[:10]}")
    runs = machine.run("readlink", "/opt/breachportal").stdout
    must(("99.0.0" in runs) == (name == "upgrade"), f"the machine runs {runs}")
    must("Done" in done.stdout, f"{name} ended with {done.returncode}")


def _finish(machine: Machine, folder: Path) -> None:
    """Waits for the end of the notice and compares it with the mail server's log."""
    _wait(lambda: "closed" in _inside(machine, "progress"), "the end of the notice", every=5)
    shutil.copy(folder / "taken.log", folder / "machine" / "trial" / "taken.log")
    found = json.loads(
        _inside(machine, "compare", str(PEOPLE), "/trial/taken.log").splitlines()[-1]
    )
    for what, figure in found["figures"].items():
        print(f"  {what:<20} {figure}")
    for violation in found["violations"]:
        must(False, violation)


def _inside(machine: Machine, *words: str) -> str:
    return machine.run("bash", "-c", SETTINGS, "bash", *words).stdout


def _wait(reached: Callable[[], bool], what: str, *, every: float = 1.0) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come")
        time.sleep(every)


def _timed(name: str, act: Callable[[], Result]) -> Result:
    began = time.monotonic()
    result = act()
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return result


if __name__ == "__main__":
    main()
