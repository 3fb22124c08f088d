"""Runs servers of Python's standard library in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any, Self

# The end of a server waits for so long; Python's usual value is half a second.
POLL_SECONDS = 0.01


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Context manager: the server answers in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, args=[POLL_SECONDS], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)


class LocalServer:
    """Context manager: a server that listens at `url`. A subclass answers in `serve`."""

    path = ""

    def serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answers one request. Called in a thread of its own."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.serve(self, self.rfile.read(int(self.headers["Content-Length"])))

            def do_GET(self) -> None:
                server.serve(self, b"")

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{self.path}"
        self._until_end = ExitStack()
        self._until_end.enter_context(self._server)
        self._until_end.enter_context(serving(self._server))
        return self

    def __exit__(self, *_error: object) -> None:
        self._until_end.close()
