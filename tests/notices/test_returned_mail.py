"""Bounces and complaints, from correct servers and from hostile senders."""

import asyncio
import imaplib
import logging
import mailbox
import smtplib
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.translation import override

from notices import decisions
from notices.ledger_messages import translate_ledger_message
from notices.message_codes import envelope_sender, message_code
from notices.models import Delivery, DoubtCause, LateReport, Notice, ReturnedMail, Suppression
from notices.returned_mail import bounces, delivery_reports, receivers
from notices.returned_mail.delivery_reports import ReportKind
from notices.returned_mail.receivers import (
    MOST_CONNECTIONS,
    MOST_OF_A_PEER,
    Listener,
    read_imap,
    read_maildir,
)
from notices.returned_mail.reply_reading import Cause
from notices.returned_mail.returned_message import ReturnedMessage
from tests.local_server import serving
from tests.notice_factory import assert_adds_up, delivery_to, scam_alert, work
from tests.notices.imap_server import ImapServer
from tests.returned_mail import AUTOMATIC_ANSWER, bounce, complaint, exim_report, report_about

pytest_plugins = ["tests.notice_fixtures"]

Outcome = ReturnedMail.Outcome
COMPLAINTS = "complaints@portal.example"
ANYWHERE = "0.0.0.0"  # noqa: S104  for tests with several peers; the loopback interface has one


@pytest.fixture
def accepted(notice, people, server):
    """Minji's accepted delivery of a notice that is still open for Seojun."""
    server.reply_next("recipient", "seojun@example.com", "450 4.2.2 full")
    work(notice)
    return delivery_to(notice, people["minji"])


@pytest.fixture
def closed(notice, people, server):
    """Minji's accepted delivery of a closed notice."""
    assert work(notice).state == Notice.State.CLOSED
    return delivery_to(notice, people["minji"])


@pytest.mark.parametrize("tag", ["", "prvs=0123abcdef=", "btv1==0123abcdef0=="])
def test_a_relays_tag_does_not_hide_the_delivery(accepted, tag):
    sender = f"{tag}{envelope_sender(accepted.pk)}"
    assert bounces.delivery_of_sender(sender.upper()) == accepted.pk
    assert bounces.delivery_of_sender(f"x{sender}") is None


# -------------------------------------------------------------------- reading reports


def test_a_delivery_report_is_read_without_the_address():
    report = delivery_reports.read_report(bounce())
    assert report.kind == ReportKind.BOUNCE
    assert report.words == "5.1.1 550 5.1.1 <…>: user unknown"


def test_the_name_alone_is_left_out_too():
    words = delivery_reports.read_report(bounce(diagnostic="550 5.1.1 no mailbox minji here")).words
    assert "minji" not in words
    assert "no mailbox" in words


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded", "delivered"])
def test_a_report_that_is_not_final_changes_nothing(action):
    assert delivery_reports.read_report(bounce(action=action)).kind == ReportKind.NOT_FINAL


def test_a_complaint_names_the_envelope_sender():
    report = delivery_reports.read_report(complaint("bounce+x@portal.example"))
    assert report.kind == ReportKind.COMPLAINT
    assert report.senders[0] == "bounce+x@portal.example"
    assert (
        delivery_reports.read_report(complaint("x@y.example", kind="not-spam")).kind
        == ReportKind.NOT_FINAL
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff" * 1000,
        b"Content-Type: multipart/report; boundary=a\r\n\r\n" + b"--a\r\n\r\n" * 10_000,
        b"Content-Type: multipart/mixed; boundary=a0\r\n\r\n"
        + b"".join(
            b"--a%d\r\nContent-Type: multipart/mixed; boundary=a%d\r\n\r\n" % (n, n + 1)
            for n in range(5_000)
        ),
        b"X: y\r\n" * 100_000,
        bounce() + b"x" * 2_000_000,
        b"Content-Type: multipart/report; boundary*0*=\r\n\r\n",
    ],
    ids=["empty", "noise", "parts", "nesting", "head", "size", "boundary"],
)
def test_hostile_mail_is_unreadable_and_has_no_effect(data):
    assert delivery_reports.read_report(data).kind == ReportKind.UNREADABLE


