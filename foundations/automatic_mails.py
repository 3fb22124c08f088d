"""What all mails of the portal have in common."""

from django.conf import settings

from foundations.mail_headers import address_header, text_header


def identity_headers(sender: str, feedback: str) -> bytes:
    """Returns the headers that name the `sender` and mark an automatic mail.

    X-Auto-Response-Suppress is Exchange's. It does not name NDR, because reports of failures are
    read. `feedback` is three fields of Feedback-ID, which settings.MAIL_DOMAIN completes.
    """
    fields = [address_header("From", sender)]
    if settings.MAIL_REPLY_TO:
        fields.append(address_header("Reply-To", settings.MAIL_REPLY_TO))
    fields += [
        text_header("Auto-Submitted", "auto-generated"),
        text_header("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
        text_header("Feedback-ID", f"{feedback}:{settings.MAIL_DOMAIN}"),
    ]
    return b"".join(fields)
