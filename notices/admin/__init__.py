"""The desk's pages for notices: sending, what comes back, proof."""

from notices.admin import notices, suppressions, versions

__all__ = ["notices", "suppressions", "versions"]
