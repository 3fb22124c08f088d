"""What a check of a statement finds, and whether it keeps the statement from being published."""

from dataclasses import dataclass, replace

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Translated when shown: a finding may be made by a task and read by an editor of another language.
Translatable = str | Promise


class Severity(models.TextChoices):
    """Whether a finding, or an unmet duty, blocks publishing."""

    BLOCK = "block", _("blocks publishing")
    WARN = "warn", _("warning")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One objection: what, where, why, and a better way to say it."""

    # A rule of the wording lint (`hedge`), or the id of a duty (`kr-pipa-data-items`).
    rule: str
    severity: Severity
    why: Translatable
    suggestion: Translatable = ""
    # The objectionable words, and where they stand in the text that was checked.
    quote: str = ""
    span: tuple[int, int] | None = None
    # "ko" or "en"; empty if the finding is about the whole statement.
    language: str = ""
    # A Section.Key, or whatever key the caller gave; empty if about the whole statement.
    section: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it keeps the statement from being published."""
        return self.severity == Severity.BLOCK

    def in_section(self, key: str) -> "Finding":
        """The same finding, said of one section."""
        return replace(self, section=key)
