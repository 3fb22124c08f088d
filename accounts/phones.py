"""Phone numbers as people and exports write them, in one spelling: E.164.

A text is a number only if it is certain which one. A number is taken digit by digit as it is
written, with the country code added and the trunk prefix removed; it must be valid in its country's
numbering plan (phonenumbers). Letters are no digits, and an extension refuses the number, because
several people share it.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from django.conf import settings
from phonenumbers import (
    NumberFormat,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberDesc,
    PhoneNumberType,
)

from foundations.plain_signs import with_plain_digits

NOT_A_NUMBER, NO_PERSONS_NUMBER, LOST_ZERO = "not a number", "no person's number", "lost zero"
MOST_NUMBERS = 9  # a cell with more is a list, and no person's contact
# The time of NFKC can grow with the square of the length. No cell with numbers is longer.
_MOST_CHARACTERS = 320
_FEWEST_DIGITS = 7
_SAME_DIGITS = 7  # a number that ends in this many equal digits is a placeholder

# The form in which 90 % of the Korean mobile numbers are written.
_USUAL_MOBILE = re.compile(r"(?:\+82[ -]?|0)10[ .-]?(\d{4})[ .-]?(\d{4})", re.ASCII)
# All of 010: blocks come into use (010-597 is next) before phonenumbers has them.
_NEW_MOBILE = re.compile(r"10\d{8}", re.ASCII)
# Invisible characters and the marks that spreadsheets and web pages leave around a number.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# In NFKC, in which the vowel \u3161 (ㅡ) is \u1173, and the dot \u318d is \u119e.
_SIGNS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\u1173", "-")
    | dict.fromkeys("\u119e\u2022\u2027\u2219\u22c5\u30fb", "\u00b7")
)
_ODD_SEPARATORS = re.compile(r"(\d{2,4})([~/_\u00b7])(\d{3,4})\2(\d{4})", re.ASCII)  # 010/1234/5678
# 040/6696912, +49 (0)171 / 3920012, 347/1234567: a slash after the area code, as in Germany and
# Italy. What stands before it is too short for a number of its own.
_AREA_CODE = re.compile(
    r"((?:(?:\+|00)\d{1,3} ?(?:\(0\) ?)?|\(?0)\d{1,5}\)?|[1-9]\d\d) ?/ ?(\d[\d -]{3,}\d)", re.ASCII
)
# 06/12/34/56/78: pairs of digits are too short for numbers of their own.
_PAIRS = re.compile(r"0\d(?:([/_~])\d\d)(?:\1\d\d){3}", re.ASCII)
_COUNTRY_IN_BRACKETS = re.compile(r"\((\+\d{1,3})\)", re.ASCII)  # (+84) 901 234 562
_SIGN_AT_THE_END = re.compile(r"(\d{7,15})\+", re.ASCII)  # as text from right to left shows it
_FLOAT = re.compile(r"(\d+)\.0+", re.ASCII)  # what a spreadsheet makes of digits
_NUMBER = re.compile(r"(?!\d+[).]\s)(?P<number>\+?\(?\d[\d ().-]*\d)", re.ASCII)
_WRITTEN = re.compile(
    r"(?:[1-9]\d?[).]\s+(?=[0+(]))?"  # the number in a list: "1) 02-123-4567"
    r"(?:\([^\d()]*\)\s*|[^\W\d_][^\d+*#]{0,30}?[\s:.]\s*)?"  # a label: "(home)", "Tel. "
    r"(?P<number>\+?\(?\d[\d ().-]*\d)"
    r"(?:\s*[~/]\s*\d{1,2})?"  # the last of several lines: "02-1234-5678~9"
    r"(?:\s*\([^\d()]*\)|\s+[^\d*#]{1,40})?",  # a note: "(FAX)", " home"
)
_SEVERAL = re.compile(r"\s:::\s|[;,/|\u3001\u00b7]")  # Google writes three colons

_WITH_TEXT_MESSAGES = {
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.PERSONAL_NUMBER,
}
_LANDLINES = {PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP}
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


class Phone(NamedTuple):
    """A phone number that can be one person's."""

    number: str  # E.164
    is_landline: bool  # whether it takes no text messages


