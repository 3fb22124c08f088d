"""The format of log lines: they name rows by primary key and contain no secrets."""

import logging
import re

# Django logs the path of each refused request. A path can end in a certificate code or a token.
_KEY_IN_PATH = re.compile(r"(/certificates/|/unsubscribe/)[^/\s]+")


class Line(logging.Formatter):
    """A logging.Formatter that removes the codes of our URLs, in tracebacks as well."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the log line of `record`."""
        return _KEY_IN_PATH.sub(r"\1…", super().format(record))
