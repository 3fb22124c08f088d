"""A read-only API in the form of Have I Been Pwned's version 3, for clients that exist.

The form is described at https://haveibeenpwned.com/API/v3; docs/api.md says what differs.
"""
