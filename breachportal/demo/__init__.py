"""The demonstration for demo mode: sample data, a mailbox, and staff who can sign in."""
