"""Puts a TCP proxy between a process and the tests' database, so that connections can be cut."""

import os
import socket
import threading
from contextlib import suppress

from django.db import connection


class DatabaseProxy:
    """A TCP proxy in front of the tests' database, which can cut all connections."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_cut = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        known, port = connection.settings_dict, self._listener.getsockname()[1]
        return f"postgresql://{known['USER']}@127.0.0.1:{port}/{known['NAME']}"

    def cut(self) -> None:
        """Ends all connections, and each new one at once."""
        self._is_cut = True
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Accepts connections again."""
        self._is_cut = False

    def _accept(self) -> None:
        path = os.path.join(connection.settings_dict["HOST"], ".s.PGSQL.5432")  # noqa: PTH118
        while True:
            visitor, _address = self._listener.accept()
            if self._is_cut:
                visitor.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(path)
            self._sockets += [visitor, server]
            for one, other in ((visitor, server), (server, visitor)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)
