"""The fastest SMTP client: Postfix's smtp-source, or pipelined sockets if it is not installed.

`python -m benchmarks.loader PORT MESSAGES OCTETS` runs one process of the latter.
"""

import shutil
import socket
import subprocess
import sys
import time

SESSIONS = (4, 16, 64)
TRIAL = 5_000  # messages, to find the best number of sessions
MOST = 200_000  # messages; enough, because the rate is steady
PROCESSES = 2


def best_rate(port: int, *, messages: int, octets: int) -> tuple[float, str]:
    """Returns messages per second, and a description of the client.

    Short trials find the best number of sessions for smtp-source.
    """
    program = shutil.which("smtp-source") or shutil.which("/usr/sbin/smtp-source")
    if program is None:
        rate = _timed(_our_commands(port, messages, octets), messages)
        return rate, f"raw pipelined sockets, {PROCESSES} processes"
    trials = {
        sessions: _timed([_postfix(program, port, TRIAL, octets, sessions)], TRIAL)
        for sessions in SESSIONS
    }
    best = max(trials, key=lambda sessions: trials[sessions])
    messages = min(max(messages, TRIAL), MOST)
    rate = _timed([_postfix(program, port, messages, octets, best)], messages)
    return rate, f"smtp-source, {best} sessions kept open, best of {list(SESSIONS)}"


def _postfix(program: str, port: int, messages: int, octets: int, sessions: int) -> list[str]:
    command = [program, "-d", "-s", str(sessions), "-m", str(messages), "-l", str(octets)]
    return [*command, f"127.0.0.1:{port}"]


def _our_commands(port: int, messages: int, octets: int) -> list[list[str]]:
    each = [str(port), str(messages // PROCESSES), str(octets)]
    return [[sys.executable, "-m", "benchmarks.loader", *each]] * PROCESSES


def _timed(commands: list[list[str]], messages: int) -> float:
    began = time.monotonic()
    for process in [subprocess.Popen(command) for command in commands]:
        if process.wait():
            raise RuntimeError(f"the loader failed: {commands[0]}")
    return messages / (time.monotonic() - began)


def _load(port: int, messages: int, octets: int) -> None:
    """Sends messages over one connection, with two writes each: the commands, then the message."""
    line = b"x" * 70 + b"\r\n"
    body = line * (octets // len(line)) + b".\r\n"
    envelope = b"MAIL FROM:<a@loader.example>\r\nRCPT TO:<b@loader.example>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        replies = connection.makefile("rb")
        replies.readline()
        connection.sendall(b"HELO loader\r\n")
        replies.readline()
        connection.sendall(envelope)
        for number in range(messages):
            for _ in range(3):
                replies.readline()
            connection.sendall(body + (envelope if number + 1 < messages else b"QUIT\r\n"))
            replies.readline()


if __name__ == "__main__":
    _load(*map(int, sys.argv[1:4]))
