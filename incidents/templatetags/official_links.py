"""The filter that makes the numbers and offices in a step of a country links."""

import re

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from incidents.country_steps import links_by_text

register = template.Library()


@register.filter
def official_links(text: str) -> SafeString:
    """Returns a step as HTML. Its links are those of `country_steps.toml`; another text has none.

    A team writes its own steps, so no other text is searched for what looks like a link.
    """
    html = conditional_escape(text)
    links = links_by_text().get(str(text), {})
    if not links:
        return html
    words = "|".join(map(re.escape, links))
    linked = re.sub(words, lambda found: _link(found[0], links), html)
    return mark_safe(linked)  # noqa: S308  # the text was escaped above


def _link(word: str, links: dict[str, str]) -> SafeString:
    return format_html('<a href="{}" rel="noreferrer">{}</a>', links[word], word)
