"""The desk's pages for notices: sending, what comes back, proof."""

from notices.admin import returned, sending, versions

__all__ = ["returned", "sending", "versions"]
