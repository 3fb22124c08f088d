"""Returned mail in the shapes that servers send: each sample is read as what it is."""

from pathlib import Path

import pytest

from notices.returned_mail.delivery_reports import DeliveryReport, ReportKind, read_report
from notices.returned_mail.reply_reading import Cause, cause_of, names_only_the_recipient
from tests.returned_mail import Shape

SAMPLES = Path(__file__).parent / "returned"
BOUNCE, NOT_FINAL, COMPLAINT = ReportKind.BOUNCE, ReportKind.NOT_FINAL, ReportKind.COMPLAINT
RIGHT = {
    # We or the destination are refused: the address is not bad.
    "dsn-5.1.8-sender-domain-not-found": (BOUNCE, Cause.SENDER),
    "dsn-5.1.0-sender-rejected-spectrum": (BOUNCE, Cause.SENDER),
    "dsn-5.1.0-spf": (BOUNCE, Cause.SENDER),
    "dsn-status-5.1.1-but-550-5.7.1-blacklisted": (BOUNCE, Cause.SENDER),
    "dsn-m365-5.4.1-access-denied": (BOUNCE, Cause.SENDER),
    # The recipient's mailbox or domain does not exist.
    "dsn-gmail-5.2.1-disabled": (BOUNCE, Cause.ADDRESS),
    "dsn-exim-5.0.0-550-5.1.1": (BOUNCE, Cause.ADDRESS),
    "dsn-5.4.4-host-not-found": (BOUNCE, Cause.ADDRESS),
    "dsn-base64-delivery-status": (BOUNCE, Cause.ADDRESS),
    "dsn-global-delivery-status-utf8": (BOUNCE, Cause.ADDRESS),
    "exim-4.8x-text": (BOUNCE, Cause.ADDRESS),
    "qmail-user-unknown": (BOUNCE, Cause.ADDRESS),
    "naver-style-html": (BOUNCE, Cause.ADDRESS),
    # OpenSMTPD 6.8 names both a delay.
    "opensmtpd-expired": (BOUNCE, Cause.EXPIRED),
    "opensmtpd-delayed": (NOT_FINAL, Cause.UNCLEAR),
    # Reports about us and automatic answers.
    "arf-auth-failure": (NOT_FINAL, Cause.UNCLEAR),
    "arf-dmarc": (NOT_FINAL, Cause.UNCLEAR),
    "arf-virus": (NOT_FINAL, Cause.UNCLEAR),
    "challenge-response": (NOT_FINAL, Cause.UNCLEAR),
    "vacation-no-header": (NOT_FINAL, Cause.UNCLEAR),
    "vacation-outlook-ko": (NOT_FINAL, Cause.UNCLEAR),
    "jmrp-outlook": (COMPLAINT, Cause.UNCLEAR),
}


def read(name: str) -> DeliveryReport:
    return read_report((SAMPLES / f"{name}.eml").read_bytes())


def test_every_sample_is_named():
    assert {path.stem for path in SAMPLES.glob("*.eml")} == RIGHT.keys()


@pytest.mark.parametrize("name", RIGHT)
def test_a_sample_is_read_as_what_it_is(name):
    report = read(name)
    assert (report.kind, report.cause) == RIGHT[name]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("name", ["qmail-user-unknown", "dsn-exim-5.0.0-550-5.1.1"])
def test_line_ends_make_no_difference(name, ending):
    data = (SAMPLES / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", ending)
    report = read_report(data)
    assert (report.kind, report.cause) == RIGHT[name]


@pytest.mark.parametrize("name", RIGHT)
def test_no_address_is_kept(name):
    assert "@" not in read(name).words


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("550 5.1.1 user unknown", Cause.ADDRESS),
        ("550 5.7.1 Recipient address rejected: User unknown", Cause.ADDRESS),
        ("550 relay not permitted", Cause.SENDER),
        ("550 5.1.8 Sender address rejected: Domain not found", Cause.SENDER),
        (
            "550 5.7.26 This mail has been blocked because the sender is unauthenticated",
            Cause.SENDER,
        ),
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen", Cause.SENDER),
        ("552 5.2.2 mailbox full", Cause.MAILBOX),
        ("452 4.2.2 The email account that you tried to reach is over quota", Cause.MAILBOX),
        ("552 5.3.4 Message size exceeds fixed limit", Cause.CONTENT),
        ("554 5.6.0 rejected as spam", Cause.CONTENT),
        ("550 5.4.4 Host or domain name not found. type=AAAA: Host not found", Cause.ADDRESS),
        ("Name service error: Host not found, try again", Cause.NETWORK),
        ("4.4.7 delivery time expired", Cause.EXPIRED),
        ("421 4.4.1 connection timed out", Cause.EXPIRED),
        ("550 5.1.0 domain example.net does not exist", Cause.UNCLEAR),
        ("554 5.0.0", Cause.UNCLEAR),
        ("550 메일함 용량이 초과되었습니다", Cause.MAILBOX),
        ("550 존재하지 않는 사용자입니다", Cause.ADDRESS),
        ("554 5.7.1 스팸으로 차단된 서버입니다", Cause.SENDER),
        ("", Cause.UNCLEAR),
    ],
)
def test_words_and_codes_are_read_together(reply, cause):
    assert cause_of(reply) is cause


