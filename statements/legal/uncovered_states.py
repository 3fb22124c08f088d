"""The laws of the states of the US that no law file checks (`uncovered/us-states.toml`)."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, Strict

from foundations import toml_files
from foundations.toml_files import Localized, Text, TomlTable
from statements.legal import laws

_FILE = Path(__file__).parent / "uncovered" / "us-states.toml"
_COUNTRY = "US-"


class UncoveredState(TomlTable):
    """The table [[state]]: a state or territory, and where its law stands."""

    code: Text  # as a jurisdiction: US-TX
    name: Localized
    statute: Text  # its citation


class _States(TomlTable):
    mark: Text
    state: Annotated[tuple[UncoveredState, ...], Strict(False), Field(min_length=1)]


def uncovered_states(jurisdictions: list[str]) -> list[UncoveredState]:
    """Returns the states whose law is not checked in an incident with these jurisdictions.

    Empty for an incident that names nothing of the United States. A state that a law file of the
    company covers is left out.
    """
    if not any(name.startswith(_COUNTRY) for name in jurisdictions):
        return []
    covered = laws.jurisdictions()
    return [state for state in _states() if state.code not in covered]


@cache
def _states() -> tuple[UncoveredState, ...]:
    return toml_files.load(_FILE, _States).state
