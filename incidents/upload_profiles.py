"""The profile of an upload as it is stored: JSON, with what the columns probably mean.

It holds masked examples and the names of columns. It is encrypted like the content, and deleted
with it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from incidents.importing.mapping_writing import Choices
from incidents.importing.profile_report import ColumnReport, FileReport


@dataclass(frozen=True, kw_only=True)
class UploadProfile:
    """What the response team sees of an upload before anything of it is loaded."""

    report: FileReport
    choices: Choices  # the guesses, or what a person chose

    def with_examples(self) -> list[tuple[ColumnReport, list[str]]]:
        """Returns each column with its cells of the first rows, masked."""
        rows = self.report.first_rows
        return [
            (column, [row[place] for row in rows])
            for place, column in enumerate(self.report.columns)
        ]

    def translated(self, translate: Callable[[str], str]) -> "UploadProfile":
        """Returns the profile with each stored sentence as `translate` gives it."""
        report = self.report
        columns = [
            replace(
                column,
                kinds=[(share, translate(kind)) for share, kind in column.kinds],
                remarks=[translate(remark) for remark in column.remarks],
            )
            for column in report.columns
        ]
        report = replace(
            report,
            found=translate(report.found),
            remarks=[translate(remark) for remark in report.remarks],
            advice=[translate(advice) for advice in report.advice],
            columns=columns,
        )
        return replace(self, report=report)


def to_json(report: FileReport, choices: Choices) -> bytes:
    """Returns what is stored of a profile."""
    stored = {"report": asdict(report), "choices": asdict(choices)}
    return json.dumps(stored, ensure_ascii=False).encode(errors="replace")


def from_json(stored: bytes) -> UploadProfile:
    """Returns the profile that `to_json` wrote."""
    content = json.loads(stored)
    report = content["report"]
    columns = [ColumnReport(**column) for column in report.pop("columns")]
    return UploadProfile(
        report=FileReport(**report, columns=columns), choices=Choices(**content["choices"])
    )
