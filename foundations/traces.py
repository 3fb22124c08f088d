"""Traces: a span for each request and each task, sent to a collector of OpenTelemetry.

settings.TRACES_URL switches them on. The id of a trace is the request id of the log lines. A span
has the method, the route and the status of a request, or the name of a task; it has no path, no
address and no value. Spans wait in memory. No request and no task waits for the collector: what it
does not take is dropped.
"""

import atexit
import logging
import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from foundations import request_ids, webhooks
from foundations.http_answers import start_of

logger = logging.getLogger(__name__)
SERVER, CONSUMER = 2, 5  # kinds of spans in OpenTelemetry's protocol
ERROR = 2  # its status of a span that failed
MOST_WAITING = 4_000
MOST_AT_ONCE = 500
SEND_SECONDS = 2.0  # between two requests to the collector
ANSWER_SECONDS = 5.0  # for each step of a request

_current: ContextVar[str] = ContextVar("span_id", default="")


@dataclass(kw_only=True)
class Span:
    """A request or a task that is under way; `parent_id` is "" for the first of its trace."""

    name: str
    kind: int
    trace_id: str
    parent_id: str
    attributes: dict[str, str | int] = field(default_factory=dict)
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    began_ns: int = field(default_factory=time.time_ns)


def current_span_id() -> str:
    """Returns the id of the span for which this thread works; "" if there is none."""
    return _current.get()


def begin(name: str, *, kind: int, parent_id: str = "") -> Span | None:
    """Begins the span of this thread's request id. None if it is not traced (TRACES_PERCENT)."""
    trace_id = request_ids.current().replace("-", "")
    is_traced = settings.TRACES_URL and trace_id and _is_chosen(trace_id)
    span = None
    if is_traced:
        span = Span(name=name, kind=kind, trace_id=trace_id, parent_id=parent_id)
    _current.set(span.span_id if span else "")
    return span


def end(span: Span | None, *, is_error: bool) -> None:
    """Ends a span, and lets this process send it soon."""
    _current.set("")
    if span is not None:
        _sender(os.getpid()).put(_as_json(span, is_error=is_error))


def flush() -> None:
    """Sends what waits in this process, once. A worker calls it before it ends."""
    if settings.TRACES_URL:
        _sender(os.getpid()).send()


def trace_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that makes a span of each request. Without TRACES_URL it is left out."""
    if not settings.TRACES_URL:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponseBase:
        method = request.method if request.method in _METHODS else "_OTHER"
        span = begin(method, kind=SERVER)
        response = get_response(request)
        if span is not None:
            span.attributes["http.request.method"] = method
            span.attributes["http.response.status_code"] = response.status_code
            if match := request.resolver_match:
                span.attributes["http.route"] = f"/{match.route}"
                span.name = f"{method} /{match.route}"
        end(span, is_error=response.status_code >= 500)
        return response

    return middleware


# A visitor chooses the method, so another one is not repeated.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _is_chosen(trace_id: str) -> bool:
    """Returns whether TRACES_PERCENT includes this trace: the same answer in every process."""
    return int(trace_id[16:], 16) * 100 < settings.TRACES_PERCENT << 64


def _as_json(span: Span, *, is_error: bool) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.began_ns),
        "endTimeUnixNano": str(time.time_ns()),
        "attributes": _attributes(span.attributes),
        "status": {"code": ERROR} if is_error else {},
    }


def _attributes(values: dict[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else _number(value)}
        for key, value in values.items()
    ]


def _number(value: int) -> dict[str, str]:
    return {"intValue": str(value)}  # 64 bits are a string in JSON of Protocol Buffers


class _Sender:
    """Sends the spans of one process from a thread of its own."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue(MOST_WAITING)
        self._client = httpx.Client(timeout=ANSWER_SECONDS, trust_env=False)
        self._is_taken = True  # whether the collector took the last spans
        threading.Thread(target=self._send_for_ever, name="traces", daemon=True).start()
        atexit.register(self.send)

    def put(self, span: dict[str, Any]) -> None:
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            self._note_loss("they come faster than the collector takes them", 1)

    def send(self) -> None:
        """Posts what waits, once. What the collector does not take is dropped."""
        spans: list[dict[str, Any]] = []
        with suppress(queue.Empty):
            while len(spans) < MOST_AT_ONCE:
                spans.append(self._waiting.get_nowait())
        if not spans:
            return
        try:
            self._post(spans)
            self._is_taken = True
        except webhooks.ERRORS as error:
            self._note_loss(webhooks.name_of(error), len(spans))

    def _send_for_ever(self) -> None:
        while True:
            time.sleep(SEND_SECONDS)
            while not self._waiting.empty():
                self.send()

    def _post(self, spans: list[dict[str, Any]]) -> None:
        scope = {"scope": {"name": "breachportal"}, "spans": spans}
        with self._client.stream(
            "POST",
            settings.TRACES_URL,
            json={"resourceSpans": [{"resource": _resource(), "scopeSpans": [scope]}]},
            headers=settings.TRACES_HEADERS,
        ) as answer:
            start_of(answer)  # so that the connection serves the next spans
        if not answer.is_success:
            raise httpx.HTTPStatusError("refused", request=answer.request, response=answer)

    def _note_loss(self, reason: str, spans: int) -> None:
        """Logs the first loss after a success: the collector may be away for days."""
        if self._is_taken:
            self._is_taken = False
            logger.warning("%d spans are dropped, and more may follow: %s", spans, reason)


def _resource() -> dict[str, Any]:
    who: dict[str, str | int] = {
        "service.name": "breachportal",
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }
    return {"attributes": _attributes(who)}


@lru_cache(maxsize=1)
def _sender(_pid: int) -> _Sender:
    """Returns the sender of this process. A child that was forked has a number of its own."""
    return _Sender()
