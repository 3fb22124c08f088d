"""The audit trail: who did what on the desk, by commands and by workers.

Triggers of the database record changes of rows (migrations/sql/audit.sql of each app); `acts`
records what changes no row. `chain` links the entries and verifies them, `digests` sends what shows
a later change. See docs/audit-trail.md.
"""
