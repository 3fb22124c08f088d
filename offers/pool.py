"""The pool of an offer's codes: reading a file of codes, and storing them encrypted."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, Q

from incidents.encryption import OFFER_CODE, IncidentCipher
from incidents.models import Incident
from offers.models import Offer, PoolCode

MOST_CODES = 100_000  # in one file; a request encrypts and stores them in seconds
# With the form's other parts less than each body may have: DATA_UPLOAD_MAX_MEMORY_SIZE, and 3 MB
# at nginx. 100,000 codes of 23 characters fit, or 37,000 of 64.
MOST_BYTES = 2_500_000
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
# The last word of a heading, such as PromoCode or voucher-id.
_HEADING = re.compile(r"(?i).*(code|coupon|voucher|number)s?|(.*[._-])?(key|pin|token|id)s?")
_SPACES = " \t\r\n"
_ROWS = 5_000  # of one INSERT

NumberedCode = tuple[int, str]  # the line in the file, beginning with 1, and the code


class CodeFileError(Exception):
    """A file of codes cannot be read as one: `column` is missing, or it is no text in UTF-8."""


class CodeFaults(Exception):  # noqa: N818  # the faults of a file, not of the program
    """Lines of a file that are no code: (line, fault), in the order of the file.

    A fault is "blank", "odd", "heading" (of a column), "twice" (in the file) or "stored" (in the
    pool already).
    """

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        super().__init__()
        self.faults = faults


def read_codes(data: bytes, column: str) -> list[NumberedCode]:
    """Returns the codes of a file in UTF-8: one in each line, or those of a column of a CSV file.

    `column` is a name in the first line; "" means one code a line. Raises CodeFileError, and
    CodeFaults with every faulty line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CodeFileError from None
    found = list(_cells(text, column) if column else _lines(text))
    first, faults = dict[str, int](), []
    for line, code in found:
        if not code:
            faults.append((line, "blank"))
        elif not _CODE.fullmatch(code):
            faults.append((line, "odd"))
        elif first.setdefault(code, line) != line:
            faults.append((line, "twice"))
    if not column and _begins_with_heading([code for _line, code in found]):
        faults.insert(0, (1, "heading"))
    if faults:
        raise CodeFaults(faults)
    return found


def _begins_with_heading(lines: Sequence[str]) -> bool:
    """Returns whether the first line has no digit, and is a heading's word or unlike all others."""
    first, others = lines[0] if lines else "", lines[1:]
    if not _CODE.fullmatch(first) or any(sign.isdigit() for sign in first):
        return False
    shapes = {_shape(line) for line in others}
    return bool(_HEADING.fullmatch(first) or (shapes and _shape(first) not in shapes))


def _shape(line: str) -> tuple[bool, bool, bool]:
    return any(map(str.isdigit, line)), any(map(str.islower, line)), any(map(str.isupper, line))


def _lines(text: str) -> Iterator[NumberedCode]:
    for number, line in enumerate(io.StringIO(text), 1):
        yield number, line.strip(_SPACES)


def _cells(text: str, column: str) -> Iterator[NumberedCode]:
    # Not csv.DictReader, which leaves blank lines out.
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(rows, [])
        if names.count(column) != 1:
            raise CodeFileError
        place = names.index(column)
        for row in rows:
            yield rows.line_num, row[place].strip(_SPACES) if place < len(row) else ""
    except csv.Error:
        raise CodeFileError from None


def add_codes(offer: Offer, codes: Sequence[NumberedCode]) -> int:
    """Adds the codes to the pool of the offer, all or none. Returns how many.

    Raises CodeFaults if the pool has some of them already, and KeysetShreddedError or
    EncryptionError.
    """
    with transaction.atomic():
        # Locked, so that a re-encryption does not remove the key meanwhile.
        incident = Incident.objects.select_for_update(no_key=True).get(pk=offer.incident_id)
        cipher = incident.cipher()
        digests = {_digest(cipher, offer, code): line for line, code in codes}
        stored = PoolCode.objects.filter(offer=offer, digest__in=list(digests))
        if known := [digests[digest] for digest in stored.values_list("digest", flat=True)]:
            raise CodeFaults([(line, "stored") for line in sorted(known)])
        rows = (_encrypted(cipher, offer, code) for _line, code in codes)
        PoolCode.objects.bulk_create(rows, batch_size=_ROWS)
    return len(codes)


def _digest(cipher: IncidentCipher, offer: Offer, code: str) -> UUID:
    return cipher.blind_index(f"offer code:{offer.pk}", code)


def _encrypted(cipher: IncidentCipher, offer: Offer, code: str) -> PoolCode:
    key = uuid4()
    ciphertext = cipher.encrypt(code, person=key, purpose=OFFER_CODE)
    digest = _digest(cipher, offer, code)
    return PoolCode(pk=key, offer=offer, digest=digest, ciphertext=ciphertext)


def counts_of(offer: Offer) -> tuple[int, int]:
    """Returns how many codes of the offer are handed out, and how many are left."""
    counted = PoolCode.objects.filter(offer=offer).aggregate(
        taken=Count("pk", filter=Q(taken_at__isnull=False)),
        left=Count("pk", filter=Q(taken_at__isnull=True)),
    )
    return counted["taken"], counted["left"]
