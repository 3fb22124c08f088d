"""Makes the secrets of a portal. Run as `python -m foundations.make_secret KIND [FILE]`.

The kinds are: secret-key (a new SECRET_KEY), master-keyset (a new MASTER_KEYSET), rotated-keyset
(the current keyset with a new primary key), retired-keyset (the current one with its primary key
only), vapid-key (a new WEB_PUSH_PRIVATE_KEY). The kinds that are new need no settings, because the
settings need them.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings
from django.utils.crypto import get_random_string

SECRET_KEY_LENGTH = 64  # characters, of 62 kinds: 381 bits


def secret_key() -> str:
    """Returns a new secret key."""
    return get_random_string(SECRET_KEY_LENGTH)


def master_keyset() -> str:
    """Returns a new master keyset as one line of JSON."""
    if not settings.configured:
        settings.configure()
    from foundations import keys

    return keys.new_master_keyset()


def rotated_keyset() -> str:
    """Returns the master keyset of the settings with a new primary key."""
    from foundations import keys

    return keys.rotated_master_keyset()


def retired_keyset() -> str:
    """Returns the master keyset of the settings with its primary key only."""
    from foundations import keys

    return keys.retired_master_keyset()


def vapid_key() -> str:
    """Returns a new key pair's private key, for push messages."""
    from foundations import web_push

    return web_push.new_vapid_key()


KINDS: dict[str, Callable[[], str]] = {
    "secret-key": secret_key,
    "master-keyset": master_keyset,
    "rotated-keyset": rotated_keyset,
    "retired-keyset": retired_keyset,
    "vapid-key": vapid_key,
}


def main(words: Sequence[str]) -> None:
    """Prints the secret, or writes it to a new file that only its owner can read.

    Exits with 1 and one line if the file exists or cannot be written, because a key that is
    overwritten takes the data with it.
    """
    parser = argparse.ArgumentParser(prog="python -m foundations.make_secret")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("file", nargs="?", type=Path, help="a new file; without it, print")
    options = parser.parse_args(words)
    if options.kind.endswith("-keyset") and options.kind != "master-keyset":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")
    secret = KINDS[options.kind]()
    if options.file is None:
        print(secret)  # noqa: T201
        return
    try:
        handle = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        sys.exit(f"{options.file}: {error.strerror}; nothing was written")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
