"""A read-only API about the work on incidents, for programs of the company's security team.

docs/desk-api.md describes it. Each app has the records of its own tables; this package has the
tokens, the answers and the audit trail.
"""
