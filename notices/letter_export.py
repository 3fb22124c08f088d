"""Exports letters for a print house: to the people whom a closed notice did not reach.

There are two files. One has the letters, one address a row. The other has the people to whom no
letter can be printed, with the reason, for a person to read. They are separate, because a print
house prints every row that it gets.

The ledger is read as for the proof (notices.proof.ledger_export). The caller checks that the reader
may see names and addresses, and records the export.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from foundations.shown_text import composed, in_one_line
from incidents.encryption import EncryptionError
from incidents.leaks import ExposedRow, Leak, exposed_rows_of, readable_leaks
from incidents.models import DataClass, PersonMark
from notices.engine.audiences import NOT_REACHED
from notices.letter_qr_codes import check_address, write_image
from notices.message_codes import message_code
from notices.models import Delivery, Letter, Notice
from notices.proof import ledger_export
from notices.proof.ledger_export import Row
from statements.models import StatementVersion

UTF8, CP949 = "utf-8", "cp949"
ENCODINGS = (UTF8, CP949)
FIELDS = ("code", "name", "address", "language", "check_address")
NOT_PRINTABLE_FIELDS = ("code", "person", "language", "reason", "name", "address")
_HIDDEN = re.compile(r"[*＊○●◯]")  # a value that the source had masked
_SHORTEST = 8  # characters of an address with a street or a lot


class NotPrintable(StrEnum):
    """Why no letter to a person can be printed, as the second file states it."""

    MARKED = "marked"  # on the desk, as deceased or restricted
    REACHED_SINCE = "reached_since"  # by a notice that followed
    HAS_LETTER = "has_letter"  # of another notice about the same version
    NOT_READABLE = "not_readable"  # purged, or the ciphertext is damaged
    SEVERAL_PEOPLE = "several_people"  # the rows name different people
    NO_ADDRESS = "no_address"
    SEVERAL_ADDRESSES = "several_addresses"  # and no date shows which is the latest
    NO_NAME = "no_name"
    INCOMPLETE = "incomplete"
    NOT_IN_ENCODING = "not_in_encoding"


@dataclass(frozen=True)
class PrintOrder:
    """What the print house gets: the encoding, and two choices that a person makes."""

    encoding: str = "utf-8"  # one of ENCODINGS
    # Includes exported letters that are not recorded as posted, for a file that was lost.
    is_again: bool = False
    # Takes the first address of the files where no date shows which address is the latest.
    takes_first: bool = False


@dataclass(frozen=True)
class Addressee:
    """A person whom the notice did not reach; `reason` states why no letter can be printed.

    Name and address are "" if they would not help to correct the row.
    """

    delivery: Delivery
    name: str = ""
    address: str = ""
    reason: NotPrintable | None = None


def letter_objection(notice: Notice) -> str:
    """Returns why no letters of this notice can be exported, in the active language, or ""."""
    if not notice.is_mandatory or notice.is_test:
        return _("Letters follow mandatory notices only.")
    if notice.closed_at is None:
        return _("The notice has not ended. Letters are exported afterwards.")
    if notice.incident.shredded_at:
        return _("The incident's data is shredded: no address can be read any more.")
    if notice.incident.values_deleted_at:
        return _("The leaked values are deleted, and the addresses with them.")
    return ""


def letters(notice: Notice, order: PrintOrder) -> Iterator[Row]:
    """Yields one row per letter that can be printed, and records it as exported.

    A letter that was exported before is left out, so that no person gets two. The letters of a page
    are recorded before its first row is yielded.
    """
    for page in _addressees(notice, order):
        printable = [one for one in page if not one.reason]
        deliveries = [one.delivery for one in printable]
        taken = _record_export(notice, deliveries, is_again=order.is_again)
        for one in printable:
            if one.delivery.pk in taken:
                code = message_code(one.delivery.pk)
                yield {
                    "code": code,
                    "name": one.name,
                    "address": one.address,
                    "language": one.delivery.language,
                    "check_address": check_address(code),
                }


def not_printable(notice: Notice, order: PrintOrder) -> Iterator[Row]:
    """Yields one row per person to whom no letter can be printed, with the reason."""
    for page in _addressees(notice, order):
        for one in page:
            if one.reason:
                yield {
                    "code": message_code(one.delivery.pk),
                    "person": str(one.delivery.recipient),
                    "language": one.delivery.language,
                    "reason": one.reason,
                    "name": one.name,
                    "address": one.address,
                }


def letter_counts(notice: Notice) -> list[tuple[str, int]]:
    """Returns (label, number) for each state of the notice's letters; nothing without letters."""
    found = Letter.objects.filter(notice=notice).aggregate(
        all=Count("pk"),
        waiting=Count("pk", Q(posted_on__isnull=True)),
        returned=Count("pk", Q(returned_on__isnull=False)),
    )
    if not found["all"]:
        return []
    posted = found["all"] - found["waiting"] - found["returned"]
    return [
        (_("letters exported, not recorded as posted"), found["waiting"]),
        (_("letters posted, not returned"), posted),
        (_("letters returned"), found["returned"]),
    ]


