"""The measurement of the desk's page of a notice."""

import statistics
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from benchmarks import notices
from harness.people import APPROVER
from harness.sign_in import sign_in_to_desk
from harness.signed_cookies import teach_test_clients
from notices.models import Chunk, Notice

VISITS = 20
PIECE = 5_000  # chunks per INSERT
LEASED = 16  # chunks that workers lease at the same time


def status_page_ms(people: int) -> dict[str, float]:
    """Returns the median milliseconds of the page of a notice to `people`, by stage of the send."""
    client = at_the_desk()
    notice = notices.draft(octets=0)
    address = reverse("admin:notices_notice_change", args=[notice.pk])
    found = {}
    for moment, part in (("just begun", 0.001), ("half way", 0.5), ("nearly done", 0.999)):
        _bring_to(notice, people, part)
        client.get(address)
        times = []
        for _ in range(VISITS):
            began = time.perf_counter()
            response = client.get(address)
            times.append(time.perf_counter() - began)
            if response.status_code != 200:
                raise RuntimeError(f"the status page answers {response.status_code}")
        found[moment] = statistics.median(times) * 1000
    return found


def _bring_to(notice: Notice, people: int, part: float) -> None:
    """Writes the counters and chunks of a notice of which `part` is sent.

    It writes no deliveries, because the page does not read them.
    """
    accepted = int(people * part)
    Notice.objects.filter(pk=notice.pk).update(
        state=Notice.State.SENDING,
        approved_by=User.objects.get(email=APPROVER),
        approved_at=timezone.now(),
        planned_at=timezone.now(),
        planned=people,
        accepted=accepted,
    )
    Chunk.objects.filter(notice=notice).delete()
    size = settings.NOTICE_CHUNK_SIZE
    done = int(people / size * part)
    for first in range(0, people // size, PIECE):
        numbers = range(first, min(first + PIECE, people // size))
        Chunk.objects.bulk_create(_chunk(notice, number, done, size) for number in numbers)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notices_chunk")


def _chunk(notice: Notice, number: int, done: int, size: int) -> Chunk:
    state = Chunk.State.DONE if number < done else Chunk.State.DUE
    leased: dict[str, Any] = {}
    if done <= number < done + LEASED:
        state = Chunk.State.LEASED
        leased = {"leased_until": timezone.now() + timedelta(hours=1), "accepted": size // 2}
    key = UUID(int=number + 1)
    return Chunk(notice=notice, first=key, last=key, people=size, state=state, **leased)


def at_the_desk(*, is_superuser: bool = False) -> Client:
    """Returns a client that is signed in to the desk, as a superuser if asked."""
    staff = User.objects.get(email=APPROVER)
    staff.is_superuser = staff.is_superuser or is_superuser
    staff.save(update_fields=["is_superuser"])
    teach_test_clients()
    client = Client(headers={"host": "127.0.0.1"})
    sign_in_to_desk(client, staff)
    return client
