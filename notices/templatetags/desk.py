"""What the desk's templates show of messages that are stored in English."""

from django import template

from notices import ledger_messages

register = template.Library()
register.filter("in_words", ledger_messages.translate_ledger_message)
