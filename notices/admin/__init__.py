"""The desk's pages for notices: published words, sending, and what comes back."""

from notices.admin import published, reports, returned, sending

__all__ = ["published", "reports", "returned", "sending"]
