"""Makes a real IMAP server on a free port, with the few commands that read a mailbox."""

import re
import socketserver
from contextlib import ExitStack
from typing import Any

from tests.local_server import serving


class ImapServer:
    """`with ImapServer(mails) as server:` holds `mails` in an INBOX at server.url."""

    def __init__(self, mails: list[bytes]) -> None:
        self.mails: dict[int, bytes] = dict(enumerate(mails, start=1))
        self.deleted: set[int] = set()
        self.copied: list[bytes] = []

    def __enter__(self) -> "ImapServer":
        box = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK ready\r\n")
                for line in self.rfile:
                    tag, command, *rest = line.decode().split()
                    self.wfile.write(box.answer(command.upper(), rest))
                    self.wfile.write(f"{tag} OK done\r\n".encode())
                    if command.upper() == "LOGOUT":
                        return

        self._server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._until_end = ExitStack()
        self._until_end.enter_context(self._server)
        self._until_end.enter_context(serving(self._server))
        self.url = f"imap://bounces:p%40ss@127.0.0.1:{self._server.server_address[1]}/"
        return self

    def __exit__(self, *_error: object) -> None:
        self._until_end.close()

    def answer(self, command: str, rest: list[str]) -> bytes:
        match command:
            case "CAPABILITY":
                return b"* CAPABILITY IMAP4rev1\r\n"
            case "LOGIN":
                assert rest == ["bounces", '"p@ss"'], rest
            case "SELECT":
                return f"* {len(self.mails)} EXISTS\r\n".encode()
            case "FETCH":
                most = re.search(r"<0\.(\d+)>", rest[1])
                assert most
                data = self.mails[int(rest[0])][: int(most[1])]
                head = f"* {rest[0]} FETCH (BODY[]<0> {{{len(data)}}}\r\n".encode()
                return head + data + b")\r\n"
            case "COPY":
                self.copied.append(self.mails[int(rest[0])])
            case "STORE":
                self.deleted.add(int(rest[0]))
            case "EXPUNGE":
                self.mails = {k: v for k, v in self.mails.items() if k not in self.deleted}
        return b""
