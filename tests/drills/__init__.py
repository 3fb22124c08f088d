"""Drills: the send engine under what kills other senders. See docs/drills.md.

Each drill runs the product as it starts, sends to a mail server in another process, breaks
something, and in the end compares that server's log with the ledger, person by person.
"""
