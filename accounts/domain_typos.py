"""Finds typing mistakes in the domain of an e-mail address, to ask before a mail is sent.

A mistyped domain is often a real one that belongs to others, so the code would go to a stranger.
The answer depends on the spelling only, so it says nothing about known addresses.
"""

from typing import Final

from foundations.edit_distance import edit_distance

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
        (usual for usual in USUAL_DOMAINS if edit_distance(domain, usual, 1) == 1), ""
    )
    return f"{local}@{meant}" if meant else ""
