"""Signs that spreadsheets and copying put into a short text, and the plain signs that they mean.

The keys of people depend on them (foundations.plain_references): see there before a change.
"""

import re
import unicodedata

# Characters without width: a byte order mark, spaces, joiners and directions.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def with_plain_digits(text: str) -> str:
    """Returns the text with the digits of every script as 0 to 9."""
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in text)
