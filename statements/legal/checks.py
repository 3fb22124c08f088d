"""The system check of the law files: `manage.py check` and every command report their mistakes."""

from typing import Any

from django.core.checks import CheckMessage, Error

from incidents.models import IncidentJurisdiction
from statements.legal import laws


def check_laws(**_options: Any) -> list[CheckMessage]:
    """Returns an error for each mistake in a law file, also in those of settings.LAW_FOLDER.

    Returns one error if the files and IncidentJurisdiction.Name list different jurisdictions.
    """
    try:
        on_file = {duty.jurisdiction for duty in laws.load_duties(laws.LEGAL)}
        laws.all_duties()  # with the company's own files
    except laws.LegalFileError as error:
        return [Error(problem, id="statements.E001") for problem in error.problems]
    unmatched = on_file ^ set(IncidentJurisdiction.Name.values)
    if unmatched:
        names = ", ".join(sorted(unmatched))
        text = f"statements/legal/ and IncidentJurisdiction.Name do not name the same: {names}."
        return [Error(text, hint="Add it to the other, or take it out.", id="statements.E002")]
    return []
