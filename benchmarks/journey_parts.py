"""The processor time of one request by part, each part without the parts inside it.

`bench_journey` uses it with PARTS=1. The clock is read twice for each call of a part, so the whole
is a few per cent longer than without.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any

CALL_SECONDS = 1.2e-6  # what a measured call adds to the part around it
REST = "WSGI handler, signals, response"
# Part, module, function. Several functions may belong to one part.
FUNCTIONS = [
    ("middleware before the early answer", "django.core.handlers.base", "BaseHandler.get_response"),
    ("body, early answer", "accounts.early_answers", "_is_plain"),
    ("form", "accounts.early_answers", "_contact_of"),
    ("form", "django.core.handlers.wsgi", "WSGIRequest._load_post_and_files"),
    ("check of the CSRF token", "accounts.early_answers", "_has_token"),
    ("visitor's address", "foundations.rate_limits", "_address_of"),
    ("code, hashes, session's state", "accounts.codes", "SentCode.send"),
    ("names of the limits", "accounts.code_limits", "_count"),
    ("call of Redis", "foundations.redis_scripts", "KeptScript.__call__"),
    ("queue of the code mail", "accounts.code_mails", "send"),
    ("session and its cookie", "foundations.sessions", "SignedSessionMiddleware.process_response"),
    ("session and its cookie", "foundations.session_store", "SessionStore.save"),
    ("statement, with the pool", "foundations.session_store", "_run"),
]


class Parts:
    """The parts of the requests that this thread answers."""

    def __init__(self) -> None:
        """Replaces FUNCTIONS by functions that measure. They stay for the whole process."""
        self._thread = threading.get_ident()
        self._inside = [0.0]  # for each open call, the seconds of the calls inside it
        self._request: defaultdict[str, float] = defaultdict(float)
        self._found: defaultdict[str, list[float]] = defaultdict(list)
        for part, module, path in FUNCTIONS:
            *owners, name = path.split(".")
            owner: Any = import_module(module)
            for one in owners:
                owner = getattr(owner, one)
            setattr(owner, name, self._measured(part, getattr(owner, name)))

    def run(self, act: Callable[[], Any]) -> Any:
        """Answers one request, and records its parts."""
        self._request.clear()
        result = self._measured(REST, act)()
        for part, seconds in self._request.items():
            self._found[part].append(seconds * 1_000_000)
        return result

    def medians(self) -> dict[str, int]:
        """Returns the median of each part in microseconds, the largest first."""
        found = {part: round(median(micros)) for part, micros in self._found.items()}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def _measured(self, part: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*arguments: Any, **named: Any) -> Any:
            if threading.get_ident() != self._thread:
                return act(*arguments, **named)
            self._inside.append(0.0)
            began = time.thread_time()
            try:
                return act(*arguments, **named)
            finally:
                taken = time.thread_time() - began
                self._request[part] += taken - self._inside.pop()
                self._inside[-1] += taken + CALL_SECONDS

        return measured