def sendmail_text(body: str, **headers: str) -> bytes:
    fields = {"From": "MAILER-DAEMON@mx.example", "Subject": "Returned mail", **headers}
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"{head}\n{body}".encode()


def test_the_returned_message_is_not_read_as_the_servers_words():
    body = (
        "Your message could not be delivered.\n\n----- Original message -----\n\n550 user unknown\n"
    )
    report = read_report(sendmail_text(body))
    assert (report.kind, report.cause) == (BOUNCE, Cause.UNCLEAR)


def test_a_warning_is_not_final_whatever_else_it_says():
    body = "THIS IS A WARNING MESSAGE ONLY.\n550 5.1.1 user unknown\n"
    assert read_report(sendmail_text(body)).kind == NOT_FINAL


QMAIL = "Hi. This is the qmail-send program at mx.example.\n\n<minji@corp.example>:\n"


@pytest.mark.parametrize(
    ("body", "words", "is_held"),
    [
        (
            f"{QMAIL}Sorry, I couldn't find any host named corp.example. (#5.1.2)\n",
            "Sorry, I couldn't find any host named <…>. (#5.1.2)",
            True,
        ),
        (
            f"{QMAIL}Sorry, I couldn't find any host named relay.portal.example. (#5.1.2)\n",
            "Sorry, I couldn't find any host named relay.portal.example. (#5.1.2)",
            False,
        ),
        ("Unknown user: minji@corp.example\n", "Unknown user: <…>", True),
        (
            "The mailbox does not exist of this tenant\nminji@corp.example\n",
            "The mailbox does not exist of this tenant <…>",
            False,
        ),
    ],
)
def test_the_words_that_name_the_cause_are_those_that_are_stored(body, words, is_held):
    report = read_report(sendmail_text(body))
    assert report.cause is Cause.ADDRESS
    assert report.words == words
    assert names_only_the_recipient(report.words) is is_held


def test_qmails_heading_names_the_address_that_failed_and_brackets_are_no_part_of_one():
    said = "Remote host said: 550 User unknown (minji@corp.example)"
    report = read_report(sendmail_text(QMAIL.replace("minji", "copy") + said))
    assert (report.recipients, report.named) == (("copy@corp.example",), ("minji@corp.example",))


def test_a_report_of_a_forwarding_names_another_address():
    report = read_report((SAMPLES / "dsn-exim-5.0.0-550-5.1.1.eml").read_bytes())
    assert not report.is_forwarded
    forwarded = sendmail_text(
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        "Original-Recipient: rfc822; minji@example.com\n"
        "Final-Recipient: rfc822; old@other.example\n"
        "Action: failed\nStatus: 5.1.1\n\n--b--\n",
        **{"Content-Type": 'multipart/report; boundary="b"', "MIME-Version": "1.0"},
    )
    assert read_report(forwarded).is_forwarded


@pytest.mark.parametrize(("characters", "is_cut"), [(400, False), (1_200, True), (4_000, True)])
def test_a_stored_reply_shows_that_it_is_cut(characters, is_cut):
    """Without the addresses it is so short that its length does not show it."""
    address = f"{'m' * 64}@corp.example"
    reply = f"550 5.1.1 user unknown {f'<{address}> ' * (characters // 80)}".strip()
    fields = f"Final-Recipient: rfc822; {address}\nAction: failed\nDiagnostic-Code: smtp; {reply}"
    report = read_report(Shape("MAILER-DAEMON@corp.example", "failure", "", fields).mail())
    assert len(report.words) < 500
    assert report.words.endswith("…") is is_cut
    assert names_only_the_recipient(report.words) is not is_cut
