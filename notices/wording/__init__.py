"""The wording of a statement: what the lint objects to, and whether both languages say the same.

Pure functions over texts; the rules and their reasons are listed in docs/legal-checks.md.
"""

from notices.wording.comparing import parity
from notices.wording.linting import lint
from notices.wording.rules import RULES

__all__ = ["RULES", "lint", "parity"]
