"""Finds typing mistakes in the domain of an e-mail address.

A mistyped domain is often a real one that belongs to others: a mail there would reach a stranger.
At a sign-in the portal asks (`suggested_address`). Of a cell in a file it can ask no one, so that
`meant_domain` knows fewer mistakes, and only those that nearly certainly are ones. The answers
depend on the spelling only, so they say nothing about known addresses.
"""

from collections.abc import Iterator
from typing import Final

from fido2.rpid import suffixes

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
# What `.com` and `.net` become by a slip. None of these is a top-level domain; a test compares.
_SLIPS: Final = {
    **dict.fromkeys(
        ["con", "cmo", "ocm", "cim", "cpm", "xom", "vom", "comm", "coom", "ccom", "comn", "conm"],
        "com",
    ),
    **dict.fromkeys(["nte", "ent", "nett", "neet", "nat", "nrt", "met"], "net"),
}
# Top-level domains that are slips of those too, after the name of a large provider.
_CUT: Final = {"com": ("co", "cm", "om"), "net": ("ne", "et")}
_FEWEST_LETTERS = 5  # of a name whose letters are swapped: `ante.com` is no mistake for nate.com
# Other mistakes in the names of providers, which no provider of mailboxes has for its own name.
_MISSPELT: Final = {
    "gmail.com": "gmal gmil gmai gmaill gmaiil gmmail ggmail gmeil gnail gmaul gmsil gimail",
    "naver.com": "naverr navver naaver navr neaver",
    "hanmail.net": "hanmil hanmai hanmaill hanmaul hanmal hamail hannail hanamail hanmeil",
    "hotmail.com": "hotmal hotmil hotmai hotmaill hormail hotmeil hotmsil hotnail hotmaul",
    "outlook.com": "outlok outloo outllook outlool",
    "icloud.com": "iclod icoud iclould icloude iclud",
    "yahoo.com": "yaho yahooo yhoo yahho",
    "kakao.com": "kakaoo kakoo",
}
_OTHER_ENDS: Final = {
    "gmail.net": "gmail.com",
    "gmail.co.kr": "gmail.com",
    "hanmail.com": "hanmail.net",
    "hanmail.co.kr": "hanmail.net",
    "daum.ne": "daum.net",
}
# The public suffix list names every top-level domain. RFC 6761 and company networks have others.
_ENDS: Final = {suffix.rpartition(".")[2].encode("idna").decode("ascii") for suffix in suffixes} | {
    *("example", "test", "invalid", "localhost"),
    *("local", "internal", "corp", "home", "lan", "intranet", "private"),
}


def _mistakes() -> Iterator[tuple[str, str]]:
    """Yields each domain that is a mistake, and the usual one that is meant."""
    for usual in USUAL_DOMAINS:
        name, _dot, end = usual.rpartition(".")
        if len(name) < _FEWEST_LETTERS:
            continue
        for cut in _CUT[end]:
            yield f"{name}.{cut}", usual
        for at in range(len(name) - 1):
            yield f"{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}.{end}", usual
        for wrong in _MISSPELT.get(usual, "").split():
            yield f"{wrong}.{end}", usual


_MEANT: Final = {**dict(_mistakes()), **_OTHER_ENDS}


def meant_domain(domain: str) -> str:
    """Returns the domain that a mistyped one in a file means, or "" if it is no typing mistake.

    `domain` is normalised: `gmail.con`, `gmial.com` and `company.con` are mistakes, `naver.co.kr`
    and `gmx.de` are not. A domain of another provider is never one.
    """
    name, dot, end = domain.rpartition(".")
    right = f"{name}{dot}{_SLIPS.get(end, end)}"
    meant = _MEANT.get(right, right)
    return "" if meant == domain else meant


def has_known_end(domain: str) -> bool:
    """Returns whether the top-level domain exists, or stands for one in a private network.

    The list of a library can be older than a top-level domain.
    """
    return domain.rpartition(".")[2] in _ENDS


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
