"""The automatic pause: a destination, or the notice, stops after too many failures of people."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from notices import decisions, tasks
from notices.destinations import destination_of
from notices.engine import guards, journal, ledger
from notices.engine.guards import Limits, ResultCounts, judge_destination, judge_notice, lower_bound
from notices.engine.journal import JournalEntry
from notices.engine.ledger import Lease, Transition
from notices.message_codes import envelope_sender
from notices.models import Delivery, Destination, Notice
from notices.returned_mail.bounces import receive
from tests.notice_factory import affected, assert_adds_up, work, work_again
from tests.returned_mail import bounce, complaint

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")

LIMITS = Limits(bounce=5, refusal=1, complaint=0.3)
POLICY = "550 5.7.1 not from you"


def crowd(incident, *domains: str, number: int = 20) -> list[str]:
    """Returns the addresses of `number` new affected people, spread over the domains."""
    file = exposure_factory.file_of(incident)
    emails = [f"person{one}@{domains[one % len(domains)]}" for one in range(number)]
    for email in emails:
        affected(file, "사람", email)
    return emails


def approved(draft: Notice, approver) -> Notice:
    decisions.approve(draft, by=approver)
    return draft


# -------------------------------------------------------------------- the judgement


@pytest.mark.parametrize("dead_in", [10, 3])  # 10 % and 30 %
def test_dead_addresses_are_seen_within_200_tries(dead_in):
    counts, tries = ResultCounts(), 0
    while judge_notice(counts, LIMITS, refusing=1) is None:
        tries += 1
        counts.bounced += tries % dead_in == 0
        counts.accepted += tries % dead_in != 0
    assert tries <= 200


def test_one_refusal_in_2000_never_pauses():
    counts = ResultCounts()
    for number in range(1, 200_000):
        counts.refused += number % 2_000 == 0
        counts.accepted += number % 2_000 != 0
        assert judge_destination(counts, LIMITS) is None
        assert judge_notice(counts, LIMITS, refusing=1) is None


def test_the_first_replies_of_a_send_being_alike_pause_within_tens():
    assert judge_notice(ResultCounts(refused=5), LIMITS, refusing=1) is Notice.PausedFor.REFUSED
    assert judge_notice(ResultCounts(bounced=20), LIMITS, refusing=0) is Notice.PausedFor.BOUNCES


def test_one_destination_that_refuses_us_does_not_pause_the_notice():
    assert judge_notice(ResultCounts(accepted=100, refused=40), LIMITS, refusing=2) is None
    assert judge_notice(ResultCounts(accepted=4, refused=40), LIMITS, refusing=1) is None
    counts = ResultCounts(accepted=4, refused=40)
    assert judge_notice(counts, LIMITS, refusing=2) is Notice.PausedFor.REFUSED
    assert judge_destination(ResultCounts(accepted=2, refused=40), LIMITS) == "refused"


@pytest.mark.parametrize(("complaints", "stops"), [(4, False), (20, False), (60, True)])
def test_complaints_stop_a_destination_above_their_share(complaints, stops):
    counts = ResultCounts(accepted=10_000, complaints=complaints)
    assert (judge_destination(counts, LIMITS) is not None) == (stops and complaints > 30)


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_the_lower_bound_is_below_the_share(failures, successes):
    tries = failures + successes
    share = 100 * failures / tries if tries else 0
    assert 0 <= lower_bound(failures, tries) <= share + 1e-9


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("minji@hanmail.net", "kakao.com"),
        ("minji@DAUM.net", "kakao.com"),
        ("minji@googlemail.com", "gmail.com"),
        ("minji@company.example", "company.example"),
        ("+821012345678", "SMS KR"),
        ("+14155550123", "SMS US"),
        ("+18765550123", "SMS JM"),
    ],
)
def test_domains_of_one_provider_are_one_destination(address, name):
    assert destination_of(address) == name


# -------------------------------------------------------------------- a send


def test_dead_addresses_pause_a_fast_send_within_200_tries(draft, incident, approver, server):
    emails = crowd(incident, "example.com", number=450)
    for email in emails[::10]:
        server.reply_next("recipient", email, "550 5.1.1 no such user")
    notice = work(approved(draft, approver))
    assert (notice.state, notice.paused_for) == (Notice.State.PAUSED, "bounces")
    tried = notice.accepted + notice.bounced
    assert tried <= 200 + 2 * 64  # those on the wire when it paused
    assert_adds_up(notice)


@pytest.mark.parametrize(
    "reply",
    [
        "550 Your message was temporarily rejected, try again later",
        "554 refused, limit 100 messages per hour",
    ],
)
def test_a_relay_that_refuses_all_for_now_pauses(draft, incident, approver, server, reply):
    for email in crowd(incident, "example.com", "naver.com", "gmail.com", number=12):
        server.reply_next("recipient", email, *[reply] * 9)
    notice = work(approved(draft, approver))
    assert (notice.state, notice.paused_for) == (Notice.State.PAUSED, "refused")
    assert (notice.problem, notice.bounced) == (reply, 0)


def test_a_relay_that_refuses_us_marks_no_person(draft, incident, approver, server):
    emails = crowd(incident, "example.com", "naver.com", "gmail.com", number=60)
    for email in emails:
        server.reply_next("recipient", email, *["550 relay not permitted"] * 9)
    notice = work(approved(draft, approver))
    assert (notice.state, notice.paused_for) == (Notice.State.PAUSED, "refused")
    assert notice.problem == "550 relay not permitted"
    assert notice.bounced == 0
    server._script.clear()
    assert decisions.resume(notice)
    work(notice)
    assert (notice.state, notice.accepted) == (Notice.State.CLOSED, 60)
    assert_adds_up(notice)


def test_bare_refusals_wait_until_the_server_has_accepted_a_message(
    draft, incident, approver, server, settings
):
    settings.NOTICE_CONNECTIONS = 1
    emails = crowd(incident, "example.com", number=4)
    for email in emails[:3]:
        server.reply_next("recipient", email, "550 no", "550 no")
    notice = work(approved(draft, approver))
    states = set(notice.deliveries.values_list("state", flat=True))
    assert "accepted" in states
    work_again(notice)
    assert (notice.accepted, notice.bounced) == (1, 3)
    assert_adds_up(notice)


def test_five_tries_of_one_person_pause_nothing(draft, incident, approver, server):
    [email, *_others] = crowd(incident, "example.com", number=8)
    server.reply_next("recipient", email, *[POLICY] * 6)
    notice = work(approved(draft, approver))
    for _ in range(5):
        work_again(notice)
    assert notice.state == Notice.State.SENDING
    assert notice.refusals == 1
    work_again(notice)
    assert (notice.state, notice.accepted) == (Notice.State.CLOSED, 8)


def test_resuming_does_not_pause_again_for_the_same_people(draft, incident, approver, server):
    emails = crowd(incident, "example.com", number=6)
    for email in emails:
        server.reply_next("recipient", email, POLICY, POLICY)
    notice = work(approved(draft, approver))
    assert notice.state == Notice.State.PAUSED
    decisions.resume(notice)
    work_again(notice)
    assert (notice.state, notice.refusals) == (Notice.State.SENDING, 6)
    work_again(notice)
    work_again(notice)
    assert (notice.state, notice.accepted) == (Notice.State.CLOSED, 6)


def test_a_destination_that_refuses_us_stops_alone(
    client, draft, incident, approver, server, settings
):
    settings.NOTICE_PAUSE_REFUSALS = 12  # so many refusals before any acceptance are improbable
    emails = crowd(incident, "naver.com", "example.com", "example.org", number=60)
    at_naver = [email for email in emails if email.endswith("naver.com")]
    for email in at_naver:
        server.reply_next("recipient", email, "554 5.7.1 IP blocked by policy")
    notice = work(approved(draft, approver))
    stopped = Destination.objects.get(notice=notice, name="naver.com")
    assert stopped.stopped_for == "refused"
    assert notice.state == Notice.State.SENDING
    assert (notice.accepted, notice.bounced) == (40, 0)
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "naver.com" in page
    assert "it refuses us, not the recipients" in page
    assert "554 5.7.1 IP blocked by policy" in page
    server._script.clear()
    let_go_on = reverse("admin:notices_notice_destination", args=[notice.pk])
    assert client.post(let_go_on, {"name": "naver.com\0"}).status_code == 302
    assert Destination.objects.get(notice=notice, name="naver.com").stopped_at
    for stopped_at in ("", "2026-01-01T00:00:00+00:00"):  # of no stop, and of an earlier one
        client.post(let_go_on, {"name": "naver.com", "stopped": stopped_at})
        assert Destination.objects.get(notice=notice, name="naver.com").stopped_at
    [read] = re.findall(r'name="stopped" value="([^"]+)"', page)
    client.post(let_go_on, {"name": "naver.com", "stopped": read})
    work(notice)
    assert (notice.state, notice.accepted) == (Notice.State.CLOSED, 60)
    assert_adds_up(notice)


def test_refused_rows_of_a_stopped_destination_keep_no_worker_busy(
    draft, incident, approver, server, settings, monkeypatch
):
    settings.NOTICE_PAUSE_REFUSALS = 12
    emails = crowd(incident, "naver.com", "example.com", "example.org", number=45)
    for email in emails[::3]:
        server.reply_next("recipient", email, POLICY)
    notice = work(approved(draft, approver))
    assert guards.stopped_destinations(notice) == {"naver.com"}
    Delivery.objects.filter(was_refused=True).update(not_before=notice.created_at)
    notice.chunks.update(not_before=None)
    leases = []
    lease_chunk = ledger.lease_chunk

    def counted(one: Notice, **held: Any) -> Lease | None:
        leases.append(one)
        return lease_chunk(one, **held)

    monkeypatch.setattr(ledger, "lease_chunk", counted)
    work(notice)
    assert len(leases) <= notice.chunks.count() + 1
    due_at = notice.chunks.get().not_before
    assert due_at
    assert due_at > timezone.now() + timedelta(minutes=4)


def test_people_of_a_stopped_destination_are_unreachable_after_the_deadline(
    draft, incident, approver, server
):
    crowd(incident, "naver.com", "example.com", number=4)
    notice = approved(draft, approver)
    tasks.plan_notice(notice.pk)
    Destination.objects.create(notice=notice, name="naver.com", stopped_at=notice.created_at)
    work(notice)
    assert (notice.state, notice.accepted) == (Notice.State.SENDING, 2)
    Notice.objects.update(deadline_at=notice.created_at)
    work_again(notice)
    assert (notice.state, notice.accepted, notice.unreachable) == (Notice.State.CLOSED, 2, 2)
    assert_adds_up(notice)


def test_limits_of_a_notice_change_while_it_runs(client, draft, incident, approver, server):
    emails = crowd(incident, "example.com", number=40)
    for email in emails[:8]:
        server.reply_next("recipient", email, "550 5.1.1 no such user")
    notice = approved(draft, approver)
    sign_in_to_desk(client, approver)
    url = reverse("admin:notices_notice_limits", args=[notice.pk])
    assert "5" in client.get(url).text
    client.post(url, {"bounce": "60", "refusal": "", "complaint": ""})
    work(notice)
    assert (notice.state, notice.bounced) == (Notice.State.CLOSED, 8)
    history = client.get(reverse("admin:notices_notice_history", args=[notice.pk])).text
    assert "60" in history


@pytest.mark.parametrize("typed", ["0", "-1", "101", "nan"])
def test_an_impossible_limit_is_refused(client, notice, approver, typed):
    sign_in_to_desk(client, approver)
    url = reverse("admin:notices_notice_limits", args=[notice.pk])
    assert client.post(url, {"bounce": typed}).status_code == 200
    assert Notice.objects.get().pause_bounce_percent is None


def test_complaints_stop_their_destination(draft, incident, approver, server):
    crowd(incident, "naver.com", number=2)
    notice = approved(draft, approver)
    guards.add_counts(notice.pk, {"naver.com": ResultCounts(accepted=1_000, complaints=19)})
    guards.count_returned(notice, "naver.com", ResultCounts(complaints=1, reply="spam"))
    assert Destination.objects.get().stopped_for == "complaints"
    work(notice)
    assert server.taken == []


def accepted_by(draft, incident, approver, server, *domains: str) -> Notice:
    """Returns an open notice whose messages were all accepted but one."""
    emails = crowd(incident, *domains, number=60)
    server.reply_next("recipient", emails[-1], "450 4.2.2 full")
    return work(approved(draft, approver))


def returns(notice: Notice, reply: str, *, number: int) -> None:
    """Returns mail of some accepted deliveries, as a relay does."""
    accepted = notice.deliveries.filter(state="accepted").order_by("pk")
    for delivery in accepted.select_related("person__incident")[:number]:
        assert delivery.person
        address = delivery.person.decrypt_contact()["e"]
        report = bounce(recipient=address, diagnostic=reply, status=reply[4:9])
        receive(envelope_sender(delivery.pk), report)
    notice.refresh_from_db()


def test_returned_mail_pauses_a_notice_too(draft, incident, approver, server):
    notice = accepted_by(draft, incident, approver, server, "example.com")
    returns(notice, "550 5.1.1 no such user", number=12)
    assert (notice.state, notice.paused_for) == (Notice.State.PAUSED, "bounces")
    assert_adds_up(notice)


def test_refusals_of_us_that_come_back_stop_the_destination(draft, incident, approver, server):
    notice = accepted_by(draft, incident, approver, server, "example.com")
    returns(notice, "550 5.7.1 blocked: bad reputation", number=6)
    assert Destination.objects.get(notice=notice).stopped_for == "refused"
    assert notice.refusals == 6
    assert notice.state == Notice.State.SENDING


def test_a_complaint_is_counted_at_its_destination(draft, incident, approver, server):
    notice = accepted_by(draft, incident, approver, server, "hanmail.net")
    for delivery in notice.deliveries.filter(state="accepted")[:5]:
        sender = envelope_sender(delivery.pk)
        receive(sender, complaint(sender))
    stopped = Destination.objects.get(notice=notice, name="kakao.com")
    assert (stopped.complaints, stopped.stopped_for) == (5, "complaints")


# -------------------------------------------------------------------- the journal


def test_refusals_are_counted_once_in_the_journal(draft, incident, approver, settings):
    crowd(incident, "example.com")
    decisions.approve(draft, by=approver)
    tasks.plan_notice(draft.pk)
    lease = ledger.lease_chunk(Notice.objects.get())
    assert lease
    rows = list(draft.deliveries.order_by("pk")[:4])
    hour = timedelta(hours=1)
    refused = [
        Transition(Delivery.State.DEFERRED, f"550 5.7.1 {n}", hour, is_first_refusal=True)
        for n in (1, 2, 3)
    ]
    transitions = [refused[0], Transition(Delivery.State.ACCEPTED, "250 taken"), *refused[1:]]
    entries = [
        JournalEntry(lease, row.pk, transition, attempts=0, tries=1)
        for row, transition in zip(rows, transitions, strict=True)
    ]
    for _ in range(2):  # as if the connection broke before the answer arrived
        assert journal.record_turn(lease.notice, [lease], entries=entries, on_wire={}).may_send
    assert Notice.objects.get().refusals == 3
    assert Delivery.objects.filter(was_refused=True).count() == 3
    ledger.release(lease)
    assert_adds_up(draft)


# -------------------------------------------------------------------- taking bounces back


def test_bounces_are_taken_back_in_one_step(client, draft, incident, approver, server, settings):
    emails = crowd(incident, "example.com", number=20)
    for number, email in enumerate(emails[:19]):
        reply = f"550 5.1.1 <{email}>: no such user (q{number}4F2A77B{number})"
        server.reply_next("recipient", email, reply)
    settings.NOTICE_PAUSE_AT_LEAST = 10
    notice = work(approved(draft, approver))
    assert notice.state == Notice.State.PAUSED
    bounced = notice.bounced
    assert incident.suppressions.count() == bounced
    sign_in_to_desk(client, approver)
    url = reverse("admin:notices_notice_taken_back", args=[notice.pk])
    page = client.get(url)
    [(reply, number)] = page.context["replies"]
    assert number == bounced
    assert reply == "550 5.1.1 …: no such user (…)"
    assert client.post(url, {"reply": reply, "reason": ""}).status_code == 200
    assert Notice.objects.get().bounced == bounced
    client.post(url, {"reply": reply, "reason": "their directory was down"})
    notice.refresh_from_db()
    assert notice.bounced == 0
    lifted = incident.suppressions.get_queryset()
    assert {(one.lifted_by, one.lifted_reason) for one in lifted} == {
        (approver, "their directory was down")
    }
    history = client.get(reverse("admin:notices_notice_history", args=[notice.pk])).text
    assert "their directory was down" in history
    server._script.clear()
    decisions.resume(notice)
    work(notice)
    assert (notice.state, notice.accepted) == (Notice.State.CLOSED, 20)
    assert_adds_up(notice)


def test_a_closed_ledger_takes_nothing_back(client, notice, approver, server):
    server.reply_next("recipient", "minji@example.com", "550 5.1.1 no such user")
    work(notice)
    assert notice.state == Notice.State.CLOSED
    sign_in_to_desk(client, approver)
    url = reverse("admin:notices_notice_taken_back", args=[notice.pk])
    client.post(url, {"reply": "550 5.1.1 no such user", "reason": "x"})
    assert Notice.objects.get().bounced == 1


@pytest.mark.parametrize("page", ["taken_back", "limits"])
def test_a_user_who_may_not_approve_sees_neither_page(client, notice, minji, page):
    minji.is_staff = True
    minji.save()
    sign_in_to_desk(client, minji)
    url = reverse(f"admin:notices_notice_{page}", args=[notice.pk])
    assert client.get(url).status_code == 403
