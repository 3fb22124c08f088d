"""Markdown as plain text, in which each character keeps its position in the source.

The lint must read "may **have**" as "may have", and decomposed Korean letters (NFD) as syllables.
Its findings still have to quote the source that the editor typed.
"""

import html
import re
import unicodedata
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

# The markup at the start of a line: quote marks, then a list marker, heading or table bar. A list
# number has up to three digits, because "2025. 11. 18." is a date, although Markdown reads a list.
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
_HAN_AND_KANA = "\u3040-\u30ff\u3400-\u9fff"
_CLOSING = "[\"'”’)\\]」』]*"
# Japanese and Chinese write no space after a sentence.
_END = re.compile(
    rf"\n|。+{_CLOSING}|[.!?…]+{_CLOSING}(?=\s|$)|[!?]+{_CLOSING}(?=[{_HAN_AND_KANA}])"
)
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|etc|cf|vs|approx|no|art|sec|civ|mr|mrs|ms|dr|st|inc|ltd|co|corp|[a-z]"
    r"|abs|bzw|ca|evtl|ggf|nr|tel|usw)\.$",  # German
    re.IGNORECASE,
)
_DAY = re.compile(r"(?:^|\D)\d{1,2}\.$")
_GERMAN_MONTH = re.compile(r" ?(?:Jan|Jän|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)")


class Sentence(NamedTuple):
    """A sentence, a list item or a heading."""

    text: str
    start: int  # index in the plain text


@dataclass(frozen=True)
class PlainText:
    """A text without markup, and for each character its start and end index in the source."""

    source: str
    text: str
    _starts: "array[int]"
    _ends: "array[int]"

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Returns the start and end index in the source of `text[start:end]`, not empty."""
        return self._starts[start], self._ends[end - 1]

    def sentences(self) -> Iterator[Sentence]:
        """Yields the sentences in order; none is blank."""
        start = 0
        for end in [*self._ends_of_sentences(), len(self.text)]:
            text = self.text[start:end]
            indent = len(text) - len(text.lstrip())
            if text.strip():
                yield Sentence(text.strip(), start + indent)
            start = end

    def _ends_of_sentences(self) -> Iterator[int]:
        for match in _END.finditer(self.text):
            if match[0] == "\n" or not self._is_within_sentence(match.start(), match.end()):
                yield match.end()

    def _is_within_sentence(self, stop: int, end: int) -> bool:
        """Returns whether a full stop ends no sentence: "Mr. Kim", "11. 18.", "18. Mai", "e.g."."""
        if self.text[stop] != ".":
            return False
        following = self.text[end:].lstrip(" ")[:1]
        if self.text[stop - 1 : stop].isdigit() and following.isdigit():
            return True
        before = self.text[max(0, stop - 10) : stop + 1]
        if _DAY.search(before) and _GERMAN_MONTH.match(self.text, end):
            return True
        return following.islower() or bool(_ABBREVIATION.search(before))


@lru_cache(maxsize=128)
def plain_text_of(source: str) -> PlainText:
    """Returns Markdown as plain text in NFKC, without the targets of links.

    The last results are kept: the lint and the comparison of languages read each text of a
    statement several times, and again for each page of its draft.
    """
    text, starts, ends = [], array("I"), array("I")
    for cluster, start, end in _clusters(_without_markup(source)):
        for sign in unicodedata.normalize("NFKC", cluster):
            text.append(sign)
            starts.append(start)
            ends.append(end)
    return PlainText(source, "".join(text), starts, ends)


class _TextPiece(NamedTuple):
    """A character of the plain text, or several that normalize as one, and its source range."""

    text: str
    start: int
    end: int


def _without_markup(source: str) -> Iterator[_TextPiece]:
    position, is_block_before = 0, True
    for line in source.splitlines(keepends=True):
        prefix = _PREFIX.match(line)
        marker = prefix["marker"].strip() if prefix else ""
        words = prefix.end() if prefix else 0
        is_blank = not line[words:].strip()
        if position:
            gap = "\n" if marker or is_blank or is_block_before else " "
            yield _TextPiece(gap, position - 1, position)
        yield from _inline(line[words:].rstrip(), position + words)
        is_block_before = is_blank or marker.startswith(("#", "|"))
        position += len(line)


def _inline(text: str, offset: int) -> Iterator[_TextPiece]:
    position = 0
    for markup in _MARKUP.finditer(text):
        for index in range(position, markup.start()):
            yield _TextPiece(text[index], offset + index, offset + index + 1)
        start, end = offset + markup.start(), offset + markup.end()
        if markup["entity"]:
            yield from (_TextPiece(sign, start, end) for sign in html.unescape(markup[0]))
        elif markup["bar"]:
            yield _TextPiece("\n", start, end)
        position = markup.end()
    for index in range(position, len(text)):
        yield _TextPiece(text[index], offset + index, offset + index + 1)


def _clusters(pieces: Iterator[_TextPiece]) -> Iterator[_TextPiece]:
    """Yields the characters that normalize as one together; leaves out invisible characters."""
    open_cluster: _TextPiece | None = None
    for piece in pieces:
        if unicodedata.category(piece.text) == "Cf":
            continue
        if open_cluster and _continues(piece.text):
            open_cluster = _TextPiece(open_cluster.text + piece.text, open_cluster.start, piece.end)
            continue
        if open_cluster:
            yield open_cluster
        open_cluster = piece
    if open_cluster:
        yield open_cluster


def _continues(sign: str) -> bool:
    """Returns whether it belongs to the previous character: an accent, a Korean vowel or final."""
    return bool(unicodedata.combining(sign)) or "\u1160" <= sign <= "\u11ff"


# ---------------------------------------------------------------- links

# Only the top-level domains that mail programs turn into links. "v1.2" and "a.m." are no links.
_ENDINGS = (
    "com|net|org|info|biz|io|app|dev|shop|store|site|online|link|me|ly|gl|kr|jp|cn|us|uk|eu|au|sg"
    "|co|gov|edu|example|test"
)
# An address in ASCII ends at Korean, Japanese and Chinese words, which follow it without a
# space. A domain that begins with such a letter reaches to the next space.
_AFTER_ADDRESS = "\u3000-\u30ff\u3131-\u318e\u3400-\u9fff\uac00-\ud7a3\uff00-\uffef"
_NO_ADDRESS = r"\s<>\"'()\[\]{}“”‘’«»|\\^`"
_LINK = re.compile(
    r"(?P<email>(?<![A-Za-z0-9._%+-])(?:mailto:)?[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})"
    rf"|(?P<url>(?:https?:)?//[^{_NO_ADDRESS}{_AFTER_ADDRESS}]+|https?://[^{_NO_ADDRESS}]+)"
    rf"|(?P<bare>(?<![A-Za-z0-9@._/-])(?:[A-Za-z0-9-]{{1,63}}\.)+(?:{_ENDINGS})(?![A-Za-z0-9-])"
    rf"(?:/[^\s<>\"'()\[\]{{}}“”‘’|{_AFTER_ADDRESS}]*)?)",
    re.IGNORECASE,
)


class Link(NamedTuple):
    """A web address or, with `is_email`, an e-mail address in a text."""

    text: str  # without "mailto:"
    host: str  # lower case; empty if the address is malformed
    path: str
    is_email: bool
    span: tuple[int, int]  # start and end index in the text


def links(text: str) -> Iterator[Link]:
    """Yields every address in a Markdown or plain text, also those without link markup."""
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
    """Returns whether `host` is one of the domains or a subdomain of one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in map(str.lower, domains))