@pytest.mark.parametrize(
    "data",
    [
        bounce().replace(b"Action: failed\r\n", b""),
        bounce().replace(b"message/delivery-status", b"message/rfc822"),
        bounce().replace(b"multipart/report; report-type=delivery-status", b"multipart/mixed"),
    ],
    ids=["no action", "other type", "other multipart"],
)
def test_a_report_that_is_not_made_by_the_book_is_read(data):
    report = delivery_reports.read_report(data)
    assert (report.kind, report.cause) == (ReportKind.BOUNCE, Cause.ADDRESS)


def test_a_malformed_word_in_a_header_stays_as_it_is():
    message = ReturnedMessage(b"Subject: =?utf-8?B?a?=\n\nHello")
    assert message.header("Subject") == "=?utf-8?B?a?="


# -------------------------------------------------------------------- effects


def test_a_late_bounce_changes_accepted_to_bounced(notice, accepted, people):
    assert notice.accepted == 1
    assert bounces.receive(envelope_sender(accepted.pk), bounce()) == Outcome.BOUNCED
    accepted.refresh_from_db()
    assert accepted.state == "bounced"
    assert accepted.reply == "5.1.1 550 5.1.1 <…>: user unknown"
    assert_adds_up(notice)
    assert (notice.accepted, notice.bounced) == (0, 1)


def test_the_same_bounce_twice_counts_once(notice, accepted):
    address = envelope_sender(accepted.pk)
    bounces.receive(address, bounce())
    assert bounces.receive(address, bounce()) == Outcome.KNOWN
    assert_adds_up(notice)
    counts = dict(ReturnedMail.objects.values_list("outcome", "number"))
    assert counts == {"bounced": 1, "known": 1}


def test_a_bounce_after_the_close_is_a_late_report(notice, closed):
    address = envelope_sender(closed.pk)
    assert bounces.receive(address, bounce()) == Outcome.LATE
    assert bounces.receive(address, bounce()) == Outcome.KNOWN
    closed.refresh_from_db()
    assert closed.state == "accepted"
    assert LateReport.objects.get().kind == LateReport.Kind.BOUNCE
    assert_adds_up(notice)


def test_a_bounce_of_a_cancelled_notice_is_a_late_report_after_its_end(notice, accepted):
    decisions.cancel(notice)
    work(notice)
    assert bounces.receive(envelope_sender(accepted.pk), bounce()) == Outcome.LATE
    assert_adds_up(notice)


def test_a_bad_address_is_suppressed_and_a_full_mailbox_is_not(notice, closed, people):
    full = bounce(status="5.2.2", diagnostic="552 5.2.2 mailbox full")
    bounces.receive(envelope_sender(delivery_to(notice, people["seojun"]).pk), full)
    assert not Suppression.objects.exists()
    bounces.receive(envelope_sender(closed.pk), bounce())
    entry = Suppression.objects.get()
    assert (entry.index, entry.source) == (people["minji"].email_index, "bounce")
    assert entry.incident == notice.incident


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.8 sender address rejected: domain not found",
        "550 relay not permitted",
        "550 5.7.1 IP address blacklisted by recipient",
        "550 5.1.1 message rejected by policy",
    ],
)
def test_a_refusal_of_us_suppresses_no_address(notice, closed, reply):
    bounces.receive(envelope_sender(closed.pk), bounce(status="5.1.1", diagnostic=reply))
    assert not Suppression.objects.exists()


def test_a_report_about_a_forwarding_waits_for_a_person(notice, closed):
    bounces.receive(envelope_sender(closed.pk), bounce(recipient="old@other.example"))
    assert not Suppression.objects.exists()
    kinds = set(LateReport.objects.values_list("kind", flat=True))
    assert kinds == {LateReport.Kind.BOUNCE, LateReport.Kind.UNCLEAR}