class PhoneCell(NamedTuple):
    """The numbers in a text, or why there is none."""

    phones: tuple[Phone, ...]
    oddity: str  # NOT_A_NUMBER, NO_PERSONS_NUMBER or LOST_ZERO; "" if there is a number


def normalise_phone(text: str, region: str = "") -> str | None:
    """Returns the number in E.164 (`+821012345678`), or None if the text is not one number.

    A number without a country code is a number of `region`, by default settings.PHONE_REGION.
    """
    phones = read_phones(text, region or settings.PHONE_REGION).phones
    return phones[0].number if len(phones) == 1 else None


def formatted_phone(value: str) -> str | None:
    """Returns a number of settings.PHONE_REGION in the national format, others internationally.

    `+821012345678` → `010-1234-5678`, `+14155550132` → `+1 415-555-0132`. Returns None if the
    value is not a phone number.
    """
    e164 = normalise_phone(value)
    if e164 is None:
        return None
    number = phonenumbers.parse(e164)
    form = phonenumbers.PhoneNumberFormat
    home = phonenumbers.country_code_for_region(settings.PHONE_REGION)
    is_national = number.country_code == home
    return phonenumbers.format_number(number, form.NATIONAL if is_national else form.INTERNATIONAL)


def read_phones(text: str, region: str, *, has_lost_zeros: bool = False) -> PhoneCell:
    """Returns the different numbers in a text, in their order.

    Several numbers are separated by `;`, `,`, `/`, `|`, a middle dot or ` ::: `. If one of them is
    unreadable, all are. `has_lost_zeros` says that a spreadsheet has removed the zero that the
    numbers begin with.
    """
    if usual := usual_mobile(text, region):
        return PhoneCell((Phone(usual, is_landline=False),), "")
    return _read_phones(text, region, has_lost_zeros)


def usual_mobile(text: str, region: str) -> str:
    """Returns what `read_phones` does for a usual Korean mobile number, in less time; else ""."""
    if region != "KR" or (usual := _USUAL_MOBILE.fullmatch(text)) is None:
        return ""
    number = f"+8210{usual[1]}{usual[2]}"
    if number[-1] == number[-2] and number.endswith(number[-1] * _SAME_DIGITS):
        return ""
    return number


@lru_cache(maxsize=1 << 12)
def _read_phones(text: str, region: str, has_lost_zeros: bool) -> PhoneCell:
    if len(text) > _MOST_CHARACTERS:
        return PhoneCell((), NOT_A_NUMBER)
    plain = _plain(text)
    if usual := usual_mobile(plain, region):
        return PhoneCell((Phone(usual, is_landline=False),), "")
    if number := _FLOAT.fullmatch(plain):
        plain, has_lost_zeros = number[1], True
    if ends_in_sign := _SIGN_AT_THE_END.fullmatch(plain):
        found = _before_sign(ends_in_sign[1], region, has_lost_zeros)
    else:
        found = _read_one(plain, region, has_lost_zeros)
    if isinstance(found, Phone):
        return PhoneCell((found,), "")
    pieces = [piece for piece in map(str.strip, _SEVERAL.split(plain)) if piece.strip("-. ")]
    if not pieces or pieces == [plain]:
        return PhoneCell((), found)
    return _several([_read_one(piece, region, has_lost_zeros) for piece in pieces])


def _several(found: list[Phone | str]) -> PhoneCell:
    """Returns the numbers of a cell; a number that is no person's does not cost the others."""
    if NOT_A_NUMBER in found or LOST_ZERO in found or len(found) > MOST_NUMBERS:
        return PhoneCell((), NOT_A_NUMBER)
    phones = tuple(dict.fromkeys(one for one in found if isinstance(one, Phone)))
    return PhoneCell(phones, "" if phones else NO_PERSONS_NUMBER)


