"""Devices that signed in before: a signed cookie names the addresses that this browser proved.

It signs no one in. It gives the browser a limit of its own on code mails, so that strangers who
request codes for the same address do not delay its owner; and its user gets no mail about a new
device. It contains keyed hashes, no address.
"""

import secrets
from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "known_device"
COOKIE_SECONDS = 180 * 24 * 60 * 60
MOST_ADDRESSES = 5
_SALT = "known device"


class KnownDevice(NamedTuple):
    """The content of the cookie: a random name, and keyed hashes of addresses, newest first."""

    name: str
    addresses: list[str]


def device_name(request: HttpRequest, contact: str) -> str:
    """Returns the name of the device if it proved `contact` before, else ""."""
    device = _read(request)
    return device.name if device and _hash(contact) in device.addresses else ""


def name_of(request: HttpRequest) -> str:
    """Returns the name of a device that proved any address or number before, else ""."""
    device = _read(request)
    return device.name if device else ""


def is_known(request: HttpRequest, contacts: Iterable[str]) -> bool:
    """Returns whether the device proved one of these addresses or numbers before."""
    device = _read(request)
    return device is not None and any(_hash(contact) in device.addresses for contact in contacts)


def remember(request: HttpRequest, response: HttpResponse, contact: str) -> None:
    """Adds `contact`, which the browser has just proved, to its cookie."""
    device, known = _read(request), _hash(contact)
    others = [one for one in device.addresses if one != known] if device else []
    name = device.name if device else secrets.token_urlsafe(12)
    response.set_cookie(
        COOKIE,
        signing.dumps([name, [known, *others][:MOST_ADDRESSES]], salt=_SALT),
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> KnownDevice | None:
    cookie = request.COOKIES.get(COOKIE)
    if not cookie:
        return None
    try:
        return KnownDevice(*signing.loads(cookie, salt=_SALT, max_age=COOKIE_SECONDS))
    except (signing.BadSignature, TypeError):
        return None


def _hash(contact: str) -> str:
    mac = salted_hmac("known device address", contact, algorithm="sha256")
    return mac.hexdigest()[:32]
