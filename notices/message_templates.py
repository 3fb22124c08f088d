"""A notice's mail: rendered and MIME-encoded once per language, then filled per person.

`freeze` makes the bytes with slots at the approval; `Mailing` fills them. What a person's data
holds never meets a template or a MIME parser: it is escaped for the place it goes to and joined in
between fixed bytes, so it can neither open a header nor an element nor another slot.
"""

import hashlib
import hmac
import re
import secrets
import textwrap
import time
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from functools import lru_cache, partial
from typing import Any, cast
from uuid import UUID

import nh3
from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.contacts import normalise_email, normalise_phone
from foundations import base32
from foundations.languages import in_language
from incidents.models import DataClass, Incident, IncidentDataClass
from notices import sms
from notices.ledger_messages import LedgerMessages
from notices.models import Notice, NoticeMessage
from statements import markdown
from statements.models import Advisory, Section

# `_html` slots stand in the HTML part; `unsubscribe` is in alerts only.
SLOTS = (
    *("to", "message_id", "date", "name", "name_html"),
    *("classes", "classes_html", "class_line", "code", "unsubscribe"),
)

# Headers that differ by person, and the slot that each holds in angle brackets.
PERSONAL_HEADERS = {"Message-ID": "message_id", "List-Unsubscribe": "unsubscribe"}

# RFC 5321 ends a line at 998 octets, a character has up to four, and a line may greet by name.
LINE_CHARACTERS = 180
NAME_CHARACTERS = 60
# A mail's text carries no links but the portal's: a statement's others stay as words.
TAGS_IN_MAIL = {"p", "br", "ul", "ol", "li", "strong", "em", "h3", "h4", "h5", "h6", "blockquote"}
TAGS_IN_MAIL |= {"table", "thead", "tbody", "tr", "th", "td", "hr", "code", "pre"}

_ID_BITS, _MAC_BITS, _CODE_LENGTH = 36, 24, 12
# What follows a name behind a comma and is no given name.
_AFTER_A_NAME = {"jr", "sr", "ii", "iii", "iv", "phd", "md", "esq"}
# What mail programs would make a link of, and a number to call or to pay to.
_NOT_A_NAME = re.compile(r"/|www|@|[^\W_][.。][^\W\d_]{2}|(?:\d\D*){5}", re.IGNORECASE)
_PLAIN_NAME = re.compile(rf"(?!.*www)[가-힣A-Za-z]{{1,{NAME_CHARACTERS}}}", re.IGNORECASE)
_PLAIN_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}\Z)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*"
)


class UnusableAddressError(ValueError):
    """No mail can be sent there."""


@dataclass(frozen=True, eq=False)
class MessageTemplate:
    """What all mails of a notice in one language share: the mail, its slots still open."""

    marker: str  # a slot is "<marker>-<name>-"
    mime: bytes


@dataclass(frozen=True)
class OutgoingMessage:
    """One mail, ready for the wire: `data` is `shared` with `values` in its slots."""

    sender: str
    to: str
    data: bytes
    delivery_id: int = 0
    shared: MessageTemplate | None = field(default=None, compare=False, repr=False)
    values: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Recipient:
    """What the slots are filled with for one person."""

    delivery_id: int
    recipient: UUID
    email: str
    phone: str = ""
    name: str = ""
    data_classes: tuple[int, ...] = ()


# ---------------------------------------------------------------- at the approval


def render_template(notice: Notice, language: str) -> NoticeMessage:
    """The notice's message in one language, not saved."""
    marker = f"slot{secrets.token_hex(12)}"
    slot = {name: f"{marker}-{name}-" for name in SLOTS}
    if notice.channel == Notice.Channel.SMS:
        return _frozen_text(notice, language, marker=marker, slot=slot)
    folder = "notice" if notice.is_mandatory else "alert"
    with override(language):
        context = _context(notice) | {"slot": slot}
        subject = render_to_string(f"emails/{folder}/subject.txt", context)
        text = render_to_string(f"emails/{folder}/body.txt", context)
        html = render_to_string(f"emails/{folder}/body.html", context)
        customer = _("customer")
    content = _content(subject=subject, text=text, html=html, language=language)
    return NoticeMessage(
        notice=notice,
        language=language,
        marker=marker,
        mime=_personal_headers(notice, slot) + content,
        slot_texts={"customer": customer, "classes": _class_names(language)},
    )


