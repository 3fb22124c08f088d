"""One request to a provider for many people: the text once, with places for each one's values.

Which providers can do that without a template stored with them, and how they mark a place, is in
`_DIALECTS`. What a person's data holds travels as data beside the text, never in it. A text or a
value that holds what the provider could take for a mark of its own goes in a request of its own.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from typing import Any

from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from notices.message_codes import message_code
from notices.message_filling import OutgoingMessage
from notices.message_templates import PERSONAL_HEADERS, MessageTemplate

# The provider's fields that our mails have as headers; the others go as they are.
_OWN_FIELDS = {"to", "from", "subject", "content-type", "mime-version", "date"}
_NOTHING = re.compile(r"(?!)")


@dataclass(frozen=True, eq=False)
class _Dialect:
    """How one provider names a slot's values, marks its place, and what it could mistake for one.

    A text's own marker cannot be guessed by whoever wrote the text or a value.
    """

    key: str
    place: str
    marks: re.Pattern[str] = _NOTHING
    extra: Mapping[str, str] = field(default_factory=dict)


# By anymail's name. Both take 1,000 people a request, substitute in text and HTML alike without
# escaping, and take headers and metadata by person.
_DIALECTS = {
    "Mailgun": _Dialect(
        key="{name}",
        place="%recipient.{key}%",
        marks=re.compile(r"%[a-z][^%\s]*%", re.IGNORECASE),
    ),
    "SendGrid": _Dialect(key="{marker}-{name}-", place="{key}", extra={"merge_field_format": "{}"}),
}
MOST_IN_A_REQUEST = 1000


@dataclass(frozen=True)
class _Text:
    """A notice in one language, read back from its MIME form."""

    subject: str
    sender: str
    headers: dict[str, str]
    body: str
    html: str
    slots: tuple[str, ...]
    has_marks: bool


def batch_size() -> int:
    """How many people one request may name; 1 where the provider or its set-up allows no more.

    A batch has one envelope sender, so a bounce says whose it is by a webhook's metadata alone.
    """
    if _dialect() is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return 1
    return max(1, min(settings.NOTICE_PROVIDER_BATCH, MOST_IN_A_REQUEST))


def split(mails: Sequence[OutgoingMessage]) -> list[list[OutgoingMessage]]:
    """The mails that may share a request: of one text, and to no address twice."""
    groups: defaultdict[object, list[OutgoingMessage]] = defaultdict(list)
    times: defaultdict[object, int] = defaultdict(int)
    for mail in mails:
        if not _is_mergeable(mail):
            groups[mail.delivery_id].append(mail)
            continue
        times[mail.shared, mail.to] += 1
        groups[mail.shared, times[mail.shared, mail.to]].append(mail)
    return list(groups.values())


def _is_mergeable(mail: OutgoingMessage) -> bool:
    dialect = _dialect()
    if dialect is None or mail.shared is None or _text(mail.shared, dialect).has_marks:
        return False
    return not any(dialect.marks.search(value) for value in mail.values.values())


def message(mails: Sequence[OutgoingMessage], connection: BaseEmailBackend) -> AnymailMessage:
    """One message to all of `mails`, which `split` put together."""
    dialect, shared = _dialect(), mails[0].shared
    if dialect is None or shared is None:
        raise ValueError("these mails share no text")
    text = _text(shared, dialect)
    batch = AnymailMessage(
        subject=text.subject,
        body=text.body,
        from_email=text.sender,
        to=[mail.to for mail in mails],
        headers=text.headers,
        connection=connection,
    )
    batch.attach_alternative(text.html, "text/html")
    batch.envelope_sender = f"bounce@{settings.MAIL_DOMAIN}"  # providers take its domain at most
    keys = {name: _key(name, shared, dialect) for name in text.slots}
    batch.merge_data = {
        mail.to: {key: mail.values[name] for name, key in keys.items()} for mail in mails
    }
    batch.merge_headers = {mail.to: _headers(mail) for mail in mails}
    batch.merge_metadata = {mail.to: metadata(mail) for mail in mails}
    batch.esp_extra = dict(dialect.extra)
    batch.track_opens = batch.track_clicks = False
    return batch


def metadata(mail: OutgoingMessage) -> dict[str, str]:
    """What the provider's webhooks are to name a delivery by."""
    return {"delivery": message_code(mail.delivery_id)}


def headers(parsed: EmailMessage, *, without: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The headers that are no fields of a provider's request."""
    left_out = _OWN_FIELDS | {name.lower() for name in without or ()}
    return {name: str(parsed[name]) for name in parsed if name.lower() not in left_out}


def part(parsed: EmailMessage, subtype: str) -> str:
    """The text of the mail's part of that kind."""
    found = parsed.get_body((subtype,))
    return str(found.get_content()) if found else ""


def _dialect() -> _Dialect | None:
    return _DIALECTS.get(getattr(import_string(settings.NOTICE_PROVIDER), "esp_name", ""))


@lru_cache(maxsize=8)
def _text(shared: MessageTemplate, dialect: _Dialect) -> _Text:
    parsed = message_from_bytes(shared.mime, policy=policy.default)
    slot = re.compile(re.escape(shared.marker) + "-([a-z_]+)-")
    bodies = {kind: part(parsed, kind) for kind in ("plain", "html")}
    subject, sender = str(parsed["Subject"]), str(parsed["From"])
    fixed = " ".join(slot.sub(" ", text) for text in (subject, sender, *bodies.values()))

    def placed(text: str) -> str:
        return slot.sub(
            lambda found: dialect.place.format(key=_key(found[1], shared, dialect)), text
        )

    return _Text(
        subject=subject,
        sender=sender,
        headers=headers(parsed, without=PERSONAL_HEADERS),
        body=placed(bodies["plain"]),
        html=placed(bodies["html"]),
        slots=tuple(sorted({name for text in bodies.values() for name in slot.findall(text)})),
        has_marks=bool(dialect.marks.search(fixed)),
    )


def _key(name: str, shared: MessageTemplate, dialect: _Dialect) -> str:
    return dialect.key.format(marker=shared.marker, name=name)


def _headers(mail: OutgoingMessage) -> dict[str, str]:
    return {
        header: f"<{mail.values[slot]}>"
        for header, slot in PERSONAL_HEADERS.items()
        if slot in mail.values
    }
