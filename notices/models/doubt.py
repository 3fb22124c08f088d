"""The causes of doubt: every reason why it is not known whether a server accepted a message."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DoubtCause(models.TextChoices):
    """The values of a delivery's `doubt_cause`. `docs/how-to/` lists which module sets which.

    A possible duplicate can end in doubt without a new cause, at the notice's deadline or
    cancellation. It then has the cause of its first attempt.
    """

    WORKER_LOST = "worker_lost", _("The worker stopped while it sent the message.")
    CONNECTION_LOST = (
        "connection_lost",
        _("The connection broke after the message was handed over, before the answer came."),
    )
    SERVER_SILENT = (
        "server_silent",
        _("The message was handed over, and no answer came in time."),
    )
    UNCLEAR_ANSWER = (
        "unclear_answer",
        _("The answer says neither that the message was taken nor that it was refused."),
    )
    NOT_NAMED = (
        "not_named",
        _("The answer to a request for several messages does not name this one."),
    )
    REQUEST_FAILED = (
        "request_failed",
        _("Our own program failed after the request had begun."),
    )
