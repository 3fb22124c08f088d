"""Decodes a text that was pasted in an encoded form: HTML entities, quoted-printable, percent
signs, the escapes of JSON and of Markdown.

A reader may open what stands between the escapes instead of what they stand for: "hanbit.co=6D" may
lead to hanbit.co. So `decoded` also returns the text with a line's end for each escape, and no
"sent" rests on the decoded text alone.
"""

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote

_TIMES = 2  # an escaped text may be escaped again
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
# What occurs in quoted-printable and hardly elsewhere: an escaped "=", a broken line, two octets of
# a character, a blank before the end of a line. "?=" is the end of an encoded word (RFC 2047).
_SHOWS_QUOTED_PRINTABLE = re.compile(
    r"=3D|[^\s=?]=\r?\n(?=[> \t]*[^\s>])|(?:=[89A-F][0-9A-F]){2}|=20\r?$", re.MULTILINE
)
_QUOTED_PRINTABLE = re.compile(r"(?<!\?)=[ \t]*\r?\n(?:> ?)*|(?:=[0-9A-F]{2}(?:=\r?\n(?:> ?)*)?)+")
_BREAK = re.compile(r"=[ \t]*\r?\n(?:> ?)*")
# Where a program broke the lines of an HTML source. They are as long as the encoding allows (76).
_SHOWS_HTML_SOURCE = re.compile(r"<a\b[^<>]{0,500}\bhref=3D\"", re.IGNORECASE)
_BREAK_OF_LONG_LINE = re.compile(r"^([^\r\n]{63,75})=\r?\n", re.MULTILINE)
# A link that begins in percent signs. One within a link belongs to that link.
_PERCENT = re.compile(
    r"(?<![\w/=?&%.+-])"
    r"(?:https?%3A%2F%2F[a-z0-9_.~%+-]{1,2000}|mailto(?::|%3A)[a-z0-9_.~%+-]{0,64}%40)",
    re.IGNORECASE,
)
_SHOWS_JSON = re.compile(r"\\n.*\\n|:\\/\\/|\\u[0-9a-f]{4}", re.IGNORECASE | re.DOTALL)
_JSON = re.compile(r"(?:\\u[0-9a-f]{4})+|\\[nrt\"/]", re.IGNORECASE)
_JSON_SIGNS = {"n": "\n", "r": "\n", "t": " ", '"': '"', "/": "/"}
# Not "@" and "/": after them a browser opens another host than the decoded text names.
_MARKDOWN = re.compile(r"\\([._*#()\[\]{}+!~`-])")
# The picture of an HTML mail in its text, as Outlook writes it.
_PICTURE = re.compile(r"\[cid:image\d{3}\.(?:png|jpe?g|gif)@[0-9A-F]{8}\.[0-9A-F]{8}\]")
_Decoder = Callable[[re.Match[str]], str]


def decoded(text: str) -> tuple[str, str]:
    """Returns the decoded text; and the text with a line's end for each escape, "" if it has
    none.
    """
    plain = between = _PICTURE.sub(" ", text)
    if _SHOWS_HTML_SOURCE.search(text):
        between = _BREAK_OF_LONG_LINE.sub(r"\1", between)
    for _time in range(_TIMES):
        for pattern, decode in _steps(plain):
            plain = pattern.sub(decode, plain)
    for pattern, _decode in _steps(between):
        between = pattern.sub("\n", between)
    return plain, between if plain != between else ""


def _steps(text: str) -> list[tuple[re.Pattern[str], _Decoder]]:
    """Returns the escapes that the text has, with the function that decodes each."""
    steps: list[tuple[re.Pattern[str], _Decoder]] = [
        (_ENTITY, lambda match: unescape(match[0])),
        (_PERCENT, lambda match: unquote(match[0])),
        (_MARKDOWN, lambda match: match[1]),
    ]
    if _SHOWS_QUOTED_PRINTABLE.search(text):
        steps.insert(0, (_QUOTED_PRINTABLE, _octets))
    if _SHOWS_JSON.search(text):
        steps.insert(0, (_JSON, _json_sign))
    return steps


def _octets(match: re.Match[str]) -> str:
    """Returns the text of octets in quoted-printable; as it is if it is not UTF-8."""
    signs = _BREAK.sub("", match[0]).replace("=", "")
    try:
        return bytes.fromhex(signs).decode()
    except UnicodeDecodeError:
        return match[0]


def _json_sign(match: re.Match[str]) -> str:
    if sign := _JSON_SIGNS.get(match[0][1].lower()):
        return sign
    octets = bytes.fromhex(match[0].replace("\\u", "").replace("\\U", ""))
    return octets.decode("utf-16-be", "replace")
