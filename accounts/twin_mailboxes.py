"""Other spellings of an e-mail address that its provider documents as the same mailbox."""

from collections.abc import Iterator
from itertools import combinations, islice

# Kakao's help for Daum Mail: mail to ID@hanmail.net and to ID@daum.net reaches one mailbox.
_DAUM = ("hanmail.net", "daum.net")
# support.google.com/mail/answer/7436150 and /10313: dots in the local part do not matter, and
# gmail.com and googlemail.com are one domain. This holds for personal accounts only, so that other
# domains at Google have no twins.
_GMAIL = ("gmail.com", "googlemail.com")
# Each dot doubles the spellings. The first ones have the fewest dots, as people write them.
_MOST_TWINS = 400


def twins_of(email: str) -> list[str]:
    """Returns the twins of a normalised address, at most 400; an empty list if there is none.

    The owner of `email` is the owner of all its twins, so that a page may name a twin to the owner.
    A part after `+` stays, because it is not proven to be the same person's.
    """
    local, _at, domain = email.rpartition("@")
    if domain in _DAUM:
        spellings = [f"{local}@{one}" for one in _DAUM]
    elif domain in _GMAIL:
        spellings = [f"{one}@{each}" for one in _with_dots(local) for each in _GMAIL]
    else:
        return []
    return [one for one in spellings if one != email][:_MOST_TWINS]


def main_spelling(email: str) -> str:
    """Returns the one spelling that a normalised address and all its twins have in common.

    A part after `+` stays, as in `twins_of`.
    """
    local, _at, domain = email.rpartition("@")
    if domain in _DAUM:
        return f"{local}@{_DAUM[0]}"
    if domain in _GMAIL:
        user, plus, tag = local.partition("+")
        return f"{user.replace('.', '')}{plus}{tag}@{_GMAIL[0]}"
    return email


def mailbox_of(email: str) -> str:
    """Returns the one spelling that all addresses of a mailbox share, without a part after `+`.

    Only the response team is compared by it. A `+` is no letter of an address there, but a tag of
    its owner.
    """
    local, _at, domain = email.rpartition("@")
    return main_spelling(f"{local.partition('+')[0]}@{domain}")


def _with_dots(local: str) -> Iterator[str]:
    """Yields spellings of a Gmail local part, those with the fewest dots first."""
    user, plus, tag = local.partition("+")
    letters = user.replace(".", "")
    places = range(1, len(letters))
    chosen = (some for count in range(len(letters)) for some in combinations(places, count))
    for dots in islice(chosen, _MOST_TWINS // 2 + 1):
        ends = (*dots, len(letters))
        parts = [letters[start:end] for start, end in zip((0, *dots), ends, strict=True)]
        yield ".".join(parts) + plus + tag
