"""Incidents on the response desk. No page shows values that leaked of people."""

from incidents.admin import batches, contact_changes, data_classes, incidents, people, uploads

__all__ = ["batches", "contact_changes", "data_classes", "incidents", "people", "uploads"]