def _plain(text: str) -> str:
    """Returns the text in NFKC with ASCII digits and hyphens, without what surrounds a number."""
    plain = text
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_SIGNS)
    if not plain.isascii():
        plain = with_plain_digits(plain)
    plain = plain.strip().strip("'\"`").removeprefix("tel:").strip(" \t,;")
    plain = _COUNTRY_IN_BRACKETS.sub(r"\1 ", plain, count=1)
    plain = _ODD_SEPARATORS.sub(r"\1-\3-\4", plain)
    if pairs := _PAIRS.fullmatch(plain):
        plain = plain.replace(pairs[1], "-")
    with_area = _AREA_CODE.fullmatch(plain)
    return f"{with_area[1]} {with_area[2]}" if with_area else plain


# ---------------------------------------------------------------- one number


def _before_sign(digits: str, region: str, has_lost_zeros: bool) -> Phone | str:
    """Returns the number of digits that a plus sign follows and belongs before.

    If the digits alone are another number of the region, it is not certain that it does.
    """
    found, readings = _of_plan(digits), _of_region(digits, region, has_lost_zeros)
    certain = {found, NOT_A_NUMBER} | ({LOST_ZERO} if found in readings else set())
    return found if readings <= certain else NOT_A_NUMBER


def _read_one(text: str, region: str, has_lost_zeros: bool) -> Phone | str:
    """Returns the number that the text is, or why it is none."""
    written = _NUMBER.fullmatch(text) or _WRITTEN.fullmatch(text)
    if written is None:
        return NOT_A_NUMBER
    groups: list[str] = re.findall(r"\d+", written["number"].replace("(0)", ""))
    is_full = written["number"].startswith("+")
    if len(groups) > 1 and len(groups[-1]) < 3 <= len(groups[-2]):
        # 02-123-4567-8 has an extension; 0171 39 200 12 is complete only as a whole.
        first = _of_digits("".join(groups[:-1]), region, has_lost_zeros, is_full=is_full)
        if not re.fullmatch(r"\+?[\d ]+", written["number"]) or isinstance(first, Phone):
            return NOT_A_NUMBER
    return _of_digits("".join(groups), region, has_lost_zeros, is_full=is_full)


def _of_digits(digits: str, region: str, has_lost_zeros: bool, *, is_full: bool) -> Phone | str:
    """Returns the number of these digits, or why it is none. `is_full`: with a country code."""
    readings = {_of_plan(digits)} if is_full else _of_region(digits, region, has_lost_zeros)
    phones = {one for one in readings if isinstance(one, Phone)}
    if len(phones) == 1:
        return phones.pop()
    return NOT_A_NUMBER if phones else max(readings, key=_RANK.__getitem__, default=NOT_A_NUMBER)


_RANK: dict[Phone | str, int] = {NOT_A_NUMBER: 0, LOST_ZERO: 1, NO_PERSONS_NUMBER: 2}


def _of_region(digits: str, region: str, has_lost_zeros: bool) -> set[Phone | str]:
    """Returns each reading of digits that are written without a plus sign."""
    plan = _plan(region)
    if plan is None:
        return set()
    readings: set[Phone | str] = set()
    if plan.trunk and digits.startswith(plan.trunk):
        readings.add(_judge(plan.country_code, digits[len(plan.trunk) :], plan))
    else:
        readings.add(_without_trunk(digits, region, plan, has_lost_zeros))
    country = str(plan.country_code)
    if digits.startswith(country):
        readings.add(_of_plan(digits))
    if digits.startswith("00" + country) or (digits.startswith("00") and plan.calls_out_by_00):
        readings.add(_of_plan(digits[2:]))
    return readings


