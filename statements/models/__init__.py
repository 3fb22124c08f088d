"""The models of statements, one file a noun."""

from statements.models.advisory import Advisory
from statements.models.duty_confirmation import DutyConfirmation
from statements.models.regulator_report import RegulatorReport
from statements.models.statement import Statement
from statements.models.timeline import TimelineEntry
from statements.models.version import Section, StatementVersion
from statements.models.waiver import DutyWaiver, WithdrawnWaiver

__all__ = [
    "Advisory",
    "DutyConfirmation",
    "DutyWaiver",
    "RegulatorReport",
    "Section",
    "Statement",
    "StatementVersion",
    "TimelineEntry",
    "WithdrawnWaiver",
]
