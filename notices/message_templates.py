"""Message templates: a notice's message in one language, rendered and MIME-encoded with open slots.

A template is rendered once per language, at the approval of the notice. notices.message_filling
fills its slots for each recipient. A recipient's data therefore never reaches a Django template.
"""

import hashlib
import json
import secrets
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from typing import Any

import nh3
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from foundations.automatic_mails import identity_headers
from foundations.mail_headers import text_header
from incidents.models import DataClass
from notices import sms
from notices.models import Notice, NoticeMessage
from statements import markdown
from statements.models import Advisory, Section

# The slots that end in `_html` are in the HTML part. Only alerts have the slot `unsubscribe`.
SLOTS = (
    *("to", "message_id", "date", "name", "name_html"),
    *("classes", "classes_html", "class_line", "code", "unsubscribe"),
)

# Headers that differ by recipient, and the slot that each holds in angle brackets.
PERSONAL_HEADERS = {"Message-ID": "message_id", "List-Unsubscribe": "unsubscribe"}

# RFC 5321 limits a line to 998 octets. A character has up to 4 octets, and the recipient's name
# may be added to a line.
LINE_CHARACTERS = 180
# The text of a mail has no links except those to the portal. The other links of a statement are
# shown as plain text.
TAGS_IN_MAIL = {"p", "br", "ul", "ol", "li", "strong", "em", "h3", "h4", "h5", "h6", "blockquote"}
TAGS_IN_MAIL |= {"table", "thead", "tbody", "tr", "th", "td", "hr", "code", "pre"}


@dataclass(frozen=True, eq=False)
class MessageTemplate:
    """What all messages of a notice in one language have in common, with open slots."""

    marker: str  # a slot is "<marker>-<name>-"
    mime: bytes


def render_template(notice: Notice, language: str) -> NoticeMessage:
    """Renders the notice's message template in one language. Returns it unsaved."""
    marker, slot = _marked_slots()
    if notice.channel == Notice.Channel.SMS:
        name = "notice" if notice.is_mandatory else "alert"
        return _render_sms(notice, language, marker=marker, slot=slot, name=name)
    if notice.channel == Notice.Channel.PUSH:
        return _render_push(notice, language, marker=marker)
    folder = "notice" if notice.is_mandatory else "weekly" if notice.is_weekly_mail else "alert"
    return _render_mail(notice, language, folder=folder, marker=marker, slot=slot)


def render_template_for_shared_contact(notice: Notice, language: str) -> NoticeMessage:
    """Renders the one message to a contact of many people in one language. Returns it unsaved.

    It names no person and no data.
    """
    marker, slot = _marked_slots()
    if notice.channel == Notice.Channel.SMS:
        message = _render_sms(notice, language, marker=marker, slot=slot, name="shared_contact")
    else:
        folder = "shared_contact"
        message = _render_mail(notice, language, folder=folder, marker=marker, slot=slot)
    message.is_for_shared_contact = True
    return message


def _marked_slots() -> tuple[str, dict[str, str]]:
    """Returns a random marker, and the text of each slot with it."""
    marker = f"slot{secrets.token_hex(12)}"
    return marker, {name: f"{marker}-{name}-" for name in SLOTS}


def _render_mail(
    notice: Notice, language: str, *, folder: str, marker: str, slot: Mapping[str, str]
) -> NoticeMessage:
    with override(language), timezone.override(notice.incident.zone):
        context = _context(notice) | {"slot": slot}
        subject = render_to_string(f"emails/{folder}/subject.txt", context)
        text = render_to_string(f"emails/{folder}/body.txt", context)
        html = render_to_string(f"emails/{folder}/body.html", context)
        customer = _("customer")
    content = _content(text=text, html=html, language=language, boundary=_boundary(marker))
    return NoticeMessage(
        notice=notice,
        language=language,
        marker=marker,
        mime=_personal_headers(notice, slot) + _shared_headers(notice, subject) + content,
        slot_texts={"customer": customer, "classes": _class_names(language)},
    )