def _record_export(notice: Notice, page: Sequence[Delivery], *, is_again: bool) -> set[int]:
    """Records letters as exported; returns the ids of the deliveries that the file may have.

    The lock gives each person to one of two exports at the same time.
    """
    with transaction.atomic():
        lock_letters(notice)
        known = Letter.objects.filter(delivery__in=page)
        if is_again:
            known = known.filter(posted_on__isnull=False)
        elsewhere = _with_letter_elsewhere(notice, page)
        free = {one.pk for one in page if one.recipient not in elsewhere}
        free -= set(known.values_list("pk", flat=True))
        Letter.objects.bulk_create(
            [Letter(delivery_id=key, notice=notice, exported_at=Now()) for key in sorted(free)],
            update_conflicts=True,
            unique_fields=["delivery"],
            update_fields=["exported_at"],
        )
    return free


def lock_letters(notice: Notice) -> None:
    """Locks the letters of all notices about the same version until the end of the transaction.

    The lock is that of the version's row, because a notice that is being sent updates its own.
    """
    versions = StatementVersion.objects.select_for_update(no_key=True)
    versions.only("pk").get(pk=notice.version_id)


def _with_letter_elsewhere(notice: Notice, page: Sequence[Delivery]) -> set[UUID]:
    """Returns the people with a letter of another notice about the same version.

    A follow-up over another channel does not reach some people either; they get one letter.
    """
    others = Notice.objects.filter(version=notice.version_id).exclude(pk=notice.pk)
    letters = Letter.objects.filter(
        delivery__notice__in=list(others.values_list("pk", flat=True)),
        delivery__recipient__in=[one.recipient for one in page],
    )
    return set(letters.values_list("delivery__recipient", flat=True))


def _addressees(notice: Notice, order: PrintOrder) -> Iterator[list[Addressee]]:
    """Yields the people not reached, page by page."""
    catalogue = {each.pk: each for each in DataClass.objects.all()}
    not_reached = Delivery.objects.filter(notice=notice).ended_as(NOT_REACHED)
    for page in ledger_export.pages(not_reached):
        withheld = _withheld(notice, page)
        rows = exposed_rows_of([one.person.pk for one in page if one.person is not None])
        yield [
            Addressee(one, reason=withheld[one.recipient])
            if one.recipient in withheld
            else _addressee(notice, one, rows.get(one.recipient, []), catalogue, order)
            for one in page
        ]


def _withheld(notice: Notice, page: Sequence[Delivery]) -> dict[UUID, NotPrintable]:
    """Returns the people who must get no letter, whatever their address is."""
    reached = dict.fromkeys(_reached_since(notice, page), NotPrintable.REACHED_SINCE)
    elsewhere = dict.fromkeys(_with_letter_elsewhere(notice, page), NotPrintable.HAS_LETTER)
    return reached | elsewhere | dict.fromkeys(_marked(page), NotPrintable.MARKED)


def _marked(page: Sequence[Delivery]) -> set[UUID]:
    """Returns the people with a mark that holds messages back: deceased or restricted."""
    marks = PersonMark.objects.closing().filter(person__in=[one.recipient for one in page])
    return set(marks.values_list("person_id", flat=True))


def _reached_since(notice: Notice, page: Sequence[Delivery]) -> set[UUID]:
    """Returns the people whom a notice that followed this one reached."""
    later = Delivery.objects.filter(
        notice__in=list(notice.followed_by.values_list("pk", flat=True)),
        recipient__in=[one.recipient for one in page],
        state=Delivery.State.ACCEPTED,
    )
    not_told = later.ended_as(NOT_REACHED).values_list("pk", flat=True)
    return set(later.exclude(pk__in=list(not_told)).values_list("recipient", flat=True))


