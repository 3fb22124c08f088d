"""Providers' own words about rates and blocks slow or stop a destination, and bounce no person."""

import re
from dataclasses import replace

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from foundations import latency
from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from notices import decisions
from notices.engine import learned_rates
from notices.engine.guards import Limits, ResultCounts, judge_destination
from notices.engine.learned_rates import LearnedRates
from notices.engine.provider_replies import PROVIDER_REPLIES, advice_on, is_block, with_advice
from notices.engine.transport import Reply, Result, classify_reply
from notices.models import Notice
from notices.provider_groups import GROUP_NAMES
from tests.notice_factory import affected, assert_adds_up, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")
STEPS = ("sender", "recipient", "data", "message")


@pytest.fixture(autouse=True)
def _nothing_learned():
    latency.client().delete(learned_rates.KEY)
    yield
    latency.client().delete(learned_rates.KEY)


@pytest.mark.parametrize("reply", PROVIDER_REPLIES, ids=lambda each: each.sample[:30])
def test_each_entry_knows_its_sample_and_says_where_it_is_documented(reply):
    assert reply.provider in GROUP_NAMES
    assert advice_on(reply.provider, reply.sample) == reply
    assert reply.source.startswith("http")
    assert reply.page.startswith("http")
    is_slow = reply.action == "slow"
    assert (reply.wait_minutes > 0, 0 < reply.pace < 1) == (is_slow, is_slow)


words = st.sampled_from([reply.sample for reply in PROVIDER_REPLIES])
destinations = st.sampled_from([*GROUP_NAMES, "hanbit.example"])


@given(st.sampled_from(PROVIDER_REPLIES), st.integers(400, 599), st.sampled_from(STEPS), st.text())
def test_no_entry_bounces_a_person_whatever_the_code_and_the_step(entry, code, step, more):
    text = re.sub(r"^\d{3}[ -]", "", entry.sample) + " " + more
    result = classify_reply(code, text, step=step)
    for destination in (entry.provider, *(["hanbit.example"] if entry.is_unique else [])):
        reply, _advice = with_advice(Reply(result, f"{code} {text}"[:500]), destination)
        assert reply.result not in (Result.BOUNCED, Result.UNCLEAR, Result.UNREACHABLE)


@given(destinations, st.text(), st.sampled_from([Result.ACCEPTED, Result.BOUNCED]))
def test_unknown_words_change_nothing(destination, text, result):
    reply = Reply(result, text)
    if result is Result.ACCEPTED or advice_on(destination, text) is None:
        assert with_advice(reply, destination) == (reply, None)


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 The email account that you tried to reach does not exist.",
        "550 5.1.1 RUSR. No such user",
        "452 4.2.2 The recipient's inbox is out of storage space.",
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
    ],
)
def test_words_about_a_mailbox_are_not_in_the_table(reply):
    assert all(advice_on(name, reply) is None for name in (*GROUP_NAMES, "hanbit.example"))


def test_the_words_of_one_provider_mean_nothing_from_another():
    reply = "421 4.3.2 Your IP(192.0.2.1) is filtered and this connection will be closed."
    assert is_block("naver.com", reply)
    assert not is_block("gmail.com", reply)
    assert not is_block("hanbit.example", reply)  # any server may write so


def test_unique_words_count_also_before_the_provider_of_a_company_is_known():
    reply = "550 5.7.606 Access denied, banned sending IP [192.0.2.1]."
    assert is_block("microsoft365", reply)
    assert is_block("hanbit.example", reply)
    assert not is_block("SMS KR", reply)
    assert advice_on("hanbit.example", "450 Rate limit reached") is None  # learned, as before


def test_a_slow_reply_sets_the_rest_and_the_pace():
    worker = LearnedRates()
    for _ in range(6_000):
        worker.count_acceptance("yahoo.com")
    worker.record_refusal("yahoo.com", rest=3_600, share=0.5)
    assert 3_590 < worker.rest_seconds("yahoo.com") <= 3_600
    assert (worker.per_second("yahoo.com") or 0) == pytest.approx(0.5 * 6_000 / 3_600, rel=0.01)


def test_a_block_stops_a_destination_however_much_it_accepted_before():
    limits = Limits(bounce=5, refusal=1, complaint=0.3)
    counts = ResultCounts(accepted=100_000, refused=5)
    assert judge_destination(counts, limits) is None
    assert judge_destination(replace(counts, is_blocked=True), limits) == "refused"
    assert judge_destination(replace(counts, refused=4, is_blocked=True), limits) is None


def crowd(incident, *domains: str, number: int) -> list[str]:
    file = exposure_factory.file_of(incident)
    emails = [f"person{one}@{domains[one % len(domains)]}" for one in range(number)]
    for email in emails:
        affected(file, "사람", email)
    return emails


def test_a_block_stops_the_provider_and_the_desk_names_the_page_to_read(
    client, draft, incident, approver, server
):
    block = "451 4.3.2 Your IP(192.0.2.1) is filtered and this connection will be closed."
    for email in crowd(incident, "naver.com", "example.com", number=40)[::2]:
        server.reply_next("recipient", email, block, block)
    decisions.approve(draft, by=approver)
    notice = work(draft)
    assert notice.state == Notice.State.SENDING
    assert (notice.accepted, notice.bounced) == (20, 0)
    [stopped] = notice.destinations.filter(stopped_at__isnull=False)
    assert (stopped.name, stopped.stopped_for) == ("naver.com", "refused")
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "https://policy.naver.com/rules/spamcheck.html" in page


def test_a_rate_limit_with_421_rests_the_provider_and_the_others_go_on(
    draft, incident, approver, server, settings
):
    settings.NOTICE_CONNECTIONS = 1
    emails = crowd(incident, "gmail.com", "example.com", number=20)
    slow = next(each.sample for each in PROVIDER_REPLIES if "4.7.28" in each.sample)
    for email in emails[::2]:
        server.reply_next("message", email, slow)
    decisions.approve(draft, by=approver)
    notice = work(draft)
    assert (notice.bounced, notice.unreachable) == (0, 0)
    assert LearnedRates().rest_seconds("gmail.com") > 1_700
    notice.chunks.update(not_before=None)
    notice = work(notice)
    assert notice.accepted == 10
    assert notice.deliveries.filter(attempts=0).count() >= 8  # not tried while it rests
    assert_adds_up(notice)


def test_one_busy_mailbox_does_not_rest_its_provider(draft, incident, approver, server):
    busy = "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents"
    emails = crowd(incident, "gmail.com", number=5)
    server.reply_next("recipient", emails[0], f"{busy} additional messages from being delivered.")
    decisions.approve(draft, by=approver)
    notice = work(draft)
    assert notice.accepted == 4
    assert not learned_rates.learned_rates()
