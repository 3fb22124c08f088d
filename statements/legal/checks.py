"""What `manage.py check`, and every start of a command, finds wrong with the files of the laws."""

from typing import Any

from django.core.checks import CheckMessage, Error

from incidents.models import IncidentJurisdiction
from statements.legal import laws


def check_laws(**_options: Any) -> list[CheckMessage]:
    """That every file of statements/legal/ can be read, and that incidents can name just these."""
    try:
        on_file = {duty.jurisdiction for duty in laws.load_duties(laws.LEGAL)}
    except laws.LegalFileError as error:
        return [Error(problem, id="notices.E001") for problem in error.problems]
    strange = on_file ^ set(IncidentJurisdiction.Name.values)
    if strange:
        names = ", ".join(sorted(strange))
        text = f"statements/legal/ and IncidentJurisdiction.Name do not name the same: {names}."
        return [Error(text, hint="Add it to the other, or take it out.", id="notices.E002")]
    return []
