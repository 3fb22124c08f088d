"""The demonstration: sample data, a mailbox, and staff who can sign in. Demo mode only."""
