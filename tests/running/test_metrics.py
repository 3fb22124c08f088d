"""The figures of /metrics: who may read them, their format, and what they say."""

import json
import re
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import code_limits, code_states
from breachportal.celery import app
from breachportal.metrics import HELP
from harness import exposure_factory
from notices import tasks
from notices.models import Chunk, Notice
from tests.notice_factory import affected
from tests.running.test_health import ask

pytest_plugins = ["tests.notice_fixtures"]
ROOT = Path(__file__).parents[2]
NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:e[+-]?\d+)?)")


@pytest.fixture(autouse=True)
def _on(settings):
    settings.METRICS = "on"


def figures() -> dict[str, float]:
    """Returns {name with labels: value}, read by the rules of the exposition format."""
    response = ask("/metrics")
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = response.content.decode()
    assert text.endswith("\n")
    found: dict[str, float] = {}
    families: list[str] = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            families.append(line.split(" ", 3)[2])
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {families[-1]} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == families[-1]
            key = line.rpartition(" ")[0].removeprefix("breachportal_")
            assert key not in found
            found[key] = float(match[3])
    assert len(set(families)) == len(families)
    return found


def test_the_board_of_grafana_shows_figures_that_exist():
    board = json.loads((ROOT / "deploy/grafana/breachportal.json").read_text(encoding="utf-8"))
    queries = [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    shown = {name for query in queries for name in re.findall(r"breachportal_(\w+)", query)}
    assert shown == HELP.keys()


def test_the_page_is_off_unless_it_is_switched_on(db, settings):
    settings.METRICS, settings.ALLOWED_HOSTS = "off", ["*"]
    assert ask("/metrics").status_code == 404


def test_the_page_is_not_public(db, settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert ask("/metrics", "8.8.8.8").status_code == 404
    assert ask("/metrics", "127.0.0.1", **{"x-forwarded-for": "10.0.0.7"}).status_code == 404


def test_every_figure_can_be_read_and_has_words(notice, settings, tmp_path):
    settings.BACKUP_FOLDER = str(tmp_path)
    (tmp_path / f"breachportal-{timezone.now() - timedelta(hours=2):%Y%m%dT%H%M%S}Z.dump").touch()
    found = figures()
    assert {key: found[key] for key in found if key.startswith("group_read")} == {
        f'group_read{{group="{group}"}}': 1
        for group in ("queues", "notices", "leases", "clocks", "codes", "connections", "disk")
    }
    assert {key.partition("{")[0] for key in found} >= HELP.keys() - {"legal_clock_next_seconds"}
    assert 7100 <= found["backup_age_seconds"] <= 7300
    assert 1 <= found["database_connections"] <= found["database_connections_limit"]
    assert found["disk_free_bytes"] > 0


def test_the_length_and_the_age_of_a_queue(db):
    assert figures()['queue_oldest_seconds{queue="send"}'] == 0
    tasks.send_chunks.delay(1)
    time.sleep(1.1)
    tasks.send_chunks.delay(2)
    try:
        found = figures()
    finally:
        app.control.purge()
    assert found['queue_tasks{queue="send"}'] == 2
    assert 1 < found['queue_oldest_seconds{queue="send"}'] < 60
    assert found['queue_tasks{queue="import"}'] == 0


def test_the_progress_of_a_notice(notice):
    tasks.plan_notice(notice.pk)
    chunk = Chunk.objects.get(notice=notice)
    chunk.state, chunk.accepted = Chunk.State.LEASED, 1
    chunk.leased_until = timezone.now() - timedelta(minutes=1)
    chunk.save()
    found = figures()
    of = f'notice_deliveries{{notice="{notice.pk}",state='
    assert (found[of + '"planned"}'], found[of + '"accepted"}']) == (3, 1)
    assert found['notices{state="sending"}'] == 1
    assert (found['leases{state="held"}'], found['leases{state="ran_out"}']) == (0, 1)
    Notice.objects.filter(pk=notice.pk).update(audience=Notice.Audience.TEST)
    assert of + '"planned"}' not in figures()


def test_an_overdue_clock_is_counted(incident):
    incident.aware_at = timezone.now() - timedelta(hours=1)
    incident.save()
    overdue = f'legal_clocks{{incident="{incident.pk}",state="overdue"}}'
    before = figures()
    assert before[overdue] == 0
    assert before[f'legal_clock_next_seconds{{incident="{incident.pk}"}}'] > 0
    incident.aware_at = timezone.now() - timedelta(days=30)
    incident.save()
    assert figures()[overdue] > 0


def test_refused_code_mails_and_codes_in_the_database_are_shown(db):
    assert (figures()["code_mails_refused"], figures()["codes_in_database"]) == (0, 0)
    cache.set(code_limits.ALARM, True)
    code_states.note_redis_away()
    assert (figures()["code_mails_refused"], figures()["codes_in_database"]) == (1, 1)


@pytest.mark.parametrize("answers", ["refuses", "hangs"])
def test_the_other_figures_come_in_time_while_redis_is_away(notice, settings, answers):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = 1 if answers == "refuses" else server.getsockname()[1]
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        default = settings.CACHES["default"] | {"LOCATION": settings.REDIS_URL}
        settings.CACHES = {"default": default}
        began = time.monotonic()
        found = figures()
    assert time.monotonic() - began < 8  # Prometheus waits for ten seconds by default
    assert (found['part_up{part="redis"}'], found['part_up{part="database"}']) == (0, 1)
    assert found['group_read{group="queues"}'] == 0
    assert found['group_read{group="notices"}'] == 1
    assert "codes_in_database" in found


def test_the_figures_cost_the_same_for_any_number_of_people_and_name_none(notice, people, version):
    tasks.plan_notice(notice.pk)
    with CaptureQueriesContext(
        connection,
    ) as few:
        figures()
    file = exposure_factory.file_of(notice.incident)
    for number in range(20):
        affected(file, f"고객 {number}", f"customer{number}@example.com")
    with CaptureQueriesContext(connection) as many:
        text = ask("/metrics").content.decode()
    assert len(few) == len(many) < 40
    statements = " ".join(query["sql"] for query in many.captured_queries)
    assert not re.search(
        "notices_delivery|incidents_(affectedperson|exposure|filecontact)\\b", statements
    )
    assert not re.search(f"minji|@|{notice.incident.slug}", text)
