"""The status page of a notice: state, rate and reasons to wait, without counting rows."""

import time

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from harness import exposure_factory
from notices import decisions
from notices.engine import progress
from notices.models import Notice
from tests.notice_factory import affected, work

pytest_plugins = ["tests.notice_fixtures"]


def page_of(approvers_desk, notice) -> tuple[str, list[str]]:
    with CaptureQueriesContext(connection) as queries:
        text = approvers_desk.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    return text, [query["sql"] for query in queries]


def queries_while(approvers_desk, notice) -> int:
    _text, queries = page_of(approvers_desk, notice)
    assert not [sql for sql in queries if '"notices_delivery"' in sql]
    return len(queries)


def test_the_page_asks_as_much_of_thirty_people_as_of_three(
    approvers_desk, draft, people, approver, server, settings
):
    settings.NOTICE_CHUNK_SIZE = 1
    file = exposure_factory.file_of(draft.incident)
    queries_while(approvers_desk, draft)  # fills caches of the process
    few = queries_while(approvers_desk, draft)
    for number in range(27):
        affected(file, "사람", f"person{number}@example.com")
    Notice.objects.filter(pk=draft.pk).update(ramp="person")
    assert queries_while(approvers_desk, draft) == few <= 18  # a draft counts its audience
    decisions.approve(draft, by=approver)
    counts = {queries_while(approvers_desk, draft)}
    work(draft)
    counts.add(queries_while(approvers_desk, draft))
    decisions.pause(draft)
    counts.add(queries_while(approvers_desk, draft))
    decisions.cancel(draft)
    work(draft)
    counts.add(queries_while(approvers_desk, draft))
    assert max(counts) - min(counts) <= 4  # the ramp's step, and buttons that depend on the state
    assert max(counts) <= 16


def test_it_says_how_fast_and_how_long(approvers_desk, notice, people, monkeypatch):
    Notice.objects.filter(pk=notice.pk).update(state="sending", planned=1_000, accepted=100)
    clock = 1_000.0
    monkeypatch.setattr(time, "time", lambda: clock)
    text, _queries = page_of(approvers_desk, notice)
    assert "a second" not in text
    clock += 10
    Notice.objects.filter(pk=notice.pk).update(accepted=400)
    text, _queries = page_of(approvers_desk, notice)
    assert "30 people a second" in text
    assert "about 20 seconds left" in text


def test_a_remaining_time_of_days_is_shown_in_days_and_hours(
    approvers_desk, notice, people, monkeypatch
):
    clock = 1_000.0
    monkeypatch.setattr(time, "time", lambda: clock)
    Notice.objects.filter(pk=notice.pk).update(state="sending", planned=33_700_000)
    page_of(approvers_desk, notice)
    clock += 10
    Notice.objects.filter(pk=notice.pk).update(accepted=1_000)
    text, _queries = page_of(approvers_desk, notice)
    assert "about 3 days 21 hours left" in text


def test_numbers_are_grouped_in_the_list(approvers_desk, notice):
    Notice.objects.filter(pk=notice.pk).update(planned=33_700_000, accepted=1_000)
    listed = approvers_desk.get(reverse("admin:notices_notice_changelist")).text
    assert '"field-planned">33,700,000<' in listed
    assert '"field-accepted">1,000<' in listed


def test_progress_and_pause_come_before_other_details(approvers_desk, notice, people):
    Notice.objects.filter(pk=notice.pk).update(state="sending", planned=1_000, accepted=100)
    text, _queries = page_of(approvers_desk, notice)
    assert text.index("accepted by the mail server") < text.index("Retries end")
    assert text.index('value="Pause"') < text.index("Retries end")


def test_two_page_views_at_once_measure_from_the_same_point(notice, monkeypatch):
    Notice.objects.filter(pk=notice.pk).update(state="sending", planned=1_000, accepted=0)
    notice.refresh_from_db()
    clock = 1_000.0
    monkeypatch.setattr(time, "time", lambda: clock)
    progress.send_progress(notice)
    clock += 10
    Notice.objects.filter(pk=notice.pk).update(accepted=300)
    assert progress.send_progress(notice).rate == 30
    clock += 0.5
    rate = progress.send_progress(notice).rate
    assert rate is not None
    assert 25 < rate <= 30


def test_without_redis_the_page_has_no_rate(approvers_desk, notice, settings):
    Notice.objects.filter(pk=notice.pk).update(state="sending", planned=1_000, accepted=100)
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        }
    }
    text, _queries = page_of(approvers_desk, notice)
    assert "accepted by the mail server" in text
