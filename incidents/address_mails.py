"""The mail that tells the address in the data that a new address was recorded for its person."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts import due_mails, emails
from accounts.contacts import read_emails
from accounts.mail_codes import MailKind
from incidents.encryption import EncryptionError
from incidents.models import AddressChange


def send_due() -> None:
    """Sends the mails that are due. A change that ended meanwhile is told as well."""
    due_mails.send_each(
        lambda: AddressChange.objects.to_tell().select_related("person__incident", "incident"),
        _tell,
        lambda _change: {"told_at": timezone.now()},
    )


def _tell(change: AddressChange, connection: Any) -> None:
    try:
        found = read_emails(change.person.decrypt_contact().get("e", "")).addresses
    except EncryptionError as error:
        raise due_mails.NotNowError(str(error)) from error
    incident = change.incident
    with override(incident.language_for(change.person.language)):
        at = date_format(localtime(change.confirmed_at), "DATETIME_FORMAT")
        for address in found[:1]:
            emails.send(
                "address_changed",
                address,
                {"at": at, "company": str(incident.company)},
                kind=MailKind.ADDRESS,
                message_id=f"address-changed-{change.pk}",
                connection=connection,
            )
