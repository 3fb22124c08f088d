"""How an operator types a command of the portal on this machine, for the remedies of the doctor."""

import os
import pwd
from pathlib import Path

from breachportal import resources

ON_A_SERVER = Path("/usr/local/bin/breachportal")  # of deploy/install


def command(words: str, *, as_owner: bool = True) -> str:
    """Returns the command that runs `words`, such as "migrate", as the owner of the tables.

    Away from a server of deploy/install, the caller says that it takes the owner's account.
    """
    if ON_A_SERVER.is_symlink():
        return f"sudo breachportal {'--owner ' if as_owner else ''}{words}"
    return f"{'breachportal' if resources.IS_PACKAGED else 'manage.py'} {words}"


def backup() -> str:
    """Returns the command that writes a backup; on a server the unit does it, as each night."""
    is_server = ON_A_SERVER.is_symlink()
    return "sudo systemctl start breachportal-backup" if is_server else command("backup")


def account() -> str:
    """Returns the name of the account that this process runs as, or its number."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
