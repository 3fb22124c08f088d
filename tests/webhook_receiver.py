"""A receiver of webhooks for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from tests.local_server import serving


class WebhookReceiver(ThreadingHTTPServer):
    """A webhook on a free port that answers with `status` and stores what it receives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.received: list[tuple[dict[str, str], bytes]] = []  # headers and body

    @property
    def url(self) -> str:
        """The address of the webhook, with a secret in its path."""
        return f"http://127.0.0.1:{self.server_port}/hook/t0ken"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = cast("WebhookReceiver", self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.received.append((dict(self.headers), body))
        self.send_response(receiver.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Writes nothing."""


@contextmanager
def webhook_receiver() -> Iterator[WebhookReceiver]:
    """Context manager: yields a receiver that runs."""
    with WebhookReceiver() as server, serving(server):
        yield server