UNKNOWN, FULL, BLOCKED = "550 5.1.1 User unknown", "552 5.2.2 Mailbox full", "554 5.7.1 Blocked"


@pytest.mark.parametrize("report", [exim_report, report_about])
@pytest.mark.parametrize(
    ("replies", "is_held"),
    [
        ({"other@example.com": FULL, "minji@example.com": UNKNOWN}, True),
        ({"minji@example.com": UNKNOWN, "other@example.com": UNKNOWN}, True),
        ({"other@example.com": UNKNOWN, "minji@example.com": FULL}, False),
        ({"other@example.com": UNKNOWN, "minji@example.com": BLOCKED}, False),
        ({"other@example.com": UNKNOWN, "another@example.com": UNKNOWN}, False),
        ({"minji@example.com": FULL, "minji@other.example": UNKNOWN}, False),
    ],
)
def test_of_several_recipients_the_portals_own_is_read(notice, closed, report, replies, is_held):
    """An address may stand for several; what the mail says of another one does not count."""
    bounces.receive(envelope_sender(closed.pk), report(replies))
    assert Suppression.objects.live().exists() is is_held


def test_words_after_a_servers_contact_count_too(notice, closed):
    text = (
        exim_report({"minji@example.com": UNKNOWN})
        .decode()
        .replace("\n------", "Contact:\n  help@example.com\n    Blocked by our policy\n\n------")
    )
    bounces.receive(envelope_sender(closed.pk), text.encode())
    assert not Suppression.objects.live().exists()


def test_a_failure_without_a_clear_cause_waits_for_a_person(notice, accepted):
    data = bounce(status="5.0.0", diagnostic="554 transaction failed")
    assert bounces.receive(envelope_sender(accepted.pk), data) == Outcome.BOUNCED
    assert LateReport.objects.get().kind == LateReport.Kind.UNCLEAR
    assert not Suppression.objects.exists()


def test_a_failure_after_delays_is_named_so(notice, accepted):
    data = bounce(status="4.4.7", diagnostic="451 4.4.7 delivery time expired")
    bounces.receive(envelope_sender(accepted.pk), data)
    accepted.refresh_from_db()
    assert accepted.reply == "given up after delays: 4.4.7 451 4.4.7 delivery time expired"
    with override("ko"):
        assert translate_ledger_message(accepted.reply).startswith("지연 끝에 포기함: ")


def test_a_report_settles_a_doubt(notice, accepted):
    Delivery.objects.filter(pk=accepted.pk).update(
        state=Delivery.State.IN_DOUBT, doubt_cause=DoubtCause.SERVER_SILENT
    )
    Notice.objects.filter(pk=notice.pk).update(accepted=0, in_doubt=1)
    assert bounces.receive(envelope_sender(accepted.pk), bounce()) == Outcome.BOUNCED
    accepted.refresh_from_db()
    assert accepted.state == "bounced"
    assert_adds_up(notice)
    assert (notice.in_doubt, notice.bounced) == (0, 1)


@pytest.mark.parametrize("state", [Delivery.State.PENDING, Delivery.State.DEFERRED])
def test_a_report_that_overtakes_the_ledger_is_brought_again(notice, accepted, state):
    Delivery.objects.filter(pk=accepted.pk).update(state=state)
    Notice.objects.filter(pk=notice.pk).update(accepted=0)
    assert bounces.receive(envelope_sender(accepted.pk), bounce()) == Outcome.EARLY
    Delivery.objects.filter(pk=accepted.pk).update(state=Delivery.State.ACCEPTED)
    Notice.objects.filter(pk=notice.pk).update(accepted=1)
    assert bounces.receive(envelope_sender(accepted.pk), bounce()) == Outcome.BOUNCED
    assert_adds_up(notice)


