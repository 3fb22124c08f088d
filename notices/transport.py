"""The engine's own SMTP: one connection kept open, and for each mail exactly one honest result.

What the ledger needs to know is when the server took over a mail. It does so with the reply to the
final dot and not before, so the moments before, at and after that dot are told apart here.
"""

import re
import smtplib
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType

from django.conf import settings

from notices.messages import Mail, as_seven_bit

REPLY_CHARACTERS = 500
IDLE_SECONDS = 5.0  # after which the server may have hung up
OK, WILL_FORWARD, GO_AHEAD, CLOSING = 250, 251, 354, 421
NOT_AUTHENTICATED = (530, 534, 535, 538)
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


class ServerAwayError(Exception):
    """No connection, or the server asks to come back later. Nothing was sent."""


class ServerRefusesUsError(Exception):
    """The server will not serve us at all, whoever the recipient: somebody has to look."""


class Result(Enum):
    """What became of one mail."""

    ACCEPTED = auto()
    DEFERRED = auto()  # this recipient, for now
    BOUNCED = auto()  # this recipient, for good
    REFUSED = auto()  # the sender, the message or a policy: not the recipient's fault
    NOT_SENT = auto()  # the connection ended before the server could have taken it
    IN_DOUBT = auto()  # the connection ended when the server might have taken it


@dataclass(frozen=True)
class Reply:
    """A result, and the server's own words without the recipient's address."""

    result: Result
    words: str


class SmtpTransport:
    """A context manager; the first `open` makes the connection, and it stays until the end."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0

    def __enter__(self) -> "SmtpTransport":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    def open(self) -> None:
        """Makes sure that there is a connection, so that no mail is begun without one.

        Raises ServerAwayError and ServerRefusesUsError.
        """
        if self._smtp is not None and time.monotonic() - self._used_at > IDLE_SECONDS:
            self._reset()
        if self._smtp is None:
            self._smtp = _connected()
        self._used_at = time.monotonic()

    def send(self, mail: Mail) -> Reply:
        """Sends one mail over the connection `open` made; never raises for what a server does."""
        smtp = self._smtp
        if smtp is None:
            return Reply(Result.NOT_SENT, "not connected")
        is_begun = False
        try:
            data = mail.data if smtp.has_extn("8bitmime") else as_seven_bit(mail.data)
            refusal = _refusal_before_data(smtp, mail, size=len(data))
            if refusal is None:
                # sendall raises only if the last octets did not leave us: then nothing was taken.
                smtp.send(re.sub(rb"(?m)^\.", b"..", data) + b".\r\n")
                is_begun = True
                return self._final_reply(smtp, mail)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            result = Result.IN_DOUBT if is_begun else Result.NOT_SENT
            return Reply(result, _words(str(error), mail.to))
        self._used_at = time.monotonic()
        self._reset()
        return refusal

    def _final_reply(self, smtp: smtplib.SMTP, mail: Mail) -> Reply:
        if smtp.sock is not None:
            smtp.sock.settimeout(settings.NOTICE_REPLY_SECONDS)
        code, words = smtp.getreply()
        if smtp.sock is not None:
            smtp.sock.settimeout(settings.EMAIL_TIMEOUT)
        self._used_at = time.monotonic()
        if 200 <= code < 300:
            return Reply(Result.ACCEPTED, _reply_words(code, words, mail))
        if not 400 <= code < 600:
            self._drop()
            return Reply(Result.IN_DOUBT, _reply_words(code, words, mail))
        if code == CLOSING:
            self._drop()
        return Reply(_judged(code, words, step="message"), _reply_words(code, words, mail))

    def _reset(self) -> None:
        """Makes the connection ready for the next mail, or finds that it is gone."""
        try:
            if self._smtp is not None and self._smtp.rset()[0] == OK:
                return
        except (smtplib.SMTPException, OSError):
            pass
        self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


def _connected() -> smtplib.SMTP:
    try:
        smtp = _greeted()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPResponseException as error:
        words = _clean(f"{error.smtp_code} {_text(error.smtp_error)}")
        if error.smtp_code >= 500:
            raise ServerRefusesUsError(words) from None
        raise ServerAwayError(words) from None
    except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise ServerRefusesUsError(_clean(str(error))) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ServerAwayError(_clean(str(error))) from None
    return smtp


def _greeted() -> smtplib.SMTP:
    """A connection past EHLO; the certificate is checked against the host's name."""
    address = (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_DOMAIN)
    if settings.EMAIL_SECURITY == "tls":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            *address, timeout=settings.EMAIL_TIMEOUT, context=context
        )
    else:
        smtp = smtplib.SMTP(*address, timeout=settings.EMAIL_TIMEOUT)
    if settings.EMAIL_SECURITY == "starttls":
        smtp.starttls(context=ssl.create_default_context())
    smtp.ehlo_or_helo_if_needed()
    return smtp


def _refusal_before_data(smtp: smtplib.SMTP, mail: Mail, *, size: int) -> Reply | None:
    """The server's no to MAIL, RCPT or DATA; None if it waits for the message."""
    options = [f"SIZE={size}"] if smtp.has_extn("size") else []
    options += ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
    code, words = smtp.mail(mail.sender, options)
    if code != OK:
        return Reply(_judged(code, words, step="sender"), _reply_words(code, words, mail))
    code, words = smtp.rcpt(mail.to)
    if code not in (OK, WILL_FORWARD):
        return Reply(_judged(code, words, step="recipient"), _reply_words(code, words, mail))
    code, words = smtp.docmd("DATA")
    if code != GO_AHEAD:
        return Reply(_judged(code, words, step="message"), _reply_words(code, words, mail))
    return None


def _judged(code: int, words: bytes, *, step: str) -> Result:
    """Whose fault a refusal is, by RFC 5321's codes and RFC 3463's enhanced ones."""
    found = _ENHANCED.search(_text(words))
    subject = found[0].split(".")[1] if found else ""
    match code // 100:
        case 4 if code == CLOSING or step == "sender":
            return Result.NOT_SENT
        case 4:
            return Result.DEFERRED
        case 5 if subject == "7" or code in NOT_AUTHENTICATED:
            return Result.REFUSED
        case 5 if step == "recipient" or (step == "message" and subject in ("1", "2")):
            return Result.BOUNCED
        case 5:
            return Result.REFUSED
        case _:
            return Result.NOT_SENT


def _reply_words(code: int, words: bytes, mail: Mail) -> str:
    return _words(f"{code} {_text(words)}", mail.to)


def _words(text: str, to: str) -> str:
    """`text` without the address: the ledger holds none, and servers like to repeat it."""
    for part in filter(None, (to, to.partition("@")[0])):
        alone = rf"(?<![\w.]){re.escape(part)}(?![\w.])"
        text = re.sub(alone, "<…>", text, flags=re.IGNORECASE)
    return _clean(text)


def _clean(text: str) -> str:
    return " ".join(text.split())[:REPLY_CHARACTERS]


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
