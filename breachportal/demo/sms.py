"""The demonstration's text messages: they lie in the mailbox, beside the mails."""

from email.message import EmailMessage

from breachportal.demo import maildir
from notices.engine.transport import Reply, Result
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage


class MailboxGateway:
    """Keeps each text where the demonstration's mailbox page shows it."""

    required_settings = ()

    def send(self, text: OutgoingMessage) -> Reply:
        """Always accepted."""
        message = EmailMessage()
        message["To"], message["Subject"] = text.to, "SMS"
        message.set_content(text.data.decode())
        maildir.store(text.to, message.as_bytes())
        return Reply(Result.ACCEPTED, LedgerMessages.KEPT.stored())

    def close(self) -> None:
        """Holds nothing open."""