def _frozen_text(
    notice: Notice, language: str, *, marker: str, slot: Mapping[str, str]
) -> NoticeMessage:
    with override(language):
        text = sms.render_sms_template(_context(notice) | {"slot": slot})
    words = {"customer": "", "classes": _class_names(language)}
    return NoticeMessage(
        notice=notice, language=language, marker=marker, mime=text, slot_texts=words
    )


def _context(notice: Notice) -> dict[str, Any]:
    incident, version = notice.incident, notice.version
    sections = list(version.sections.all())
    return {
        "incident": incident,
        "title": version.title,
        "change_reason": version.change_reason,
        "advisory": Advisory.objects.filter(statement=version.statement_id).first(),
        "sections": [_section(section) for section in sections],
        "says_whom_to_ask": any(
            section.key == Section.Key.DEPARTMENT_AND_CONTACT for section in sections
        ),
        "topic": notice.get_topic_display(),
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "is_demo": settings.IS_DEMO,
        "is_test": notice.is_test,
        "page_url": settings.PORTAL_URL + version.get_absolute_url(),
    }


def _section(section: Section) -> dict[str, str]:
    html = nh3.clean(markdown.render(section.body), tags=TAGS_IN_MAIL, attributes={})
    return {
        "heading": section.heading,
        "basis": section.get_basis_display(),
        "text": markdown.plain(section.body),
        "html": html,
    }


def _class_names(language: str) -> dict[int, str]:
    return {kind.pk: in_language(kind, "name", language) for kind in DataClass.objects.all()}


def _personal_headers(notice: Notice, slot: Mapping[str, str]) -> bytes:
    lines = [
        f"To: {slot['to']}",
        f"Message-ID: <{slot['message_id']}>",
        f"Date: {slot['date']}",
    ]
    if not notice.is_mandatory:  # RFC 8058; nobody opts out of what the law demands
        lines += [
            f"List-Unsubscribe: <{slot['unsubscribe']}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _content(*, subject: str, text: str, html: str, language: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.DEFAULT_FROM_EMAIL
    message["Subject"] = " ".join(subject.split())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_folded(text), cte="8bit")
    message.add_alternative(_folded(html), subtype="html", cte="8bit")
    message["Content-Language"] = language
    message.set_boundary(secrets.token_hex(16))  # not to be guessed by what fills the slots
    return message.as_bytes()


def _folded(text: str) -> str:
    """`text` with no line too long for SMTP: only paragraphs are, and break at a space."""
    wrap = partial(
        textwrap.wrap,
        width=LINE_CHARACTERS,
        break_on_hyphens=False,
        break_long_words=False,
        expand_tabs=False,
        replace_whitespace=False,
    )
    return "\n".join("\n".join(wrap(line)) for line in text.splitlines()) + "\n"


def sample_mail(notice: Notice, language: str) -> OutgoingMessage:
    """The mail as somebody made up would get it, with every class that leaked."""
    person = Recipient(
        delivery_id=0,
        recipient=UUID(int=0),
        email="sample@example.com",
        phone="010-0000-0000",
        name=sample_name(language),
        data_classes=tuple(sample_classes(notice.incident)),
    )
    return MessageFiller(render_template(notice, language)).mail(person)


def sample_sms_size(notice: Notice, language: str) -> sms.SmsSize:
    """How long the text message is for somebody of whom every class leaked."""
    return sms.sms_size(sample_mail(notice, language).data.decode())


def sample_name(language: str) -> str:
    """What Korean forms call somebody who does not exist."""
    return {"ko": "홍길동"}.get(language, "Gildong Hong")


def sample_classes(incident: Incident) -> list[int]:
    """The ids of every class that leaked in the incident, in the catalogue's order."""
    involved = incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    return list(involved.values_list("data_class", flat=True))


