"""The law files of the company, in settings.LAW_FOLDER: the jurisdictions that only they name."""

from incidents.models import IncidentJurisdiction
from statements.legal import laws


def own_jurisdictions() -> list[tuple[str, str]]:
    """Returns (code, name of its first law) of each jurisdiction of the company's files only.

    These are choices of an incident. A mistake in a file is left to the system check.
    """
    try:
        found = laws.jurisdictions()
    except laws.LegalFileError:
        return []
    shipped = IncidentJurisdiction.Name.values
    return [(code, str(names[0])) for code, names in found.items() if code not in shipped]
