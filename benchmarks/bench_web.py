"""The benchmark of public pages, compared with a plain Django view.

Both run on this machine with the web command of the Procfile and the same number of workers. The
benchmark measures them in turns and compares the medians. The last line is one JSON object:
    hello_per_s, public_per_s: requests per second; public_ratio: of the slowest public page
    pages: requests per second and bytes, by path
    root_ratio: the redirect of the address without a path, divided by a bare redirect

    python -m benchmarks.bench_web [--seconds 2] [--rounds 7] [--connections 16]

The benchmark has its own database (BREACHPORTAL_VAR) with the sample incident.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import time
from multiprocessing import Pool
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import django
from django.core.management import call_command

from benchmarks.web import HELLO, running_web

ROOT = Path(__file__).parent.parent
WARMING_READS = 50
SLUG = "coupang-2025"
PATHS = ["/ko/", f"/ko/incidents/{SLUG}/statements/notice/", f"/en/incidents/{SLUG}/log/"]


def main() -> None:
    """Measures all URLs in turns and prints the result."""
    options = _options()
    prepare()
    with running_web(HELLO) as hello, running_web() as portal:
        origins = [f"http://127.0.0.1:{port}" for port in (hello, portal)]
        urls = [f"{origins[0]}/", *(f"{origins[1]}{path}" for path in PATHS)]
        urls += [f"{origins[0]}/redirect/", f"{origins[1]}/"]
        rates: dict[str, list[float]] = {url: [] for url in urls}
        for url in urls * WARMING_READS:
            _size(url)
        for number in range(1, options.rounds + 1):
            for url in urls:
                rates[url].append(_requests_per_second(url, options))
            latest = ", ".join(f"{rates[url][-1]:.0f}" for url in urls)
            print(f"round {number}: {latest} requests/s", flush=True)
        result = _result(rates)
    print(json.dumps(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=16)
    return parser.parse_args()


def _result(rates: dict[str, list[float]]) -> dict[str, object]:
    medians = [round(statistics.median(measured), 1) for measured in rates.values()]
    hello, *pages, redirect, root = medians
    urls = list(rates)[1:]
    return {
        "hello_per_s": hello,
        "public_per_s": min(pages),
        "public_ratio": round(min(pages) / hello, 3),
        "redirect_per_s": redirect,
        "root_per_s": root,
        "root_ratio": round(root / redirect, 3),
        "pages": {
            path: {"per_s": rate, "bytes": _size(url)}
            for path, url, rate in zip(PATHS, urls[: len(PATHS)], pages, strict=True)
        },
        "client": "wrk" if shutil.which("wrk") else "python",
        "cores": os.cpu_count(),
    }


def prepare() -> None:
    """Prepares a database with the sample incident, and the settings of this process."""
    os.environ.setdefault("BREACHPORTAL_MODE", "development")
    os.environ.setdefault("BREACHPORTAL_VAR", str(ROOT / "var" / "bench"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "breachportal.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("load_sample_incident", verbosity=0)


def _size(url: str) -> int:
    with urlopen(url, timeout=10) as response:  # noqa: S310
        return len(response.read())


def _requests_per_second(url: str, options: argparse.Namespace) -> float:
    if shutil.which("wrk"):
        return _by_wrk(url, options)
    share = max(1, options.connections // 2)
    with Pool(2) as pool:
        return sum(pool.starmap(_by_python, [(url, options.seconds, share)] * 2))


def _by_wrk(url: str, options: argparse.Namespace) -> float:
    command = ["wrk", "-t2", f"-c{options.connections}", f"-d{options.seconds}s", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(done.stdout)
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if found is None:
        raise SystemExit(done.stdout)
    return float(found[1])


def _by_python(url: str, seconds: int, connections: int) -> float:
    """Returns requests per second over persistent connections.

    It sends a request on each connection, then reads all responses. Responses have the same length
    each time, so that it only counts bytes.
    """
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    address = (parts.hostname or "", parts.port or 80)
    clients = [socket.create_connection(address, timeout=10) for _number in range(connections)]
    length = _first_answer(clients[0], request)
    answered, started = 0, time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        for client in clients:
            client.sendall(request)
        for client in clients:
            _read(client, length)
        answered += len(clients)
    for client in clients:
        client.close()
    return answered / elapsed


def _first_answer(client: socket.socket, request: bytes) -> int:
    """Returns the length of the response in bytes, with Content-Length or chunked.

    Raises RuntimeError if the status is neither 200 nor 302.
    """
    client.sendall(request)
    answer = _received(client)
    while b"\r\n\r\n" not in answer:
        answer += _received(client)
    head = answer.partition(b"\r\n\r\n")[0]
    if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 302")):
        raise RuntimeError(f"answered {head!r}")
    if found := re.search(rb"(?i)\r\ncontent-length: *(\d+)", head):
        length = len(head) + 4 + int(found[1])
        _read(client, length - len(answer))
        return length
    while not answer.endswith(b"\r\n0\r\n\r\n"):
        answer += _received(client)
    return len(answer)


def _read(client: socket.socket, length: int) -> None:
    while length:
        length -= len(_received(client, length))


def _received(client: socket.socket, most: int = 65536) -> bytes:
    data = client.recv(min(most, 65536))
    if not data:
        raise RuntimeError("the server closed a connection")
    return data


if __name__ == "__main__":
    main()
