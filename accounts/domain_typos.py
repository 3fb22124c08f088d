"""Finds typing mistakes in the domain of an e-mail address, to ask before a mail is sent.

A mistyped domain is often a real one that belongs to others, so the code would go to a stranger.
The answer depends on the spelling only, so it says nothing about known addresses.
"""

from typing import Final

# The mailbox providers that most readers use, as they are spelled.
USUAL_DOMAINS: Final = (
    "naver.com",
    "gmail.com",
    "hanmail.net",
    "daum.net",
    "kakao.com",
    "nate.com",
    "outlook.com",
    "hotmail.com",
    "icloud.com",
    "yahoo.com",
)
# Other providers whose names are one letter away from those. They are spelled right.
_OTHER_DOMAINS: Final = {"mail.com", "email.com", "ymail.com", "yahoo.co.kr", "yahoo.co.jp"}
# Mistakes of more than one letter.
_FREQUENT: Final = {
    "gmail.co.kr": "gmail.com",
    "naver.co.kr": "naver.com",
    "naver.net": "naver.com",
    "hanmail.com": "hanmail.net",
    "hanmail.co.kr": "hanmail.net",
    "daum.com": "daum.net",
    "gmail.net": "gmail.com",
    "nate.co.kr": "nate.com",
}


def suggested_address(email: str) -> str:
    """Returns the address that was probably meant, or "" if the domain is no typing mistake.

    `email` is normalised. A mistake is one letter more, less or other, or two in the wrong order.
    """
    local, _at, domain = email.rpartition("@")
    if domain in USUAL_DOMAINS or domain in _OTHER_DOMAINS:
        return ""
    meant = _FREQUENT.get(domain) or next(
        (usual for usual in USUAL_DOMAINS if _is_one_mistake(domain, usual)), ""
    )
    return f"{local}@{meant}" if meant else ""


def _is_one_mistake(typed: str, usual: str) -> bool:
    """Returns whether the two differ by one edit: the optimal string alignment distance is 1."""
    first = next((i for i, (a, b) in enumerate(zip(typed, usual, strict=False)) if a != b), -1)
    if first < 0:
        return abs(len(typed) - len(usual)) == 1
    rest_typed, rest_usual = typed[first:], usual[first:]
    swapped = rest_typed[1::-1] + rest_typed[2:]
    is_swapped = swapped == rest_usual
    is_less, is_more = rest_typed == rest_usual[1:], rest_typed[1:] == rest_usual
    return is_swapped or is_less or is_more or rest_typed[1:] == rest_usual[1:]