def fingerprint(messages: Iterable[NoticeMessage]) -> str:
    """Returns the SHA-256, in hex, of what the messages say: headers, texts and class names.

    Two renderings of the same text have the same fingerprint, although each has its own marker.
    """
    said = [
        (message.language, message.slot_texts, _without_marker(message).decode("latin-1"))
        for message in messages
    ]
    canonical = json.dumps(sorted(said, key=lambda entry: entry[0]), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _without_marker(message: NoticeMessage) -> bytes:
    own = {_boundary(message.marker): b"boundary", message.marker: b"slot"}
    content = bytes(message.mime)
    for text, replacement in own.items():
        content = content.replace(text.encode(), replacement)
    return content


def _boundary(marker: str) -> str:
    """Returns the MIME boundary. The marker is secret, so no value in a slot can contain it."""
    return hashlib.sha256(marker.encode()).hexdigest()[:32]


def _render_sms(
    notice: Notice, language: str, *, marker: str, slot: Mapping[str, str], name: str
) -> NoticeMessage:
    with override(language), timezone.override(notice.incident.zone):
        content = sms.render_sms_template(_context(notice) | {"slot": slot}, name=name)
        comma = _(", ")
    slot_texts = {"customer": "", "classes": _class_names(language), "comma": comma}
    return NoticeMessage(
        notice=notice, language=language, marker=marker, mime=content, slot_texts=slot_texts
    )


def _render_push(notice: Notice, language: str, *, marker: str) -> NoticeMessage:
    """Renders a push message: the title and the link of the page, and nothing personal.

    The tag makes a repeated message replace the first one in the browser. A test has a tag of its
    own, because a browser replaces a message without a sound.
    """
    with override(language):
        context = _context(notice)
        title = " ".join(render_to_string("emails/alert/subject.txt", context).split())
        content = {"title": title, "url": context["page_url"], "lang": language}
    content["tag"] = f"{'test' if notice.is_test else 'version'}-{notice.version_id}"
    return NoticeMessage(
        notice=notice,
        language=language,
        marker=marker,
        mime=json.dumps(content, ensure_ascii=False).encode(),
        slot_texts={"customer": "", "classes": {}},
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
        "says_whom_to_ask": not notice.is_weekly_mail
        and any(section.key == Section.Key.DEPARTMENT_AND_CONTACT for section in sections),
        "topic": notice.get_topic_display(),
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "is_demo": settings.IS_DEMO,
        "is_test": notice.is_test,
        "page_url": settings.PORTAL_URL + version.get_absolute_url(),
        "updates": _updates(notice) if notice.is_weekly_mail else [],
    }


def _updates(notice: Notice) -> list[dict[str, Any]]:
    return [
        {
            "title": version.title,
            "published_at": version.published_at,
            "url": settings.PORTAL_URL + version.get_absolute_url(),
        }
        for version in notice.weekly_versions()
    ]


def _section(section: Section) -> dict[str, str]:
    html = nh3.clean(markdown.render(str(section.body)), tags=TAGS_IN_MAIL, attributes={})
    return {
        "heading": section.label,
        "basis": section.get_basis_display(),
        "text": markdown.plain(str(section.body)),
        "html": html,
    }


def _class_names(language: str) -> dict[int, str]:
    return {kind.pk: kind.name.in_language(language) for kind in DataClass.objects.all()}


def _personal_headers(notice: Notice, slot: Mapping[str, str]) -> bytes:
    lines = [
        f"To: {slot['to']}",
        f"Message-ID: <{slot['message_id']}>",
        f"Date: {slot['date']}",
    ]
    # RFC 8058. A mandatory notice has no opt-out, because the law demands it.
    if not notice.is_mandatory:
        lines += [
            f"List-Unsubscribe: <{slot['unsubscribe']}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _shared_headers(notice: Notice, subject: str) -> bytes:
    """Returns the headers that are the same for all recipients.

    Feedback-ID is Gmail's: its Postmaster Tools show complaints by version, incident and kind.
    """
    kind = "notice" if notice.is_mandatory else "alert"
    feedback = f"version{notice.version_id}:incident{notice.incident_id}:{kind}"
    return identity_headers(settings.DEFAULT_FROM_EMAIL, feedback) + text_header(
        "Subject", " ".join(subject.split())
    )


def _content(*, text: str, html: str, language: str, boundary: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message.set_content(_folded(text), cte="8bit")
    message.add_alternative(_folded(html), subtype="html", cte="8bit")
    message["Content-Language"] = language
    message.set_boundary(boundary)
    return message.as_bytes()


def _folded(text: str) -> str:
    """Returns `text` with lines of at most LINE_CHARACTERS, broken at spaces.

    A word longer than LINE_CHARACTERS is not broken.
    """
    wrap = partial(
        textwrap.wrap,
        width=LINE_CHARACTERS,
        break_on_hyphens=False,
        break_long_words=False,
        expand_tabs=False,
        replace_whitespace=False,
    )
    return "\n".join("\n".join(wrap(line)) for line in text.splitlines()) + "\n"
