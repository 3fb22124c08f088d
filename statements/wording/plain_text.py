"""Markdown as plain words, each character with its place in what the editor typed.

The lint must see "may **have**" as "may have", and Korean that was pasted as single letters (NFD)
as syllables, and still point at the editor's own text.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

# What stands before a block's own words: quote marks, then a list marker, heading or table bar.
# No list begins with a year: "2025. 11. 18." is a date, whatever Markdown makes of it.
_PREFIX = re.compile(
    r"[ \t]*(?P<marker>(?:>[ \t]?)*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+|#{1,6}[ \t]+|\|)?)[ \t]*"
)
_MARKUP = re.compile(
    r"(?P<target>\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:[ \t]+\"[^\"]*\")?\))"
    r"|(?P<entity>&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});)"
    r"|(?P<bar>\|)"
    r"|\\(?=[!-/:-@\[-`{-~])"
    r"|[*`\[\]<>]|~~|(?<![^\W_])_|_(?![^\W_])"
)
_END = re.compile(r"\n|[.!?。…]+[\"'”’)\]」』]*(?=\s|$)")
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|etc|cf|vs|approx|no|art|sec|civ|mr|mrs|ms|dr|st|inc|ltd|co|corp|[a-z])\.$",
    re.IGNORECASE,
)


class Sentence(NamedTuple):
    """A sentence, a list item or a heading, and where it begins in the plain text."""

    text: str
    start: int


@dataclass(frozen=True)
class PlainText:
    """`text` without markup; `span` leads back to the source."""

    source: str
    text: str
    _starts: list[int]
    _ends: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the source of `text[start:end]`, which must not be empty."""
        return self._starts[start], self._ends[end - 1]

    def sentences(self) -> Iterator[Sentence]:
        """In order; none is blank."""
        start = 0
        for end in [*self._ends_of_sentences(), len(self.text)]:
            text = self.text[start:end]
            indent = len(text) - len(text.lstrip())
            if text.strip():
                yield Sentence(text.strip(), start + indent)
            start = end

    def _ends_of_sentences(self) -> Iterator[int]:
        for match in _END.finditer(self.text):
            if match[0] == "\n" or not self._goes_on(match.start(), match.end()):
                yield match.end()

    def _goes_on(self, stop: int, end: int) -> bool:
        """Whether a full stop ends no sentence: "Mr. Kim", "2025. 11. 18.", "e.g. names"."""
        if self.text[stop] != ".":
            return False
        following = self.text[end:].lstrip(" ")[:1]
        if self.text[stop - 1 : stop].isdigit() and following.isdigit():
            return True
        before = self.text[max(0, stop - 10) : stop + 1]
        return following.islower() or bool(_ABBREVIATION.search(before))


def plain_text_of(source: str) -> PlainText:
    """The plain words of Markdown, in NFKC; the targets of links are left out."""
    text, starts, ends = [], list[int](), list[int]()
    for cluster, start, end in _clusters(_without_markup(source)):
        for sign in unicodedata.normalize("NFKC", cluster):
            text.append(sign)
            starts.append(start)
            ends.append(end)
    return PlainText(source, "".join(text), starts, ends)


class _Piece(NamedTuple):
    text: str
    start: int
    end: int


def _without_markup(source: str) -> Iterator[_Piece]:
    position, is_block_before = 0, True
    for line in source.splitlines(keepends=True):
        prefix = _PREFIX.match(line)
        marker = prefix["marker"].strip() if prefix else ""
        words = prefix.end() if prefix else 0
        is_blank = not line[words:].strip()
        if position:
            gap = "\n" if marker or is_blank or is_block_before else " "
            yield _Piece(gap, position - 1, position)
        yield from _inline(line[words:].rstrip(), position + words)
        is_block_before = is_blank or marker.startswith(("#", "|"))
        position += len(line)


def _inline(text: str, offset: int) -> Iterator[_Piece]:
    position = 0
    for markup in _MARKUP.finditer(text):
        for index in range(position, markup.start()):
            yield _Piece(text[index], offset + index, offset + index + 1)
        start, end = offset + markup.start(), offset + markup.end()
        if markup["entity"]:
            yield from (_Piece(sign, start, end) for sign in html.unescape(markup[0]))
        elif markup["bar"]:
            yield _Piece("\n", start, end)
        position = markup.end()
    for index in range(position, len(text)):
        yield _Piece(text[index], offset + index, offset + index + 1)


def _clusters(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """Characters that normalise as one, without those that nobody sees."""
    open_cluster: _Piece | None = None
    for piece in pieces:
        if unicodedata.category(piece.text) == "Cf":
            continue
        if open_cluster and _continues(piece.text):
            open_cluster = _Piece(open_cluster.text + piece.text, open_cluster.start, piece.end)
            continue
        if open_cluster:
            yield open_cluster
        open_cluster = piece
    if open_cluster:
        yield open_cluster


def _continues(sign: str) -> bool:
    """Whether it belongs to the character before: an accent, a Korean vowel or final."""
    return bool(unicodedata.combining(sign)) or "\u1160" <= sign <= "\u11ff"


# ---------------------------------------------------------------- links

# Only what mail programs turn into links by themselves; "v1.2" and "a.m." are none.
_ENDINGS = (
    "com|net|org|info|biz|io|app|dev|shop|store|site|online|link|me|ly|gl|kr|jp|cn|us|uk|eu|au|sg"
    "|co|gov|edu|example|test"
)
_LINK = re.compile(
    r"(?P<email>(?<![A-Za-z0-9._%+-])(?:mailto:)?[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})"
    r"|(?P<url>(?:https?:)?//[^\s<>\"'()\[\]{}“”‘’«»|\\^`\u3131-\u318e\uac00-\ud7a3]+)"
    rf"|(?P<bare>(?<![A-Za-z0-9@._/-])(?:[A-Za-z0-9-]{{1,63}}\.)+(?:{_ENDINGS})(?![A-Za-z0-9-])"
    r"(?:/[^\s<>\"'()\[\]{}“”‘’|\u3131-\u318e\uac00-\ud7a3]*)?)",
    re.IGNORECASE,
)


class Link(NamedTuple):
    """An address in a text: a web page's, or (with `is_email`) a mailbox's."""

    text: str
    host: str  # lower case; empty if the address is broken
    path: str
    is_email: bool
    span: tuple[int, int]


def links(text: str) -> Iterator[Link]:
    """Every address in a Markdown or plain text, also those that are not marked up as links."""
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".,;:!?…*_~")
        span = (match.start(), match.start() + len(address))
        if match["email"]:
            mailbox = address.removeprefix("mailto:")
            yield Link(mailbox, mailbox.rpartition("@")[2].lower(), "", True, span)
            continue
        host, path = _host_and_path(address if "//" in address else f"//{address}")
        yield Link(address, host, path, False, span)


def _host_and_path(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:  # such as an unclosed [ of an IPv6 address
        return "", ""
    return (parts.hostname or "").rstrip("."), parts.path


def is_within(host: str, domains: Collection[str]) -> bool:
    """Whether `host` is one of the domains or below one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in map(str.lower, domains))
