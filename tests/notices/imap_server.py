"""Makes a real IMAP server on a free port, with the few commands that read a mailbox.

The UID of a mail is its number and 100. It gives no mail whose number is in `locked`.
"""

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
        self.locked: set[int] = set()

    def __enter__(self) -> "ImapServer":
        box = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK ready\r\n")
                for line in self.rfile:
                    tag, command, *rest = line.decode().split()
                    answer = box.answer(command.upper(), rest)
                    state = "OK" if answer is not None else "NO"
                    self.wfile.write((answer or b"") + f"{tag} {state} done\r\n".encode())
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

    def answer(self, command: str, rest: list[str]) -> bytes | None:
        """Returns the untagged answer to a command; None if it is refused."""
        if command == "UID":
            command, *rest = rest
            return self._answer_about_mails(command.upper(), rest)
        match command:
            case "CAPABILITY":
                return b"* CAPABILITY IMAP4rev1\r\n"
            case "LOGIN":
                assert rest == ["bounces", '"p@ss"'], rest
            case "SELECT":
                return f"* {len(self.mails)} EXISTS\r\n".encode()
            case "FETCH":
                first, last = map(int, rest[0].split(":"))
                numbers = list(enumerate(self.mails, start=1))[first - 1 : last]
                return "".join(f"* {n} FETCH (UID {100 + k})\r\n" for n, k in numbers).encode()
            case "EXPUNGE":
                self.mails = {k: v for k, v in self.mails.items() if k not in self.deleted}
        return b""

    def _answer_about_mails(self, command: str, rest: list[str]) -> bytes | None:
        number = int(rest[0]) - 100
        match command:
            case "FETCH":
                if number in self.locked:
                    return None
                most = re.search(r"<0\.(\d+)>", rest[1])
                assert most
                data = self.mails[number][: int(most[1])]
                head = f"* {number} FETCH (UID {rest[0]} BODY[]<0> {{{len(data)}}}\r\n".encode()
                return head + data + b")\r\n"
            case "COPY":
                self.copied.append(self.mails[number])
            case "STORE":
                self.deleted.add(number)
        return b""
