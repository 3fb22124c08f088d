"""Makes delivery reports, complaints and automatic answers as mail servers send them."""

from base64 import b64encode
from dataclasses import dataclass, field
from email.header import Header

ORIGINAL = """\
Return-Path: <bounce+0abc-def@portal.example>
From: Hanbit <notice@hanbit.example>
To: minji@corp.example
Subject: About your data

Your address minji@corp.example does not exist in our file. 550 5.1.1 user unknown
"""


@dataclass(frozen=True)
class Shape:
    """A returned mail: its head, the text that people read, the fields for programs."""

    sender: str
    subject: str
    text: str
    fields: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "delivery-status"
    charset: str = "utf-8"
    has_original: bool = True

    def mail(self) -> bytes:
        parts = [self._text_part()]
        if self.fields:
            parts.append(f"Content-Type: message/{self.kind}\n\n{self.fields}")
        if self.has_original:
            parts.append(f"Content-Type: message/rfc822\n\n{ORIGINAL}")
        report = f'multipart/report; report-type={self.kind}; boundary="b"'
        head = {
            "From": self.sender,
            "To": "bounce+0abc-def@portal.example",
            "Subject": Header(self.subject, "utf-8").encode(),
            **self.headers,
            "MIME-Version": "1.0",
            "Content-Type": report if self.fields else 'multipart/mixed; boundary="b"',
        }
        lines = [f"{name}: {value}" for name, value in head.items()]
        body = "".join(f"\n--b\n{part}\n" for part in parts) + "\n--b--\n"
        return ("\n".join(lines) + "\n" + body).encode()

    def _text_part(self) -> str:
        octets = b64encode(self.text.encode(self.charset)).decode()
        return (
            f"Content-Type: text/plain; charset={self.charset}\n"
            f"Content-Transfer-Encoding: base64\n\n{octets}\n"
        )


def failed(status: str, diagnostic: str, *, action: str = "failed") -> str:
    return (
        "Reporting-MTA: dns; mx.corp.example\n\n"
        "Final-Recipient: rfc822; minji@corp.example\n"
        f"Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {diagnostic}\n"
    )


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


def exim_report(failures: dict[str, str]) -> bytes:
    """Returns Exim's report in plain text about several recipients: the reply to each."""
    parts = "".join(
        f"  {address}\n    SMTP error from remote mail server after RCPT TO:<{address}>:\n"
        f"    host mx.example.com [192.0.2.9]: {reply}\n"
        for address, reply in failures.items()
    )
    failed = ",\n  ".join(failures)
    return f"""\
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
Subject: Mail delivery failed: returning message to sender
X-Failed-Recipients: {failed}
Auto-Submitted: auto-replied

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

{parts}
------ This is a copy of the message, including all the headers. ------
""".encode()


def report_about(failures: dict[str, str]) -> bytes:
    """Returns a delivery report (RFC 3464) about several recipients: the reply to each."""
    fields = "\n".join(
        f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: 5.0.0\n"
        f"Diagnostic-Code: smtp; {reply}\n"
        for address, reply in failures.items()
    )
    fields = f"Reporting-MTA: dns; mx.example.com\n\n{fields}"
    return Shape("MAILER-DAEMON@mx.example.com", "Undeliverable", "Not delivered.", fields).mail()


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
