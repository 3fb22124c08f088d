"""Looks at a file before it is loaded: what it is, what its columns hold, what refuses it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from incidents.importing import examining, profile_report, profiling
from incidents.importing.column_profiles import FileProfile
from incidents.importing.findings import ColumnFinding, findings
from incidents.importing.mapping import ColumnMapping
from incidents.importing.placeholders import NULLS
from incidents.importing.profile_report import FileReport
from incidents.importing.profiling import Report
from incidents.importing.reading import Declared, Source


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What was seen of a file. Nothing of it is stored."""

    source: Source
    region: str  # of phone numbers without a country code; "" if no incident is named
    profile: FileProfile
    report: FileReport
    findings: list[ColumnFinding]  # refuse an import that does not accept them


def preview(
    path: Path,
    *,
    mapping: ColumnMapping | None = None,
    encoding: str = "",
    region: str = "",
    languages: Sequence[str] = (),
    bound: int = profile_report.SHARED_BOUND,
    refuse: Callable[[Source], None] = lambda _: None,
    report: Report = lambda _: None,
) -> Preview:
    """Returns what a file holds. Without `mapping` there are no findings.

    `region` is that of phone numbers without a country code, if the mapping names none.
    `languages` are those of the incident; without them, languages are counted and not judged.
    `bound` is the number of people that may share a contact: Incident.shared_contact_bound.
    `refuse` is called with what the file is, before its rows are read. `report` is called after
    each block with the rows that were read so far. Raises ImportRefusedError if the file cannot be
    read, or if `refuse` raises it.
    """
    region = (mapping and mapping.region) or region
    source = examining.examine(path, encoding, mapping.declared() if mapping else Declared())
    refuse(source)
    profile = profiling.profile(
        source,
        report,
        region=region,
        languages=mapping.language_columns() if mapping else (),
        mapped=mapping.profiled_contacts() if mapping else (),
    )
    return Preview(
        source=source,
        region=region,
        profile=profile,
        report=profile_report.report(
            profile,
            source,
            bound=bound,
            nulls=mapping.nulls if mapping else NULLS,
            languages=languages,
        ),
        findings=findings(profile, mapping, source, languages=languages) if mapping else [],
    )
