"""Makes a real HTTP server on a free port that acts as an SMS gateway or a mail API."""

import json
import time
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from tests.local_server import LocalServer

HANG_UP = 0  # used as a status: closes the connection without an answer


@dataclass(frozen=True)
class Asked:
    """One received request; the body of a form is {name: values}."""

    path: str
    headers: dict[str, str]
    body: Any


class Gateway(LocalServer):
    """`with Gateway() as gateway:` listens at gateway.url.

    `gateway.answer_next(to, status, body)` sets the answer to the next request that contains `to`;
    without it the status is 200. "<to>" in a body is replaced by the request's "To".
    """

    path = "/send"

    def __init__(self, *, answer: str = "taken") -> None:
        self.asked: list[Asked] = []
        self.answer = answer
        self.seconds = 0.0
        self._script: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)

    def answer_next(self, to: str, status: int, body: str = "") -> None:
        self._script[to].append((status, body))

    def texts_to(self, number: str) -> list[str]:
        return [one.body["text"] for one in self.asked if one.body["to"] == number]

    def serve(self, request: BaseHTTPRequestHandler, raw: bytes) -> None:
        """Records the request and answers it as the script says."""
        is_form = "urlencoded" in request.headers.get("Content-Type", "")
        body = parse_qs(raw.decode()) if is_form else json.loads(raw)
        self.asked.append(Asked(request.path, dict(request.headers), body))
        time.sleep(self.seconds)
        text = unquote_plus(raw.decode()) if is_form else raw.decode()
        named = next((to for to in self._script if to in text and self._script[to]), "")
        status, body_text = self._script[named].pop(0) if named else (200, self.answer)
        if status == HANG_UP:
            request.connection.close()
            return
        request.send_response(status)
        request.end_headers()
        request.wfile.write(body_text.replace("<to>", str(body.get("To", ""))).encode())