# ---------------------------------------------------------------- for each person


class MessageFiller:
    """Fills one notice's message in one language for one person after another."""

    def __init__(self, message: NoticeMessage) -> None:
        self._notice = message.notice
        self._language = message.language
        self._customer = str(message.slot_texts["customer"])
        self._classes = {int(key): str(name) for key, name in message.slot_texts["classes"].items()}
        self._shared = MessageTemplate(message.marker, bytes(message.mime))
        # Text and slot names by turns; split, so that no value is ever searched for slots.
        pattern = message.marker.encode() + b"-([a-z_]+)-"
        self._pieces = re.split(pattern, bytes(message.mime))
        self._slots = [name.decode() for name in self._pieces[1::2]]
        self._is_text = message.notice.channel == Notice.Channel.SMS
        self._has_unsubscribe = "unsubscribe" in self._slots
        # Among millions of people there are a few dozen combinations.
        self._said_of = lru_cache(maxsize=1024)(self._list_of)

    def mail(self, person: Recipient) -> OutgoingMessage:
        """The whole mail, the same for each attempt but for its date.

        Raises UnusableAddressError.
        """
        if self._is_text:
            return self._text(person)
        to = envelope_address(person.email)
        values = self._values(person, to=to)
        pieces = self._pieces.copy()
        pieces[1::2] = [values[name].encode() for name in self._slots]
        return OutgoingMessage(
            sender=envelope_sender(person.delivery_id),
            to=to,
            data=b"".join(pieces),
            delivery_id=person.delivery_id,
            shared=self._shared,
            values=values,
        )

    def _text(self, person: Recipient) -> OutgoingMessage:
        """A text message: the number in E.164, and as sender what names every attempt alike."""
        to = normalise_phone(person.phone)
        if to is None:
            raise UnusableAddressError(LedgerMessages.NO_NUMBER.stored())
        code = message_code(person.delivery_id)
        names = [self._classes[key] for key in person.data_classes if key in self._classes]
        values = {"code": code, "class_line": ", ".join(names)}
        pieces = self._pieces.copy()
        pieces[1::2] = [values[name].encode() for name in self._slots]
        return OutgoingMessage(
            sender=code, to=to, data=b"".join(pieces), delivery_id=person.delivery_id
        )

    def _values(self, person: Recipient, *, to: str) -> dict[str, str]:
        name = spoken_name(safe_name(person.name)) or self._customer
        text, html = self._said_of(person.data_classes)
        values = {
            "to": to,
            "message_id": message_id(self._notice.pk, person.recipient),
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

    def _list_of(self, data_classes: tuple[int, ...]) -> tuple[str, str]:
        """The classes' names as text and as HTML."""
        names = [self._classes[key] for key in data_classes if key in self._classes]
        text = "\r\n".join(f"- {name}" for name in names)
        return text, "\r\n".join(f"<li>{escape(name)}</li>" for name in names)


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second)


def safe_name(text: str) -> str:
    """A name as one line without control or invisible characters; "" if it may be no name at all.

    The sender of a parcel chose a recipient's name, so it may be a link or an instruction.
    """
    if _PLAIN_NAME.fullmatch(text):
        return text  # nearly all names, in a tenth of the time; the same as below would say
    read = unicodedata.normalize("NFKC", text[:500])
    seen = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in read)
    name = " ".join(seen.split())[:NAME_CHARACTERS].strip()
    return "" if _NOT_A_NAME.search(name) else name


def spoken_name(name: str) -> str:
    """`O'Connor, Seán`, as lists write it, the way one says it; other names as they are."""
    if "," not in name:
        return name
    family, comma, given = (part.strip() for part in name.partition(","))
    is_list_form = comma and given and "," not in given
    if not is_list_form or given.rstrip(".").casefold() in _AFTER_A_NAME:
        return name
    return f"{given} {family}".strip()


