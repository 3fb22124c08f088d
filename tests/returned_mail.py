"""Makes delivery reports, complaints and automatic answers as mail servers send them."""


def bounce(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "550 5.1.1 <minji@example.com>: user unknown",
    recipient: str = "minji@example.com",
) -> bytes:
    """Returns a delivery status notification as Postfix writes it (RFC 3464)."""
    return f"""\
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounce@portal.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F9A1.1732269000/mx.example.com"

This is a MIME-encapsulated message.

--4F9A1.1732269000/mx.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4F9A1.1732269000/mx.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: Sat, 22 Nov 2025 09:10:00 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; inbound.example.com
Diagnostic-Code: smtp; {diagnostic}

--4F9A1.1732269000/mx.example.com
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: notice@portal.example
Subject: About your data

--4F9A1.1732269000/mx.example.com--
""".replace("\n", "\r\n").encode()


def complaint(sender: str, *, kind: str = "abuse") -> bytes:
    """Returns a complaint (RFC 5965): the recipient marked the message as spam."""
    return f"""\
From: <abusedesk@example.com>
Subject: FW: About your data
To: <complaints@portal.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d.2e68ed54"

--part1_13d.2e68ed54
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--part1_13d.2e68ed54
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{sender}>

--part1_13d.2e68ed54
Content-Type: message/rfc822

Return-Path: <{sender}>
From: <notice@portal.example>
Subject: About your data

Spam Spam Spam
--part1_13d.2e68ed54--
""".replace("\n", "\r\n").encode()


AUTOMATIC_ANSWER = b"""\
From: minji@example.com\r
To: bounce@portal.example\r
Subject: Out of office\r
Auto-Submitted: auto-replied\r
\r
I am on the bus.\r
"""
