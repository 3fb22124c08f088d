"""Incidents on the response desk. No page shows values that leaked of people."""

from incidents.admin import (
    batch_withdrawals,
    batches,
    data_classes,
    fact_changes,
    incidents,
    people,
    retention,
    saved_mappings,
    shared_contacts,
    uploads,
    write_offs,
)

__all__ = [
    "batch_withdrawals",
    "batches",
    "data_classes",
    "fact_changes",
    "incidents",
    "people",
    "retention",
    "saved_mappings",
    "shared_contacts",
    "uploads",
    "write_offs",
]
