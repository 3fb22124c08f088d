"""The desk's pages for notices: published words, sending, and what comes back."""

from notices.admin import published, returned, sending

__all__ = ["published", "returned", "sending"]
