"""Crockford's base32, for codes that a person reads aloud or types: no I, L, O, U to mistake."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS = 5  # a digit
_READ_AS = str.maketrans("ILO", "110", " -")
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


def random_code(length: int) -> str:
    """`length` random digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def as_typed(text: str, *, length: int) -> str | None:
    """The code of `length` digits that somebody typed, or None if `text` is none.

    Small letters count as capital ones, I and L as 1, O as 0; spaces and hyphens do not count.
    """
    digits = text.upper().translate(_READ_AS)
    return digits if len(digits) == length and set(digits) <= set(ALPHABET) else None


def to_number(digits: str) -> int:
    """The number that the digits write, the most significant first."""
    number = 0
    for digit in digits:
        number = number << BITS | ALPHABET.index(digit)
    return number


def from_number(number: int, *, length: int) -> str:
    """`number` in `length` digits, an even number of them: two at a time, for millions of mails."""
    shifts = range((length - 2) * BITS, -1, -2 * BITS)
    return "".join([_PAIRS[number >> shift & 1023] for shift in shifts])
