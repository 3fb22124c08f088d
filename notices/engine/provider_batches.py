"""Batch requests to a provider: the shared text once, with places for each recipient's values.

`_DIALECTS` lists the providers that support this without a template stored at the provider, and how
each marks a place. A recipient's values travel as data beside the text and never in it. A text or a
value with characters that the provider could take for a mark of its own is sent in a request for
one recipient.
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

# Headers of our mails that are fields of a provider's request. All others are sent as headers.
_PROVIDER_FIELDS = {"to", "from", "subject", "content-type", "mime-version", "date"}
_NO_MARKS = re.compile(r"(?!)")


@dataclass(frozen=True, eq=False)
class _Dialect:
    """How one provider names a slot's values, how it marks the place, and which text it could
    mistake for a mark.

    The marker of a message template is random, so the author of a text or a value cannot guess it.
    """

    key: str
    place: str
    marks: re.Pattern[str] = _NO_MARKS
    extra: Mapping[str, str] = field(default_factory=dict)


# By anymail's name. Both accept 1,000 recipients a request, substitute values in text and HTML
# without escaping, and accept headers and metadata for each recipient.
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
class _SharedTemplate:
    """A notice's message in one language, parsed back from its MIME form."""

    subject: str
    sender: str
    headers: dict[str, str]
    body: str
    html: str
    slots: tuple[str, ...]
    has_marks: bool


def batch_size() -> int:
    """Returns how many recipients one request may name; 1 if the provider or the settings allow no
    more.

    All recipients of a batch share one envelope sender. So only the metadata of a webhook can name
    the delivery of a bounce, and batches need WEBHOOK_SECRET.
    """
    if _dialect() is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return 1
    return max(1, min(settings.NOTICE_PROVIDER_BATCH, MOST_IN_A_REQUEST))


def split_into_batches(mails: Sequence[OutgoingMessage]) -> list[list[OutgoingMessage]]:
    """Splits the mails into groups that may share a request: mails with one template, and no
    address twice in a group.
    """
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
    if dialect is None or mail.shared is None or _shared_template(mail.shared, dialect).has_marks:
        return False
    return not any(dialect.marks.search(value) for value in mail.values.values())


def batch_message(mails: Sequence[OutgoingMessage], connection: BaseEmailBackend) -> AnymailMessage:
    """Returns one message to the recipients of all `mails`, a group of `split_into_batches`.

    Raises ValueError if they share no template.
    """
    dialect, shared = _dialect(), mails[0].shared
    if dialect is None or shared is None:
        raise ValueError("these mails share no text")
    template = _shared_template(shared, dialect)
    batch = AnymailMessage(
        subject=template.subject,
        body=template.body,
        from_email=template.sender,
        to=[mail.to for mail in mails],
        headers=template.headers,
        connection=connection,
    )
    batch.attach_alternative(template.html, "text/html")
    # A provider uses only the domain of the envelope sender, or nothing of it.
    batch.envelope_sender = f"bounce@{settings.MAIL_DOMAIN}"
    keys = {name: _slot_key(name, shared, dialect) for name in template.slots}
    batch.merge_data = {
        mail.to: {key: mail.values[name] for name, key in keys.items()} for mail in mails
    }
    batch.merge_headers = {mail.to: _headers(mail) for mail in mails}
    batch.merge_metadata = {mail.to: metadata(mail) for mail in mails}
    batch.esp_extra = dict(dialect.extra)
    batch.track_opens = batch.track_clicks = False
    return batch


def metadata(mail: OutgoingMessage) -> dict[str, str]:
    """Returns the metadata by which the provider's webhooks name the delivery."""
    return {"delivery": message_code(mail.delivery_id)}


def headers(parsed: EmailMessage, *, without: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Returns the headers that are not fields of a provider's request, except those in
    `without`.
    """
    left_out = _PROVIDER_FIELDS | {name.lower() for name in without or ()}
    return {name: str(parsed[name]) for name in parsed if name.lower() not in left_out}


def part(parsed: EmailMessage, subtype: str) -> str:
    """Returns the text of the body part of a subtype, "plain" or "html"; "" if there is none."""
    found = parsed.get_body((subtype,))
    return str(found.get_content()) if found else ""


def _dialect() -> _Dialect | None:
    return _DIALECTS.get(getattr(import_string(settings.NOTICE_PROVIDER), "esp_name", ""))


@lru_cache(maxsize=8)
def _shared_template(shared: MessageTemplate, dialect: _Dialect) -> _SharedTemplate:
    parsed = message_from_bytes(shared.mime, policy=policy.default)
    slot = re.compile(re.escape(shared.marker) + "-([a-z_]+)-")
    bodies = {kind: part(parsed, kind) for kind in ("plain", "html")}
    subject, sender = str(parsed["Subject"]), str(parsed["From"])
    fixed = " ".join(slot.sub(" ", text) for text in (subject, sender, *bodies.values()))

    def with_places(text: str) -> str:
        return slot.sub(
            lambda found: dialect.place.format(key=_slot_key(found[1], shared, dialect)), text
        )

    return _SharedTemplate(
        subject=subject,
        sender=sender,
        headers=headers(parsed, without=PERSONAL_HEADERS),
        body=with_places(bodies["plain"]),
        html=with_places(bodies["html"]),
        slots=tuple(sorted({name for text in bodies.values() for name in slot.findall(text)})),
        has_marks=bool(dialect.marks.search(fixed)),
    )


def _slot_key(name: str, shared: MessageTemplate, dialect: _Dialect) -> str:
    return dialect.key.format(marker=shared.marker, name=name)


def _headers(mail: OutgoingMessage) -> dict[str, str]:
    return {
        header: f"<{mail.values[slot]}>"
        for header, slot in PERSONAL_HEADERS.items()
        if slot in mail.values
    }
