"""The desk's pages for notices: published words, sending, and proof for a regulator."""

from notices.admin import published, regulators, sending

__all__ = ["published", "regulators", "sending"]
