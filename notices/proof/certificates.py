"""Certificates: a PDF for one user of what leaked and how they were notified (decision 0010).

The code of a certificate is its key. The portal stores the content encrypted under the code, and
does not store the code. So every holder of the PDF can check it, without a time limit, and no other
person can read the content.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple
from uuid import UUID

import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from accounts.models import User
from foundations import base32, documents
from foundations.formatting import moment
from incidents import phrasing
from incidents.additions import Addition
from incidents.leaks import CONTACT_KEYS, Leak, batches_of
from incidents.masking import mask
from incidents.models import AffectedPerson, DataClass, ExposureBatch, FurtherContact, Incident
from incidents.my_data import OwnLeaks, leaks_of
from notices.ledger_messages import LedgerMessages
from notices.models import Certificate, Delivery, Notice

logger = logging.getLogger(__name__)

# The same text is at the top of every page of a demonstration.
DEMONSTRATION = gettext_noop(
    "This is a demonstration with sample data. Everyone in it is made up. It is not a message from "
    "the company named."
)
_CODE_LENGTH = 20  # 100 bits cannot be guessed, not even with a stolen database
_NONCE_BYTES = 12


@dataclass(frozen=True)
class CertificatePart:
    """A part of a certificate: a heading, and rows of (name, content)."""

    heading: str
    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class IssuedCertificate:
    """A new certificate with its code and its PDF. The portal stores neither code nor PDF."""

    certificate: Certificate
    code: str
    pdf: bytes


@dataclass(frozen=True)
class VerifiedCertificate:
    """A certificate that was found by its code: the row, and the content that it certifies."""

    certificate: Certificate
    parts: list[CertificatePart]
    withdrawn: list[ExposureBatch]  # what it rests on and was withdrawn since


def issue(user: User, incident: Incident, *, language: str) -> IssuedCertificate | None:
    """Issues a certificate of what leaked of `user` in a public incident; None if nothing leaked.

    Raises EncryptionError if the incident's data cannot be decrypted, for example because it was
    shredded.
    """
    rows = leaks_of(user, incident)
    if not rows:
        return None
    code, issued_at = base32.random_code(_CODE_LENGTH), timezone.now().replace(microsecond=0)
    with override(language), timezone.override(incident.zone):
        parts = [_about(incident, user, rows), *_leaked(incident, rows), _notified(rows)]
        document = documents.Document(
            title=_("Certificate of leaked personal data"),
            language=language,
            footer=settings.PORTAL_URL,
            made_at=issued_at,
            blocks=_blocks(parts, code, moment(issued_at)),
        )
    pdf = documents.pdf(document)
    certificate = Certificate(
        lookup=_lookup(code),
        incident=incident,
        language=language,
        issued_at=issued_at,
        sha256=hashlib.sha256(pdf).hexdigest(),
    )
    content = _CertificateContent(parts, _versions(rows))
    certificate.ciphertext = _encrypt_content(certificate, content, code)
    certificate.save()
    logger.info(
        "user %s was given certificate %s of incident %s", user.pk, certificate.pk, incident.pk
    )
    return IssuedCertificate(certificate, code, pdf)


def find_certificate(typed: str) -> VerifiedCertificate | None:
    """Finds and decrypts the certificate with a code as a person typed it.

    Returns None if there is no such certificate, or if its row was tampered with.
    """
    code = base32.as_typed(typed, length=_CODE_LENGTH)
    if code is None:
        return None
    found = Certificate.objects.select_related("incident").filter(lookup=_lookup(code)).first()
    if found is None:
        return None
    try:
        content = _decrypt_content(found, code)
    except InvalidTag:
        logger.error("certificate %s does not open with its code", found.pk)
        return None
    withdrawn = ExposureBatch.State.WITHDRAWN
    since = found.incident.batches.filter(pk__in=content.versions, state=withdrawn)
    return VerifiedCertificate(found, content.parts, list(since))


def check_url(code: str) -> str:
    """Returns the URL in the active language at which any visitor can check the certificate."""
    return settings.PORTAL_URL + reverse("certificate_checked", args=[code])


# ---------------------------------------------------------------- content


Rows = list[OwnLeaks]


class _CertificateContent(NamedTuple):
    """What is encrypted under the code."""

    parts: list[CertificatePart]
    versions: list[int]  # the ids of the scope versions that the certificate rests on


def _versions(rows: Rows) -> list[int]:
    found = batches_of([row.person.pk for row in rows])
    batches = {batch for batches in found.values() for batch in batches}
    return sorted(one.pk for one in batches if one.state != ExposureBatch.State.WITHDRAWN)


def _about(incident: Incident, user: User, rows: Rows) -> CertificatePart:
    facts = [
        (_("Company"), str(incident.company)),
        (_("Incident"), str(incident.title)),
        (
            _("The company noticed"),
            date_format(timezone.localtime(incident.aware_at), "DATE_FORMAT"),
        ),
    ]
    facts += [(_("Name, partly hidden"), name) for name in _names(rows)]
    proven = ", ".join(_proven(incident, user, rows))
    facts.append((_("Proven by a code"), proven))
    return CertificatePart(_("Whom it is about"), facts)


def _names(rows: Rows) -> list[str]:
    """Returns the masked names of accounts, each once.

    Names of parcel recipients are left out: an entry of an address book can identify its owner.
    """
    names = [
        text
        for row in rows
        if row.person.relation != AffectedPerson.Relation.RECIPIENT
        for leak in row.leaks
        if CONTACT_KEYS.get(leak.data_class.slug) == "n"
        for text, _date in leak.values
    ]
    return [mask(name, DataClass.Masking.NAME) for name in dict.fromkeys(names)]


def _proven(incident: Incident, user: User, rows: Rows) -> list[str]:
    """Returns the user's verified addresses and numbers that match these rows, masked."""
    cipher = incident.cipher()
    people = [row.person for row in rows]
    further = FurtherContact.objects.filter(person__in=people)
    indexes = {index for p in people for index in (p.email_index, p.phone_index)}
    indexes |= set(further.values_list("contact_index", flat=True))
    return [
        mask(email, DataClass.Masking.EMAIL)
        for email in user.verified_emails()
        if cipher.email_index(email) in indexes
    ] + [
        mask(phone, DataClass.Masking.PHONE)
        for phone in user.verified_phones()
        if cipher.phone_index(phone) in indexes
    ]


