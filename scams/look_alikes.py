"""Why a host is suspect: it imitates one of ours, hides where it leads, or is only a number."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from confusable_homoglyphs.confusables import is_confusable
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# Services that show anything but where a link leads; the first two lines are common in Korea.
SHORTENERS = frozenset(
    (
        *("me2.do", "naver.me", "han.gl", "url.kr", "vo.la", "bit.do", "abr.ge", "buly.kr"),
        *("c11.kr", "bit.ly", "tinyurl.com", "t.co", "goo.gl", "is.gd", "v.gd", "ow.ly"),
        *("buff.ly", "rebrand.ly", "cutt.ly", "shorturl.at", "rb.gy", "t.ly", "tiny.cc", "s.id"),
        *("short.io", "bl.ink", "lnkd.in", "t.me", "qr.ae", "shorturl.asia"),
    )
)
# What Unicode's table of confusable characters (UTS 39) does not have: digits that stand for
# letters, and three letters that a reader in a hurry takes for a Latin one.
_LOOKS = str.maketrans("01345\u04cf\u03c9\u00df", "oleaslwb")
# The part of a name that a country's registry puts before its own: co.kr, or.kr.
_SECOND_LEVEL = {"co", "or", "go", "ne", "re", "pe", "ac", "com", "net", "org"}
_PUNYCODE = "xn--"


class SuspicionReason(TextChoices):
    """What is said of a link, an address or a number that is not in our message."""

    IMITATION = "imitation", _("It imitates an address of ours.")
    LETTERS = "letters", _("It is written with letters that look like others.")
    HIDDEN = "hidden", _("It hides where it leads.")
    BARE = "bare", _("It is a bare number where a name should stand.")
    OTHER = "other", _("It is not ours.")


def suspicion_reason(host: str, ours: Iterable[str]) -> SuspicionReason:
    """Why `host` (as pasted.host writes it) is none of `ours`, the strongest reason first.

    One that lies within a domain of ours imitates nothing: it is only not the one we use.
    """
    own = [one for one in ours if not _is_bare(one)]
    if any(_imitates(host, one) for one in own):
        return SuspicionReason.IMITATION
    if _PUNYCODE in host or not host.isascii():
        return SuspicionReason.LETTERS
    if host in SHORTENERS:
        return SuspicionReason.HIDDEN
    return SuspicionReason.BARE if _is_bare(host) else SuspicionReason.OTHER


def displayed_host(host: str) -> str:
    """The host as a browser may show it, with its real spelling where the two differ."""
    try:
        seen = host.encode().decode("idna")
    except UnicodeError:
        return host
    return host if seen == host else f"{seen} ({host})"


def _imitates(host: str, ours: str) -> bool:
    if _within(host, _registered(ours)):
        return False
    brand = _skeleton(_main_label(ours))
    if len(brand) < 4:
        return False
    labels = [_skeleton(label) for label in _labels(host)[:-1]]
    most = 2 if len(brand) >= 8 else 1
    return any(brand in label or _distance(label, brand, most) <= most for label in labels)


def _labels(host: str) -> list[str]:
    try:
        return host.encode().decode("idna").split(".")
    except UnicodeError:
        return host.split(".")


def _registered(host: str) -> str:
    """The name that was registered, such as example.co.kr; a guess without the public list."""
    labels = host.split(".")
    is_second = len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2
    return ".".join(labels[-3:] if is_second else labels[-2:])


def _main_label(host: str) -> str:
    return _registered(host).split(".")[0]


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _skeleton(label: str) -> str:
    """The label in the Latin letters that a reader in a hurry takes it for."""
    letters = _bare(label.lower()).translate(_LOOKS)
    plain = "".join(sign if sign.isascii() else _latin(sign) for sign in letters)
    plain = plain.replace("-", "").replace("_", "")
    return plain.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def _bare(text: str) -> str:
    """`text` without accents."""
    signs = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


@lru_cache(maxsize=4096)
def _latin(sign: str) -> str:
    """The Latin letters that a sign looks like; the sign itself if there are none.

    A small letter that looks like no Latin one may have a capital that does: Cyrillic ve looks
    like B.
    """
    capital = sign.upper()
    for one in (sign, capital) if len(capital) == 1 else (sign,):
        found = is_confusable(one, greedy=True) or []  # False if there is none
        looks = [_bare(look["c"]) for entry in found for look in entry["homoglyphs"]]
        letters = [look for look in looks if look.isascii() and look.isalpha()]
        if letters:
            return min(letters, key=lambda look: (len(look), look.isupper(), look)).lower()
    return sign


def _distance(one: str, other: str, most: int) -> int:
    """How many letters are added, left out, changed or swapped; anything above `most` if more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _is_bare(host: str) -> bool:
    return re.fullmatch(r"[\d.]+|0x[0-9a-f]+|\[.*", host) is not None
