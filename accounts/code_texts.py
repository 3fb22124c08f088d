"""Sends sign-in codes by text message, outside the request, and limits what texts cost.

This app knows no gateway. The app that sends text messages registers a `TextSender` in SENDERS. A
text message costs money, so there is a budget for each day, in messages and in money; see
docs/decisions/0056-sign-in-by-text-message.md.
"""

import contextlib
import math
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from accounts.code_queue import CodeMessage, CodeQueue
from accounts.mail_codes import MailKind, account_mail_code
from accounts.typed_codes import DIGITS
from foundations.languages import portal_name

HOURS_OF_BUDGET = 5  # after so many hours of the highest rate, the budget of a day is used up
SUSPICIOUS_PART = 10  # suspicious networks share the tenth part of the budget
WARNING_PER_CENT = 80  # of the budget, from which the desk shows a warning


class TextConnection(Protocol):
    """The connections of a sender, which one thread uses."""

    def send(self, number: str, text: str) -> None:
        """Sends `text` to a number in E.164. Raises CarrierError."""

    def close(self) -> None:
        """Closes the connections. Raises no error."""


class TextSender(Protocol):
    """What sends text messages for this app."""

    def is_ready(self) -> bool:
        """Returns whether the settings name a gateway that takes any text."""

    def price_of(self, text: str) -> Decimal | None:
        """Returns the price of a text message in the currency of settings.SMS_PRICES, or None."""

    def connect(self) -> TextConnection:
        """Returns the connections for one thread."""


# The app that sends text messages adds its sender in AppConfig.ready.
SENDERS: list[TextSender] = []


class TextCarrier:
    """Sends codes by text message. A thread makes one for itself."""

    def __init__(self) -> None:
        self._connection = SENDERS[0].connect()

    def send(self, message: CodeMessage) -> None:
        """Sends the code. Raises CarrierError."""
        self._connection.send(message.to, text_of(message.code))

    def close(self) -> None:
        """Closes the connections."""
        self._connection.close()


def new_queue() -> CodeQueue:
    """Returns an empty queue of codes by text message."""
    return CodeQueue(
        "text", carrier=TextCarrier, most_threads=lambda: settings.CODE_TEXT_CONNECTIONS
    )


_queue = new_queue()


def send(message: CodeMessage) -> None:
    """Sends a code by text message; see `CodeQueue.send`."""
    _queue.send(message)


def waiting() -> int:
    """Returns the number of codes by text message that wait in this process."""
    return _queue.waiting()


def are_offered() -> bool:
    """Returns whether people may sign in with a number: a gateway is set, and a budget."""
    return bool(SENDERS) and texts_a_day() > 0 and SENDERS[0].is_ready()


def text_of(code: str) -> str:
    """Returns the text message with a code, in the active language.

    Its last line binds the code to this portal's host: phones then offer it on this portal's pages
    only, and not on those of a scammer (WICG, Origin-bound one-time codes delivered via SMS).
    """
    message_code = account_mail_code(MailKind.SIGN_IN_TEXT)
    return render("sign_in_code", {"code": code, "message_code": message_code})


def render(name: str, context: dict[str, str]) -> str:
    """Returns the text message of the template `sms/<name>.txt`, in the active language.

    `context` is completed with the portal's name and host.
    """
    own = {"portal_name": portal_name(), "host": settings.PORTAL_HOST}
    lines = render_to_string(f"sms/{name}.txt", {**context, **own}).splitlines()
    return "\n".join(line for line in map(str.strip, lines) if line)


def send_now(number: str, text: str) -> None:
    """Sends a text message outside the queue of codes. Raises CarrierError."""
    with contextlib.closing(SENDERS[0].connect()) as connection:
        connection.send(number, text)


def price() -> Decimal | None:
    """Returns the price of the dearest code by text message of all languages; None if not known."""
    prices = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            prices.append(SENDERS[0].price_of(text_of("0" * DIGITS)))
    known = [one for one in prices if one is not None]
    return max(known) if len(known) == len(prices) else None


def codes_for_price_of(text: str) -> int:
    """Returns how many codes by text message may cost as much as `text`; 1 if no price is known."""
    of_text, of_code = SENDERS[0].price_of(text), price()
    return math.ceil(of_text / of_code) if of_text and of_code else 1


def texts_a_day() -> int:
    """Returns how many codes by text message may be sent in a day.

    It is settings.CODE_TEXTS_PER_DAY, or less if that costs more than CODE_TEXT_COST_PER_DAY.
    """
    most: int = settings.CODE_TEXTS_PER_DAY
    if most and settings.CODE_TEXT_COST_PER_DAY and SENDERS:
        one = price()
        most = min(most, int(settings.CODE_TEXT_COST_PER_DAY // one)) if one else 0
    return most


def rates_of_budget() -> dict[str, str]:
    """Returns the rates of the budget by their names, in the form of settings.CODE_RATES."""
    day = texts_a_day()

    def rates(part: int) -> str:
        return f"{max(1, part // HOURS_OF_BUDGET)}/h/key,{max(1, part)}/d/key"

    return {
        "all_texts": rates(day),
        "suspicious_texts": rates(day // SUSPICIOUS_PART),
        "texts_before_warning": f"{max(1, day * WARNING_PER_CENT // 100)}/d/key",
    }
