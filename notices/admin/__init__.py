"""The desk's pages for notices: sending, what comes back, reports of scams, proof."""

from notices.admin import returned, scam_reports, sending, versions

__all__ = ["returned", "scam_reports", "sending", "versions"]
