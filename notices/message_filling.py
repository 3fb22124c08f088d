"""Fills a message template for one recipient after another.

A recipient's data never reaches a template engine or a MIME parser. Each value is escaped for its
place and joined between fixed bytes, so that it cannot add a header, an element or another slot.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from functools import lru_cache
from html import escape
from typing import NamedTuple, cast
from uuid import UUID

from accounts.contacts import normalise_email, normalise_phone
from foundations.shown_text import JOINERS, composed, in_one_line
from notices.ledger_messages import LedgerMessages
from notices.message_codes import envelope_sender, message_code, message_id, unsubscribe_url
from notices.message_templates import MessageTemplate
from notices.models import Notice, NoticeMessage

DOT_LINE = b"\r\n."
NAME_CHARACTERS = 100  # with their character references, a line of 998 octets has room for them

# Parts after the comma of a name that are no given name.
_FAMILY_FIRST = re.compile(
    r"[가-힣\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
# Honorifics that exports add to names, and greetings add again. The given names 달님 and 햇님 end
# in one of them. So 님 without a blank needs three syllables before it, or four if the first two
# are a family name (남궁달님).
_HONORIFICS = ("님", "様", "さま", "さん", "씨", "귀하", "殿")
_HONORIFIC_AT_THE_END = re.compile(
    r"(?:(?<=[가-힣]{4})|(?<=\S) "
    r"|(?<=\A(?!남궁|독고|동방|망절|사공|서문|선우|어금|제갈|황보)[가-힣]{3}))님\Z"
    r"|(?<=\S) ?(?:様|さま)\Z|(?<=[\u3400-\u9fff]) ?さん\Z|(?<=\S) (?:씨|귀하|殿)\Z"
)
_NAME_SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "phd", "md", "esq"}
# Text that a mail program would turn into a link, or a number to call or to pay to.
_NOT_A_NAME = re.compile(r"/|www|@|[^\W_][.。][^\W\d_]{2}|(?:\d\D*){5}", re.IGNORECASE)
_PLAIN_NAME = re.compile(rf"(?!.*www)[가-힣A-Za-z]{{1,{NAME_CHARACTERS}}}", re.IGNORECASE)
_WITHOUT_JOINERS = dict.fromkeys(map(ord, JOINERS))
_PLAIN_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}\Z)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*"
)


class UnusableAddressError(ValueError):
    """Raised for an address or number that no message can be sent to."""


@dataclass(frozen=True)
class OutgoingMessage:
    """One message, ready to submit: `data` is the template `shared` with `values` in its slots.

    `to` is an address or a number in E.164. `sender` is the envelope sender of a mail and the
    message code of an SMS. An SMS has no `shared` and no `values`. If `has_dot_line` is False, no
    line of `data` begins with a dot.
    """

    sender: str
    to: str
    data: bytes
    delivery_id: int = 0
    shared: MessageTemplate | None = field(default=None, compare=False, repr=False)
    values: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    has_dot_line: bool = field(default=True, compare=False, repr=False)


class Recipient(NamedTuple):
    """The data of one recipient that the slots are filled with; `data_classes` are ids."""

    delivery_id: int
    recipient: UUID
    email: str
    phone: str = ""
    name: str = ""
    data_classes: tuple[int, ...] = ()
    resend: int = 0  # the id of the Resend, if support had the message sent again


class MessageFiller:
    """Fills one notice's message template in one language for one recipient after another."""

    def __init__(self, message: NoticeMessage) -> None:
        self._notice = message.notice
        self._language = message.language
        self._customer = str(message.slot_texts["customer"])
        self._comma = str(message.slot_texts.get("comma", ""))  # of a text message
        self._classes = {int(key): str(name) for key, name in message.slot_texts["classes"].items()}
        self._shared = MessageTemplate(message.marker, bytes(message.mime))
        # Fixed bytes and slot names alternate. The template is split before any value is known, so
        # that no value is searched for slots.
        pattern = message.marker.encode() + b"-([a-z_]+)-"
        self._pieces = re.split(pattern, bytes(message.mime))
        self._slots = [name.decode() for name in self._pieces[1::2]]
        # Only the ends of the fixed bytes can become a line with a dot together with a value. To
        # search each whole mail takes as long as a twentieth of its send.
        self._ends = [
            piece[:2] + b"|" + piece[-2:] if len(piece) > 4 else piece for piece in self._pieces
        ]
        self._has_dot_line = any(DOT_LINE in piece for piece in self._pieces[::2])
        self._is_sms = message.notice.channel == Notice.Channel.SMS
        self._has_unsubscribe = "unsubscribe" in self._slots
        # Millions of recipients have a few dozen different combinations of classes.
        self._class_lists = lru_cache(maxsize=1024)(self._render_class_lists)

    def mail(self, person: Recipient) -> OutgoingMessage:
        """Returns the complete message for `person`. Only the date differs between attempts.

        Raises UnusableAddressError.
        """
        if self._is_sms:
            return self._sms(person)
        to = envelope_address(person.email)
        values = self._values(person, to=to)
        in_slots = self._in_slots(values)
        return OutgoingMessage(
            sender=envelope_sender(person.delivery_id),
            to=to,
            data=_joined(self._pieces, in_slots),
            delivery_id=person.delivery_id,
            shared=self._shared,
            values=values,
            has_dot_line=self._has_dot_line or DOT_LINE in _joined(self._ends, in_slots),
        )

    def _sms(self, person: Recipient) -> OutgoingMessage:
        """Returns the SMS. Its sender is the message code, which is the same for every attempt."""
        to = normalise_phone(person.phone)
        if to is None:
            raise UnusableAddressError(LedgerMessages.NO_NUMBER.stored())
        code = message_code(person.delivery_id)
        names = self._class_names(person.data_classes)
        values = {"code": code, "class_line": self._comma.join(names)}
        data = _joined(self._pieces, self._in_slots(values))
        return OutgoingMessage(sender=code, to=to, data=data, delivery_id=person.delivery_id)

    def _in_slots(self, values: Mapping[str, str]) -> list[bytes]:
        return [values[name].encode() for name in self._slots]

    def _values(self, person: Recipient, *, to: str) -> dict[str, str]:
        name = spoken_name(safe_name(person.name)) or self._customer
        text, html = self._class_lists(person.data_classes)
        values = {
            "to": to,
            "message_id": message_id(self._notice.pk, person.recipient, resend=person.resend),
            "date": _date(int(time.time())),
            "name": name,
            "name_html": escape(name),
            "classes": text,
            "classes_html": html,
            "code": message_code(person.delivery_id),
        }
        if self._has_unsubscribe:
            values["unsubscribe"] = unsubscribe_url(person.recipient, self._language)
        return values

    def _class_names(self, data_classes: tuple[int, ...]) -> list[str]:
        return [self._classes[key] for key in data_classes if key in self._classes]

    def _render_class_lists(self, data_classes: tuple[int, ...]) -> tuple[str, str]:
        """Returns the list of the classes' names as plain text and as HTML."""
        names = self._class_names(data_classes)
        text = "\r\n".join(f"- {name}" for name in names)
        return text, "\r\n".join(f"<li>{escape(name)}</li>" for name in names)


