"""Classifies the text of a cell by what it looks like, for the profile of a file.

The kinds are for people who look at a file before it is loaded. What is stored of a cell is decided
by `row_preparation` alone.
"""

import base64
import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

from django.conf import settings

from accounts import contacts
from accounts.contacts import read_emails, read_phones
from accounts.phones import LOST_ZERO
from incidents.importing import placeholders
from incidents.importing.encoded_twice import is_text_encoded_twice
from incidents.importing.korean_text import count_common_hangul
from incidents.kinds import Masking
from incidents.masking import HIDDEN, mask


class CellKind(StrEnum):
    """What a cell looks like. The first kind that matches is taken, in this order."""

    BLANK = "blank"
    LOST = "lost letters"
    ENCODED = "encoded text"
    PLACEHOLDER = "placeholder"
    UNDECODABLE = "undecodable"
    EMAIL = "e-mail"
    ODD_EMAIL = "e-mail, unusable"
    RESIDENT = "resident number"
    DATE = "date"
    CARD = "card-like number"
    NUMBER_POINT_ZERO = "number with .0"
    MASKED = "masked"
    PHONE_LOST_ZERO = "phone that lost its zero"
    PHONE = "phone"
    NUMBER = "number"
    PLACE = "postal address"
    TEXT = "text"