def _addressee(
    notice: Notice,
    delivery: Delivery,
    rows: Sequence[ExposedRow],
    catalogue: dict[int, DataClass],
    order: PrintOrder,
) -> Addressee:
    """Decrypts name and addresses of a person, and checks whether they can be printed."""
    if delivery.person is None:
        return Addressee(delivery, reason=NotPrintable.NOT_READABLE)
    delivery.person.incident = notice.incident
    try:
        name = one_line(delivery.person.decrypt_contact().get("n", ""))
        leaks = readable_leaks(delivery.person, rows, catalogue)
    except EncryptionError:
        return Addressee(delivery, reason=NotPrintable.NOT_READABLE)
    if any(leak.is_withheld for leak in leaks):
        return Addressee(delivery, reason=NotPrintable.SEVERAL_PEOPLE)
    addresses = _latest_addresses(leaks)
    if len(addresses) > 1 and not order.takes_first:
        several = NotPrintable.SEVERAL_ADDRESSES
        return Addressee(delivery, name, " / ".join(addresses), several)
    address = addresses[0] if addresses else ""
    return Addressee(delivery, name, address, _reason(name, address, order.encoding))


def _latest_addresses(leaks: Sequence[Leak]) -> list[str]:
    """Returns the addresses with the latest date, each as one line, in the order of the files.

    Those without a date count as older than all others. A letter to an old address, or to that of
    a person who was sent a parcel, tells other people about the leak.
    """
    dated = [
        (date, line)
        for leak in leaks
        if leak.data_class.masking == DataClass.Masking.ADDRESS
        for text, date in leak.values
        if (line := one_line(text))
    ]
    latest = max((date for date, _line in dated), default="")
    return list(dict.fromkeys(line for date, line in dated if date == latest))


def one_line(text: str) -> str:
    """Returns a value for one cell of a print file: composed (NFC), its lines joined by commas,
    without invisible characters.
    """
    return ", ".join(filter(None, map(in_one_line, composed(text).splitlines())))


def _reason(name: str, address: str, encoding: str) -> NotPrintable | None:
    if not address:
        return NotPrintable.NO_ADDRESS
    if not name:
        return NotPrintable.NO_NAME
    if _HIDDEN.search(name + address) or not _is_complete(address):
        return NotPrintable.INCOMPLETE
    try:
        (name + address).encode(encoding)
    except UnicodeEncodeError:
        return NotPrintable.NOT_IN_ENCODING
    return None


def _is_complete(address: str) -> bool:
    """Returns whether an address can be one: it has a letter and a digit, and is not short.

    A city and a district without a number are not enough for the post.
    """
    has_letter = any(sign.isalpha() for sign in address)
    return has_letter and any(sign.isdigit() for sign in address) and len(address) >= _SHORTEST


def letters_file(notice: Notice, order: PrintOrder, *, qr: Path | None = None) -> Iterator[bytes]:
    """Yields the CSV file for the print house, in the encoding of the order.

    With `qr`, the QR code of each letter is in that folder before its row is yielded. Raises
    OSError if it cannot be written.
    """
    rows = letters(notice, order)
    if qr is not None:
        rows = _with_images(rows, qr)
    return _encoded(ledger_export.as_csv(FIELDS, rows), order.encoding)


def _with_images(rows: Iterator[Row], folder: Path) -> Iterator[Row]:
    for row in rows:
        write_image(folder, row["code"])
        yield row


def not_printable_file(notice: Notice, order: PrintOrder) -> Iterator[bytes]:
    """Yields the CSV file of the people without a letter, in UTF-8, which can hold every name."""
    rows = not_printable(notice, order)
    return _encoded(ledger_export.as_csv(NOT_PRINTABLE_FIELDS, rows), UTF8)


def _encoded(lines: Iterator[str], encoding: str) -> Iterator[bytes]:
    """Encodes the lines; UTF-8 begins with a byte order mark, which spreadsheets need."""
    if encoding == UTF8:
        yield BOM_UTF8
    for line in lines:
        yield line.encode(encoding)
