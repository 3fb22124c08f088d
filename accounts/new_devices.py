"""Sign-ins on devices that are new to an account, and the mails about them.

A device is new if its cookie names no address or number of the user; see `known_devices`. The row
holds the names of browser and system, and no network address.
"""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts import due_mails, sent_mails
from accounts.browsers import browser_and_system
from accounts.mail_codes import MailKind
from accounts.new_device import NewDevice

MOST_A_DAY = 5  # rows of one user, and so mails
KEPT_FOR = timedelta(days=90)


def record(request: HttpRequest, user_id: int) -> None:
    """Records that the user signed in on a new device, at most MOST_A_DAY times in 24 hours."""
    rows = NewDevice.objects.filter(user_id=user_id)
    if rows.filter(at__gt=timezone.now() - timedelta(days=1)).count() >= MOST_A_DAY:
        return
    browser, system = browser_and_system(request.headers.get("User-Agent", ""))
    rows.create(user_id=user_id, browser=browser, system=system)


def send_due() -> None:
    """Sends the mails about new devices."""
    due_mails.send_each(
        NewDevice.objects.to_mail().select_related("user").all,
        _mail,
        lambda _device: {"mailed_at": timezone.now()},
    )


def purge() -> None:
    """Deletes the rows that are older than KEPT_FOR."""
    NewDevice.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()


def _mail(device: NewDevice, connection: Any) -> None:
    at = localtime(device.at)
    with override(device.user.mail_language):
        sent_mails.send(
            "new_device",
            device.user,
            {"device": str(device), "at": date_format(at, "DATETIME_FORMAT")},
            kind=MailKind.NEW_DEVICE,
            message_id=f"new-device-{device.pk}",
            connection=connection,
        )
