"""Template filters for where a line breaks in a code, a number or an address.

Browsers break lines at hyphens, and a code on two lines is hard to compare or to read aloud. They
break a long e-mail address after the last letter that fits.
"""

import re

from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_UNBREAKING = str.maketrans({"-": "\u2011", " ": "\u00a0"})

# ASCII only: a Korean particle follows without a space.
_CODE = r"(?<![0-9A-Za-z])[0-9A-Z]{4}(?:-[0-9A-Z]{4})+(?![0-9A-Za-z])"
_NUMBER = r"(?<![0-9A-Za-z])\+?[0-9]{1,8}(?:-[0-9]{1,8})+(?![0-9A-Za-z])"
# A shorter address fits on a line of 320 pixels and stays whole. The pattern searches for no @, as
# that takes a quadratic time: a value can have a megabyte without a space.
_SHORT = 20  # characters
_LONG_WORD = rf"(\S{{{_SHORT},}})"
# A number as people read it, masked as well: in groups of digits, after a hyphen or a blank.
_GROUPS = r"(?<![0-9A-Za-z*])\+?[0-9*]{1,8}(?:[- ][0-9*]{1,8})+(?![0-9A-Za-z*])"
_PARTICLE = r"[^\W0-9A-Za-z_]{0,3}"  # stands on the line of what it belongs to


@register.filter
def unbroken(text: str) -> SafeString:
    """Returns the text with what must stay on one line as an element of the class `whole`."""
    host = re.escape(settings.PORTAL_HOST)
    address = rf"(?:https?://)?{host}(?:/[0-9A-Za-z_./%:-]*[0-9A-Za-z_/])?"
    whole = f"((?:{_CODE}|{_NUMBER}|{address}){_PARTICLE})"
    pieces = re.split(whole, text)  # each second one stays whole
    return format_html_join(
        "",
        "{}",
        [(_whole(piece) if place % 2 else piece,) for place, piece in enumerate(pieces)],
    )


@register.filter
def breakable(text: str) -> SafeString:
    """Returns the text of contacts: a number stays whole, and a long e-mail address may break.

    The address breaks after its @ and before its dots.
    """
    pieces = re.split(f"({_GROUPS})", text)  # each second one is a number
    return format_html_join(
        "",
        "{}",
        [
            (_whole(piece) if place % 2 else _with_broken_addresses(piece),)
            for place, piece in enumerate(pieces)
        ],
    )


@register.filter
def in_one_line(text: str) -> str:
    """Returns the text; a number in it has a hyphen and a blank that do not break.

    It is for texts that are no HTML, such as errors.
    """
    return re.sub(_GROUPS, lambda found: found[0].translate(_UNBREAKING), text)


def _with_broken_addresses(text: str) -> SafeString:
    pieces = re.split(_LONG_WORD, text)  # each second one is a long word
    return format_html_join(
        "",
        "{}",
        [
            (_with_breaks(piece) if place % 2 and "@" in piece else piece,)
            for place, piece in enumerate(pieces)
        ],
    )


@register.filter
def breakable_value(text: str) -> SafeString:
    """Returns a value that begins a line; a short address or number in it may break at its signs.

    It does not fit on a line of 320 pixels if the text has twice the size.
    """
    return _with_breaks(text) if len(text) < _SHORT else _with_broken_addresses(text)


def _whole(piece: str) -> SafeString:
    return format_html('<span class="whole">{}</span>', piece)


def _with_breaks(text: str) -> SafeString:
    parts = re.split(r"(?<=[@-])|(?=\.)", text)
    return format_html_join(mark_safe("<wbr>"), "{}", [(part,) for part in parts])


@register.filter
def unbroken_in_mail(code: str) -> SafeString:
    """Returns the code for the HTML of a mail, which has no style sheet."""
    return format_html('<span style="white-space: nowrap;">{}</span>', code)