def envelope_address(text: str) -> str:
    """An address for RCPT and To: ASCII, without anything that has a meaning there.

    Raises UnusableAddressError; a name before the @ in other letters would need SMTPUTF8.
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


def message_id(notice_id: int, recipient: UUID) -> str:
    """The same for every attempt, and nothing anybody else could compute or read back."""
    mac = _mac("notices.message-id", f"{notice_id}:{recipient}")
    return f"{mac.hex()}@{settings.MAIL_DOMAIN}"


def envelope_sender(delivery_id: int) -> str:
    """Where bounces of this delivery go (VERP): tells us which one, and nobody else anything.

    The code alone stands in the message for all to read, to whom it is forwarded, too; what
    follows it stands in the envelope only, so that no reader can forge a bounce. 40 octets before
    the @, of the 64 that RFC 5321 allows.
    """
    code = message_code(delivery_id).replace("-", "").lower()
    return f"bounce+{code}-{_bounce_mac(delivery_id)}@{settings.MAIL_DOMAIN}"


def is_bounce_mac(delivery_id: int, mac: str) -> bool:
    """Whether `mac` is what the delivery's envelope sender ends with, under any key that counts."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(_bounce_mac(delivery_id, key), mac) for key in keys)


def _bounce_mac(delivery_id: int, secret: str = "") -> str:
    return _mac("notices.bounce", str(delivery_id), secret)[:10].hex()


def unsubscribe_url(subscription: UUID, language: str) -> str:
    """The signed address that ends one subscription; it never expires."""
    token = Signer(salt="notices.unsubscribe").sign(subscription.hex)
    with override(language):
        return settings.PORTAL_URL + reverse("unsubscribe", args=[token])


def subscription_of_token(token: str) -> UUID | None:
    """The subscription that `unsubscribe_url` signed; None for anything else."""
    try:
        return UUID(hex=Signer(salt="notices.unsubscribe").unsign(token))
    except (BadSignature, ValueError):
        return None


@lru_cache(maxsize=64)  # each is asked for twice: it stands in the message and in its envelope
def message_code(delivery_id: int) -> str:
    """The code printed in a mail, such as 7QK2-X9ND-4HTB.

    It holds the delivery's number, masked and authenticated with the secret key: the portal reads
    it without an index (see `delivery_of_code`), others cannot make one or count with it.
    """
    mac = _keyed("mac", delivery_id, _MAC_BITS)
    number = mac << _ID_BITS | (delivery_id ^ _keyed("mask", mac, _ID_BITS))
    code = base32.from_number(number, length=_CODE_LENGTH)
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def delivery_of_code(code: str) -> int | None:
    """The delivery whose mail carries `code`, however it was typed; None if we never gave it.

    Codes made with an earlier secret key count for as long as settings.SECRET_KEY_FALLBACKS has it.
    """
    digits = base32.as_typed(code, length=_CODE_LENGTH)
    if digits is None:
        return None
    number = base32.to_number(digits)
    mac, masked = number >> _ID_BITS, number & (1 << _ID_BITS) - 1
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        delivery_id = masked ^ _keyed("mask", mac, _ID_BITS, secret)
        if _keyed("mac", delivery_id, _MAC_BITS, secret) == mac:
            return delivery_id
    return None


def _keyed(purpose: str, number: int, bits: int, secret: str = "") -> int:
    mac = _mac(f"notices.code.{purpose}", str(number), secret)
    return int.from_bytes(mac[:8], "big") & (1 << bits) - 1


def _mac(salt: str, value: str, secret: str = "") -> bytes:
    """20 octets. Keyed BLAKE2b: a mail needs three, and an HMAC takes several times as long."""
    key = _mac_key(salt, secret or settings.SECRET_KEY)
    return hashlib.blake2b(value.encode(), key=key, digest_size=20).digest()


@lru_cache(maxsize=16)
def _mac_key(salt: str, secret: str) -> bytes:
    return hashlib.sha256(salt.encode() + secret.encode()).digest()


def as_seven_bit(data: bytes) -> bytes:
    """The same mail in base64, for a server that does not offer 8BITMIME."""
    message = message_from_bytes(data, policy=SMTP)
    for part in cast("Iterator[EmailMessage]", message.iter_parts()):
        part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte="base64")
    return message.as_bytes()
