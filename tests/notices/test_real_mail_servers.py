"""Sends through real Postfix, Exim and OpenSMTPD, and reads what they return.

The servers behind the relay refuse recipients, so the relay writes the delivery reports itself.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notices import decisions
from notices.models import Delivery, Notice, Suppression
from notices.returned_mail.receivers import read_imap, read_maildir
from tests.notice_factory import assert_adds_up, delivery_to, work
from tests.notices.mail_servers import Dovecot, Exim, MailServer, OpenSmtpd, Postfix, why_not
from tests.smtp_server import SmtpServer

pytest_plugins = ["tests.notice_fixtures"]

State = Delivery.State
needs_postfix = pytest.mark.skipif(
    bool(why_not(Postfix.program)), reason=why_not(Postfix.program) or "-"
)
needs_exim = pytest.mark.skipif(bool(why_not(Exim.program)), reason=why_not(Exim.program) or "-")
needs_opensmtpd = pytest.mark.skipif(
    bool(why_not(OpenSmtpd.program)), reason=why_not(OpenSmtpd.program) or "-"
)
needs_dovecot = pytest.mark.skipif(
    bool(why_not(Dovecot.program)), reason=why_not(Dovecot.program) or "-"
)


@pytest.fixture
def destination() -> Iterator[SmtpServer]:
    """The recipients' server, behind the relay: it knows neither of the two."""
    with SmtpServer() as server:
        unknown = "550 5.1.1 <seojun@example.com>: Recipient address rejected: User unknown"
        server.reply_next("recipient", "seojun@example.com", unknown)
        refused = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked by our policy"
        server.reply_next("recipient", "minji@example.com", refused)
        yield server


@pytest.fixture
def busy_destination() -> Iterator[SmtpServer]:
    """The server of the recipients, which takes no message of theirs for now."""
    with SmtpServer() as server:
        for name in ("minji", "seojun"):
            busy = "451 4.3.0 Temporary failure, please try again later"
            server.reply_next("recipient", f"{name}@example.com", *[busy] * 30)
        yield server


