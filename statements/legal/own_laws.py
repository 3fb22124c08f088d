"""The law files of the company, in settings.LAW_FOLDER: the jurisdictions that only they name.

A company may lose such a file while an incident still names its jurisdiction. Pages then say so.
"""

from incidents.models import Incident, IncidentJurisdiction
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


def standings_of(incident: Incident) -> dict[str, str]:
    """Returns the standing of each jurisdiction of the incident whose law is on file."""
    on_file = laws.jurisdictions()
    rows = incident.jurisdictions.values_list("jurisdiction", "standing")
    return {name: standing for name, standing in rows if name in on_file}


def without_law(incident: Incident) -> list[str]:
    """Returns the jurisdictions of the incident without a law on file, sorted.

    Their duties and clocks are not known.
    """
    named = incident.jurisdictions.values_list("jurisdiction", flat=True)
    return sorted(set(named) - laws.jurisdictions().keys())
