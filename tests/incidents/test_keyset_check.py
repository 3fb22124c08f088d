"""A process does not start with a master keyset that does not open the incidents."""

import os
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from foundations import keys
from incidents import keyset_check
from tests.database import database_url
from tests.incident_factory import another_incident
from tests.running.test_database_connections import start


@pytest.fixture
def other(incident):
    return another_incident(incident, "other-2025")


def test_the_right_keyset_opens_all(other):
    assert keyset_check.incidents_that_do_not_open() == []


def test_another_keyset_is_refused_and_names_the_incidents(other, settings):
    settings.MASTER_KEYSET = keys.new_master_keyset()
    with pytest.raises(SystemCheckError, match="hanbit-2025, other-2025"):
        call_command("check", databases=["default"])


def test_a_file_that_is_no_keyset_is_refused(other, settings):
    settings.MASTER_KEYSET = "-----BEGIN CERTIFICATE-----"
    with pytest.raises(SystemCheckError, match="hanbit-2025, other-2025"):
        call_command("check", databases=["default"])


def test_a_shredded_incident_needs_no_keyset(other, settings):
    other.shred()
    settings.MASTER_KEYSET = keys.new_master_keyset()
    assert keyset_check.incidents_that_do_not_open() == ["hanbit-2025"]


@pytest.mark.django_db(transaction=True)
def test_a_process_stops_at_its_start(incident, monkeypatch):
    monkeypatch.setenv("MASTER_KEYSET", keys.new_master_keyset())
    done = start(database_url())
    assert done.returncode == 1
    assert "does not open the data of: hanbit-2025" in done.stderr


@pytest.mark.parametrize(
    "url", ["amqp://broker:5672/", "http://redis.internal:6379", "redis.internal"]
)
def test_a_url_that_is_not_of_redis_is_refused_at_once(url):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | {"REDIS_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "REDIS_URL must begin with one of redis://, rediss://, unix://" in done.stderr
