"""The cause of a doubt is stored with the delivery and shown, as docs/how-to/ describes."""

import re
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation

from harness import exposure_factory
from notices import decisions, tasks
from notices.engine import gateways, journal, ledger
from notices.engine.request_transport import RequestTransport
from notices.engine.transport import Reply, Result
from notices.message_filling import OutgoingMessage
from notices.message_samples import sample_mail
from notices.models import Chunk, Delivery, DoubtCause, Notice
from tests.gateway import HANG_UP, Gateway
from tests.notice_factory import assert_adds_up, delivery_to, work, work_again
from tests.smtp_server import DROP

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "find-out-why-a-delivery-is-in-doubt.md"
State = Delivery.State


def label(cause: DoubtCause) -> str:
    with translation.override("en"):
        return str(cause.label)


def doubts_page(approvers_desk, notice: Notice) -> str:
    return approvers_desk.get(reverse("admin:notices_notice_in_doubt", args=[notice.pk])).text


# -------------------------------------------------------------------- the page and the enum


def rows_of_page() -> list[tuple[str, str, list[str]]]:
    """Returns (cause, label at the desk, modules) of each row of the page's table."""
    found = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    return [
        (cause, label_text, re.findall(r"`(.+?)`", modules)) for cause, label_text, modules in found
    ]


def test_the_page_lists_every_cause_with_the_label_of_the_desk():
    assert [row[:2] for row in rows_of_page()] == [(one.value, label(one)) for one in DoubtCause]


@pytest.mark.parametrize(("cause", "modules"), [(row[0], row[2]) for row in rows_of_page()])
def test_the_page_names_every_module_that_sets_a_cause(cause, modules):
    name = f"DoubtCause.{DoubtCause(cause).name}"
    setting = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "notices").rglob("*.py")
        if re.search(rf"{name}\b", path.read_text())
    }
    assert setting == set(modules)


# -------------------------------------------------------------------- e-mail


def test_a_stopped_worker_is_the_cause(approvers_desk, notice, people, server):
    tasks.plan_notice(notice.pk)
    lease = ledger.lease_chunk(Notice.objects.select_related("incident").get(pk=notice.pk))
    assert lease
    delivery = delivery_to(notice, people["minji"])
    journal.record_turn(lease.notice, [lease], entries=[], on_wire={lease.chunk.pk: [delivery.pk]})
    Chunk.objects.update(leased_until=timezone.now())
    work(notice)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.doubt_cause) == (State.DEFERRED, DoubtCause.WORKER_LOST)
    work_again(notice)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.doubt_cause) == (State.ACCEPTED, DoubtCause.WORKER_LOST)
    page = approvers_desk.post(
        reverse("admin:notices_delivery_changelist"), {"asked": "minji@example.com", "reason": "x"}
    )
    assert label(DoubtCause.WORKER_LOST) in page.text


def test_a_connection_lost_after_the_dot_is_the_cause(approvers_desk, notice, people, server):
    server.reply_next("message", "minji@example.com", DROP, DROP)
    work(notice)
    work_again(notice)
    delivery = delivery_to(notice, people["minji"])
    assert (delivery.state, delivery.doubt_cause) == (State.IN_DOUBT, DoubtCause.CONNECTION_LOST)
    assert delivery_to(notice, people["seojun"]).doubt_cause == ""
    assert_adds_up(notice)


def test_the_page_names_a_mail_as_the_log_of_a_mail_server_does(
    approvers_desk, notice, people, server
):
    server.reply_next("message", "minji@example.com", DROP, DROP)
    work(notice)
    work_again(notice)
    Notice.objects.update(state=Notice.State.PAUSED, closed_at=None)
    sender = next(mail.sender for mail in server.taken if mail.to == "minji@example.com")
    named = re.findall("<code>(.+?)</code>", doubts_page(approvers_desk, notice))
    assert named
    assert all(sender.startswith(f"{name}-") for name in named)


