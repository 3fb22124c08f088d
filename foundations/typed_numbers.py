"""Numbers in what a browser sends: the key of a row in a URL, or a count in a field."""

_MOST_DIGITS = 18  # of a number that a column of the database takes


def number_of(text: str) -> int:
    """Returns the whole number that `text` is in digits of ASCII; 0 for any other text.

    No row has the key 0. A longer number is no key either: the database takes none of 19 digits,
    and Python refuses to read one of more than 4,300.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else 0
