"""The desk's pages for statements, duties and reports to authorities."""

from statements.admin import regulators, statements, timeline, versions

__all__ = ["regulators", "statements", "timeline", "versions"]
