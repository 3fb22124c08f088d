"""Rows as PostgreSQL's binary COPY takes them, put together by hand.

The format: a signature, then for each row the number of its fields and for each field its length
and its bytes, in network order; a length of -1 is NULL. See "Binary Format" under COPY in
PostgreSQL's manual. Writing it here costs a tenth of what a driver's general way does.
"""

from struct import Struct

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
_SMALLINT = 21  # PostgreSQL's number for the type
_LENGTH = Struct(">i")

LENGTH_16 = _LENGTH.pack(16)
_TRAITS = Struct(">ihi2sihih")

# people: line, slot, digest, person; then come their traits, two indexes and the contact
person_head = Struct(">hiiihi8si16s").pack
# exposures: person, file, line
exposure_head = Struct(">hi16siiii").pack
mention = Struct(">hiii16s").pack
length = _LENGTH.pack


def traits(relation: int, language: bytes, email_reach: int, phone_reach: int) -> bytes:
    """The fields of a person that are the same for very many."""
    return _TRAITS.pack(2, relation, 2, language, 2, email_reach, 2, phone_reach)


def smallints(values: tuple[int, ...]) -> bytes:
    """A smallint[] field, its length before it."""
    if not values:
        data = Struct(">iii").pack(0, 0, _SMALLINT)
    else:
        data = Struct(">iiiii").pack(1, 0, _SMALLINT, len(values), 1)
        data += b"".join(Struct(">ih").pack(2, value) for value in values)
    return length(len(data)) + data


def text(value: str) -> bytes:
    """A text field, its length before it."""
    data = value.encode()
    return length(len(data)) + data


def reject(line: int, reason: bytes) -> bytes:
    """A row of (line int, reason text); `reason` comes from `text`."""
    return Struct(">hii").pack(2, 4, line) + reason
