"""`make demo` for a visitor: it becomes ready, shows pages and ends every process."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from allauth.mfa.models import Authenticator

from accounts.models import User
from accounts.second_factor_secrets import decrypt_for
from breachportal.demo import app_codes
from breachportal.demo import sample as demo_sample
from harness import exposure_factory
from harness.product import free_port
from harness.sign_in import sign_in
from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.models import ExposureBatch, ExposureFile
from statements import sample

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240


class Demo:
    """A running demonstration with its own `var` directory."""

    def __init__(self, var: Path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.printed: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=os.environ
            | {
                "BREACHPORTAL_MODE": "demo",
                "BREACHPORTAL_VAR": str(var),
                "PORT": str(self.port),
                "PYTHONUNBUFFERED": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_ready(self) -> "Demo":
        assert self.process.stdout
        deadline = time.monotonic() + PATIENCE_SECONDS
        for line in self.process.stdout:
            self.printed.append(line)
            if "Ctrl-C stops everything" in line:
                return self
            assert time.monotonic() < deadline, "".join(self.printed)
        raise AssertionError("".join(self.printed))

    def page(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path) as response:
            return response.read().decode()

    def processes(self) -> list[psutil.Process]:
        return [self.process_of_demo(), *self.process_of_demo().children(recursive=True)]

    def process_of_demo(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_error: object) -> None:
        """Ends the demonstration even if the test failed."""
        if self.process.poll() is None:
            self.interrupt()

    def interrupt(self) -> None:
        """Sends SIGINT to the process group, as Ctrl-C does, and waits for its end."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=60)


@pytest.fixture
def var(tmp_path):
    return tmp_path / "a path with spaces"


def running_for(var: Path) -> list[psutil.Process]:
    """Returns all processes that use `var`: ours and both servers."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline", "cwd"])
        if str(var) in " ".join(process.info["cmdline"] or []) + str(process.info["cwd"])
    ]


def names_of(processes: list[psutil.Process]) -> set[str]:
    """Returns the names of those that still run: PostgreSQL ends the process of a connection."""
    names = set()
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                names.add(process.name())
    return names


def assert_all_end(processes: list[psutil.Process]) -> None:
    _gone, alive = psutil.wait_procs(processes, timeout=30)
    assert not names_of(alive)


def test_demo_becomes_ready_and_ctrl_c_ends_every_process(var):
    with Demo(var) as demo:
        demo.wait_until_ready()
        printed = "".join(demo.printed)
        assert f"breachportal is ready at {demo.url}/" in printed
        assert "3,120 rows read, 3,030 taken, 90 rejected" in printed
        assert "2,940 mails accepted" in printed
        assert "user00001@gmail.example" in demo.page("/demo/mail/?to=user00001@gmail.example")
        apps = demo.page("/demo/authenticator/")
        for account in (demo_sample.EDITOR, *demo_sample.ROLE_ACCOUNTS.values()):
            assert account in printed
            assert account in apps
        started = [*demo.processes(), *running_for(var)]
        assert names_of(started) >= {"postgres", "redis-server"}
        demo.interrupt()
        assert_all_end(started)

    with Demo(var) as again:
        again.wait_until_ready()
        assert "from an earlier start" in "".join(again.printed)
        assert "2,940 mails accepted" in "".join(again.printed)
        mailbox = again.page("/demo/mail/?to=user00001@gmail.example")
        assert mailbox.count("user00001@gmail.example") > 1
        started = [*again.processes(), *running_for(var)]
        # The terminal is closed: its pipe is closed, and the process group gets SIGHUP.
        assert again.process.stdout
        again.process.stdout.close()
        os.kill(again.process.pid, signal.SIGHUP)
        again.process.wait(timeout=60)
        assert_all_end(started)


def test_demo_refuses_a_taken_port(var):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=os.environ
            | {
                "BREACHPORTAL_MODE": "demo",
                "BREACHPORTAL_VAR": str(var),
                "PORT": str(taken.getsockname()[1]),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "is taken" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", ["/demo/mail/", "/demo/authenticator/"])
def test_demo_pages_exist_in_demo_mode_only(client, db, path):
    assert client.get(path).status_code == 404


def load_first_file(incident, tmp_path):
    loading.import_file(
        demo_sample.EXPORT / "export-2025-11" / "members.csv",
        incident=incident,
        mapping_text=(demo_sample.EXPORT / "members.toml").read_text(encoding="utf-8"),
        rejects_path=tmp_path,
    )


def fail_a_file(incident, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(ImportRefusedError):
        loading.import_file(
            empty,
            incident=incident,
            mapping_text=demo_sample.EXPORT.joinpath("members.toml").read_text(),
        )


@pytest.mark.django_db
def test_an_interrupted_start_is_completed_by_the_next(settings, tmp_path):
    settings.VAR = tmp_path
    incident = sample.load_sample_incident()
    load_first_file(incident, tmp_path)
    fail_a_file(incident, tmp_path)
    demo_sample.prepare(print)

    batch = ExposureBatch.objects.get(incident=incident)
    loaded = batch.files.filter(state=ExposureFile.State.LOADED)
    assert batch.state == ExposureBatch.State.CLOSED
    assert sorted(loaded.values_list("name", flat=True)) == sorted(demo_sample.FILES)


@pytest.mark.django_db
@pytest.mark.parametrize("role", demo_sample.ROLE_ACCOUNTS)
def test_each_role_account_signs_in_with_mailbox_and_authenticator(client, role, settings):
    demo_sample.make_role_accounts()
    demo_sample.make_role_accounts()
    email = demo_sample.ROLE_ACCOUNTS[role]
    response = sign_in(client, email, next="/admin/")
    data = Authenticator.objects.get(user__email=email).data
    secret = decrypt_for(User.objects.get(email=email).pk, data["secret"])
    response = client.post(response.url, {"code": app_codes.code_at(secret, time.time())})
    assert response.url == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert [group.name for group in User.objects.get(email=email).groups.all()] == [role]


@pytest.mark.django_db
def test_changes_of_a_visitor_are_not_overwritten(settings, tmp_path):
    settings.VAR = tmp_path
    demo_sample.prepare(print)
    batch = ExposureBatch.objects.get()
    exposure_factory.withdraw(batch, "a visitor tries it out")
    fail_a_file(batch.incident, tmp_path)
    printed: list[str] = []
    demo_sample.prepare(printed.append)

    assert printed == ["The sample incident is there from an earlier start."]
    assert not ExposureBatch.objects.filter(state=ExposureBatch.State.CLOSED).exists()