def test_a_complaint_keeps_the_state_and_is_recorded(notice, closed, people):
    data = complaint(envelope_sender(closed.pk))
    assert bounces.receive(COMPLAINTS, data) == Outcome.COMPLAINT
    assert bounces.receive(COMPLAINTS, data) == Outcome.KNOWN
    closed.refresh_from_db()
    assert closed.state == "accepted"
    assert Suppression.objects.get().source == "complaint"


def test_a_complaint_against_an_alert_ends_the_subscription(
    version, minji, editor, approver, server
):
    alert = scam_alert(version, editor, minji)
    subscription = minji.subscriptions.get()
    decisions.approve(alert, by=approver)
    work(alert)
    bounces.receive(COMPLAINTS, complaint(envelope_sender(alert.deliveries.get().pk)))
    subscription.refresh_from_db()
    assert subscription.unsubscribed_at


@pytest.mark.parametrize(
    "address",
    ["bounce+000000000000@portal.example", "bounce+x@portal.example", "postmaster@portal.example"],
)
def test_a_bounce_to_an_unknown_address_is_only_counted(notice, closed, address):
    assert bounces.receive(address, bounce()) == Outcome.UNKNOWN
    assert ReturnedMail.objects.get().number == 1
    closed.refresh_from_db()
    assert closed.state == "accepted"


@pytest.mark.parametrize("mac", ["", "-", "-" + "0" * 20, "-" + "0" * 19])
def test_a_reader_of_a_message_cannot_make_it_bounce(notice, accepted, caplog, mac):
    code = message_code(accepted.pk).replace("-", "").lower()
    forged = f"bounce+{code}{mac}@portal.example"
    assert bounces.receive(forged, bounce()) == Outcome.UNKNOWN
    assert bounces.receive(COMPLAINTS, complaint(forged)) == Outcome.UNKNOWN
    accepted.refresh_from_db()
    assert accepted.state == "accepted"
    assert not Suppression.objects.exists()
    assert not LateReport.objects.exists()
    assert ReturnedMail.objects.get().number == 2
    assert "minji" not in caplog.text
    assert code not in caplog.text.lower()


def test_a_forged_signature_is_in_the_log_by_its_deliverys_key(notice, accepted, caplog):
    forged = f"{envelope_sender(accepted.pk).partition('-')[0]}-{'f' * 20}@portal.example"
    assert bounces.receive(forged, bounce()) == Outcome.UNKNOWN
    assert f"delivery {accepted.pk}: a bounce address of it was forged" in caplog.text


def test_the_signature_of_another_delivery_is_invalid(notice, accepted, people):
    other = envelope_sender(delivery_to(notice, people["seojun"]).pk)
    address = f"{envelope_sender(accepted.pk).partition('-')[0]}-{other.partition('-')[2]}"
    assert bounces.receive(address, bounce()) == Outcome.UNKNOWN


def test_bounces_of_before_a_change_of_the_secret_key_still_count(notice, accepted, settings):
    address = envelope_sender(accepted.pk)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-anybody-to-use"
    assert bounces.receive(address, bounce()) == Outcome.BOUNCED


def test_another_domains_bounce_address_is_unknown(closed):
    address = envelope_sender(closed.pk).replace("portal.example", "evil.example")
    assert bounces.receive(address, bounce()) == Outcome.UNKNOWN


def test_an_automatic_answer_changes_nothing(notice, closed):
    address = envelope_sender(closed.pk)
    assert bounces.receive(address, AUTOMATIC_ANSWER) == Outcome.NOT_FINAL
    assert not LateReport.objects.exists()


def test_no_address_is_in_the_log(notice, closed, caplog):
    with caplog.at_level(logging.INFO):
        bounces.receive(envelope_sender(closed.pk), bounce())
    assert f"delivery {closed.pk} bounced" in caplog.text
    assert "minji" not in caplog.text


# -------------------------------------------------------------------- receiving


