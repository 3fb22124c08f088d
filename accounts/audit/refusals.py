"""Records refused attempts of the response team in the audit trail, so many in an hour at most."""

import logging
from datetime import timedelta

from django.db.models import Model
from django.utils import timezone

from accounts.audit import acts
from accounts.models import AuditEntry, User

MOST = 100  # entries of one person in PERIOD, and as many of refused look-ups
PERIOD = timedelta(hours=1)

logger = logging.getLogger(__name__)


def record(by: User, *, about: Model | None = None, **details: str) -> None:
    """Records that an attempt of `by` was refused.

    A person who repeats refused requests cannot fill the table: after MOST entries in PERIOD only
    the process log has further ones, and the last entry says so. For a refused look-up only such
    refusals count: others, which are easily provoked, do not hide it from the superusers.
    """
    refused = AuditEntry.objects.refused_to(by)
    if details.get("reason") == AuditEntry.TOO_MANY_LOOK_UPS:
        refused = refused.filter(details__reason=AuditEntry.TOO_MANY_LOOK_UPS)
    newest = refused.values_list("at", flat=True)[:MOST]
    since = timezone.now() - PERIOD
    recent = sum(at > since for at in newest)
    if recent >= MOST:
        logger.warning("refused to user %s, not in the audit trail: %s", by.pk, details)
        return
    if recent == MOST - 1:
        details["further"] = "only in the process log for an hour"
    acts.record(AuditEntry.Kind.REFUSED, by=by, about=about, incident=None, **details)
