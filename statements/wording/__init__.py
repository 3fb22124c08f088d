"""The wording of a statement: what the lint objects to, and whether both languages say the same.

Pure functions over texts; the rules and their reasons are listed in docs/legal-checks.md.
"""

from statements.wording.linting import lint
from statements.wording.parity_check import parity
from statements.wording.rules import RULES

__all__ = ["RULES", "lint", "parity"]