@contextmanager
def listening(*, host: str = "127.0.0.1", **options):
    """Context manager: runs the listener on a free port, in a thread."""
    listener, loop = Listener(host, 0, **options), asyncio.new_event_loop()
    ports, ready = [], threading.Event()

    def is_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    task = loop.create_task(listener.serve(ready=is_ready))

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        listener.close()
        loop.close()


@pytest.mark.django_db(transaction=True)
def test_the_listener_takes_a_pipelined_report_in_utf_8_and_refuses_chunks(notice, closed):
    ours = envelope_sender(closed.pk).encode()
    head = b"MAIL FROM:<> SMTPUTF8\r\nRCPT TO:<" + ours + b">\r\n"
    commands = head + b"BDAT 8 LAST\r\nRSET\r\n" + head + b"DATA\r\n"
    report = bounce(diagnostic="550 5.1.1 존재하지 않는 사용자입니다")
    with listening() as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"EHLO mx.example.com\r\n" + commands + report + b"\r\n.\r\nQUIT\r\n")
        answers = b"".join(iter(lambda: connection.recv(4096), b"")).decode().split("\r\n")
    assert [line for line in answers if line[:1] == "5"] == [
        '500 Error: command "BDAT" not recognized'
    ]
    assert "250 2.0.0 taken" in answers
    assert LateReport.objects.get().server_reply.endswith("존재하지 않는 사용자입니다")


@pytest.mark.django_db(transaction=True)
def test_the_listener_takes_reports_and_refuses_everything_else(notice, closed):
    ours = envelope_sender(closed.pk)
    with listening() as port, smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.ehlo("mx.example.com")
        smtp.mail("")
        assert smtp.rcpt("nobody@portal.example")[0] == 550
        assert smtp.rcpt(ours)[0] == 250
        assert smtp.rcpt(ours)[0] == 452
        assert smtp.data(bounce())[0] == 250
        smtp.mail("", ["SIZE=5000000"])
        smtp.rset()
        smtp.mail("")
        smtp.rcpt(ours)
        assert smtp.data(b"x\r\n" * 800_000)[0] == 552
    counts = dict(ReturnedMail.objects.values_list("outcome", "number"))
    assert counts == {"late": 1, "unknown": 1}


@pytest.mark.django_db(transaction=True)
def test_it_speaks_lmtp_as_well(notice, closed):
    with listening(is_lmtp=True) as port, smtplib.LMTP("127.0.0.1", port) as lmtp:
        lmtp.ehlo("mx.example.com")
        lmtp.sendmail("", [envelope_sender(closed.pk)], bounce())
    assert LateReport.objects.exists()


def connected(port: int, *, peer: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(peer, 0))


def received(connection: socket.socket) -> bytes:
    return connection.recv(200)


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(200) == b""
    except ConnectionResetError:
        return True


def test_one_peer_cannot_take_all_connections():
    with listening(host=ANYWHERE) as port, ExitStack() as stack:
        greedy = [stack.enter_context(connected(port)) for _ in range(MOST_OF_A_PEER)]
        assert all(received(one).startswith(b"220 ") for one in greedy)
        one_more = stack.enter_context(connected(port))
        assert received(one_more).startswith(b"421 ")
        assert is_closed(one_more)
        other = stack.enter_context(connected(port, peer="127.0.0.2"))
        assert received(other).startswith(b"220 ")
        greedy[0].close()
        wait_until_admitted(stack, port)


def wait_until_admitted(stack: ExitStack, port: int) -> None:
    for _ in range(50):
        again = stack.enter_context(connected(port))
        if received(again).startswith(b"220 "):
            return
        time.sleep(0.1)
    pytest.fail("the seat was not given back")


def test_all_peers_together_have_a_limit_of_connections():
    with listening(host=ANYWHERE) as port, ExitStack() as stack:
        peers = [f"127.0.1.{number // MOST_OF_A_PEER + 1}" for number in range(MOST_CONNECTIONS)]
        for peer in peers:
            assert received(stack.enter_context(connected(port, peer=peer))).startswith(b"220 ")
        assert received(stack.enter_context(connected(port, peer="127.0.2.1"))).startswith(b"421 ")


