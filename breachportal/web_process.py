"""What a web process does once, after Django is set up and before the first request."""

import resource

from breachportal import database_checks

# Each connection of a visitor is an open file. A common default of 1,024 is fewer than the web
# server accepts (`--backpressure` in the Procfile).
MOST_FILES = 65_536


def prepare() -> None:
    """Raises the limit on open files, and checks the database.

    Raises ImproperlyConfigured if the database cannot serve the portal's processes.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    database_checks.require_usable_database()
