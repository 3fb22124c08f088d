"""A TCP proxy that stops passing data on at a command, while its connections stay open."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class StallingProxy:
    """Passes connections on to a port of 127.0.0.1. While it stalls it accepts and reads only."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._flows, self._ended = threading.Event(), threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """Stops passing data on."""
        self._flows.clear()

    def resume(self) -> None:
        """Passes on what came meanwhile, and goes on."""
        self._flows.set()

    def close(self) -> None:
        """Ends the proxy and its connections."""
        self._ended.set()
        self._flows.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._ended.is_set():
                client, _address = self._listener.accept()
                threading.Thread(target=self._connect, args=[client], daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._flows.wait()
        with suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self._target))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=[source, sink], daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while not self._ended.is_set() and (data := source.recv(65_536)):
                self._flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def stalling_proxy(target: int) -> Iterator[StallingProxy]:
    """Context manager: a proxy in front of the port `target`."""
    proxy = StallingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
