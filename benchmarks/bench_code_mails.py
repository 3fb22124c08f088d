"""Code mails while the mail server is slow: `python -m benchmarks.bench_code_mails`.

Visitors request codes in parallel for SECONDS. Each reply of the mail server to MAIL, RCPT and the
message comes DELAY_MS late. Once the mails leave within the request (CODE_MAIL_CONNECTIONS=0), as
they did before, and once outside. Prints one JSON object.
"""

import asyncio
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.command_line import read_command_line
from benchmarks.visitor import Visitor, expect, for_seconds
from benchmarks.web import running_web
from harness import product

SECONDS = float(os.environ.get("SECONDS") or 10)
VISITORS = int(os.environ.get("VISITORS") or 64)
DELAY_MS = int(os.environ.get("DELAY_MS") or 200)
SIGN_IN = "/ko/account/sign-in/"


class SlowSink:
    """An SMTP server in this process that counts mails and replies late."""

    def __init__(self) -> None:
        self.mails = self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        self.connections += 1
        writer.write(b"220 sink ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 Go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.mails += 1
            if verb in (b"MAIL", b"RCPT", b"DATA"):
                await asyncio.sleep(DELAY_MS / 1000)
            writer.write(b"250 OK\r\n")
        writer.close()


async def _measure(web_port: int, sink_port: int) -> dict[str, Any]:
    sink, ms = SlowSink(), list[float]()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", sink_port)

    async def ask(number: int) -> None:
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        visitor = Visitor(web_port, address)
        expect(await visitor.get(SIGN_IN), 200, "sign in")
        answer = await visitor.post(SIGN_IN, email=f"visitor{number}@example.com", next="")
        ms.append(expect(answer, 302, "ask").ms)
        visitor.close()

    asked = await for_seconds(SECONDS, VISITORS, ask)
    ended = time.monotonic()
    while sink.mails < len(ms) and time.monotonic() < ended + 60:
        await asyncio.sleep(0.05)
    server.close()
    return {
        "asks_per_s": round(asked, 1),
        "ask_p50_ms": round(statistics.median(ms)),
        "ask_p99_ms": round(statistics.quantiles(ms, n=100)[98]),
        "mails": sink.mails,
        "last_mail_after_s": round(time.monotonic() - ended, 1),
        "smtp_connections": sink.connections,
    }


def main() -> None:
    """Measures both ways and prints the result."""
    sink_port, results = product.free_port(), {}
    var = Path(os.environ.get("BREACHPORTAL_VAR") or product.ROOT / "var" / "bench-code-mails")
    product.open_in(var, people=1, EMAIL_PORT=str(sink_port), TRUSTED_PROXY_COUNT="1")
    for name, connections in (("within_the_request", "0"), ("outside", "32")):
        with running_web(CODE_MAIL_CONNECTIONS=connections, SIGN_INS_PER_SECOND="0") as port:
            results[name] = asyncio.run(_measure(port, sink_port))
    print(json.dumps(results | {"delay_ms": DELAY_MS, "visitors": VISITORS}, indent=1))


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
