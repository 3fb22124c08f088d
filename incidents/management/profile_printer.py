"""Prints the profile of a file on a terminal."""

from collections.abc import Iterator

from incidents.importing.findings import ColumnFinding
from incidents.importing.profile_report import ColumnReport, FileReport

_WIDEST_NAME = 30


def lines_of(report: FileReport) -> Iterator[str]:
    """Yields the lines of a profile: the file, then each column with what is odd in it."""
    yield f"{report.found}."
    for remark in (*report.remarks, *report.advice):
        yield f"  ! {remark}"
    width = min(_WIDEST_NAME, max((len(one.name) for one in report.columns), default=0))
    for column in report.columns:
        yield from _column(column, width)


def _column(column: ColumnReport, width: int) -> Iterator[str]:
    kinds = ", ".join(f"{share} {kind}" for share, kind in column.kinds) or "nothing"
    examples = f"; such as {', '.join(column.examples)}" if column.examples else ""
    name = _printable(column.name)
    yield f"  {name:<{width}}  {column.filled:>5} filled: {kinds}{examples}"
    for remark in column.remarks:
        yield f"  {'':<{width}}  ! {remark}"


def lines_of_findings(findings: list[ColumnFinding], accepted: list[str]) -> Iterator[str]:
    """Yields a line for each finding, with the option that accepts it."""
    for finding in findings:
        if finding.code in accepted:
            yield f"Accepted: {finding.message}"
        else:
            yield f"Refused: {finding.message}"


def _printable(text: str) -> str:
    """Returns a column name without the characters that could change the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
