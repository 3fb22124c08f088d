"""How texts of any language write telephone numbers."""

import re
from collections.abc import Iterator

PHONE = re.compile(
    r"(?<![0-9A-Za-z+.-])(?:"
    r"\+\d{1,3}(?:[ -]?\(?\d{1,4}\)?){2,4}"  # +82 2 1234 5678
    r"|\d-\d{3}-\d{3}-\d{4}"  # 1-800-555-0100
    r"|\(?0\d{1,3}\)?[ -]\d{3,4}[ -]\d{4}"  # 02 1234 5678, (02) 1234-5678
    r"|(?<!\d )0\d(?:[ .]\d{2}){4}"  # 01 23 45 67 89
    r"|(?<!\d )0(?!00)\d{2,4}[ /-]\d{2,8}(?:[ -]\d{1,4})*"  # 040 1234567, 0800 123 456
    r"|(?<!\d )116 \d{3}(?! \d)"  # 116 116, one number in all of Europe
    r"|\(\d{3}\) \d{3}-\d{4}"
    r"|\d{2,4}-\d{3,4}-\d{4}"
    r"|(?!(?:19|20)\d\d-(?:19|20)\d\d)\d{4}-\d{4}"  # 1588-1234, but no range of years
    r")(?![0-9A-Za-z]|-\d)"
)


def phone(match: re.Match[str]) -> Iterator[str]:
    """Yields the digits of a match of PHONE, as dialled in Korea.

    A foreign number has "+" and its country code.
    """
    digits = re.sub(r"\D", "", match[0])
    if not match[0].startswith("+"):
        yield digits
    elif digits.startswith("82"):
        national = digits[2:].removeprefix("0")
        # Nationwide numbers such as 1588-1234 have no leading 0.
        is_nationwide = len(national) == 8 and national.startswith("1")
        yield national if is_nationwide else f"0{national}"
    else:
        yield f"+{digits}"
