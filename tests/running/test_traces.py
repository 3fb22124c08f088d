"""Traces: what a collector of OpenTelemetry gets of a request, and what happens without one.

tests/importing/test_json_lines.py joins the spans of a real web process and a worker.
"""

import json
import logging
import os
from typing import Any

import pytest
from django.test import Client

from foundations import request_ids, traces
from tests.webhook_receiver import WebhookReceiver, webhook_receiver

SENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def collector(settings):
    with webhook_receiver() as receiver:
        settings.TRACES_URL = receiver.url
        yield receiver
        traces._sender.cache_clear()


def spans(receiver: WebhookReceiver) -> list[dict[str, Any]]:
    """Sends what waits. Returns all spans that the collector got."""
    traces.flush()
    bodies = [json.loads(body) for _headers, body in receiver.received]
    resources = [resource for body in bodies for resource in body["resourceSpans"]]
    scopes = [scope for resource in resources for scope in resource["scopeSpans"]]
    return [span for scope in scopes for span in scope["spans"]]


def attributes(span: dict[str, Any]) -> dict[str, object]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


@pytest.mark.django_db
def test_a_span_has_the_route_and_nothing_that_a_visitor_wrote(collector, settings):
    settings.TRACES_HEADERS = {"Authorization": "Bearer t0ken"}
    secret = "minji-at-example.com"
    client = Client(headers={request_ids.HEADER: SENT})
    client.get(f"/en/certificates/{secret}/?q={secret}", headers={"user-agent": secret})
    [span] = spans(collector)
    assert span["traceId"] == SENT
    assert len(span["spanId"]) == 16
    assert span["name"].startswith("GET /en/certificates/<")
    assert attributes(span)["http.response.status_code"] in ("404", "200")
    assert int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"])
    [(headers, body)] = collector.received
    assert secret not in body.decode()
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.django_db
def test_a_method_that_a_visitor_invents_is_not_repeated(collector):
    Client().generic("MINJI", "/en/")
    [span] = spans(collector)
    assert span["name"].startswith("_OTHER")
    assert "MINJI" not in json.dumps(span)


def test_a_health_check_makes_no_span(collector):
    assert Client().get("/healthz").status_code == 200
    assert spans(collector) == []


def test_the_share_of_traces_is_the_same_in_every_process(collector, settings):
    chosen = {}
    for settings.TRACES_PERCENT in (0, 10, 100):
        ids = [f"{number:032x}" for number in range(0, 1 << 64, 1 << 58)]
        chosen[settings.TRACES_PERCENT] = [one for one in ids if traces._is_chosen(one)]
    assert [len(found) for found in chosen.values()] == [0, 7, len(ids)]


def test_what_the_collector_does_not_take_is_dropped_and_logged_once(collector, settings, caplog):
    request_ids.work_for(SENT)
    for status in (503, 503, 200, 503):
        collector.status = status
        span = traces.begin("work", kind=traces.CONSUMER)
        traces.end(span, is_error=True)
        traces.flush()
    lines = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert lines == ["1 spans are dropped, and more may follow: HTTP 503"] * 2
    assert traces._sender(os.getpid())._waiting.empty()


def test_spans_that_come_too_fast_are_dropped(collector, monkeypatch, caplog):
    monkeypatch.setattr(traces, "MOST_WAITING", 2)
    monkeypatch.setattr(traces, "SEND_SECONDS", 60)
    request_ids.work_for(SENT)
    for _ in range(5):
        traces.end(traces.begin("work", kind=traces.CONSUMER), is_error=False)
    assert len(spans(collector)) == 2
    assert caplog.text.count("faster than the collector takes them") == 1


def test_without_the_setting_nothing_is_traced():
    request_ids.work_for(SENT)
    assert traces.begin("work", kind=traces.CONSUMER) is None
    assert traces.current_span_id() == ""
