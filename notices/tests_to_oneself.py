"""Sends a message to the person who asks, in one step: no draft, no approval, no ledger.

The message is that of a notice with this version, marked as a test, with a made-up person's data.
It goes over the transport of notices to the person's own verified address or number alone. See
docs/decisions/0136-a-test-to-oneself.md.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import User
from foundations.languages import own_name
from notices import message_samples, own_tests
from notices.engine import gateways
from notices.engine.one_message import send_now
from notices.engine.send_loop import transport_of
from notices.engine.transport import (
    Reply,
    Result,
    SenderRefusedError,
    ServerUnavailableError,
    Transport,
)
from notices.ledger_messages import translate_ledger_message
from notices.message_filling import MessageFiller, OutgoingMessage, UnusableAddressError
from notices.message_templates import render_template
from notices.models import Notice

Channel = Notice.Channel
SECONDS = 25.0  # for all languages together, because a person waits for the page


class TestRefusedError(Exception):
    """No test can be sent. The text gives the reason in the active language."""

    __test__ = False  # pytest must not collect this class


@dataclass(frozen=True)
class SentTest:
    """What became of one message: whether the server took it, and words for the person."""

    is_sent: bool
    words: str


def own_contact(user: User, channel: str) -> str:
    """Returns the user's verified address, or number for a text message; "" if there is none."""
    part = "p" if channel == Channel.SMS else "e"
    verified = own_tests.verified(user, part)
    return user.email if part == "e" and user.email in verified else min(verified, default="")


def takes_texts(notice: Notice) -> bool:
    """Returns whether a gateway is set up that takes the text messages of such a notice."""
    found = gateways.gateway_classes() if notice.is_mandatory else gateways.free_text_gateways()
    return bool(found) and not gateways.missing_settings(found)


def send(notice: Notice, *, to: User, languages: Sequence[str]) -> list[SentTest]:
    """Sends the message of the notice to the user's own contact, once in each language.

    The notice may be unsaved, and its version a draft. After a server that is away or refuses us,
    the other languages are not tried. Raises TestRefusedError if nothing can be sent at all.
    """
    contact = own_contact(to, notice.channel)
    if refusal := _refusal(notice, contact):
        raise TestRefusedError(refusal)
    test = _as_test(notice)
    try:
        messages = {code: _message(test, code, contact) for code in languages}
    except UnusableAddressError as error:
        raise TestRefusedError(translate_ledger_message(str(error))) from error
    with transport_of(test) as transport:
        return list(_send_each(transport, messages))


def _refusal(notice: Notice, contact: str) -> str:
    if notice.channel == Channel.PUSH:
        return _("A test by push message is drafted as a notice: it goes to your own browsers.")
    if not contact and notice.channel == Channel.SMS:
        return _("Your account has no verified phone number.")
    if not contact:
        return _("Your account has no verified e‑mail address.")
    if notice.channel == Channel.SMS and not takes_texts(notice):
        return _("No gateway for text messages is set up.")
    if notice.incident.shredded_at:
        return _("The data of this incident was deleted; nobody can be reached.")
    return "" if notice.version.sections.exists() else _("The version has no text.")


def _as_test(notice: Notice) -> Notice:
    """Returns an unsaved notice with the same message, marked as a test."""
    fields = {name: getattr(notice, name) for name in ("incident", "version", "kind", "topic")}
    return Notice(**fields, channel=notice.channel, audience=Notice.Audience.TEST)


def _message(test: Notice, language: str, contact: str) -> OutgoingMessage:
    """Returns the message in one language. Its Message-ID is new each time: mailboxes drop a second
    mail with the same one.
    """
    person = message_samples.sample_person(test, language)
    own = person._replace(recipient=uuid.uuid4(), email=contact, phone=contact)
    return MessageFiller(render_template(test, language)).mail(own)


def _send_each(transport: Transport, messages: dict[str, OutgoingMessage]) -> Iterator[SentTest]:
    until = time.monotonic() + SECONDS
    for language, message in messages.items():
        name, left = own_name(language), until - time.monotonic()
        try:
            reply = send_now(transport, message, seconds=left)
        except (ServerUnavailableError, SenderRefusedError) as error:
            left_out = list(messages)[list(messages).index(language) :]
            names = ", ".join(own_name(code) for code in left_out)
            yield SentTest(False, _not_sent(message.to, names, str(error)))
            return
        yield SentTest(reply.result is Result.ACCEPTED, _words(reply, message.to, name))


def _words(reply: Reply, to: str, language: str) -> str:
    if reply.result is Result.ACCEPTED:
        text = _("Sent to %(to)s in %(language)s. The server: %(reply)s")
    elif reply.result is Result.IN_DOUBT:
        text = _("%(language)s: the server may have taken it, its answer is missing. %(reply)s")
    else:
        return _not_sent(to, language, reply.server_reply)
    return text % {"to": to, "language": language, "reply": _answer(reply.server_reply)}


def _not_sent(to: str, languages: str, reply: str) -> str:
    text = _("Not sent to %(to)s in %(language)s. The server: %(reply)s")
    return text % {"to": to, "language": languages, "reply": _answer(reply)}


def _answer(reply: str) -> str:
    return translate_ledger_message(reply) or _("no answer")
