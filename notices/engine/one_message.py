"""Sends single messages at once, outside any ledger: the tests that staff send to themselves."""

import time

from notices.engine.transport import Reply, Result, Transport
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause


def send_now(transport: Transport, message: OutgoingMessage, *, seconds: float) -> Reply:
    """Sends one message over an open transport, and returns the server's reply.

    Without a reply within `seconds` the message is in doubt if its content was begun, and else not
    sent. Raises ServerUnavailableError or SenderRefusedError; then nothing was sent.
    """
    until, is_begun = time.monotonic() + seconds, False
    transport.submit(message)
    while (left := until - time.monotonic()) > 0:
        transport.wait(min(left, 1.0))
        if outcomes := transport.outcomes():
            return outcomes[0].reply
        if ready := transport.ready():
            transport.start(ready)
            is_begun = True
    if is_begun:
        return Reply(Result.IN_DOUBT, "", DoubtCause.SERVER_SILENT)
    transport.withdraw([message.delivery_id])
    return Reply(Result.NOT_SENT, "")
