"""The SMS gateway of the demonstration: the mailbox shows SMS beside mails."""

from email.message import EmailMessage

from breachportal.demo import maildir
from notices.engine.transport import Reply, Result
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage


class MailboxGateway:
    """An SMS gateway that stores each message for the mailbox page of the demonstration."""

    required_settings = ()

    def send(self, message: OutgoingMessage) -> Reply:
        """Stores the SMS as a mail and returns that it is accepted."""
        mail = EmailMessage()
        mail["To"], mail["Subject"] = message.to, "SMS"
        mail.set_content(message.data.decode())
        maildir.store(message.to, mail.as_bytes())
        return Reply(Result.ACCEPTED, LedgerMessages.KEPT.stored())

    def close(self) -> None:
        """Does nothing, because no connection is open."""
