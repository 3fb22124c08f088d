"""The send engine: it turns an approved notice into one end state for each recipient. See
docs/sending.md.

People's decisions about a notice are in `notices.decisions`. The Celery tasks are in
`notices.tasks`.
"""
