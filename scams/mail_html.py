"""Reads what a reader of an HTML mail sees, and what its links, pictures and forms open."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

_BLOCK_NAMES = """
address article aside blockquote body br button caption center dd div dl dt fieldset figure
footer form h1 h2 h3 h4 h5 h6 head header hr html img input legend li main nav ol option p pre
script section select style table tbody td textarea tfoot th thead title tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
# A style that shows no text and loads nothing, whatever a parser takes for its end.
_PLAIN_STYLE = re.compile(
    r"(?:(?!url|content|import|image-set)[\w\s.#:;,{}()%!@>*'\"+=-])*", re.IGNORECASE
)
_OPAQUE = re.compile(r"(?:data|javascript|vbscript|blob):", re.IGNORECASE)
_NAME = re.compile(r"[a-z]+(?:[:_-][a-z]+)*[1-6]?")  # of a tag or an attribute; others may be text
_TEXT_IN_END = re.compile(r"</[a-z][a-z0-9:-]*+(?!\s*>)", re.IGNORECASE)  # which a parser drops
_MOST_DECLARATIONS, _MOST_TAGS = 100, 10_000
_EDGES = "".join(map(chr, range(0x21)))  # a browser removes them around a target


def seen_of_html(html: str) -> tuple[str, bool]:
    """Returns the text of HTML with the values of all attributes; and whether it could be read."""
    end = html.rfind(">") + 1  # the parser takes quadratic time for tags without an end
    if html.count("<!") > _MOST_DECLARATIONS or html.count("<") > _MOST_TAGS:
        return unescape(html), False
    parser = _Parser()
    try:
        parser.feed(html[:end])
        parser.close()
    except AssertionError:  # a malformed declaration
        return unescape(html), False
    return "\n".join(["".join(parser.text), unescape(html[end:]), *parser.values]), (
        parser.is_whole and not _TEXT_IN_END.search(html)
    )


class _Parser(HTMLParser):
    """Collects the text and the attributes' values. Comments count: some programs show them."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.values: dict[str, None] = {}  # each once, in their order
        self.is_whole = True
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"
        self._separate(tag)
        is_text = not _NAME.fullmatch(tag)
        for name, value in attrs:
            is_plain = name == "style" and _PLAIN_STYLE.fullmatch(value or "")
            is_text |= not _NAME.fullmatch(name)
            if value and not is_plain and not name.startswith("xmlns"):
                self._keep(value)
        if is_text:
            self._keep(unescape(self.get_starttag_text() or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._is_style = False

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        if not (self._is_style and _PLAIN_STYLE.fullmatch(data)):
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self._keep(unescape(data))

    def handle_decl(self, decl: str) -> None:
        if decl.strip().lower() != "doctype html":
            self._keep(unescape(decl))

    def handle_pi(self, data: str) -> None:
        self._keep(unescape(data))

    def unknown_decl(self, data: str) -> None:
        self._keep(unescape(data))

    def _separate(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.text.append("\n")

    def _keep(self, value: str) -> None:
        """Keeps a value as it is shown, and as a browser opens it."""
        target = re.sub(r"[\t\n\r]", "", value).strip(_EDGES)
        self.is_whole &= not _OPAQUE.match(target)
        if re.match(r"[/\\]{2}", target):
            target = f"https:{target}"
        self.values |= dict.fromkeys((value.strip(), target, unquote(target)))
