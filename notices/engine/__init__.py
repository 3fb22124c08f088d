"""The send engine: from an approved notice to what became of every message. See docs/sending.md.

What people decide comes in by `notices.sending`, Celery's turns by `notices.tasks`.
"""