def _leaked(incident: Incident, rows: Rows) -> list[CertificatePart]:
    """Returns a part for each row: its data classes, how many values of each leaked, and when."""
    return [
        CertificatePart(
            _heading(row.person, incident),
            [(str(leak.data_class.name), _count(leak)) for leak in row.leaks]
            + _added(row.additions),
        )
        for row in rows
    ]


def _added(additions: Sequence[Addition]) -> list[tuple[str, str]]:
    """Returns a line for each day that added data, the oldest first; none for a single day."""
    if len(additions) < 2:
        return []
    return [
        (_("Added on %(day)s") % {"day": date_format(one.day)}, " · ".join(one.lines))
        for one in reversed(additions)
    ]


def _heading(person: AffectedPerson, incident: Incident) -> str:
    headings = {
        AffectedPerson.Relation.MEMBER: _("Leaked: an account at %(company)s"),
        AffectedPerson.Relation.FORMER_MEMBER: _("Leaked: a former account at %(company)s"),
    }
    otherwise = _("Leaked: the recipient of a parcel, in an address book at %(company)s")
    relation = AffectedPerson.Relation(person.relation)
    return headings.get(relation, otherwise) % {"company": incident.company}


def _count(leak: Leak) -> str:
    if leak.count == 0 or (leak.count == 1 and leak.data_class.is_one_each):
        return _("leaked")
    return _("%(number)s leaked") % {"number": phrasing.number_of(leak.data_class, leak.count)}


def _notified(rows: Rows) -> CertificatePart:
    """Lists the mandatory notices to these people and what became of them, oldest first."""
    people = [row.person.pk for row in rows]
    sent = Delivery.objects.filter(person__in=people, notice__kind=Notice.Kind.MANDATORY)
    deliveries = sent.select_related("notice__version").order_by("notice_id", "pk")
    heading = _("How the person was notified")
    entries = [(_title_of(delivery.notice), _how(delivery)) for delivery in deliveries]
    none_sent = (_("Notices"), _("None was sent to this person so far."))
    return CertificatePart(heading, entries or [none_sent])


def _title_of(notice: Notice) -> str:
    named = {"title": notice.version.title, "number": notice.version.number}
    return _("“%(title)s”, version %(number)s") % named