def send_over(relay: MailServer, draft: Notice, approver, settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", relay.port
    decisions.approve(draft, by=approver)
    work(draft)


def read_until_two_came(maildir: Path, read: Callable[[], int], relay: MailServer) -> None:
    """Waits until the relay wrote two delivery reports, and reads them."""
    until = time.monotonic() + 30
    while len(list((maildir / "new").glob("*"))) < 2:
        assert time.monotonic() < until, relay.words()
        time.sleep(0.2)
    assert read() == 2


def read_two_reports(notice: Notice, relay: Postfix | Exim | OpenSmtpd) -> None:
    """Reopens a closed notice, and reads the relay's two delivery reports from its Maildir."""
    keep_open(notice)
    read_until_two_came(relay.maildir, lambda: read_maildir(relay.maildir), relay)


def assert_judged_rightly(notice: Notice, people) -> None:
    """Both came back, and only the one whose address does not exist is suppressed."""
    assert delivery_to(notice, people["minji"]).state == State.BOUNCED
    assert delivery_to(notice, people["seojun"]).state == State.BOUNCED
    assert [one.index for one in Suppression.objects.all()] == [people["seojun"].email_index]
    assert_adds_up(notice)


def assert_given_up(notice: Notice, people) -> None:
    seojun = delivery_to(notice, people["seojun"])
    assert seojun.state == State.BOUNCED
    assert "given up after delays" in seojun.reply
    assert not Suppression.objects.exists()
    assert_adds_up(notice)


def keep_open(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.SENDING, closed_at=None)


@needs_postfix
def test_postfix_returns_what_the_next_server_refused(
    draft, people, approver, destination, settings
):
    with Postfix(next_port=destination.port) as relay:
        send_over(relay, draft, approver, settings)
        assert delivery_to(draft, people["seojun"]).state == State.ACCEPTED
        read_two_reports(draft, relay)
    assert_judged_rightly(draft, people)


@needs_postfix
def test_postfix_refuses_a_recipient_at_once(draft, people, approver, settings):
    with (
        SmtpServer() as destination,
        Postfix(next_port=destination.port, refused="seojun@example.com") as relay,
    ):
        send_over(relay, draft, approver, settings)
    assert delivery_to(draft, people["minji"]).state == State.ACCEPTED
    seojun = delivery_to(draft, people["seojun"])
    assert seojun.state == State.BOUNCED
    assert "seojun" not in seojun.reply
    assert Suppression.objects.count() == 1


@needs_postfix
@needs_dovecot
def test_dovecot_gives_postfixs_reports_over_imap(draft, people, approver, destination, settings):
    with Postfix(next_port=destination.port) as relay, Dovecot(relay.maildir) as imap:
        send_over(relay, draft, approver, settings)
        keep_open(draft)
        read_until_two_came(relay.maildir, lambda: read_imap(imap.url), relay)
        assert read_imap(imap.url) == 0
    assert_judged_rightly(draft, people)


@needs_exim
def test_exim_returns_what_the_next_server_refused(draft, people, approver, destination, settings):
    with Exim(next_port=destination.port) as relay:
        send_over(relay, draft, approver, settings)
        read_two_reports(draft, relay)
    assert_judged_rightly(draft, people)


@needs_exim
def test_exim_refuses_a_recipient_at_once(draft, people, approver, settings):
    with (
        SmtpServer() as destination,
        Exim(next_port=destination.port, refused="seojun@example.com") as relay,
    ):
        send_over(relay, draft, approver, settings)
    assert delivery_to(draft, people["minji"]).state == State.ACCEPTED
    seojun = delivery_to(draft, people["seojun"])
    assert (seojun.state, seojun.reply) == (State.BOUNCED, "550 Unrouteable address")
    assert not Suppression.objects.live().exists(), "a relay's words may mean its own routes"


@needs_exim
def test_exim_that_does_not_relay_for_us_bounces_no_person(draft, people, approver, settings):
    with Exim(next_port=9, refused="*@example.com", reply="relay not permitted") as relay:
        send_over(relay, draft, approver, settings)
    states = {delivery_to(draft, people[name]).state for name in ("minji", "seojun")}
    assert states == {State.DEFERRED}
    assert not Suppression.objects.exists()


@needs_exim
def test_exim_gives_up_and_no_address_is_suppressed(
    draft, people, approver, busy_destination, settings
):
    with Exim(next_port=busy_destination.port, lifetime="3s") as relay:
        send_over(relay, draft, approver, settings)
        read_two_reports(draft, relay)
    assert_given_up(draft, people)


@needs_exim
def test_exim_that_takes_one_message_a_connection_gets_all(draft, people, approver, settings):
    with SmtpServer() as destination, Exim(next_port=destination.port, most=1) as relay:
        send_over(relay, draft, approver, settings)
    states = {delivery_to(draft, people[name]).state for name in ("minji", "seojun")}
    assert states == {State.ACCEPTED}


@needs_opensmtpd
def test_opensmtpd_returns_what_the_next_server_refused(
    draft, people, approver, destination, settings
):
    with OpenSmtpd(next_port=destination.port) as relay:
        send_over(relay, draft, approver, settings)
        assert delivery_to(draft, people["seojun"]).state == State.ACCEPTED
        read_two_reports(draft, relay)
    assert_judged_rightly(draft, people)


@needs_opensmtpd
def test_opensmtpd_that_refuses_us_bounces_no_person(draft, people, approver, settings):
    """It answers every recipient "550 Invalid recipient" if it does not relay for us."""
    with OpenSmtpd(next_port=9, domain="other.example") as relay:
        send_over(relay, draft, approver, settings)
    replies = [delivery_to(draft, people[name]) for name in ("minji", "seojun")]
    assert all(one.state == State.DEFERRED for one in replies), [one.reply for one in replies]
    assert all("@example.com" not in one.reply for one in replies)
    assert not Suppression.objects.exists()


@needs_opensmtpd
def test_opensmtpd_gives_up_and_no_address_is_suppressed(
    draft, people, approver, busy_destination, settings
):
    """An expiry says that the destination was busy, and not that an address is bad."""
    with OpenSmtpd(next_port=busy_destination.port, lifetime=3) as relay:
        send_over(relay, draft, approver, settings)
        read_two_reports(draft, relay)
    assert_given_up(draft, people)
