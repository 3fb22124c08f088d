"""Runs an HTTP server on a free port in a thread of the test."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


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
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
