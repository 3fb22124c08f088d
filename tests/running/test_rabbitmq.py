"""The queues in RabbitMQ by one setting: a notice, the figures, the doctor, and refusals."""

import json
import os
import subprocess
import sys
import tempfile

import pytest
from django.conf import settings as django_settings

from breachportal.doctor import servers
from breachportal.doctor.diagnosis import Level
from harness.product import ROOT
from tests.database import conninfo
from tests.rabbitmq_server import SERVER, rabbitmq

needs_server = pytest.mark.skipif(not SERVER.exists(), reason="apt-get install rabbitmq-server")
TESTS = (
    "tests/notices/test_sending_worker.py",
    "tests/running/test_metrics.py::test_the_length_and_the_age_of_a_queue",
)


@pytest.fixture(scope="module")
def broker():
    with rabbitmq() as url:
        yield url


def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs Python in the repository, with the servers of these tests."""
    own = {"DATABASE_URL": conninfo(), "REDIS_URL": django_settings.REDIS_URL}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | own | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def finding_of_doctor(url: str) -> tuple[str, str]:
    """Returns the level and the text of what the doctor says about a broker."""
    done = run("manage.py", "doctor", "--json", "broker", BROKER_URL=url)
    [finding] = json.loads(done.stdout)
    return finding["level"], finding["text"]


@needs_server
def test_notices_and_figures_through_rabbitmq(broker):
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}/tests"]
        own = {"DATABASE_URL": "", "REDIS_URL": "", "PYTEST_XDIST_WORKER": ""}
        done = run(*words, *TESTS, BROKER_URL=broker, BREACHPORTAL_VAR=f"{folder}/var", **own)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@needs_server
def test_the_doctor_names_its_version(db, broker):
    level, text = finding_of_doctor(broker)
    assert (level, text[:9]) == ("ok", "RabbitMQ ")


@needs_server
def test_the_doctor_says_why_the_portal_is_refused(db, broker):
    level, text = finding_of_doctor(broker.replace("guest:guest@", "guest:sesame@"))
    assert level == "fault"
    assert "ACCESS_REFUSED" in text
    assert "sesame" not in text


def test_the_doctor_says_that_no_server_is_there(db):
    assert finding_of_doctor("amqp://guest:guest@127.0.0.1:1//")[0] == "fault"


def test_the_doctor_of_queues_in_redis_has_nothing_to_check():
    [finding] = servers.check_broker()
    assert finding.level is Level.OK


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "http://broker", "broker:5672"])
def test_another_url_is_refused_at_once(url):
    done = run("manage.py", "check", BROKER_URL=url)
    assert done.returncode == 1
    assert "BROKER_URL must begin with one of amqp://, amqps://" in done.stderr
