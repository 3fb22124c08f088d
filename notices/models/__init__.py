"""The models of notices: one file for each noun."""

from notices.models.alert_number import AlertNumber
from notices.models.certificate import Certificate
from notices.models.chunk import Chunk
from notices.models.delivery import Delivery
from notices.models.delivery_receipt import DeliveryReceipt
from notices.models.destination import Destination
from notices.models.doubt import DoubtCause
from notices.models.late_report import LateReport
from notices.models.ledger_digest import LedgerDigest, LedgerDigestPage
from notices.models.letter import Letter
from notices.models.message import NoticeMessage
from notices.models.milestone import Milestone
from notices.models.notice import Notice
from notices.models.pacing import NoticeGroup, SendingPace
from notices.models.public_figures import PublicFigures
from notices.models.push_subscription import PushSubscription
from notices.models.resend import Resend
from notices.models.returned_mail import ReturnedMail
from notices.models.subscription import AlertSubscription
from notices.models.suppression import Suppression
from notices.models.test_address import TestAddress

__all__ = [
    "AlertNumber",
    "AlertSubscription",
    "Certificate",
    "Chunk",
    "Delivery",
    "DeliveryReceipt",
    "Destination",
    "DoubtCause",
    "LateReport",
    "LedgerDigest",
    "LedgerDigestPage",
    "Letter",
    "Milestone",
    "Notice",
    "NoticeGroup",
    "NoticeMessage",
    "PublicFigures",
    "PushSubscription",
    "Resend",
    "ReturnedMail",
    "SendingPace",
    "Suppression",
    "TestAddress",
]