# A placeholder is shown as it is only in these forms: marks alone, such as !$#, may be a password.
_SHOWN_AS_IT_IS = re.compile(r"(?=.*[^\W_])\\?[(<\[]?[\w ./#-]+!?[)>\]]?|[-._/?~=* –—]*")
_KOREAN_RESIDENT = re.compile(r"(\d{2})(\d{2})(\d{2})([- ]?)([1-8])(\d{6})", re.ASCII)
_KOREAN_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_CHINESE_RESIDENT = re.compile(r"\d{6}((?:19|20)\d{6})\d{3}[\dX]", re.ASCII | re.IGNORECASE)
_CHINESE_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Area 000, 666 and 900-999, group 00 and serial 0000 are never issued.
_US_SOCIAL = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", re.ASCII)
_UK_INSURANCE = re.compile(r"[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", re.ASCII)
_CARD = re.compile(r"\d(?:[ -]?\d){12,18}", re.ASCII)
_UNDECODED = re.compile("[\udc80-\udcff]")  # see PEP 383
# Text that a program has encoded or marked for another one, and that nothing has decoded.
_ODD_SIGN = re.compile(r"[&%=\\+?~\ufffd\"'\u201c\u201d\u00a1-\u00ff]")
_ENCODED = re.compile(
    r"&(?:#\d{2,6}|#x[0-9a-f]{2,5}|amp|lt|gt|quot|apos|nbsp|[a-z]{1,2}(?:acute|grave|uml|circ|tilde|"
    r"cedil|ring|slash|lig));"
    r"|%[c-e][0-9a-f]%[89ab][0-9a-f]|^[^@]*(?:%|=)40|=[c-e][0-9a-f]=[89ab][0-9a-f]|\\u[0-9a-f]{4}"
    r"|^(?:0x|\\x)(?:[0-9a-f]{2}){6,}$"  # as databases write bytes
    r"|~\{(?:[!-}][!-~])+~\}"  # HZ
    r"|\+[a-z0-9/]{3,}-|^\+(?=\d*[a-z])[a-z0-9/]{5,}$|^=\"|^\"[^\"]*\"$|^[\u201c\u201d].*[\u201c\u201d]$",
    re.IGNORECASE,
)
_LOST = re.compile(r"\?{2,}(?:[ ?]*\?)?")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_HANGUL = re.compile("[가-힣]")
_LATIN_RUN = re.compile("[\u00a1-\u00ff ]+")
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
_STARS = re.compile(r"[*•●○＊]")
_CROSSES = re.compile(r"x{3,}", re.IGNORECASE)  # hide digits only: a name may hold them
_USUAL_PHONE = re.compile(r"01[016789]-\d{3,4}-\d{4}", re.ASCII)
_DATE = re.compile(
    r"(?:(?:19|20)\d\d[-./년]\s?\d{1,2}[-./월]\s?\d{1,2}[일.]?|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d)"
    r"(?:[T ]\s?\d{1,2}:\d{2}.*)?",
    re.ASCII,
)
_PLAIN_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
# "#1001" is how shops write the number of an order.
_NUMBER = re.compile(r"[#+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_POINT_ZERO = re.compile(r"\d+\.0+", re.ASCII)
_LOST_ZERO = re.compile(r"10\d{8}", re.ASCII)
# What stands in a postal address with a number. Names and user names hold it too, and a number
# after it, as 홍길동1, st_1001 and Diane Lane 2; so most of these words need another one. In
# Korean it is a city or district, or what follows the number: "테스트용 홍길동1" is a name.
_TWO_WORDS = r"(?=.*[^\W\d_]\S*\s.*[^\W\d_])"
_KOREAN_PLACE = (
    r"(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주|"
    r"(?<![가-힣])[중동서남북]구|[가-힣]{2}[시군구도])"
)
_KOREAN_STREET = "[가-힣](?:로|길|동|리|가|읍|면)"
_KOREAN_BUILDING = r"(?:빌딩|타워|아파트|빌라|오피스텔|맨션|주택|센터|플라자|단지|\d[층호동]|동\))"
_STREET = re.compile(
    rf"^{_TWO_WORDS}.*(?:{_KOREAN_PLACE} .*{_KOREAN_STREET} ?\d"
    rf"|{_KOREAN_STREET} ?\d+(?:-\d|번|길|호|층|,|[ (].*{_KOREAN_BUILDING})"
    r"|\d.*(?<![\w-])(?:lane|drive)(?![\w-])"
    r"|(?<![\w-])(?:street|st|road|rd|avenue|ave|boulevard|apt|rue|calle|avenida|av|rua|"
    r"via|piazza|ulica|ul|улица|ул|jalan|jl|sokak|cadde|mah|đường)(?![\w-]))"
    r"|\d ?(?:丁目|番地|号楼|號樓|楼|樓|室|弄)|\w{3}[路街道巷] ?\d|[路街道巷] ?\d+ ?[号號]"
    r"|(?:stra(?:ss|ß)e|gasse|weg|platz|straat|laan)(?!\w)|str\.",
    re.IGNORECASE,
)
# 512/202511, 01/02/05/07/11: so are documents and draws numbered. They are phone numbers only in a
# column of phones.
_LIKE_DOCUMENT = re.compile(r"[1-9]\d{1,3} ?[/_~][\d /_~-]+|0\d(?:[/_~]\d\d){4}", re.ASCII)
PHONE_REGION: str = settings.PHONE_REGION
_FEWEST_PHONE_DIGITS, _MOST_CHARACTERS = 9, 320
_WIDE_AT = re.compile("[\uff20\ufe6b]")
_UNFILLED = re.compile(r"\d{0,4}[ ._-]*[._-][ ._-]*", re.ASCII)
_NOT_DIGITS = str.maketrans("", "", " -")
# A number with a label, as "Drive 415-555-0109", may look like a postal address.
_PERHAPS_NUMBERS = {CellKind.NUMBER, CellKind.NUMBER_POINT_ZERO, CellKind.PLACE, CellKind.TEXT}


def is_placeholder(text: str) -> bool:
    """Returns whether a whole cell is a word that means "no value", and may be shown as it is."""
    return placeholders.is_placeholder(text) and _SHOWN_AS_IT_IS.fullmatch(text) is not None


@lru_cache(maxsize=1 << 14)
def kind_of(cell: str, region: str = "") -> CellKind:
    """Returns the kind of a cell. `region` is that of phone numbers without a country code."""
    text = cell.strip()
    if not text:
        return CellKind.BLANK
    if len(text) > _MOST_CHARACTERS:
        return CellKind.TEXT
    if (_ODD_SIGN.search(text) or _BASE64.fullmatch(text)) and (kind := _kind_of_odd(text)):
        return kind
    if is_placeholder(text):
        return CellKind.PLACEHOLDER
    if "@" in text or (not text.isascii() and _WIDE_AT.search(text)):
        return _kind_with_at(text)
    if not text.isascii() and _UNDECODED.search(text):
        return CellKind.UNDECODABLE
    if _DIGIT.search(text):
        return _kind_with_digits(unicodedata.normalize("NFKC", text), region or PHONE_REGION)
    return _kind_of_words(text)


def kind_of_number(cell: str, region: str = "") -> CellKind:
    """Returns the kind of a cell of a column that the mapping takes for phone numbers.

    Bare digits such as `4155550101` are a number there, and no id. `02--` is a form that is not
    filled in.
    """
    kind = kind_of(cell, region)
    if _UNFILLED.fullmatch(cell.strip()):
        return CellKind.PLACEHOLDER
    if kind not in _PERHAPS_NUMBERS:
        return kind
    found = read_phones(cell.strip(), region or PHONE_REGION)
    if found.phones:
        return CellKind.PHONE
    return CellKind.PHONE_LOST_ZERO if found.oddity == LOST_ZERO else kind


def _kind_of_words(text: str) -> CellKind:
    if _is_utf8_as_cp949(text):
        return CellKind.ENCODED
    return CellKind.MASKED if _STARS.search(text) else CellKind.TEXT


def _is_utf8_as_cp949(text: str) -> bool:
    """Returns whether it has Hangul, but none that Korean really uses, as `源誘쇱` for `김민`."""
    hangul = len(_HANGUL.findall(text))
    return hangul > 1 and not count_common_hangul(text)[1]


def _is_base64(text: str) -> bool:
    """Returns whether it is UTF-8 text, not all ASCII, or an e-mail address, in base64."""
    if not _BASE64.fullmatch(text) or len(text) % 4:
        return False
    try:
        plain = base64.b64decode(text).decode()
    except ValueError:
        return False
    return plain.isprintable() and (not plain.isascii() or "@" in plain)


def _kind_of_odd(text: str) -> CellKind | None:
    if "\ufffd" in text or _LOST.fullmatch(text):
        return CellKind.LOST
    tests = (_ENCODED.search, _is_cp949_as_latin, is_text_encoded_twice, _is_base64)
    return CellKind.ENCODED if any(test(text) for test in tests) else None


def _is_cp949_as_latin(text: str) -> bool:
    """Returns whether it is Korean text in CP949 that was read as Latin, such as `±è¹ÎÁØ`."""
    if len(text) < 4 or not _LATIN_RUN.fullmatch(text):
        return False
    try:
        common, letters = count_common_hangul(text.encode("latin-1").decode("cp949"))[::-1]
    except UnicodeError:
        return False
    return letters > 1 and common == letters


def _kind_with_at(text: str) -> CellKind:
    found = read_emails(text)
    if found.addresses:
        return CellKind.EMAIL
    return CellKind.MASKED if found.oddity == contacts.MASKED else CellKind.ODD_EMAIL


def _kind_with_digits(text: str, region: str) -> CellKind:
    # An import takes the .0 off a phone number, so such a number can be used.
    is_likely_phone = _USUAL_PHONE.fullmatch(text) or _LOST_ZERO.match(text)
    if is_likely_phone and read_phones(text, region).phones:
        return CellKind.PHONE
    if found := next((kind for kind, matches in _TESTS if matches(text)), None):
        return found
    if _is_phone(text, region):
        return CellKind.PHONE
    if _NUMBER.fullmatch(text):
        return CellKind.NUMBER
    return CellKind.PLACE if _STREET.search(text) else CellKind.TEXT


def _is_phone(text: str, region: str) -> bool:
    """Returns whether it is a phone number, or several, and is written like one.

    A bare number is one only with a leading zero or plus: other digits are an id as likely. So are
    those with slashes as in the numbers of documents.
    """
    if len(_DIGIT.findall(text)) < _FEWEST_PHONE_DIGITS or _LETTER.search(text):
        return False
    if (text.isdecimal() and not text.startswith("0")) or _LIKE_DOCUMENT.fullmatch(text):
        return False
    return bool(read_phones(text, region).phones)


def is_resident_number(text: str) -> bool:
    """Returns whether a text is a resident or social security number of KR, CN, US or GB.

    A Korean number without its hyphen must have a right check digit; with the hyphen it needs only
    a date and the digit of the century, because numbers since October 2020 have no check digit.
    """
    if found := _KOREAN_RESIDENT.fullmatch(text):
        year, month, day, hyphen, century, _rest = found.groups()
        first = {"1": 1900, "2": 1900, "5": 1900, "6": 1900}.get(century, 2000)
        digits = [int(char) for char in text if char.isdigit()]
        return _is_day(first + int(year), int(month), int(day)) and (
            bool(hyphen) or _korean_check_digit(digits) == digits[12]
        )
    if found := _CHINESE_RESIDENT.fullmatch(text):
        day_text = found[1]
        total = sum(int(d) * w for d, w in zip(text, _CHINESE_WEIGHTS, strict=False))
        return (
            _is_day(int(day_text[:4]), int(day_text[4:6]), int(day_text[6:]))
            and "10X98765432"[total % 11] == text[17].upper()
        )
    return bool(_US_SOCIAL.fullmatch(text) or _UK_INSURANCE.fullmatch(text))


def _korean_check_digit(digits: list[int]) -> int:
    total = sum(digit * weight for digit, weight in zip(digits, _KOREAN_WEIGHTS, strict=False))
    return (11 - total % 11) % 10


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def _is_card(text: str) -> bool:
    """Returns whether a text has the form and the check digit (Luhn) of a payment card number."""
    if not _CARD.fullmatch(text):
        return False
    digits = [int(char) for char in text.translate(_NOT_DIGITS)]
    if len(digits) not in (14, 15, 16, 19) or digits[0] not in (2, 3, 4, 5, 6, 9):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


# The tests of cells with digits, in the order of CellKind.
_TESTS: list[tuple[CellKind, Callable[[str], object]]] = [
    (CellKind.RESIDENT, is_resident_number),
    (CellKind.DATE, lambda text: _DATE.fullmatch(text) or _PLAIN_DATE.fullmatch(text)),
    (CellKind.CARD, _is_card),
    (CellKind.NUMBER_POINT_ZERO, _POINT_ZERO.fullmatch),
    (CellKind.MASKED, lambda text: _STARS.search(text) or _CROSSES.search(text)),
    (CellKind.PHONE_LOST_ZERO, _LOST_ZERO.fullmatch),
]

_MASKINGS = {
    CellKind.EMAIL: Masking.EMAIL,
    CellKind.ODD_EMAIL: Masking.EMAIL,
    CellKind.PHONE: Masking.PHONE,
}
_SHAPES = {
    *(CellKind.DATE, CellKind.NUMBER, CellKind.NUMBER_POINT_ZERO),
    *(CellKind.RESIDENT, CellKind.CARD, CellKind.PHONE_LOST_ZERO),
}
_LONGEST_SHAPE = 40


def masked(cell: str, kind: CellKind) -> str:
    """Returns a cell as it may be shown before anything is loaded.

    A date or a number is shown as its shape, such as `9999-99-99`. A placeholder is shown as it is,
    because it says nothing about a person.
    """
    text = cell.strip()
    if kind in (CellKind.BLANK, CellKind.PLACEHOLDER):
        return text
    if kind == CellKind.UNDECODABLE:
        return HIDDEN
    if kind in _SHAPES:
        shape = re.sub(r"\d", "9", text)
        if kind == CellKind.NUMBER_POINT_ZERO:
            shape = re.sub(r"\..*", ".0", shape)
        return shape[:_LONGEST_SHAPE]
    return mask(text, _MASKINGS.get(kind, Masking.TEXT))
