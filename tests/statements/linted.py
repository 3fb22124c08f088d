"""The lint with the data classes of one language, for the tests of its wording rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incidents.models import Basis
from statements.findings import Finding
from statements.wording import lint


@dataclass(frozen=True)
class Linted:
    """Lints texts of one language; `involved` are the names of the leaked data classes."""

    language: str
    involved: Sequence[str]
    other: Sequence[str]

    def found(
        self, text: str, *, is_mandatory: bool = True, basis: Basis = Basis.COMPANY
    ) -> list[Finding]:
        """Returns the findings, by default in a mandatory text that the company states."""
        return lint(
            text,
            language=self.language,
            is_mandatory=is_mandatory,
            involved_classes=self.involved,
            other_classes=self.other,
            own_domains=["notice.hanbit.example"],
            basis=basis,
        )

    def rules(self, text: str, **options: Any) -> list[str]:
        """Returns the names of the rules that the text violates."""
        return [finding.rule for finding in self.found(text, **options)]
