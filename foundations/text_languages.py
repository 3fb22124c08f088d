"""Template tags that say in which language a text is, where it is not that of the page.

A text that people write appears in another language if it has none in the reader's
(LocalizedText.language_for). Screen readers and fonts need to know the language.
"""

from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_bidi, get_language_info

from foundations.languages import LocalizedText, is_kept_whole, shorter_codes, translated_name

register = template.Library()


@register.filter
def lang_attributes(text: object) -> SafeString:
    """Returns the attributes `lang` and `dir` of an element with the text, with a space before.

    Returns "" for a text in the language of the page.
    """
    code = other_language(text) if isinstance(text, LocalizedText) else ""
    if not code:
        return SafeString()
    is_from_right = _is_from_right(code)
    if is_from_right == get_language_bidi():
        return format_html(' lang="{}"', code)
    return format_html(' lang="{}" dir="{}"', code, "rtl" if is_from_right else "ltr")


@register.simple_tag
def word_break() -> str:
    """Returns the CSS value for a mail, which has no stylesheet, in the active language."""
    return "keep-all" if is_kept_whole(get_language() or "") else "normal"


@register.inclusion_tag("components/text_language.html", takes_context=True)
def text_language_note(context: Context, text: LocalizedText | None) -> dict[str, Any]:
    """Renders in which language the company's texts are, and links to the page in all of them.

    Renders nothing if `text`, which stands for all of them, has the language of the page. The
    context has `languages`, with the code, the name and the URL of the page in each.
    """
    code = other_language(text) if text else ""
    pages = context.get("languages") or []
    return {
        "language": translated_name(code) if code else "",
        "pages": [each for each in pages if text and text.get(each["code"])],
    }


def other_language(text: LocalizedText) -> str:
    """Returns the language in which a text appears; "" if it is that of the page."""
    active = get_language() or ""
    code = text.language_for(active)
    return "" if code in shorter_codes(active) else code


def _is_from_right(code: str) -> bool:
    try:
        return bool(get_language_info(code)["bidi"])
    except KeyError:
        return False
