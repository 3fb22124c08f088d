"""Sends sign-in codes by text message through the gateways of the notices."""

import logging
import secrets
from decimal import Decimal

from accounts.code_queue import CarrierError, RecipientRefusedError
from notices.engine.gateways import GatewayRow, free_text_gateways, take_any_text
from notices.engine.request_transport import (
    AccountRefusedError,
    RequestUnavailableError,
    UnansweredError,
)
from notices.engine.transport import Result
from notices.message_filling import OutgoingMessage
from notices.sms import price_of, sms_size

logger = logging.getLogger(__name__)


class GatewayTextSender:
    """The `accounts.code_texts.TextSender` over the gateways that SMS_GATEWAY names.

    It leaves out gateways that send approved templates only, such as AlimTalk.
    """

    def is_ready(self) -> bool:
        """Returns whether one of the gateways takes any text, and none lacks a setting."""
        return take_any_text()

    def price_of(self, text: str) -> Decimal | None:
        """Returns the price by settings.SMS_PRICES; None if it is not known."""
        return price_of(sms_size(text))

    def connect(self) -> "GatewayConnection":
        """Returns a connection for one thread."""
        return GatewayConnection()


class GatewayConnection:
    """The gateways of one thread that sends codes."""

    def __init__(self) -> None:
        self._row = GatewayRow([found() for found in free_text_gateways()])

    def send(self, number: str, text: str) -> None:
        """Sends one text message once.

        A code in doubt counts as sent: the visitor sees whether it comes, and a second one would
        cost money. Raises CarrierError if it was certainly not sent, and RecipientRefusedError if
        that is because of the number.
        """
        reference = secrets.token_urlsafe(9)  # gateways drop a second message with the same one
        message = OutgoingMessage(sender=reference, to=number, data=text.encode())
        try:
            reply = self._row.send(message)
        except (RequestUnavailableError, AccountRefusedError) as error:
            raise CarrierError(f"{type(error).__name__}: {error}") from error
        except UnansweredError as error:
            logger.warning("a code by text message is in doubt: %s", error)
            return
        if reply.result not in (Result.ACCEPTED, Result.IN_DOUBT):
            is_of_number = reply.result in (Result.BOUNCED, Result.UNREACHABLE)
            failure = RecipientRefusedError if is_of_number else CarrierError
            raise failure(f"{reply.result.name}: {reply.server_reply}")

    def close(self) -> None:
        """Closes the connections."""
        self._row.close()