def test_the_mail_server_in_front_is_one_peer_and_may_take_all():
    with listening() as port, ExitStack() as stack:
        for _ in range(MOST_OF_A_PEER + 1):
            assert received(stack.enter_context(connected(port))).startswith(b"220 ")


def test_a_silent_peer_is_disconnected():
    with listening(idle_seconds=0.3) as port, connected(port) as silent:
        assert received(silent).startswith(b"220 ")
        assert is_closed(silent)


def test_a_peer_that_sends_a_command_slowly_is_disconnected():
    with listening(idle_seconds=0.5) as port, connected(port) as slow:
        received(slow)
        for line in (b"EHLO mx.example.com", b"MAIL FROM:<>", b"RSET"):
            slow.sendall(line + b"\r\n")
            received(slow)
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < began + 5:
                slow.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() < began + 3


def test_a_peer_that_never_stops_is_disconnected():
    with listening(idle_seconds=5, session_seconds=0.6) as port, connected(port) as talker:
        received(talker)
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < began + 5:
                talker.sendall(b"NOOP\r\n")
                if not received(talker):
                    break
                time.sleep(0.05)
        assert time.monotonic() < began + 3


def test_a_connection_has_a_limit_of_commands():
    with listening() as port, connected(port) as talker:
        received(talker)
        answers = b""
        for _ in range(30):
            talker.sendall(b"VRFY somebody\r\n")
            answers = received(talker)
            if answers.startswith(b"421 "):
                break
        assert answers.startswith(b"421 ")


def test_a_maildir_is_emptied(notice, closed, tmp_path, capsys):
    box = mailbox.Maildir(tmp_path / "in", create=True)
    box.add(b"Delivered-To: " + envelope_sender(closed.pk).encode() + b"\r\n" + bounce())
    box.add(b"Subject: hello\n\nnot a report\n")
    call_command("receive_bounces", maildir=tmp_path / "in")
    assert "2 mails taken" in capsys.readouterr().out
    assert read_maildir(tmp_path / "in") == 0
    counts = dict(ReturnedMail.objects.values_list("outcome", "number"))
    assert counts == {"late": 1, "unknown": 1}


POISON = b"To: " + b"(" * 2_000 + b"x@portal.example\r\nSubject: x\r\n\r\nnothing\r\n"


def test_a_mail_that_cannot_be_processed_does_not_stop_a_maildir(notice, closed, tmp_path):
    box = mailbox.Maildir(tmp_path / "in", create=True)
    poison = box.get_bytes(box.add(POISON))
    box.add(b"Delivered-To: " + envelope_sender(closed.pk).encode() + b"\r\n" + bounce())
    assert read_maildir(tmp_path / "in") == 2
    assert len(box) == 0
    aside = box.get_folder("aside")
    assert [aside.get_bytes(key) for key in aside.iterkeys()] == [poison]
    assert LateReport.objects.get().delivery == closed
    counts = dict(ReturnedMail.objects.values_list("outcome", "number"))
    assert counts == {"late": 1, "aside": 1}


def test_a_mail_that_cannot_be_processed_does_not_stop_an_imap_mailbox(notice, closed, settings):
    ours = b"Delivered-To: " + envelope_sender(closed.pk).encode() + b"\r\n" + bounce()
    with ImapServer([POISON, ours]) as server:
        settings.IMAP_URL = server.url
        assert read_imap(server.url) == 2
        assert server.mails == {}
        assert server.copied == [POISON]
    assert LateReport.objects.get().delivery == closed


def test_a_report_that_came_too_early_stays_in_the_mailbox(notice, accepted, tmp_path):
    Delivery.objects.filter(pk=accepted.pk).update(state=Delivery.State.PENDING)
    box = mailbox.Maildir(tmp_path / "in", create=True)
    box.add(b"Delivered-To: " + envelope_sender(accepted.pk).encode() + b"\r\n" + bounce())
    assert read_maildir(tmp_path / "in") == 0
    assert len(box) == 1


