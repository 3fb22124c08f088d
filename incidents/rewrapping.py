"""Wraps the keysets of all incidents again, under the newest master key. Data is not touched."""

import logging
from collections.abc import Callable
from typing import Any

from incidents import encryption
from incidents.models import Incident

logger = logging.getLogger(__name__)

# What upper apps encrypt under the master keyset: its name in English, and a function that encrypts
# it again and returns (rows changed, rows found).
OF_OTHER_APPS: list[tuple[str, Callable[[], tuple[int, int]]]] = []


def rewrap_incidents() -> tuple[int, int]:
    """Wraps all keysets under the newest master key; returns (incidents changed, incidents found).

    Shredded incidents have no keysets and are not counted. It may be run twice or killed at any
    time. Raises EncryptionError, which names the incident, if a keyset cannot be unwrapped with the
    master keyset.
    """
    changed = found = 0
    for incident in Incident.objects.filter(shredded_at__isnull=True).order_by("pk"):
        found += 1
        rewrapped = _rewrapped(incident)
        if not rewrapped:
            continue
        # Nothing is changed if the incident was shredded or got a new data key at this moment. In
        # the second case the command must be run again.
        unchanged = Incident.objects.filter(
            pk=incident.pk, data_keyset=incident.data_keyset, index_keyset=incident.index_keyset
        )
        changed += unchanged.update(**rewrapped)
        logger.info("incident %s: keysets are under the newest master key", incident.pk)
    return changed, found


def _rewrapped(incident: Incident) -> dict[str, Any]:
    """Returns the keysets that had to be wrapped again, by field name."""
    data, index = bytes(incident.data_keyset or b""), bytes(incident.index_keyset or b"")
    rewrapped = {
        "data_keyset": encryption.rewrap_keyset(data, incident.slug, b"data"),
        "index_keyset": encryption.rewrap_keyset(index, incident.slug, b"index"),
    }
    return {name: keyset for name, keyset in rewrapped.items() if keyset}
