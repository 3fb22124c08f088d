"""The processes of the portal: starts one of them, and tells whether one works.

The Procfile has the commands of those that are servers of their own. The others are commands of
manage.py.
"""

import os
import re
import shlex
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from breachportal import environment, production_settings, resources

ANSWER_SECONDS = 5.0
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
BOUNCES_PORT = 2526
GRANIAN_JSON = "deploy/granian-json.json"
MANAGED = {
    "bounces": ("receive_bounces", "--listen", f"127.0.0.1:{BOUNCES_PORT}", "--lmtp"),
    "copy": ("publish_static", "--watch", "5"),
}


class ProcessError(Exception):
    """A process cannot be started, or does not work. The message is one line for the operator."""


def names() -> list[str]:
    """Returns the name of each process."""
    return [*_procfile(), *MANAGED]


def _procfile() -> dict[str, str]:
    lines = (resources.FOLDER / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line)


def run(words: Sequence[str]) -> None:
    """Becomes the process of the Procfile that the first word names, with further words added.

    An option that is given twice has the last value. Raises ProcessError for an unknown name, and
    ImproperlyConfigured if production lacks a setting: a server would print it once for each of its
    workers, in a traceback.
    """
    name = _known(words)
    if environment.mode() == environment.PRODUCTION:
        production_settings.require_for_production()
    # A variable is replaced after the command is cut into words, so a value is one word.
    command = [_replaced(word, os.environ) for word in shlex.split(_procfile()[name])]
    program = Path(sys.executable).with_name(command[0])
    if environment.text("LOG_FORMAT") == "json":  # the servers' own lines, too
        os.environ.setdefault("GRANIAN_LOG_CONFIG", str(resources.FOLDER / GRANIAN_JSON))
        os.environ.setdefault("CELERY_QUIET", "true")
    try:
        os.execv(program, [str(program), *command[1:], *words[1:]])  # noqa: S606  # needs no shell
    except OSError as error:
        raise ProcessError(f"{program}: {error.strerror}") from error


def _known(words: Sequence[str]) -> str:
    name = words[0] if words else ""
    if name not in names():
        raise ProcessError(f"{name or 'no name'}: the processes are {', '.join(names())}")
    return name


def _replaced(word: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[1]) or match[2], word)


def require_healthy(words: Sequence[str]) -> None:
    """Returns if the process that the first word names works on this machine.

    Raises ProcessError if it does not. A worker and beat are asked through Redis, so both count as
    unhealthy while Redis is away: let that be a sign, and not a reason to restart a sender.
    """
    name = _known(words)
    try:
        HEALTH[name]()
    except OSError as error:
        raise ProcessError(f"{name} does not answer: {error}") from error


def _web() -> None:
    url = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz"
    try:
        urllib.request.urlopen(url, timeout=ANSWER_SECONDS).close()
    except urllib.error.HTTPError as error:
        raise ProcessError(f"web answers {error.code}") from error


def _worker(name: str) -> Callable[[], None]:
    def ask() -> None:
        from breachportal.celery import app  # reads the settings

        node = f"{name}@{socket.gethostname()}"
        if not app.control.ping([node], timeout=ANSWER_SECONDS):
            raise ProcessError(f"{node} does not answer")

    return ask


def _beat() -> None:
    from breachportal import signs  # reads the settings

    here = f"{socket.gethostname()}:"
    if not any(name.startswith(here) for name in signs.BEATS.alive()):
        raise ProcessError(f"no beat of this host gave a sign in {signs.ALIVE_SECONDS:.0f} seconds")


def _bounces() -> None:
    with socket.create_connection(("127.0.0.1", BOUNCES_PORT), timeout=ANSWER_SECONDS) as server:
        server.settimeout(ANSWER_SECONDS)
        if not server.recv(3) == b"220":
            raise ProcessError("bounces does not greet as a mail server")


def _copy() -> None:
    from django.conf import settings

    if not (Path(settings.STATIC_COPY) / "current").exists():
        raise ProcessError(f"there is no complete copy in {settings.STATIC_COPY}")


HEALTH: dict[str, Callable[[], None]] = {
    "web": _web,
    "send": _worker("send"),
    "import": _worker("import"),
    "work": _worker("work"),
    "beat": _beat,
    "bounces": _bounces,
    "copy": _copy,
}