def _joined(pieces: list[bytes], in_slots: list[bytes]) -> bytes:
    """Returns the bytes of `pieces`, of which each second one gives way to that of a slot."""
    parts = pieces.copy()
    parts[1::2] = in_slots
    return b"".join(parts)


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second)


def safe_name(text: str) -> str:
    """Returns a name as one line without control or invisible characters.

    Returns "" for text that may be a link or an instruction. The sender of a parcel chose the name
    of its recipient, so it may hold any text.
    """
    if _PLAIN_NAME.fullmatch(text):
        # Nearly all names are plain. The code below returns the same in ten times the time.
        return text
    name = in_one_line(composed(text[:500], "NFKC"))
    if len(name) > NAME_CHARACTERS:
        name = f"{name[: NAME_CHARACTERS - 1].rstrip()}…"
    return "" if _NOT_A_NAME.search(name.translate(_WITHOUT_JOINERS)) else name


def spoken_name(name: str) -> str:
    """Returns a name in the order in which people say it: `Seán O'Connor` for `O'Connor, Seán`.

    Names in Chinese, Japanese and Korean characters have the family name first, in a list as in
    speech: `김민지` for `김, 민지`. A Korean or Japanese honorific at the end is left out.
    """
    if name.endswith(_HONORIFICS):  # few names do, and the pattern takes ten times the time
        name = _HONORIFIC_AT_THE_END.sub("", name)
    if "," not in name:
        return name
    family, comma, given = (part.strip() for part in name.partition(","))
    is_list_form = comma and given and "," not in given
    if not is_list_form or given.rstrip(".").casefold() in _NAME_SUFFIXES:
        return name
    if _FAMILY_FIRST.fullmatch(family + given):
        return family + given
    return f"{given} {family}".strip()


def envelope_address(text: str) -> str:
    """Returns an address for RCPT and the To header: ASCII, without syntax of either.

    Raises UnusableAddressError. A local part in other letters would need SMTPUTF8 and is refused.
    """
    if _PLAIN_ADDRESS.fullmatch(text):
        return text
    local, _at, domain = normalise_email(text).rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        raise UnusableAddressError(LedgerMessages.NO_DOMAIN.stored()) from None
    if not re.fullmatch(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9.-]{1,253}", address):
        raise UnusableAddressError(LedgerMessages.NOT_IN_A_MAIL.stored())
    return address


def as_seven_bit(data: bytes) -> bytes:
    """Returns the mail `data` with its parts in base64, for a server without 8BITMIME."""
    message = message_from_bytes(data, policy=SMTP)
    for part in cast("Iterator[EmailMessage]", message.iter_parts()):
        part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte="base64")
    return message.as_bytes()
