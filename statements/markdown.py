"""Markdown in statements: a safe subset of HTML for pages, and plain text for messages."""

import textwrap
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

LINK_SCHEMES = {"https", "mailto", "tel"}
_TAGS = {"p", "br", "hr", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "a"} | {
    *("h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
# A section's own heading is an h2, so headings in its text start at h3.
_DEMOTED = {f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)}
# Raw HTML and the addresses of images are shown as text, so that nothing disappears unnoticed.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@lru_cache(maxsize=512)  # there are few published texts, and millions of people read them
def render(text: str) -> SafeString:
    """Returns Markdown as HTML with the elements of an allow-list only.

    Headings start at h3. A link is an https, mailto or tel address.
    """
    return _clean(_html(_PARSER.parse(text)))


@lru_cache(maxsize=512)
def list_items(text: str) -> tuple[SafeString, ...]:
    """Returns the HTML of each item of the first list in the Markdown; empty without a list."""
    for block in SyntaxTreeNode(_PARSER.parse(text)).children:
        if block.type in ("bullet_list", "ordered_list"):
            return tuple(_clean(_html(item.to_tokens()[1:-1])) for item in block.children)
    return ()


def plain(text: str) -> str:
    """Returns Markdown as plain text: no markup, list items with a marker.

    The address of a link follows its text in parentheses.
    """
    return _plain_block(SyntaxTreeNode(_PARSER.parse(text))).strip()


def _html(tokens: list[Token]) -> str:
    for token in tokens:
        token.tag = _DEMOTED.get(token.tag, token.tag)
    return str(RendererHTML().render(tokens, _PARSER.options, {}))


def _clean(html: str) -> SafeString:
    """Removes all elements that are not allowed.

    This is a second protection, because the parser already creates no other elements.
    """
    return mark_safe(  # noqa: S308
        nh3.clean(
            html,
            tags=_TAGS,
            attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
            url_schemes=LINK_SCHEMES,
            url_relative="deny",
            link_rel="noopener",
        ).strip()
    )


def _plain_block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "inline":
            return _plain_inline(node)
        case "bullet_list":
            return "\n".join(_plain_item(item, "- ") for item in node.children)
        case "ordered_list":
            first = int(node.attrs.get("start", 1))
            numbered = enumerate(node.children, first)
            return "\n".join(_plain_item(item, f"{number}. ") for number, item in numbered)
        case "fence" | "code_block":
            return node.content.rstrip()
        case "tr":
            return " | ".join(_plain_block(cell) for cell in node.children)
        case "thead" | "tbody" | "table" | "list_item":
            return "\n".join(_plain_block(child) for child in node.children)
        case _:
            return "\n\n".join(filter(None, map(_plain_block, node.children)))


def _plain_item(item: SyntaxTreeNode, marker: str) -> str:
    indent = " " * len(marker)
    return marker + textwrap.indent(_plain_block(item), indent).removeprefix(indent)


def _plain_inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            return _plain_link(node)
        case _:
            return "".join(map(_plain_inline, node.children))


def _plain_link(node: SyntaxTreeNode) -> str:
    text = "".join(map(_plain_inline, node.children))
    scheme, _, rest = str(node.attrs["href"]).partition(":")
    if scheme not in LINK_SCHEMES:
        return text
    address = f"https:{rest}" if scheme == "https" else rest
    return text if text == address else f"{text} ({address})"
