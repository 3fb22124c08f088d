"""Drills: the send engine while its environment fails. See docs/drills.md.

Each drill starts the product, sends to a mail server in another process and breaks something. At
the end it compares the log of that server with the ledger, person by person.
"""
