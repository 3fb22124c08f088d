"""With LOG_FORMAT=json each line of each process is an object; an id joins those of one request.

The same id joins the spans that the processes send to a collector of OpenTelemetry.
"""

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from foundations import request_ids, traces
from foundations.logs import JsonLine
from harness.product import BIN, free_port
from harness.sign_in import sign_in_to_desk
from tests.database import database_url
from tests.desk_pages import notice_url
from tests.notice_factory import wait_until_closed
from tests.pages.test_no_leaks import Visitor, wait_for
from tests.running.test_traces import spans
from tests.webhook_receiver import WebhookReceiver, webhook_receiver

pytest_plugins = ["tests.notice_fixtures"]
ROOT = Path(__file__).parents[2]
END_OF_CELERY = "\nworker: Warm shutdown (MainProcess)\n"  # written within its signal handler
SENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_request():
    """Forgets the request of an earlier test, whose id the thread keeps."""
    request_ids.work_for("")


def line_of(message: str, *args: object, error: BaseException | None = None) -> str:
    trace = (type(error), error, error.__traceback__) if error else None
    return JsonLine().format(logging.LogRecord("portal", logging.INFO, "", 1, message, args, trace))


def test_a_line_has_time_level_logger_and_message():
    found = json.loads(line_of("notice %s ended", 7))
    assert found.pop("time")[-6] in "+-"
    assert found == {"level": "INFO", "logger": "portal", "message": "notice 7 ended"}


def test_a_line_and_its_traceback_have_no_personal_data():
    said = "minji@example.com\nDETAIL:  Key (address)=(서울) exists"
    try:
        raise ValueError(said)
    except ValueError as error:
        line = line_of("failed for %s at /certificates/secret", "+821055557777", error=error)
    found = json.loads(line)
    assert found["message"] == "failed for +… at /certificates/…"
    assert "ValueError: …@…\nDETAIL: …" in found["traceback"]
    assert "minji" not in line
    assert "uc11c" not in line


@given(st.text(st.characters(exclude_categories=[])))
def test_any_message_is_one_line(message):
    line = line_of(message.replace("%", ""))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert "message" in json.loads(line) or not message.replace("%", "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        (SENT, True),
        ("01234567-89ab-cdef-0123-456789abcdef", True),
        ("", False),
        ("minji@example.com", False),
        ("4111111111111111", False),
        (SENT + "\n", False),
        (SENT + "0", False),
        (SENT.replace("0", "٠"), False),
    ],
)
def test_an_id_is_taken_from_the_proxy_only_if_it_is_one(sent, is_taken):
    response = Client().get("/en/", headers={request_ids.HEADER: sent})
    assert (request_ids.current() == sent) is is_taken
    assert len(request_ids.current()) in (32, 36)
    assert request_ids.current() not in str(response.headers)


def test_a_new_request_gets_a_new_id():
    seen = {Client().get("/healthz") and request_ids.current() for _ in range(3)}
    assert len(seen) == 3


def started(command: list[str], output: Path, environment: dict[str, str]) -> Any:
    with output.open("wb") as written:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT
        )


@pytest.fixture
def collector():
    with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
def processes(transactional_db, server, collector, tmp_path):
    """A web process and a worker that write JSON; gives its port and the files of their output."""
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": django_settings.REDIS_URL,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(server.port),
        "LOG_FORMAT": "json",
        "TRACES_URL": collector.url,
        "GRANIAN_LOG_CONFIG": str(ROOT / "deploy" / "granian-json.json"),
        "CELERY_QUIET": "true",
    }
    port, web, work, beat = free_port(), *(tmp_path / name for name in ("web", "work", "beat"))
    celery = [str(BIN / "celery"), "-A", "breachportal"]
    granian = [str(BIN / "granian"), "--host", "127.0.0.1", "--port", str(port), "--access-log"]
    commands = {
        web: [*granian, "--interface", "wsgi", "--no-ws", "breachportal.wsgi:application"],
        work: [*celery, "worker", "--queues", "send,default", "--concurrency", "1"],
        beat: [*celery, "beat", "--schedule", str(tmp_path / "schedule"), "--loglevel", "INFO"],
    }
    running = [started(command, output, environment) for output, command in commands.items()]
    try:
        wait_for(port)
        yield port, list(commands)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=120)
    text = work.read_text(encoding="ascii")
    work.write_text(text.replace(END_OF_CELERY, ""), encoding="ascii")
    assert all(objects(output) for output in commands)  # the lines of the end, too


def objects(output: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in output.read_text(encoding="ascii").splitlines()]


def with_message(output: Path, start: str, seconds: float = 20) -> dict[str, str]:
    """Returns the object whose message starts so; waits for it, because it may come late."""
    deadline = time.monotonic() + seconds
    while True:
        found = [one for one in objects(output) if one.get("message", "").startswith(start)]
        if found or time.monotonic() > deadline:
            return found[0]
        time.sleep(0.2)


def of_trace(
    collector: WebhookReceiver, kind: int, *, name: str = "", seconds: float = 20
) -> list[dict[str, Any]]:
    """Returns the spans of this kind in the trace SENT that hold `name`; waits for the first.

    Each process sends its own, so that the page after a form can come before the form.
    """
    deadline = time.monotonic() + seconds
    while True:
        kinds = [one for one in spans(collector) if (one["traceId"], one["kind"]) == (SENT, kind)]
        found = [one for one in kinds if name in one["name"]]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def test_an_id_joins_the_lines_and_spans_of_web_process_and_worker(
    processes, collector, draft, people, approver
):
    port, (web, work, beat) = processes
    client = Client()
    sign_in_to_desk(client, approver)
    visitor = Visitor(port)
    for name, morsel in client.cookies.items():
        visitor.http.cookies.set(name, morsel.value)
    address = notice_url("approve", draft)
    page = visitor.get(address).text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    visitor.http.headers[request_ids.HEADER] = SENT
    visitor.post(address, people="3", seen=seen)
    notice = wait_until_closed(draft, seconds=60)

    approved = with_message(web, f"notice {notice.pk}: user {approver.pk} approved it")
    ended = with_message(work, f"notice {notice.pk}: every recipient has an end state")
    assert approved["request_id"] == ended["request_id"] == SENT
    assert {"time", "level", "logger"} <= approved.keys() & ended.keys()
    assert with_message(web, "Starting granian")["level"] == "INFO"
    assert with_message(beat, "beat: Starting")["level"] == "INFO"

    [request] = of_trace(collector, traces.SERVER, name="POST")
    assert request["name"].startswith("POST /admin/notices/notice/<")
    tasks = of_trace(collector, traces.CONSUMER)
    assert request["spanId"] in {one["parentSpanId"] for one in tasks}


def test_an_unknown_format_is_refused():
    done = subprocess.run(
        [sys.executable, "-c", "import breachportal.settings"],
        cwd=ROOT,
        env=os.environ | {"LOG_FORMAT": "xml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LOG_FORMAT is 'xml'; it is one of text, json." in done.stderr
