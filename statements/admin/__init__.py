"""The desk's pages for statements, duties and reports to authorities."""

from statements.admin import published, regulators

__all__ = ["published", "regulators"]
