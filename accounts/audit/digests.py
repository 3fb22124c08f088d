"""Sends the digest of the audit trail out of the portal once a day, by mail and to a webhook.

The owner of the tables can rewrite the trail, but not what others have received. See
docs/audit-trail.md.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import make_msgid
from functools import partial
from smtplib import SMTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import emails
from accounts.audit import acts, chain
from accounts.models import AuditEntry
from foundations import webhooks

# The task runs each hour; a destination is served again in the first run after this time.
EVERY = timedelta(hours=23, minutes=30)

logger = logging.getLogger(__name__)
Send = Callable[[chain.TrailDigest, datetime], None]


class DigestMail(emails.AccountMail):
    """A mail with the digest of the trail, as text only."""

    purpose = "audit:trail:digest"


def send_due() -> None:
    """Links the trail, then sends its digest to each destination without one for EVERY.

    Each sent digest is recorded. A destination that fails is logged as an error; the next run tries
    it again.
    """
    due = [(to, send) for to, send in _destinations() if not _has_received(to)]
    if not due:
        return
    chain.link()
    digest = chain.last_digest()
    if digest is None:
        return
    for to, send in due:
        try:
            send(digest, timezone.now())
        except (SMTPException, *webhooks.ERRORS) as error:
            # no text of the error: that of a request has the address, which may hold a secret
            logger.error(
                "digest of the audit trail not sent to %s: %s", to, webhooks.name_of(error)
            )
        else:
            acts.record(
                AuditEntry.Kind.DIGEST, by=None, about=AuditEntry, to=to, digest=str(digest)
            )


def text_of(digest: chain.TrailDigest, at: datetime) -> str:
    """Returns the text of a digest in the active language: portal, entries, hash, comparison."""
    lines = [
        _("Portal: %(url)s") % {"url": settings.PORTAL_URL},
        _("Entries of the audit trail: %(number)s") % {"number": f"{digest.number:,}"},
        _("Hash of the newest entry: %(hash)s") % {"hash": digest.hash},
        _("Time: %(time)s") % {"time": at.isoformat(timespec="seconds")},
        "",
        _("Keep this message outside of the portal. This command shows whether an entry changed:"),
        f"manage.py verify_audit --digest {digest}",
    ]
    return "\n".join(lines) + "\n"


def _destinations() -> Iterator[tuple[str, Send]]:
    """Yields the name of each destination, as the trail records it, and its function."""
    for address in settings.AUDIT_DIGEST_TO:
        yield address, partial(_mail, address)
    if settings.AUDIT_DIGEST_WEBHOOK:
        yield f"webhook {urlsplit(settings.AUDIT_DIGEST_WEBHOOK).hostname}", _post


def _has_received(to: str) -> bool:
    sent = AuditEntry.objects.filter(
        kind=AuditEntry.Kind.DIGEST,
        object_type=AuditEntry._meta.db_table,
        object_id="",
        at__gte=timezone.now() - EVERY,
        details__to=to,
    )
    return sent.exists()


def _mail(address: str, digest: chain.TrailDigest, at: datetime) -> None:
    """Sends one mail to one address: of several recipients, a refused one would not be noticed."""
    DigestMail(
        subject=_("Digest of the audit trail of %(host)s") % {"host": settings.PORTAL_HOST},
        body=text_of(digest, at),
        to=[address],
        headers={"Message-ID": make_msgid(domain=settings.MAIL_DOMAIN)},
        connection=emails.connect(),
        from_email=settings.CODE_MAIL_RETURN_PATH or settings.CODE_MAIL_FROM or None,
    ).send()


def _post(digest: chain.TrailDigest, at: datetime) -> None:
    """Posts the digest; "text" is what chat programs show. Raises one of webhooks.ERRORS."""
    fields = {
        "text": text_of(digest, at),
        "portal": settings.PORTAL_URL,
        "number": digest.number,
        "hash": digest.hash,
        "at": at.isoformat(timespec="seconds"),
    }
    webhooks.post_fields(settings.AUDIT_DIGEST_WEBHOOK, fields, secret=settings.AUDIT_DIGEST_SECRET)