def _without_trunk(digits: str, region: str, plan: "_Plan", has_lost_zeros: bool) -> Phone | str:
    """Returns the reading of digits without the trunk prefix, such as `4155550132` in the US.

    Where numbers are written with a zero, the zero was lost: then many short texts would be valid.
    Mobile numbers of some countries, such as India, are written without it.
    """
    found = _judge(plan.country_code, digits, plan)
    if has_lost_zeros or not isinstance(found, Phone) or plan.trunk != "0":
        return found
    if not found.is_landline and is_trunk_optional(region, digits):
        return found
    national = phonenumbers.format_number(
        PhoneNumber(country_code=plan.country_code, national_number=int(digits)),
        phonenumbers.PhoneNumberFormat.NATIONAL,
    )
    return LOST_ZERO if re.sub(r"\D", "", national).startswith("0") else found


def is_trunk_optional(region: str, digits: str = "") -> bool:
    """Returns whether a region writes these digits, or some, also without the trunk prefix."""
    data = PhoneMetadata.metadata_for_region(region)
    forms = data.number_format if data else []
    if digits:
        forms = [form for form in forms if _is_of_form(digits, form)][:1]
    return any(form.national_prefix_optional_when_formatting for form in forms)


def _is_of_form(digits: str, form: NumberFormat) -> bool:
    begins = form.leading_digits_pattern
    is_begun = not begins or re.match(begins[-1], digits)
    return bool(is_begun and re.fullmatch(form.pattern or "", digits))


def _of_plan(digits: str) -> Phone | str:
    """Returns the reading of digits that begin with a country code."""
    country, plan = _plan_of_country(digits)
    if not country:
        return NOT_A_NUMBER
    if plan:
        national = digits[len(country) :]
        if plan.is_usual_mobile(national):
            return _judge(plan.country_code, national, plan)
        if not _may_be_valid(plan, national):  # parsing takes fifty times longer
            return NOT_A_NUMBER
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return NOT_A_NUMBER
    code, national = number.country_code or 0, phonenumbers.national_significant_number(number)
    home = phonenumbers.region_code_for_country_code(code)
    country, trunk = str(code), phonenumbers.ndd_prefix_for_region(home, True)
    # phonenumbers also removes the codes of carriers; the result would be another number.
    if digits not in (country + national, f"{country}{trunk or ''}{national}"):
        return NOT_A_NUMBER
    return _judge(code, national, None)


def _judge(country_code: int, national: str, plan: "_Plan | None") -> Phone | str:
    """Returns the number if it is valid and can be one person's, or why not."""
    if len(national) < _FEWEST_DIGITS or len(national) > 15:
        return NOT_A_NUMBER
    if country_code == 82 and _NEW_MOBILE.fullmatch(national):
        kind = PhoneNumberType.MOBILE
    elif plan and (plan.is_alone or plan.is_mobile(national)):
        kind = plan.kind(national)
    else:
        kind = phonenumbers.number_type(_number(country_code, national))
    if kind == PhoneNumberType.UNKNOWN or _is_truncated(country_code, national):
        return NOT_A_NUMBER
    is_same = national[-_SAME_DIGITS:] == national[-1] * _SAME_DIGITS
    is_landline = kind in _LANDLINES
    if is_same or _is_safe_number(country_code, national):
        return NO_PERSONS_NUMBER
    if not is_landline and kind not in _WITH_TEXT_MESSAGES:
        return NO_PERSONS_NUMBER
    return Phone(f"+{country_code}{national}", is_landline)


