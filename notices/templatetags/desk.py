"""The filter `in_words` of the desk's templates: it translates a stored message of the ledger."""

from django import template

from notices import ledger_messages

register = template.Library()
register.filter("in_words", ledger_messages.translate_ledger_message)
