"""A server's reply is the fault of the recipient, or ours."""

import pytest

from notices.engine.transport import Result, classify_reply, redact_address, redact_number
from notices.returned_mail.delivery_reports import read_report, redact_addresses
from tests.returned_mail import Shape

CODE = "0abc1def2ghj-0123456789abcdef0123"  # the code and the MAC of an envelope sender


@pytest.mark.parametrize(
    "reply",
    [
        "550 relay not permitted",
        "550 5.1.8 <notice@portal.example>: Sender address rejected: Domain not found",
        "554 5.7.1 Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org",
        "550 Sender verify failed",
        "550 5.1.0 sender rejected",
        "554 Message refused: our policy does not allow bulk mail",
        "552 Message size exceeds fixed maximum message size",
    ],
)
def test_a_refusal_of_us_at_the_recipient_is_not_the_recipients_fault(reply):
    assert classify_reply(int(reply[:3]), reply, step="recipient") is Result.REFUSED


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 user unknown",
        "550 No such user here",
        "550 5.2.1 mailbox disabled",
        "552 5.2.2 mailbox full",
    ],
)
def test_a_refusal_of_the_recipient_is_a_bounce(reply):
    assert classify_reply(int(reply[:3]), reply, step="recipient") is Result.BOUNCED


def test_a_temporary_refusal_is_deferred():
    assert classify_reply(450, "450 4.2.1 blocked", step="recipient") is Result.DEFERRED


@pytest.mark.parametrize(
    "reply",
    [
        "550 no",
        "554 transaction failed",
        "550 5.5.0 rejected",
        # of OpenSMTPD, whether it knows no such user or does not relay for us
        "550 Invalid recipient: <minji@example.com>",
    ],
)
def test_a_refusal_at_the_recipient_that_names_no_cause_is_unclear(reply):
    assert classify_reply(int(reply[:3]), reply, step="recipient") is Result.UNCLEAR


def test_a_refused_sender_is_not_a_bad_address_after_the_message_either():
    reply = "550 5.1.8 sender address rejected: domain not found"
    assert classify_reply(550, reply, step="message") is Result.REFUSED


@pytest.mark.parametrize(
    ("reply", "stored"),
    [
        (
            "550 5.1.8 <bounce+0abc-12de@portal.example>: Sender address rejected",
            "550 5.1.8 <sender>: Sender address rejected",
        ),
        (
            "550-Verification failed for BOUNCE+0ABC-12DE@PORTAL.EXAMPLE 550 no minji here",
            "550-Verification failed for <sender> 550 no <…> here",
        ),
        (
            "554 prvs=0123456789=bounce+0abc-12de@portal.example, minji@example.com: no",
            "554 prvs=0123456789=<sender>, <…>: no",
        ),
        (
            f"550 SPF: http://www.openspf.example/Why?id=bounce%2B{CODE}%40portal.example&ip=1",
            "550 SPF: http://www.openspf.example/Why?id=<sender>&ip=1",
        ),
        (
            f"550 ?id=prvs%3D01%3DBounce%252B{CODE}%2540portal",
            "550 ?id=prvs%3D01%3DBounce%252B<sender>",
        ),
        (f"550 =?utf-8?q?bounce=2B{CODE}=40portal?=", "550 =?utf-8?q?<sender>"),
        (f"550 local part: {CODE.upper()}", "550 local part: <sender>"),
        ("550 minji@example.com... User unknown: minji.", "550 <…>... User unknown: <…>."),
        ("550 no minji.kim@example.com", "550 no minji.kim@example.com"),
    ],
)
def test_a_stored_reply_has_neither_the_recipient_nor_the_envelope_sender(reply, stored):
    """Who knows an envelope sender can report a bounce."""
    assert redact_address(reply, "minji@example.com") == stored


def test_neither_returned_mail_nor_a_text_gateway_stores_the_envelope_sender():
    reply = f"550 5.7.1 ?id=bounce%2B{CODE}%40portal.example"
    fields = f"Final-Recipient: rfc822; a@b.example\nAction: failed\nDiagnostic-Code: smtp; {reply}"
    mail = Shape("MAILER-DAEMON@b.example", "failure", "", fields)
    assert CODE not in read_report(mail.mail()).words
    assert CODE not in redact_addresses(reply)
    assert redact_number(f"409 {CODE} exists", "+821012345678") == "409 <sender> exists"


def test_a_stored_reply_that_is_cut_says_so():
    reply = f"550 5.1.1 user unknown {'- ' * 300}"
    assert redact_address(reply, "minji@example.com") == f"{reply[:499]}…"
