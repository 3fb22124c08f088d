"""The format of log lines: they name rows by primary key, and contain no secret, no address."""

import json
import logging
import re
from datetime import datetime

from foundations import request_ids

# Django logs the path of each refused request. A path can end in a certificate code or a token, or
# in an address that a stranger looks up. It is decoded and may contain spaces, so that the rest of
# the line is removed.
_KEY_IN_PATH = re.compile(
    r"(/(?:certificates|unsubscribe|stop|account/invitation|reminder/end|check/code|(?:breached|paste)account)/)"
    r".+",
    re.IGNORECASE,  # as a client may write it
)
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
        return _without_private(super().format(record))


class JsonLine(logging.Formatter):
    """A logging.Formatter that writes one JSON object a line, without what `Line` removes.

    Keys: `time` (ISO 8601 with milliseconds and offset), `level`, `logger`, `message`; `request_id`
    and `traceback` if there are any. Other characters than ASCII are escaped, so that neither the
    locale of the process nor a line break in a message can damage a line.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the JSON object of `record`, in one line."""
        at = datetime.fromtimestamp(record.created).astimezone()
        traces = [self.formatException(record.exc_info)] if record.exc_info else []
        traces += [self.formatStack(record.stack_info)] if record.stack_info else []
        fields = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _without_private(record.getMessage()),
            "request_id": request_ids.current(),
            "traceback": _without_private("\n".join(traces)),
        }
        return json.dumps({key: value for key, value in fields.items() if value})


def _without_private(text: str) -> str:
    """Returns `text` without codes of our URLs, addresses, numbers and values of rows."""
    text = _VALUES_OF_A_ROW.sub(r"\1: …", _KEY_IN_PATH.sub(r"\1…", text))
    return _NUMBER.sub("+…", _ADDRESS.sub("…@…", text))
