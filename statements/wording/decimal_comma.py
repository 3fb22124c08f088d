"""Numbers of languages with a decimal comma: 33.673.817, 33 673 817 and 33,7 million."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

ALONE = r"(?<![A-Za-z0-9_])"
# Several groups of three, with one separator, or one group with a full stop or a space. One group
# with a comma is a decimal.
GROUPED = r"(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?: \d{3})+|\d{1,3}(?:,\d{3}){2,})(?!\d|[.,]\d{3}(?!\d))"
NUMBER = rf"(?:{GROUPED}(?:,\d+)?|\d+(?:,\d+)?)"
# Before a word such as "million", many write a decimal point: 33.7.
POINTED = r"\d+\.\d{1,2}"

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# An address of the Internet looks like a number with groups.
IP_ADDRESS = re.compile(rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.]\d|\d)")
VERSION = re.compile(rf"(?<![A-Za-z0-9.])(?!{GROUPED})\d+(?:\.\d+){{2,}}(?!\d)")


def scaled(scales: Mapping[str, int]) -> re.Pattern[str]:
    """Returns the pattern of a number, alone or before one of the words of `scales`."""
    words = "|".join(sorted(scales, key=len, reverse=True)).replace(" ", r"\s")
    return re.compile(
        rf"{ALONE}(?:(?P<number>{POINTED}|{NUMBER})\s?(?P<scale>{words})\b|(?P<alone>{NUMBER}))",
        re.IGNORECASE,
    )


def percent(words: str) -> re.Pattern[str]:
    """Returns the pattern of a number before "%" or one of the words."""
    return re.compile(rf"{ALONE}(?P<number>{POINTED}|{NUMBER})\s?(?:%|(?:{words})\b)")


def decimal(text: str) -> Decimal:
    """Returns the number that NUMBER or POINTED has matched."""
    if re.fullmatch(POINTED, text):
        return Decimal(text)
    if re.fullmatch(GROUPED, text):
        return Decimal(re.sub(r"[ .,]", "", text))
    whole, _comma, fraction = text.rpartition(",") if "," in text else (text, "", "")
    return Decimal(f"{re.sub('[ .]', '', whole)}.{fraction or 0}")


def one_number(match: re.Match[str]) -> Iterator[Decimal]:
    """Yields the number of a match of `percent`."""
    yield decimal(match["number"])
