"""The mail that tells the address in the data that a new address was recorded for its person."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts import due_mails, emails
from accounts.contacts import read_emails
from accounts.mail_codes import MailKind
from incidents.encryption import EncryptionError
from incidents.leaks import leaked_classes_of
from incidents.models import AddressChange
from incidents.own_rows import Kind, is_strangers

_ASKED_AGAIN = timedelta(days=1)  # whether an address that may not be told may be told now


def send_due() -> None:
    """Sends the mails that are due. A change that ended meanwhile is told as well."""
    due_mails.send_each(
        lambda: AddressChange.objects.to_tell().select_related("person__incident", "incident"),
        _tell,
        _columns,
    )


def address_to_tell(change: AddressChange) -> str:
    """Returns the address in the data that is told, or "" if none may be.

    That is an address that support marked as a stranger's, one of a person whom no file holds any
    more, and what AddressChangeQuerySet.tellable leaves out. Raises EncryptionError.
    """
    is_tellable = AddressChange.objects.tellable().filter(pk=change.pk).exists()
    if not is_tellable or not leaked_classes_of([change.person_id]):
        return ""
    found = read_emails(change.person.decrypt_contact().get("e", "")).addresses
    if not found or is_strangers(change.incident, Kind.EMAIL, found[0]):
        return ""
    return found[0]


def _tell(change: AddressChange, connection: Any) -> None:
    try:
        address = address_to_tell(change)
    except EncryptionError as error:
        raise due_mails.NotNowError(str(error)) from error
    if not address:
        change.mail_after = timezone.now() + _ASKED_AGAIN
        return
    incident = change.incident
    with override(incident.language_for(change.person.language)):
        at = date_format(localtime(change.confirmed_at), "DATETIME_FORMAT")
        emails.send(
            "address_changed",
            address,
            {"at": at, "company": str(incident.company)},
            kind=MailKind.ADDRESS,
            message_id=f"address-changed-{change.pk}",
            connection=connection,
        )


def _columns(change: AddressChange) -> dict[str, Any]:
    now = timezone.now()
    is_put_off = change.mail_after is not None and change.mail_after > now
    return {"mail_after": change.mail_after} if is_put_off else {"told_at": now}
