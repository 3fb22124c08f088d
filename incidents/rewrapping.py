"""Wraps every incident's keysets again, under the newest master key. Their data is not touched."""

import logging
from typing import Any

from incidents import encryption
from incidents.models import Incident

logger = logging.getLogger(__name__)


def rewrap_incidents() -> tuple[int, int]:
    """How many incidents' keysets were wrapped again, and how many incidents have any.

    Running it twice, or killing it half way, does no harm. Raises SealingError, naming the
    incident whose keysets no key of the master keyset opens.
    """
    changed = found = 0
    for incident in Incident.objects.filter(shredded_at__isnull=True).order_by("pk"):
        found += 1
        again = _rewrapped(incident)
        if not again:
            continue
        # Unless it was shredded or got another data key in this moment; then run it again.
        unchanged = Incident.objects.filter(
            pk=incident.pk, data_keyset=incident.data_keyset, index_keyset=incident.index_keyset
        )
        changed += unchanged.update(**again)
        logger.info("incident %s: keysets are under the newest master key", incident.pk)
    return changed, found


def _rewrapped(incident: Incident) -> dict[str, Any]:
    data, index = bytes(incident.data_keyset or b""), bytes(incident.index_keyset or b"")
    again = {
        "data_keyset": encryption.rewrap_keyset(data, incident.slug, b"data"),
        "index_keyset": encryption.rewrap_keyset(index, incident.slug, b"index"),
    }
    return {name: keyset for name, keyset in again.items() if keyset}
