"""The log of each process, for `breachportal.settings`: lines on the standard error."""

from typing import Any

# The names of Python, with its aliases. The first is the default.
LEVELS = ("INFO", "DEBUG", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL")


def logging_of(log_format: str, *, level: str) -> dict[str, Any]:
    """Returns Django's LOGGING for a format, "text" or "json", and the lowest level of a line."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "foundations.logs.Line",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            },
            "json": {"()": "foundations.logs.JsonLine"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "json" if log_format == "json" else "line",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "propagate": False},
            "httpx": {"level": "WARNING"},  # it logs the URL of each request
            "httpcore": {"level": "WARNING"},
            "fido2": {"level": "WARNING"},  # it logs the identifier of each passkey
            # A stranger chooses the header Host: each line would be one of theirs.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "mail.log": {"level": "ERROR"},  # aiosmtpd logs commands of clients, with addresses
        },
    }
