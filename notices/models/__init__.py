"""One file a noun's family: published words, alerts, sending, reports of scams."""

from notices.models.alerts import AlertSubscription
from notices.models.certificates import Certificate
from notices.models.proof import Milestone, PublicFigures
from notices.models.published import (
    Advisory,
    DutyWaiver,
    Section,
    Statement,
    StatementVersion,
    TimelineEntry,
    WithdrawnWaiver,
)
from notices.models.regulators import DutyConfirmation, RegulatorReport
from notices.models.returned import LateReport, ReturnedMail, Suppression
from notices.models.seals import LedgerPage, LedgerSeal
from notices.models.sending import Chunk, Delivery, Notice, NoticeMessage, TestAddress

__all__ = [
    "Advisory",
    "AlertSubscription",
    "Certificate",
    "Chunk",
    "Delivery",
    "DutyConfirmation",
    "DutyWaiver",
    "LateReport",
    "LedgerPage",
    "LedgerSeal",
    "Milestone",
    "Notice",
    "NoticeMessage",
    "PublicFigures",
    "RegulatorReport",
    "ReturnedMail",
    "Section",
    "Statement",
    "StatementVersion",
    "Suppression",
    "TestAddress",
    "TimelineEntry",
    "WithdrawnWaiver",
]
