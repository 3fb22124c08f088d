"""The benchmark of reminders of steps: PEOPLE= of them are due at the same moment.

    make bench-reminders PEOPLE=100000

One process sends them to a mail server that discards them, with real PostgreSQL and Redis. The last
line is one JSON object: mails a second by the clock and by the processor time of this process, and
by how many MiB its memory grew between the first tenth and the end.
"""

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

from benchmarks.sink import Sink
from harness import product

VAR = Path(__file__).parent.parent / "var" / "bench-reminders"


def main() -> None:
    """Runs the measurement on new rows."""
    people = int(os.environ.get("PEOPLE", "10000"))
    VAR.parent.mkdir(parents=True, exist_ok=True)
    with Sink(VAR.with_suffix(".mails")) as sink:
        product.open_in(VAR, people=people, EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(sink.port))
        _make(people)
        figures = _measured(people)
        time.sleep(1.0)  # the server writes its count once a moment
        print(json.dumps({"people": people, **figures, "mails": sink.taken()}))


def _make(people: int) -> None:
    """Makes an account and a due reminder for each person."""
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, {"people": people})
        cursor.execute("ANALYZE")


_STATEMENTS = (
    """INSERT INTO accounts_user (password, is_superuser, email, name, language, is_staff,
            is_active, created_at)
        SELECT '', false, 'customer' || n || '@people.example', '', 'ko', false, true, now()
        FROM generate_series(1, %(people)s) n""",
    """INSERT INTO account_emailaddress (email, verified, "primary", user_id)
        SELECT email, true, true, id FROM accounts_user WHERE NOT is_staff""",
    """INSERT INTO incidents_stepreminder (user_id, incident_id, asked_at, mails, due_at,
            mail_tries)
        SELECT u.id, i.id, now() - interval '4 days', 0, now() - interval '1 day', 0
        FROM accounts_user u, incidents_incident i WHERE NOT u.is_staff""",
)


def _measured(people: int) -> dict[str, Any]:
    """Sends a tenth, so that what a process keeps is kept, then measures the rest."""
    from accounts import due_mails
    from incidents import reminders
    from incidents.models import StepReminder

    def left() -> int:
        return StepReminder.objects.due().count()

    due_mails.SECONDS = 1.0
    while left() > people * 9 // 10:
        reminders.send_due()
    due_mails.SECONDS = float(os.environ.get("SECONDS", "3600"))
    before, size = left(), _largest_mib()
    began, own = time.perf_counter(), time.process_time()
    reminders.send_due()
    seconds, own = time.perf_counter() - began, time.process_time() - own
    sent = before - left()
    return {
        "sent": sent,
        "a_second": round(sent / seconds),
        "a_second_and_core": round(sent / own),
        "own_ms": round(1000 * own / sent, 3),
        "memory_grew_mib": round(_largest_mib() - size, 1),
    }


def _largest_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
