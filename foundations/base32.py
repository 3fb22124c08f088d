"""Crockford's base32, for codes that a person reads aloud or types.

The alphabet has no I, L, O and U, because they are easily mistaken.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS = 5  # in one digit
_READ_AS = str.maketrans("ILO", "110", " -")
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


def random_code(length: int) -> str:
    """Returns a code of `length` random digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def as_typed(text: str, *, length: int) -> str | None:
    """Returns the code that a user typed as `text`, or None if it is not `length` digits.

    Reads lower case as upper case, I and L as 1, and O as 0. Ignores spaces and hyphens.
    """
    digits = text.upper().translate(_READ_AS)
    return digits if len(digits) == length and set(digits) <= set(ALPHABET) else None


def to_number(digits: str) -> int:
    """Returns the number that `digits` encode, the most significant digit first.

    Raises ValueError for a character outside the alphabet.
    """
    number = 0
    for digit in digits:
        number = number << BITS | ALPHABET.index(digit)
    return number


def from_number(number: int, *, length: int) -> str:
    """Returns `number` as `length` digits; `length` must be even.

    Converts two digits at a time, because a send encodes millions of message codes.
    """
    shifts = range((length - 2) * BITS, -1, -2 * BITS)
    return "".join([_PAIRS[number >> shift & 1023] for shift in shifts])
