"""The desk's pages for notices: published words, and sending."""

from notices.admin import published, reports, sending

__all__ = ["published", "reports", "sending"]