def test_an_imap_mailbox_is_emptied(notice, closed, settings, capsys):
    ours = b"Delivered-To: " + envelope_sender(closed.pk).encode() + b"\r\n" + bounce()
    huge = b"To: somebody@portal.example\r\n\r\n" + b"x\r\n" * 700_000
    with ImapServer([ours, huge]) as server:
        settings.IMAP_URL = server.url
        call_command("receive_bounces", "--imap")
        assert server.mails == {}
    assert "2 mails taken" in capsys.readouterr().out
    assert LateReport.objects.get().delivery == closed


@pytest.mark.django_db
def test_a_mail_of_which_the_imap_server_gives_nothing_stays_there(monkeypatch):
    usual = ImapServer.answer

    def answer_without_the_first(box: ImapServer, command: str, rest: list[str]) -> bytes | None:
        return b"" if rest[:2] == ["FETCH", "101"] else usual(box, command, rest)

    monkeypatch.setattr(ImapServer, "answer", answer_without_the_first)
    with ImapServer([bounce(), bounce()]) as server:
        assert read_imap(server.url) == 1
        assert list(server.mails) == [1]


@pytest.mark.django_db
def test_a_mailbox_with_the_bounces_of_a_nation_is_read(monkeypatch):
    """The answer to SEARCH names each mail in one line, which imaplib refuses when it is long."""
    monkeypatch.setattr(receivers, "MOST_AT_A_TIME", 2)
    with ImapServer([bounce()] * 200_000) as server:
        assert read_imap(server.url) == 2
        assert len(server.mails) == 199_998


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ["lines", "a literal"])
def test_the_server_of_a_mailbox_cannot_answer_without_end(answer, monkeypatch):
    """imaplib reads any number of lines, and a literal of any length that the server names."""
    endless = {"lines": b"* 1 EXISTS\r\n" * 900_000, "a literal": b"* 1 X {9999999999}\r\nx"}
    usual = ImapServer.answer

    def answer_endlessly(box: ImapServer, command: str, rest: list[str]) -> bytes | None:
        return endless[answer] if command == "SELECT" else usual(box, command, rest)

    monkeypatch.setattr(ImapServer, "answer", answer_endlessly)
    with ImapServer([]) as server, pytest.raises(imaplib.IMAP4.abort, match="without end"):
        read_imap(server.url)