@pytest.mark.parametrize("end", ["deadline", "cancellation"])
def test_a_doubt_ended_by_deadline_or_cancellation_keeps_its_cause(notice, people, server, end):
    server.reply_next("message", "minji@example.com", DROP)
    work(notice)
    if end == "cancellation":
        decisions.cancel(notice)
    else:
        Notice.objects.update(deadline_at=timezone.now())
        server.reply_next("recipient", "minji@example.com", "450 4.2.2 mailbox full")
    work_again(notice)
    delivery = delivery_to(notice, people["minji"])
    assert (delivery.state, delivery.doubt_cause) == (State.IN_DOUBT, DoubtCause.CONNECTION_LOST)
    assert_adds_up(notice)


# -------------------------------------------------------------------- SMS


@pytest.fixture
def by_text(draft, people, approver, settings):
    """An approved SMS notice to Minji, her row and the gateway."""
    exposure_factory.expose(
        person := exposure_factory.person(draft.incident, name="김민지", phone="010-1234-5678"),
        people["minji"].exposures.first().file,
        "names",
    )
    settings.SMS_GATEWAY = "notices.engine.gateways.HttpGateway"
    with Gateway() as gateway:
        settings.SMS_GATEWAY_URL = gateway.url
        Notice.objects.filter(pk=draft.pk).update(channel="sms")
        draft.refresh_from_db()
        decisions.approve(draft, by=approver)
        yield draft, person, gateway


class BrokenGateway:
    """A gateway class that raises an unexpected error in the middle of a request."""

    required_settings = ()

    def send(self, text: OutgoingMessage) -> Reply:
        raise KeyError(text.to)

    def close(self) -> None: ...


@pytest.mark.parametrize("cause", ["connection_lost", "server_silent", "unclear_answer"])
def test_each_missing_answer_of_a_gateway_is_shown_at_the_desk(
    approvers_desk, by_text, monkeypatch, cause
):
    notice, person, gateway = by_text
    if cause == "server_silent":
        monkeypatch.setattr(gateways, "SECONDS", 0.2)
        gateway.seconds = 1
    elif cause == "connection_lost":
        gateway.answer_next("+821012345678", HANG_UP)
    else:
        gateway.answer_next("+821012345678", 500, "oops")
    work(notice)
    delivery = delivery_to(notice, person)
    assert (delivery.state, delivery.doubt_cause) == (State.IN_DOUBT, cause)
    assert f">{label(DoubtCause(cause))}</td>" in doubts_page(approvers_desk, notice)


def test_an_internal_error_after_the_request_began_has_its_cause(approvers_desk, by_text, settings):
    notice, person, _gateway = by_text
    settings.SMS_GATEWAY = f"{__name__}.BrokenGateway"
    work(notice)
    delivery = delivery_to(notice, person)
    assert (delivery.state, delivery.doubt_cause) == (State.IN_DOUBT, DoubtCause.REQUEST_FAILED)
    assert f">{label(DoubtCause.REQUEST_FAILED)}</td>" in doubts_page(approvers_desk, notice)


def test_an_answer_without_the_message_is_the_cause(draft):
    mail = sample_mail(draft, "ko")
    with RequestTransport(lambda _mails: {}, batch=10, threads=1) as transport:
        transport.submit(mail)
        transport.start(transport.ready())
        transport.wait(5)
        (outcome,) = transport.outcomes()
    assert outcome.reply.result is Result.IN_DOUBT
    assert outcome.reply.doubt_cause is DoubtCause.NOT_NAMED


# -------------------------------------------------------------------- the database constraint


def test_a_reply_in_doubt_has_a_cause_and_no_other_has():
    with pytest.raises(ValueError, match="cause"):
        Reply(Result.IN_DOUBT, "?")
    with pytest.raises(ValueError, match="cause"):
        Reply(Result.ACCEPTED, "250", DoubtCause.NOT_NAMED)


def test_the_database_refuses_a_doubt_without_a_cause(notice, people, server):
    work(notice)
    with pytest.raises(IntegrityError, match="doubt_has_a_cause"), transaction.atomic():
        notice.deliveries.update(state=State.IN_DOUBT)
