"""The findings of a review or a lint: one objection each, and whether it blocks publishing."""

from dataclasses import dataclass, replace

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# A lazy string is translated when it is shown, because the code that makes a finding may run in
# another language than its reader's.
Translatable = str | Promise


class Severity(models.TextChoices):
    """The effect of a finding or an unmet duty: it blocks publishing, or it only warns."""

    BLOCK = "block", _("blocks publishing")
    WARN = "warn", _("warning")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One objection to a statement: the rule, the place, the reason and a suggestion."""

    # A lint rule (`hedge`), the id of a duty (`kr-pipa-data-items`), or one of publishing's own
    # rules (`second_person`).
    rule: str
    severity: Severity
    why: Translatable
    suggestion: Translatable = ""
    # The words that the finding is about, and their start and end index in the checked text.
    quote: str = ""
    span: tuple[int, int] | None = None
    # The language of the text; empty if the finding is about all languages.
    language: str = ""
    # A Section.Key, or another key from the caller, such as "title". Empty if the finding is about
    # the whole statement.
    section: str = ""

    @property
    def blocks(self) -> bool:
        """Returns whether the finding prevents publishing."""
        return self.severity == Severity.BLOCK

    def in_section(self, key: str) -> "Finding":
        """Returns a copy of the finding that is about the section with this key."""
        return replace(self, section=key)
