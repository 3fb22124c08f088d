"""The QR codes of letters: each leads to the answer of the message check for its letter.

An image has the letter's message code as its name and in its address, and nothing about the person,
so the images may go another way than the file with names and addresses.
"""

import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import segno
from django.conf import settings
from django.utils import timezone

from notices.message_codes import message_code
from notices.models import Letter, Notice

_PIXELS = 10  # of a module: about 500 dots per inch at a width of 20 mm
_QUIET_ZONE = 4  # modules, the least of ISO/IEC 18004
_PAGE = 2_000  # letters
_TAR_BLOCK, _TAR_END = 512, 1024  # bytes (POSIX.1-1988, ustar)


def check_address(code: str) -> str:
    """Returns the address that answers whether the letter with a message code is ours.

    It has no language: the portal redirects to that of the reader's browser.
    """
    return f"{settings.PORTAL_URL}/check/code/{code}"


def qr_image(code: str) -> bytes:
    """Returns the QR code of `check_address` as a black and white PNG, with error correction M or
    higher and a quiet zone of four modules.
    """
    buffer = BytesIO()
    picture = segno.make_qr(check_address(code), error="m")
    picture.save(buffer, kind="png", scale=_PIXELS, border=_QUIET_ZONE)
    return buffer.getvalue()


def write_image(folder: Path, code: str) -> None:
    """Writes the QR code of a letter to `folder`, named by its code. Raises OSError."""
    (folder / _name(code)).write_bytes(qr_image(code))


def archive(notice: Notice) -> Iterator[bytes]:
    """Yields a tar file of the QR codes of the letters that are exported and not yet posted.

    Memory does not grow with the letters: a tar file has no directory.
    """
    made_at = int(timezone.now().timestamp())
    for code in _codes(notice):
        image = qr_image(code)
        entry = tarfile.TarInfo(_name(code))
        entry.size, entry.mtime = len(image), made_at
        yield entry.tobuf(tarfile.USTAR_FORMAT) + image + bytes(-len(image) % _TAR_BLOCK)
    yield bytes(_TAR_END)


def _name(code: str) -> str:
    return f"{code}.png"


def _codes(notice: Notice) -> Iterator[str]:
    """Yields the codes by key, _PAGE at a time, so that no query stays open for long."""
    letters = Letter.objects.filter(notice=notice, posted_on__isnull=True).order_by("pk")
    last = 0
    while keys := list(letters.filter(pk__gt=last).values_list("pk", flat=True)[:_PAGE]):
        yield from map(message_code, keys)
        last = keys[-1]
