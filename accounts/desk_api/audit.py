"""The audit trail in the desk's API."""

from django.http import HttpRequest

from accounts.desk_api.answers import Record, api_view, check_parameters, page_size, whole_number
from accounts.models import AuditEntry


@api_view(audit=True)
def audit_entries(request: HttpRequest) -> Record:
    """Returns entries with a number above `after`, the oldest first.

    Only linked entries have numbers, which have no gaps and never change: a program that asks for
    what follows the last number it has misses none.
    """
    check_parameters(request, "after", "limit")
    size = page_size(request)
    after = whole_number(request, "after")
    found = AuditEntry.objects.linked().filter(number__gt=after)[: size + 1]
    entries = [_record(entry) for entry in found]
    return {"entries": entries[:size], "more": len(entries) > size}


def _record(entry: AuditEntry) -> Record:
    return {
        "number": entry.number,
        "hash": bytes(entry.hash or b"").hex(),
        "id": entry.pk,
        "at": entry.at,
        "actor_id": entry.actor_id,
        "actor": entry.actor,
        "account": entry.account,
        "kind": entry.kind,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "incident_id": entry.incident_id,
        "details": entry.details,
    }
