"""How a line of the log reads: with keys, never with what opens something."""

import logging
import re

# Django logs the path of whatever it refuses, and such a path may end in a code or a token.
_KEY_IN_PATH = re.compile(r"(/certificates/|/unsubscribe/)[^/\s]+")


class Line(logging.Formatter):
    """As logging.Formatter, tracebacks included, without the codes in our addresses."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        return _KEY_IN_PATH.sub(r"\1…", super().format(record))
