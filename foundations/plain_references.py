"""The one spelling of a person's reference, such as a member number.

The key of a person depends on it: the import, the sign-on of customers and the desk use it. After a
change here all keys must be computed again.
"""

import re
import unicodedata

from foundations.plain_signs import DASHES, INVISIBLE, with_plain_digits

_APOSTROPHE = re.compile(r"['\u2018\u2019](?=[\w-]+$)")


def plain_reference(text: str) -> str:
    """Returns a reference without what a spreadsheet or a copy has added to it.

    That are outer spaces, invisible characters, an apostrophe before text, full-width forms,
    and other dashes and digits. Case, zeros and `.0` stay: with them it can be another person's.
    """
    text = text.strip()
    if not text.isascii():
        text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(DASHES).strip()
        text = with_plain_digits(text)
    return _APOSTROPHE.sub("", text, count=1) if text[:1] in ("'", "\u2018", "\u2019") else text
