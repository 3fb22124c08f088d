"""Punctuation that templates set: blanks between sentences, and colons after labels.

Japanese and Chinese have no blank after a punctuation mark; French has one before a colon.
"""

import re

from django.template import Library, Node, NodeList
from django.template.base import Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext

register = Library()
# Each of these marks is as wide as a character and holds the blank that follows it.
_AFTER_WIDE_MARK = re.compile(r"(?<=[。！？：；，、」』）])[ \n]+")


def close_up(text: str) -> str:
    """Removes the blanks that follow a full-width punctuation mark, in any language."""
    return _AFTER_WIDE_MARK.sub("", text)


class _Sentences(Node):
    def __init__(self, nodes: NodeList) -> None:
        self.nodelist = nodes

    def render(self, context: Context) -> SafeString:
        return mark_safe(close_up(self.nodelist.render(context)))  # noqa: S308  # it was safe


@register.simple_tag
def colon() -> str:
    """Returns the colon between a label and its value, with the blanks of the active language."""
    return pgettext("between a label and its value", ": ")


@register.tag
def sentences(parser: Parser, _token: Token) -> Node:
    """Renders the block without blanks after full-width marks: {% sentences %}…{% endsentences %}.

    It stands around sentences that a template joins with a blank, and around nothing that a visitor
    typed.
    """
    nodes = parser.parse(("endsentences",))
    parser.delete_first_token()
    return _Sentences(nodes)
