"""Finds why a host is suspect: it imitates one of ours, hides its target or is a bare number."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from foundations.edit_distance import edit_distance
from scams.pasted_text import is_possible_host
from scams.wrapped_links import is_opaque_filter

# Services that hide the target of a link. The first two lines are common in Korea.
SHORTENERS = frozenset(
    (
        *("me2.do", "naver.me", "han.gl", "url.kr", "vo.la", "bit.do", "abr.ge", "buly.kr"),
        *("c11.kr", "bit.ly", "tinyurl.com", "t.co", "goo.gl", "is.gd", "v.gd", "ow.ly"),
        *("buff.ly", "rebrand.ly", "cutt.ly", "shorturl.at", "rb.gy", "t.ly", "tiny.cc", "s.id"),
        *("short.io", "bl.ink", "lnkd.in", "t.me", "qr.ae", "shorturl.asia"),
    )
)
# Characters that Unicode's table of confusable characters (UTS 39) lacks: digits that replace
# letters, and three letters that a reader easily mistakes for a Latin letter.
_LOOKS = str.maketrans("01345\u04cf\u03c9\u00df", "oleaslwb")
# The second-level labels of country registries: co.kr, or.kr.
_SECOND_LEVEL = {"co", "or", "go", "ne", "re", "pe", "ac", "com", "net", "org"}
_PUNYCODE = "xn--"


class SuspicionReason(TextChoices):
    """The reason that the page shows for a trace that is not ours."""

    IMITATION = "imitation", _("It imitates an address of ours.")
    LETTERS = "letters", _("It is written with letters that look like others.")
    HIDDEN = "hidden", _("It hides where it leads.")
    REWRITTEN = "rewritten", _("A mail filter rewrote it, and where it leads cannot be read.")
    BARE = "bare", _("It is a bare number where a name should stand.")
    OTHER = "other", _("It is not ours.")


def suspicion_reason(host: str, ours: Iterable[str]) -> SuspicionReason:
    """Returns the strongest reason why `host` is suspect. It is not one of `ours`.

    All hosts are as pasted_text.normal_host writes them. A host within a domain of ours imitates
    nothing: it is only not a host that we use.
    """
    names = [one for one in ours if not _is_bare_number(one)]
    if any(_imitates(host, name) for name in names):
        return SuspicionReason.IMITATION
    if _PUNYCODE in host or not host.isascii():
        return SuspicionReason.LETTERS
    if is_opaque_filter(host):
        return SuspicionReason.REWRITTEN
    if host in SHORTENERS:
        return SuspicionReason.HIDDEN
    return SuspicionReason.BARE if _is_bare_number(host) else SuspicionReason.OTHER


def displayed_host(host: str) -> str:
    """Returns the host as a browser may show it, and its xn-- spelling if the two differ."""
    displayed = _decoded(host)
    return host if displayed == host else f"{displayed} ({host})"


def _decoded(host: str) -> str:
    """Returns the host with its xn-- labels decoded, or `host` itself if it is not valid."""
    if _PUNYCODE not in host or not is_possible_host(host):
        return host
    try:
        return host.encode().decode("idna")
    except UnicodeError:
        return host


def _imitates(host: str, ours: str) -> bool:
    if _within(host, _registered(ours)):
        return False
    brand = _skeleton(_main_label(ours))
    if len(brand) < 4:
        return False
    labels = [_skeleton(label) for label in _labels(host)[:-1]]
    most = 2 if len(brand) >= 8 else 1
    return any(brand in label or edit_distance(label, brand, most) <= most for label in labels)


def _labels(host: str) -> list[str]:
    return _decoded(host).split(".")


def _registered(host: str) -> str:
    """Returns the registered name, such as example.co.kr.

    It is a guess, because the public suffix list is not used.
    """
    labels = host.split(".")
    is_second = len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2
    return ".".join(labels[-3:] if is_second else labels[-2:])


def _main_label(host: str) -> str:
    return _registered(host).split(".")[0]


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _skeleton(label: str) -> str:
    """Returns the label in the Latin letters that a reader may mistake it for."""
    letters = _without_accents(label.lower()).translate(_LOOKS)
    plain = "".join(sign if sign.isascii() else _latin(sign) for sign in letters)
    plain = plain.replace("-", "").replace("_", "")
    return plain.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def _without_accents(text: str) -> str:
    signs = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


@lru_cache(maxsize=4096)
def _latin(sign: str) -> str:
    """Returns the Latin letters that a character looks like; the character itself if none.

    If a small letter looks like no Latin letter, its capital may: Cyrillic ve looks like B.
    """
    # Its table takes 8 MiB, and most processes never ask.
    from confusable_homoglyphs.confusables import is_confusable

    capital = sign.upper()
    for one in (sign, capital) if len(capital) == 1 else (sign,):
        found = is_confusable(one, greedy=True) or []  # False if there is none
        looks = [_without_accents(look["c"]) for entry in found for look in entry["homoglyphs"]]
        letters = [look for look in looks if look.isascii() and look.isalpha()]
        if letters:
            return min(letters, key=lambda look: (len(look), look.isupper(), look)).lower()
    return sign


def _is_bare_number(host: str) -> bool:
    return re.fullmatch(r"[\d.]+|0x[0-9a-f]+|\[.*", host) is not None
