"""Returned mail and servers' replies of many programs, each read as what it is.

tests/notices/returned/more_shapes.toml and more_replies.toml hold them, with the right answers.
"""

import tomllib
from email.header import Header
from pathlib import Path
from typing import Any

import pytest

from notices.engine.transport import Result, classify_reply
from notices.returned_mail.delivery_reports import ReportKind, read_report
from notices.returned_mail.reply_reading import Cause, cause_of
from tests.returned_mail import Shape, bounce

_SAMPLES = Path(__file__).parent / "returned"
MAILS: dict[str, dict[str, Any]] = {
    mail["name"]: mail
    for mail in tomllib.loads((_SAMPLES / "more_shapes.toml").read_text("utf-8"))["mail"]
}
REPLIES = [
    (reply, step, result)
    for result, steps in tomllib.loads((_SAMPLES / "more_replies.toml").read_text("utf-8")).items()
    for step, replies in steps.items()
    for reply in replies
]
_CALENDAR = b"""
--b
Content-Type: text/calendar; method=REPLY; charset=utf-8

BEGIN:VCALENDAR
METHOD:REPLY
END:VCALENDAR

--b--
"""


def made(mail: dict[str, Any]) -> bytes:
    """Returns the mail of an entry of more_shapes.toml."""
    shape = Shape(
        mail["sender"],
        mail["subject"],
        mail.get("text", ""),
        mail.get("fields", ""),
        headers=mail.get("headers", {}),
        kind=mail.get("type", "delivery-status"),
        charset=mail.get("charset", "utf-8"),
        has_original=mail.get("has_original", True),
    )
    match mail.get("special"):
        case "calendar":
            return shape.mail().replace(b"\n--b--\n", _CALENDAR)
        case "zip":
            return _zip(shape)
        case "raw subject":
            encoded = f"Subject: {Header(shape.subject, 'utf-8').encode()}".encode()
            return shape.mail().replace(
                encoded, b"Subject: " + shape.subject.encode(shape.charset), 1
            )
        case "japanese":
            return _japanese(shape)
        case _:
            return shape.mail()


def _zip(shape: Shape) -> bytes:
    """Returns a mail that is an attachment only, as aggregate reports are."""
    return (
        f"From: {shape.sender}\nSubject: {shape.subject}\nMIME-Version: 1.0\n"
        "Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\nUEsDBAo=\n"
    ).encode()


def _japanese(shape: Shape) -> bytes:
    """Returns a report whose fields are in ISO-2022-JP and do not say so, as Domino's are."""
    words = "ユーザー (minji@corp.example) は Domino ディレクトリには見つかりません。"
    return (
        f"From: {shape.sender}\nSubject: {shape.subject}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain; charset=iso-2022-jp\n\n配信できません\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.corp.example\n\n"
        "Final-Recipient: rfc822; minji@corp.example\nAction: failed\nStatus: 5.0.0\n"
        f"Diagnostic-Code: X-Notes; {words}\n\n--b--\n"
    ).encode("iso2022_jp")


@pytest.mark.parametrize("name", MAILS)
def test_a_returned_mail_is_read_as_what_it_is(name):
    mail = MAILS[name]
    report = read_report(made(mail))
    assert report.kind is ReportKind[mail["kind"]]
    if "cause" in mail:
        assert report.cause is Cause[mail["cause"]]
    assert "@" not in report.words


@pytest.mark.parametrize(("reply", "step", "result"), REPLIES)
def test_a_reply_is_judged_by_whom_it_names(reply, step, result):
    assert classify_reply(int(reply[:3]), reply, step=step) is Result[result]


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        # Names of people and hosts are no words of the server.
        ("550 <user.unknown@corp.example>: Rejected", Cause.UNCLEAR),
        ("550 spam.quota@corp.example user unknown", Cause.ADDRESS),
        ("host antispam.example.com[192.0.2.1] said: 550 5.1.1 User unknown", Cause.ADDRESS),
        ("host userunknown.example.com [192.0.2.1]: 554 Transaction failed", Cause.UNCLEAR),
        ("554 5.7.1 blocked using zen.spamhaus.org", Cause.SENDER),
        ("minji@corp.example does not exist", Cause.ADDRESS),
        # A temporary refusal is final only if the server gave up.
        ("4.0.0 451 Internal resource temporarily unavailable", Cause.EXPIRED),
        ("ERROR_CODE :421, Host not reachable", Cause.EXPIRED),
        ("451 4.7.1 Greylisting in action, come back later: retry timeout exceeded", Cause.EXPIRED),
        ("550 5.4.4 host not reachable", Cause.NETWORK),
        ("552 5.2.2 mailbox full", Cause.MAILBOX),
        ("552 5.2.2 Your mailbox has exceeded its quota", Cause.MAILBOX),
        # Words for us beside words for a bad address.
        ("550 발신자 계정이 없습니다", Cause.UNCLEAR),
        ("550 발송 계정이 삭제되었습니다", Cause.UNCLEAR),
        ("550 존재하지 않는 발신자", Cause.UNCLEAR),
        ("550 L'adresse de l'expéditeur est introuvable", Cause.UNCLEAR),
        ("550 Sender <notice@portal.example> does not exist", Cause.UNCLEAR),
        ("550 sender's mailbox does not exist", Cause.UNCLEAR),
        ("550 mittente non esiste", Cause.UNCLEAR),
        ("550 IP地址無效", Cause.UNCLEAR),
        ("550 送信アドレスが存在しません", Cause.UNCLEAR),
        ("550 5.7.1 인증된 사용자가 없습니다", Cause.UNCLEAR),
        ("550 5.7.1 all relevant MX records point to non-existent hosts", Cause.UNCLEAR),
        ("550 This account has been blocked for sending spam", Cause.SENDER),
    ],
)
def test_the_cause_is_read_from_the_servers_words_alone(reply, cause):
    assert cause_of(reply) is cause


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: auto-replied", "Precedence: auto_reply", "Subject: Automatic reply: notice"],
)
def test_an_automatic_answer_that_names_a_dead_address_suppresses_nobody(header):
    report = read_report(
        f"From: kim@corp.example\n{header}\nReturn-Path: <>\n\n"
        "Mail could not be delivered to kim@corp.example: Kim no longer works here.\n".encode()
    )
    assert report.kind is ReportKind.NOT_FINAL