def _number(country_code: int, national: str) -> PhoneNumber:
    zeros = len(national) - len(national.lstrip("0"))
    return PhoneNumber(
        country_code=country_code,
        national_number=int(national),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def _is_truncated(country_code: int, national: str) -> bool:
    """Returns whether a digit of a Korean number is missing; phonenumbers accepts these.

    Several people could share a truncated 010 number. The numbers with fewer than eight digits are
    those of services, such as 031-120.
    """
    if country_code != 82:
        return False
    return len(national) < 8 or (national.startswith("10") and len(national) != 10)


def _is_safe_number(country_code: int, national: str) -> bool:
    """Returns whether it is a Korean 050 number, which shops lend to a delivery for some days."""
    return country_code == 82 and national.startswith("50")


class _Plan(NamedTuple):
    """What is needed of a region's numbering plan to judge a number in a tenth of the time."""

    country_code: int
    is_alone: bool  # whether no other region has the country code
    trunk: str  # the prefix of a call within the country, "" for none
    prefix: re.Pattern[str]  # what phonenumbers may remove from the beginning of a number
    calls_out_by_00: bool  # whether 00 begins a number with a country code
    every: re.Pattern[str]  # all valid numbers
    others: tuple[tuple[int, re.Pattern[str]], ...]  # the kinds that are tried before these
    fixed: re.Pattern[str]
    mobile: re.Pattern[str]

    def kind(self, national: str) -> int:
        """Returns the PhoneNumberType that phonenumbers finds for a number of the region."""
        if not self.every.fullmatch(national):
            return PhoneNumberType.UNKNOWN
        for kind, pattern in self.others:
            if pattern.fullmatch(national):
                return kind
        is_mobile = self.mobile.fullmatch(national)
        if self.fixed.fullmatch(national):
            both, fixed = PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.FIXED_LINE
            return both if is_mobile else fixed
        return PhoneNumberType.MOBILE if is_mobile else PhoneNumberType.UNKNOWN

    def is_mobile(self, national: str) -> bool:
        """Returns whether the number is valid, and a mobile one or perhaps one."""
        return self.mobile.fullmatch(national) is not None and self.kind(national) in _MOBILE

    def is_usual_mobile(self, national: str) -> bool:
        """Returns whether it is a mobile number of which phonenumbers removes nothing."""
        return not self.prefix.match(national) and self.is_mobile(national)


def _plan_of_country(digits: str) -> tuple[str, _Plan | None]:
    """Returns the country code that the digits begin with, and the plan of its main region."""
    if digits[:1] in ("", "0"):  # no country code begins with a zero
        return "", None
    for size in (1, 2, 3):
        if regions := phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:size])):
            return digits[:size], _plan(regions[0])
    return "", None


def _may_be_valid(plan: _Plan, national: str) -> bool:
    """Returns whether digits after a country code fit any region with it, with or without trunk."""
    every = _every_number(plan.country_code)
    without = national.removeprefix(plan.trunk)
    return bool(every.fullmatch(national) or every.fullmatch(without))


@lru_cache(maxsize=256)
def _every_number(country_code: int) -> re.Pattern[str]:
    """Returns a pattern of all numbers that `_judge` may take for valid with a country code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[country_code]
    patterns = [plan.every.pattern for plan in map(_plan, regions) if plan]
    if country_code == 82:
        patterns.append(_NEW_MOBILE.pattern)
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.ASCII)


@lru_cache(maxsize=256)
def _plan(region: str) -> _Plan | None:
    """Returns the plan of a region (ISO 3166, such as KR), or None if there is no such region."""
    data = PhoneMetadata.metadata_for_region(region)
    if data is None:
        return None
    kinds = PhoneNumberType
    others = {  # in the order of phonenumbers
        kinds.PREMIUM_RATE: data.premium_rate,
        kinds.TOLL_FREE: data.toll_free,
        kinds.SHARED_COST: data.shared_cost,
        kinds.VOIP: data.voip,
        kinds.PERSONAL_NUMBER: data.personal_number,
        kinds.PAGER: data.pager,
        kinds.UAN: data.uan,
        kinds.VOICEMAIL: data.voicemail,
    }
    code = data.country_code or 0
    return _Plan(
        country_code=code,
        is_alone=len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1,
        trunk=data.national_prefix or "",
        prefix=re.compile(data.national_prefix_for_parsing or r"(?!)", re.ASCII),
        calls_out_by_00=data.international_prefix == "00",
        every=_pattern(data.general_desc),
        others=tuple((kind, _pattern(one)) for kind, one in others.items() if one),
        fixed=_pattern(data.fixed_line),
        mobile=_pattern(data.mobile),
    )


def _pattern(numbers: PhoneNumberDesc | None) -> re.Pattern[str]:
    text = numbers.national_number_pattern if numbers else None
    return re.compile(text or r"(?!)", re.ASCII)
