"""The send engine: from an approved notice to what became of every message. See docs/sending.md.

The decisions of people are in `notices.decisions`, what Celery runs is in `notices.tasks`.
"""