@pytest.mark.parametrize("charset", ["euc-kr", "utf-8"])
def test_a_report_in_an_encoding_that_it_does_not_name_is_read(charset):
    words = "존재하지 않는 사용자입니다"
    mail = f"From: MAILER-DAEMON@corp.example\nSubject: 메일 반송\n\nminji@corp.example {words}\n"
    report = read_report(mail.encode(charset))
    assert (report.kind, report.cause) == (ReportKind.BOUNCE, Cause.ADDRESS)


@pytest.mark.parametrize(
    "reply",
    [
        "550 발신자 계정이 없습니다",
        "550 발송 계정이 삭제되었습니다",
        "550 존재하지 않는 발신자",
        "5.7.1 인증된 사용자가 없습니다",
        "550 L'adresse de l'expéditeur est introuvable",
        "550 Sender <notice@portal.example> does not exist",
        "550 sender's mailbox does not exist",
        "550 mittente non esiste",
        "550 IP地址無效",
        "550 送信アドレスが存在しません",
        "5.7.1 all relevant MX records point to non-existent hosts",
        "550 no MX for this domain",
    ],
)
def test_a_reply_that_may_mean_the_sender_suppresses_nobody(reply):
    mail = f"From: MAILER-DAEMON@corp.example\nSubject: failure\n\nminji@corp.example:\n{reply}\n"
    report = read_report(mail.encode())
    assert cause_of(reply) in (Cause.UNCLEAR, Cause.SENDER)
    assert report.cause in (Cause.UNCLEAR, Cause.SENDER)


@pytest.mark.parametrize("address", ["kim@corp.example", "minji@corp.example"])
def test_an_automatic_answer_that_states_a_failure_is_none(address):
    mail = (
        "From: Minji <minji@corp.example>\nSubject: Re: About your data\nReturn-Path: <>\n"
        "Auto-Submitted: auto-replied\n\n"
        f"Mail could not be delivered to {address}. Minji no longer works here.\n"
    )
    assert read_report(mail.encode()).kind is ReportKind.NOT_FINAL


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("550 This account has been blocked for sending spam", Cause.SENDER),
        ("550 The mailbox was locked because of abuse, account disabled for abuse", Cause.SENDER),
        ("550 The recipient's mailbox is blocked", Cause.MAILBOX),
        ("552 5.2.2 Your mailbox has exceeded its quota", Cause.MAILBOX),
        ("552 Your mailbox has exceeded its quota, you cannot send", Cause.SENDER),
    ],
)
def test_a_blocked_or_full_account_is_ours_or_the_recipients(reply, cause):
    assert cause_of(reply) is cause


def enclosing(head: str, *, text: str) -> bytes:
    """Returns a mail with a report as an attachment."""
    report = bounce().replace(b"\r\n", b"\n").decode()
    return (
        f"{head}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n"
        f"--q\nContent-Type: text/plain\n\n{text}\n\n"
        f"--q\nContent-Type: message/rfc822\n\n{report}\n--q--\n"
    ).encode()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("From: Minji <minji@corp.example>\nSubject: Fwd: what is this?\n", ReportKind.UNREADABLE),
        (
            "From: minji@corp.example\nSubject: Automatic reply: x\nAuto-Submitted: auto-replied\n",
            ReportKind.NOT_FINAL,
        ),
        (
            "From: MAILER-DAEMON@filter.example\nSubject: Returned mail: User unknown\n",
            ReportKind.BOUNCE,
        ),
    ],
)
def test_a_report_inside_a_mail_counts_only_if_a_server_sent_it(head, kind):
    assert read_report(enclosing(head, text="I got this.")).kind is kind


def test_a_delay_of_a_report_says_nothing_about_what_the_report_says():
    status = (
        b"--q\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"
        b"Final-Recipient: rfc822; bounce@portal.example\nAction: delayed\nStatus: 4.4.1\n\n"
    )
    mail = enclosing("From: MAILER-DAEMON@relay.example\nSubject: Delayed\n", text="Delayed.")
    copy = b"--q\nContent-Type: message/rfc822"
    assert read_report(mail.replace(copy, status + copy)).kind is ReportKind.NOT_FINAL


def test_style_sheets_are_no_words_of_a_report():
    mail = (
        "From: postmaster@corp.example\nSubject: Undeliverable: x\nContent-Type: text/html\n\n"
        "<style>p{color:#550000}</style><p>The email address you entered couldn't be found.</p>\n"
    )
    report = read_report(mail.encode())
    assert (report.kind, report.cause) == (ReportKind.BOUNCE, Cause.ADDRESS)
    assert "550000" not in report.words
