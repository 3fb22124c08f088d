"""What the desk's templates show of messages that are stored in English."""

from django import template

from notices import own_words

register = template.Library()
register.filter("in_words", own_words.in_words)