def _how(delivery: Delivery) -> str:
    state = Delivery.State
    at = delivery.ended_at or delivery.notice.started_at
    phrases = {
        state.ACCEPTED: _("Sent by %(channel)s; accepted for delivery on %(time)s"),
        state.BOUNCED: _("Sent by %(channel)s; came back undelivered on %(time)s"),
        state.IN_DOUBT: _("Sent by %(channel)s on %(time)s; whether it arrived is not known"),
        state.UNREACHABLE: _("Could not be reached by %(channel)s; %(time)s"),
        state.SUPPRESSED: _("Not sent by %(channel)s, as earlier messages came back; %(time)s"),
        state.CANCELLED: _("Cancelled before it was sent by %(channel)s; %(time)s"),
    }
    under_way = _("On its way by %(channel)s since %(time)s")
    phrase = phrases.get(state(delivery.state), under_way)
    if delivery.went_to_shared_contact():
        phrase = _(
            "Sent by %(channel)s without details, as many people share the address; %(time)s"
        )
    elif delivery.reply == LedgerMessages.SHARED_CONTACT.stored():
        phrase = _("Not sent by %(channel)s, as many people share the address; %(time)s")
    return phrase % {
        "channel": delivery.notice.get_channel_display(),
        "time": moment(at) if at else "",
    }


def _blocks(parts: list[CertificatePart], code: str, issued: str) -> list[documents.Block]:
    """Returns the blocks of the PDF: the content, then the code and how to check it."""
    blocks: list[documents.Block] = [
        documents.Paragraph(
            _(
                "%(portal)s certifies what the data known to have leaked holds of the person "
                "below, as of %(issued)s."
            )
            % {"portal": settings.PORTAL_URL, "issued": issued}
        )
    ]
    if settings.IS_DEMO:
        blocks.insert(0, documents.Paragraph(_(DEMONSTRATION)))
    for part in parts:
        blocks += [documents.Heading(part.heading), documents.Facts(part.rows)]
    url = check_url(code)
    picture = documents.DocumentImage(
        svg=_qr(url),
        alt=_("QR code: the address at which this certificate can be checked"),
        url=url,
        beside=[
            _("Certificate code: %(code)s") % {"code": written(code)},
            _("Type %(address)s yourself and enter the code, or scan the QR code.")
            % {"address": settings.PORTAL_URL + reverse("certificate_check")},
            _("The page shows what stands here, nothing else. If it differs, this was altered."),
        ],
    )
    return [*blocks, documents.Heading(_("Is it genuine?")), picture]


def _qr(url: str) -> str:
    buffer = BytesIO()
    segno.make(url, error="m", micro=False).save(buffer, kind="svg", xmldecl=False, border=2)
    return buffer.getvalue().decode()


# ---------------------------------------------------------------- code and encryption


def written(code: str) -> str:
    """Returns a code in groups of four, such as 7QK2-X9ND-4HTB-90FC-WZ6M."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _derived(code: str) -> bytes:
    """Derives 48 bytes from the code: 16 for the look-up and 32 for the key.

    A slow hash is not needed, because a code has 100 random bits.
    """
    return hashlib.blake2b(code.encode(), digest_size=48, person=b"certificate").digest()


def _lookup(code: str) -> UUID:
    return UUID(bytes=_derived(code)[:16])


def _bound_to(certificate: Certificate) -> bytes:
    """Returns the associated data of the ciphertext, so that these columns cannot be exchanged."""
    parts = [certificate.incident_id, certificate.language, certificate.sha256]
    return json.dumps([*parts, int(certificate.issued_at.timestamp())]).encode()


def _encrypt_content(certificate: Certificate, content: _CertificateContent, code: str) -> bytes:
    parts = [[part.heading, part.rows] for part in content.parts]
    plain = json.dumps({"parts": parts, "versions": content.versions}).encode()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_derived(code)[16:]).encrypt(nonce, plain, _bound_to(certificate))


def _decrypt_content(certificate: Certificate, code: str) -> _CertificateContent:
    """Decrypts the content. Raises InvalidTag if the code is wrong or the row was changed."""
    ciphertext = bytes(certificate.ciphertext)
    nonce, ciphertext = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
    plain = AESGCM(_derived(code)[16:]).decrypt(nonce, ciphertext, _bound_to(certificate))
    stored = json.loads(plain)
    parts = [
        CertificatePart(heading, [(name, content) for name, content in rows])
        for heading, rows in stored["parts"]
    ]
    return _CertificateContent(parts, stored["versions"])
