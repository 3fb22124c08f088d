"""Incidents on the response desk. What leaked of people is neither listed nor opened here."""

from incidents.admin import batches, contact_changes, data_classes, incidents, people, uploads

__all__ = ["batches", "contact_changes", "data_classes", "incidents", "people", "uploads"]