@contextmanager
def imap_server_that_sends(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yields the URL of a server that has one mail, and answers its FETCH in pieces, once a second
    twenty, until it closes the connection.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                tag, command, *_rest = line.split()
                if command == b"UID":
                    for piece in pieces:
                        self.wfile.write(piece)
                        time.sleep(0.05)
                    return
                answer = {b"SELECT": b"* 1 EXISTS\r\n", b"FETCH": b"* 1 FETCH (UID 101)\r\n"}
                version = b"* CAPABILITY IMAP4rev1\r\n" if command == b"CAPABILITY" else b""
                self.wfile.write(version + answer.get(command, b"") + tag + b" OK done\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with server, serving(server):
        yield f"imap://bounces:secret@127.0.0.1:{server.server_address[1]}/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "pieces",
    [[b"* 1 FETCH (UID 101 BODY[]<0> {9000}\r\n", b"Subject: half\r\n"], repeat(b" ")],
    ids=["the server ends within a mail", "the server sends octet by octet"],
)
def test_an_imap_server_that_stops_or_drips_ends_the_run(pieces, settings, monkeypatch):
    monkeypatch.setattr(receivers, "MAILBOX_SECONDS", 2)
    start = time.monotonic()
    refused = pytest.raises(CommandError, match="could not be read to its end")
    with imap_server_that_sends(pieces) as settings.IMAP_URL, refused:
        call_command("receive_bounces", "--imap")
    assert time.monotonic() - start < 30
    assert not ReturnedMail.objects.exists()


def test_a_mail_that_the_imap_server_does_not_give_stays_there(notice, closed):
    ours = b"Delivered-To: " + envelope_sender(closed.pk).encode() + b"\r\n" + bounce()
    with ImapServer([ours, ours]) as server:
        server.locked = {1}
        assert read_imap(server.url) == 1
        assert server.mails == {1: ours}
        server.locked = set()
        assert read_imap(server.url) == 1
        assert server.mails == {}


def test_mails_that_came_too_early_do_not_keep_others_waiting(
    notice, accepted, tmp_path, monkeypatch
):
    monkeypatch.setattr(receivers, "MOST_AT_A_TIME", 2)
    Delivery.objects.filter(pk=accepted.pk).update(state=Delivery.State.PENDING)
    early = b"Delivered-To: " + envelope_sender(accepted.pk).encode() + b"\r\n" + bounce()
    mails = [early, early, early, b"Subject: hello\n\nnot a report\n"]
    box = mailbox.Maildir(tmp_path / "in", create=True)
    for mail in mails:
        box.add(mail)
    assert read_maildir(tmp_path / "in") == 1
    with ImapServer(mails) as server:
        assert read_imap(server.url) == 1
        assert list(server.mails) == [1, 2, 3]
    assert dict(ReturnedMail.objects.values_list("outcome", "number"))["unknown"] == 2


def test_a_mail_that_cannot_be_opened_does_not_stop_a_maildir(notice, closed, tmp_path, caplog):
    box = mailbox.Maildir(tmp_path / "in", create=True)
    (tmp_path / "in" / "new" / "0.gone").symlink_to(tmp_path / "nothing")
    box.add(b"Delivered-To: " + envelope_sender(closed.pk).encode() + b"\r\n" + bounce())
    assert read_maildir(tmp_path / "in") == 1
    assert LateReport.objects.get().delivery == closed
    assert "could not be opened: FileNotFoundError" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_lmtp", [False, True])
def test_the_listener_takes_whatever_octets_a_server_sends(notice, closed, is_lmtp):
    """Reports quote mails that have them. A refusal would lose the report."""
    ours = envelope_sender(closed.pk)
    odd = b"x" * 20_000 + b"\r\n\0 \xff\xfe \r\n.\r\n\n.\n\r.\r bare\r\n"
    kind = smtplib.LMTP if is_lmtp else smtplib.SMTP
    with listening(is_lmtp=is_lmtp) as port, kind("127.0.0.1", port, timeout=10) as smtp:
        smtp.ehlo("mx.example.com")
        smtp.mail("", ["BODY=8BITMIME", "SMTPUTF8"])
        assert smtp.rcpt(ours)[0] == 250
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(bounce() + odd.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        assert smtp.getreply()[0] == 250
        assert smtp.noop()[0] == 250
    assert dict(ReturnedMail.objects.values_list("outcome", "number")) == {"late": 1}


@pytest.mark.parametrize("url", ["imap://u:secret@mail.example/", "pop3://u:secret@mail.example/"])
def test_a_mailboxs_password_never_leaves_in_the_clear(settings, url):
    settings.IMAP_URL = url
    with pytest.raises(CommandError, match="imaps://") as refused:
        call_command("receive_bounces", "--imap")
    assert "secret" not in str(refused.value)


def test_the_command_says_what_is_missing(db, tmp_path, settings):
    settings.IMAP_URL = ""
    with pytest.raises(CommandError, match="IMAP_URL"):
        call_command("receive_bounces", "--imap")
    with pytest.raises(CommandError, match="not a directory"):
        call_command("receive_bounces", "--maildir", str(tmp_path / "none"))
    with pytest.raises(CommandError, match="HOST:PORT"):
        call_command("receive_bounces", "--listen", "2526")
    assert connection.is_usable()
