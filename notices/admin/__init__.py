"""The desk's pages for notices: published words, and sending."""

from notices.admin import published, sending

__all__ = ["published", "sending"]
