"""Template filters that make an e-mail address or a telephone number a link.

The pages tell phones not to look for numbers themselves, because they would link codes, too.
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def tel_link(number: str) -> SafeString:
    """Returns a link that calls the number."""
    return format_html('<a href="tel:{0}">{0}</a>', number)


@register.filter
def mail_link(email: str) -> SafeString:
    """Returns a link that writes to the address."""
    return format_html('<a href="mailto:{0}">{0}</a>', email)
