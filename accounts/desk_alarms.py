"""What the desk says while sign-in codes by text message are limited."""

from django.utils.translation import gettext_lazy as _

BUDGET_USED_UP = _(
    "Sign-in codes by text message are being refused: CODE_TEXTS_PER_DAY, CODE_TEXT_COST_PER_DAY "
    "or the part of it for suspicious networks is used up. People can still sign in by e-mail."
)
BUDGET_RUNS_OUT = _(
    "Four fifths of the sign-in codes by text message of a day are used up: CODE_TEXTS_PER_DAY or "
    "CODE_TEXT_COST_PER_DAY."
)
