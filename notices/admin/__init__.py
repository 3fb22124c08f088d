"""The desk's pages for notices: published words, sending, what comes back, and proof."""

from notices.admin import published, regulators, reports, returned, sending

__all__ = ["published", "regulators", "reports", "returned", "sending"]
