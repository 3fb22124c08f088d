"""Records acts that change no audited row: sign-ins, refusals, look-ups, exports, commands."""

import json
from typing import Any

from django.db import connection
from django.db.models import Model

from accounts.audit.actors import actor_of
from accounts.models import AuditEntry, User

_RECORD = "SELECT accounts_audit_record(%s, %s, %s, %s, %s, %s)"
Kind = AuditEntry.Kind


def record(
    kind: AuditEntry.Kind,
    *,
    by: User | None,
    about: Model | type[Model] | None = None,
    incident: int | None = None,
    **details: Any,
) -> None:
    """Adds an act to the audit trail, in the caller's transaction if there is one.

    `about` is the object, or the model if no single object is concerned. `details` become JSON;
    they must hold no address, name or value of a customer. Without `by` the actor of the process
    counts. Raises ProgrammingError for the kinds that only triggers record.
    """
    object_type = about._meta.db_table if about is not None else ""
    object_id = str(about.pk) if isinstance(about, Model) else ""
    actor = actor_of(by) if by else None
    # PostgreSQL's JSON takes no NUL, which a path may hold: such an act would not be recorded.
    text = json.dumps(details).replace(r"\u0000", r"\ufffd")
    values = [kind.value, object_type, object_id, incident, text, actor]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
