"""The command line of the portal: `breachportal` from the package, `manage.py` in a checkout."""

import os
import signal
import sys
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from accounts.audit import actors
from breachportal import processes, resources
from foundations import make_secret
from foundations.commands import REFUSED, end_as_json

GUIDE = """\
breachportal {version}: the portal for the days after a data breach.

The first evening, in this order. The settings come from the environment; each secret may be a file
whose path is in NAME_FILE. Without a setting that production needs, each command names what is
missing.
  breachportal make_secret secret-key FILE      a new SECRET_KEY
  breachportal make_secret master-keyset FILE   a new MASTER_KEYSET; keep a copy elsewhere
  breachportal migrate                          as the owner of the tables, as the next three
  breachportal grant_portal_role ACCOUNT        what the account of the portal may do
  breachportal createsuperuser --email ADDRESS  twice: two people confirm each other's acts
  breachportal collectstatic --noinput          styles and pictures, into STATIC_ROOT

Then the processes, each under a supervisor:
  breachportal run {names}
  breachportal healthy NAME                     exits with 0 if that process works

Every day after:
  breachportal doctor                           what is wrong, and what to do about it
  breachportal backup, breachportal restore FILE
  breachportal help                             all commands; breachportal help COMMAND: one

Examples of settings, of a site for nginx and of units for systemd are in
  {examples}
"""


def main() -> None:
    """Runs the command of sys.argv, and exits with its code.

    What production lacks, a command of this module that cannot run, and a database that does not
    answer end with one message.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")
    name, words = Path(sys.argv[0]).name, sys.argv[1:]
    if name == "__main__.py":
        name = sys.argv[0] = "breachportal"
    own = OWN.get(words[0] if words else "--help")
    try:
        if own:
            own(words[1:])
        else:
            _manage(words)
    except (ImproperlyConfigured, processes.ProcessError) as error:
        _end(f"{name}: {error}")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None):  # the database answered
            raise
        why = str(error).partition("\n")[0]
        _end(f"{name}: the database does not answer: {why}")


def _end(why: str) -> NoReturn:
    """Exits with 1 and the reason on standard error, as JSON if --json is asked."""
    if "--json" in sys.argv[2:]:
        end_as_json(why, REFUSED)
    sys.exit(why)


def _manage(words: Sequence[str]) -> None:
    """Runs a command of Django."""
    actors.name_process(actors.command_actor(words[0]))
    execute_from_command_line([sys.argv[0], *words])


def _run(words: Sequence[str]) -> None:
    """Runs a process. One that is a command of Django ends at SIGTERM as at Ctrl-C.

    The first process of a container has no default for SIGTERM: it would go on until it is killed.
    """
    managed = processes.MANAGED.get(words[0]) if words else None
    if not managed:
        processes.run(words)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _manage([*managed, *words[1:]])


def version() -> str:
    """Returns the version of pyproject.toml, from the package or from the checkout."""
    if resources.IS_PACKAGED:
        return metadata.version("breachportal")
    text = (resources.FOLDER / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def _print_guide(_words: Sequence[str]) -> None:
    names, examples = "|".join(processes.names()), resources.FOLDER / "deploy"
    sys.stdout.write(GUIDE.format(version=version(), names=names, examples=examples))


def _print_version(_words: Sequence[str]) -> None:
    sys.stdout.write(f"breachportal {version()}\n")


# The commands that need no settings, or that must not wait for Django.
OWN: dict[str, Callable[[Sequence[str]], None]] = {
    "--help": _print_guide,
    "-h": _print_guide,
    "--version": _print_version,
    "make_secret": make_secret.main,
    "run": _run,
    "healthy": processes.require_healthy,
}
