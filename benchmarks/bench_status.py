"""How long the status page of a notice takes, while nothing, half, nearly all of it is sent.

`python -m benchmarks.bench_status`; PEOPLE= sets the ledger's size (default 1,000,000), and the
counters say 33.7 million. The last line is JSON. Runs in a transaction that is rolled back.
"""

import json
import os
import statistics
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")
os.environ.setdefault("BREACHPORTAL_MODE", "development")
django.setup()

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY  # noqa: E402
from allauth.account.internal.userkit import user_id_to_str  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from accounts.models import User  # noqa: E402
from incidents.models import Incident  # noqa: E402
from notices.models import Notice, Statement, StatementVersion  # noqa: E402

PEOPLE = int(os.environ.get("PEOPLE", "1000000"))
MODEL_CASE = 33_700_000
LOOKS = 30
_ROWS = """
INSERT INTO notices_delivery (notice_id, recipient, state, language, attempts,
    is_possible_duplicate, reply, data_classes, ended_at)
SELECT %s, gen_random_uuid(), 'accepted', 'ko', 1, false, '250 2.0.0 taken', '{}', now()
FROM generate_series(1, %s)
"""
_CHUNKS = """
INSERT INTO notices_chunk (notice_id, first, last, people, state, leased_until, fence, failures,
    on_wire, accepted, bounced, suppressed, unreachable, in_doubt, cancelled)
SELECT %s, gen_random_uuid(), gen_random_uuid(), 500,
    CASE WHEN n <= 8 THEN 'leased' WHEN n <= %s THEN 'done' ELSE 'due' END,
    CASE WHEN n <= 8 THEN now() END, 1, 0, '{}', CASE WHEN n <= 8 THEN 7 ELSE 0 END, 0, 0, 0, 0, 0
FROM generate_series(1, %s) AS n
"""


def main() -> None:
    """Prints the median and the worst at each progress."""
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        notice, staff = _notice()
        chunks = MODEL_CASE // settings.NOTICE_CHUNK_SIZE
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, [notice.pk, PEOPLE])
            cursor.execute(_CHUNKS, [notice.pk, chunks // 2, chunks])
            cursor.execute("ANALYZE notices_delivery, notices_chunk")
        client = _desk(staff)
        worst = {f"{percent}_percent": _look(client, notice, percent) for percent in (0, 50, 99)}
        transaction.set_rollback(True)
    figures = {
        "people": MODEL_CASE,
        "ledger_rows": PEOPLE,
        "chunks": chunks,
        "median_ms": max(median for median, _ in worst.values()),
        "worst_ms": max(most for _, most in worst.values()),
    }
    print(json.dumps(figures))


def _look(client: Client, notice: Notice, percent: int) -> tuple[float, float]:
    """(median, worst) milliseconds of a page."""
    Notice.objects.filter(pk=notice.pk).update(accepted=MODEL_CASE * percent // 100)
    url, times = reverse("admin:notices_notice_change", args=[notice.pk]), []
    for _ in range(LOOKS):
        began = time.perf_counter()
        status = client.get(url).status_code
        times.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise SystemExit(f"the page answers {status}")
    median, most = statistics.median(times[1:]), max(times[1:])
    print(f"{percent} % sent: median {median:.1f} ms, worst {most:.1f} ms")
    return round(median, 1), round(most, 1)


def _notice() -> tuple[Notice, User]:
    staff = User.objects.create_user("bench@example.com", is_staff=True, is_superuser=True)
    other = User.objects.create_user("bench2@example.com", is_staff=True)
    incident = Incident(slug="bench-status", aware_at="2025-11-18T09:00:00Z")
    incident.make_keysets()
    incident.save()
    statement = Statement.objects.create(incident=incident, kind="notice", slug="bench")
    version = StatementVersion.objects.create(
        statement=statement, number=1, display_until="2030-01-01", created_by=staff
    )
    notice = Notice.objects.create(
        incident=incident, version=version, kind="mandatory", created_by=staff
    )
    Notice.objects.filter(pk=notice.pk).update(
        state="sending", planned=MODEL_CASE, approved_by=other, approved_at="2025-11-18T10:00:00Z"
    )
    return notice, staff


def _desk(staff: User) -> Client:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(staff)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(staff)
    session.save()
    return client


if __name__ == "__main__":
    main()
