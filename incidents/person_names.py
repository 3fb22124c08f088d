"""Compares names of affected people: whether two rows may be one person's."""

import re
import unicodedata

# Korean family names with which nearly all people are called. A word of three syllables that begins
# with one is a full name, unless it is a title or a word for a relative or a place.
_FAMILY_NAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천"
    "방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국"
)
_NO_NAME = re.compile(r".*(님|집|실|부|동생|할머니|아버지|어머니)")
_HANGUL = re.compile("[가-힣]")
_FULL_KOREAN = re.compile(r"[가-힣]{3}")


def normal_name(text: str) -> str:
    """Returns a name in NFKC and lower case, with its letters and digits only."""
    folded = unicodedata.normalize("NFKC", text[:500]).casefold()
    return "".join(sign for sign in folded if sign.isalnum())


def are_same_names(one: str, other: str) -> bool:
    """Returns whether two names are equal in normal form, or one of them is missing."""
    first, second = normal_name(one), normal_name(other)
    return not first or not second or first == second


def may_name_one_person(one: str, other: str) -> bool:
    """Returns whether a person may have these two names, one of them from an address book.

    People save a number under many names: a nickname, a title, a relation. So only two full names
    that differ, and of which neither contains the other, name two people.
    """
    first, second = normal_name(one), normal_name(other)
    if first in second or second in first:
        return True
    return not (_is_full_name(one) and _is_full_name(other)) or _has_same_words(one, other)


def _is_full_name(text: str) -> bool:
    name = normal_name(text)
    if _FULL_KOREAN.fullmatch(name):
        return name[0] in _FAMILY_NAMES and not _NO_NAME.fullmatch(name)
    return not _HANGUL.search(name) and len(_words(text)) > 1


def _has_same_words(one: str, other: str) -> bool:
    """Returns whether the words of one name are all in the other, as in "Kim Minji" and "Minji"."""
    first, second = _words(one), _words(other)
    return first <= second or second <= first


def _words(text: str) -> set[str]:
    return {word for part in text.split() if (word := normal_name(part))}
