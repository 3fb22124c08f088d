"""One result of a check of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters. A fault harms people or data; a warning may."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Diagnosis:
    """What a check found, and what to do about it; `remedy` is "" if all is well.

    Neither text contains a secret or personal data.
    """

    level: Level
    text: str
    remedy: str = ""

    @classmethod
    def ok(cls, text: str) -> "Diagnosis":
        """Returns a finding that needs no action."""
        return cls(Level.OK, text)

    @classmethod
    def warning(cls, text: str, remedy: str) -> "Diagnosis":
        """Returns a finding that a person should look at."""
        return cls(Level.WARNING, text, remedy)

    @classmethod
    def fault(cls, text: str, remedy: str) -> "Diagnosis":
        """Returns a finding that must be corrected."""
        return cls(Level.FAULT, text, remedy)
