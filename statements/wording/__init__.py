"""The wording lint, and the parity check of two languages.

Both are pure functions over texts. docs/legal-checks.md lists the rules and their reasons.
"""

from statements.wording.linting import has_rules, lint, no_rules
from statements.wording.parity_check import parity
from statements.wording.rules import RULES

__all__ = ["RULES", "has_rules", "lint", "no_rules", "parity"]
