"""One file a noun's family: published words, alerts, sending."""

from notices.models.alerts import AlertSubscription
from notices.models.published import (
    Advisory,
    DutyWaiver,
    Section,
    Statement,
    StatementVersion,
    TimelineEntry,
)
from notices.models.sending import Chunk, Delivery, Notice, NoticeMessage, TestAddress

__all__ = [
    "Advisory",
    "AlertSubscription",
    "Chunk",
    "Delivery",
    "DutyWaiver",
    "Notice",
    "NoticeMessage",
    "Section",
    "Statement",
    "StatementVersion",
    "TestAddress",
    "TimelineEntry",
]
