"""Recognises what a column holds by its name, in the languages in which shops and forums export.

A name is compared without case, spaces and marks. If it is unknown as a whole, its last words are
looked up: `Default Address Zip` is a `zip`. The names are in column_names.toml: those of the
exports of common products (docs/import-recipes.md) and their usual translations.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

REFERENCE, NAME, FIRST_NAME, LAST_NAME = "reference", "name", "first name", "last name"
EMAIL, PHONE, LANGUAGE, DATE = "email", "phone", "language", "date"
EMAIL_PART, PHONE_PART = "email part", "phone part"  # one of several columns with one contact
CLASS = "class:"  # before the slug of a data class
_NAME_OR_PART = "name or part"  # in column_names.toml
_LAST_NAME_OR_NICKNAME = "last name or nickname"

# Words before a name that say whose it is. The names of others are not those of the member: of
# recipients, of relatives, and of those who sell or serve.
_OWNERS = re.compile(
    r"^(?:customer|member|user|client|buyer|회원|고객|사용자|주문자|구매자|가입자|예매자|신청자)"
)
_OTHERS = re.compile(
    r"recipient|receiver|consignee|shipto|shipping|^ship(?=[a-z])(?!ped)|"
    r"deliver(?!ynote|ymemo|ymess)|수령|수취|받는|배송지명|収件|收件|收货|受取|届け先|送付先|"
    r"emergency|guardian|parent(?!id)|spouse|nextofkin|seller|vendor|merchant|assistant|manager|"
    r"agent(?:nm|name|tel|phone|email)|supervisor|referr|recommender|비상|보호자|학부모|법정대리|"
    r"대리점|대리인|담당|판매자|판매점|공급사|공급자|추천인|배우자|가족|지인|상사|고객센터"
)
_MARKS = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ADVERTISEMENT = "ad"  # is a name in Turkish, and none in `user_ad`
_FAMILY_FIRST = re.compile(r"[\u3400-\u9fff가-힣]+")


def _plain(text: str) -> str:
    return _MARKS.sub("", _without_accents(unicodedata.normalize("NFKC", text).casefold()))


def _without_accents(text: str) -> str:
    """Returns the text without the accents of Latin letters; Hangul and Kana stay composed."""
    if text.isascii():
        return text
    parts = (unicodedata.normalize("NFD", char) for char in text)
    return "".join(
        part[0] if "a" <= part[0] <= "z" else unicodedata.normalize("NFC", part) for part in parts
    )


@cache
def _words() -> dict[str, str]:
    text = Path(__file__).with_name("column_names.toml").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for role, names in tomllib.loads(text).items():
        for name in names:
            found.setdefault(_plain(name), role)
    return found


@cache
def _roles() -> dict[str, str]:
    meant = {_NAME_OR_PART: NAME, _LAST_NAME_OR_NICKNAME: LAST_NAME}
    return {word: meant.get(role, role) for word, role in _words().items()}


def role_of(column: str) -> str:
    """Returns the role that a column has by its name; "" if the name is unknown.

    A role is one of the constants here, or CLASS and the slug of a data class. A column of another
    person, such as a recipient or a guardian, has no role.
    """
    roles, plain = _roles(), _plain(column)
    if plain in roles:
        return roles[plain]
    if _OTHERS.search(plain):
        return ""
    owned = _OWNERS.sub("", plain)
    if owned in roles and owned != _ADVERTISEMENT:
        return roles[owned]
    words = [_plain(word) for word in _MARKS.split(_CAMEL.sub(" ", column)) if word]
    ends = ("".join(words[-count:]) for count in (3, 2, 1) if count < len(words))
    # A single last word says little: `tax_id` and `group_name` are no id and no name.
    return next(
        (
            roles[end]
            for end in ends
            if end in roles
            and end not in _NAME_OF_ANYTHING
            and (end != words[-1] or roles[end] not in _VAGUE)
        ),
        "",
    )


def may_be_part_of_name(column: str) -> bool:
    """Returns whether the name of a column means a whole name or a part of one, as 이름 and nom."""
    words, plain = _words(), _plain(column)
    return words.get(plain, words.get(_OWNERS.sub("", plain))) == _NAME_OR_PART


def may_be_nickname(column: str) -> bool:
    """Returns whether the name of a column means a last name, or a nickname next to one."""
    return _words().get(_plain(column)) == _LAST_NAME_OR_NICKNAME


def is_family_name_first(columns: Iterable[str]) -> bool:
    """Returns whether columns of parts of a name are in a language that writes the family first."""
    return all(_FAMILY_FIRST.fullmatch(_MARKS.sub("", column)) for column in columns)


def is_known(text: str) -> bool:
    """Returns whether a text is one of the names of columns, as a whole."""
    return _plain(text) in _roles()


def is_of_another(column: str) -> bool:
    """Returns whether the name of a column says that it holds data of another person."""
    plain = _plain(column)
    return plain not in _roles() and bool(_OTHERS.search(plain))


def is_of_owner(column: str) -> bool:
    """Returns whether the name of a column says that it holds data of the member, or of a buyer."""
    return bool(_OWNERS.search(_plain(column)))


_VAGUE = {REFERENCE, NAME, DATE, CLASS + "purchases", CLASS + "support-tickets"}
# Words for a first name that are also those for a name of anything, as of a domain or of a user.
_NAME_OF_ANYTHING = frozenset(
    map(_plain, ("имя", "ім'я", "όνομα", "jméno", "vardas", "vārds", "tên", "名"))
)
