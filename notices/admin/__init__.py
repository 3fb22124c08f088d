"""The desk's pages for notices, deliveries, the suppression list and proof of delivery."""

from notices.admin import deliveries, notices, suppressions, versions

__all__ = ["deliveries", "notices", "suppressions", "versions"]
