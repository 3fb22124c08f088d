"""The format of log lines: they name rows by primary key, and contain no secret, no address."""

import logging
import re

# Django logs the path of each refused request. A path can end in a certificate code or a token.
_KEY_IN_PATH = re.compile(r"(/certificates/|/unsubscribe/)[^/\s]+")
# PostgreSQL's error messages quote the values of a row in these lines.
_VALUES_OF_A_ROW = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*$", re.MULTILINE)
# The lengths are bounded, so that the time is linear in the length of the line.
_ADDRESS = re.compile(r"[^\s@<>\"'(),:;=]{1,64}@[^\s@<>\"'(),:;=]{1,255}\.[^\s@<>\"'(),:;=]{1,63}")
_NUMBER = re.compile(r"\+\d{6,15}\b")


class Line(logging.Formatter):
    """A logging.Formatter that removes codes of our URLs, addresses and values of rows.

    It removes them from tracebacks as well.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the log line of `record`."""
        line = _KEY_IN_PATH.sub(r"\1…", super().format(record))
        line = _VALUES_OF_A_ROW.sub(r"\1: …", line)
        return _NUMBER.sub("+…", _ADDRESS.sub("…@…", line))
