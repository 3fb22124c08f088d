"""The desk's pages for notices: published words, sending, what comes back, and proof."""

from statements.admin import published, regulators
from notices.admin import returned, scam_reports, sending

__all__ = ["published", "regulators", "returned", "scam_reports", "sending"]
