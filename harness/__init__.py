"""What tests, drills and benchmarks share: made-up people, a signed-in browser, the real processes.

It may import any app; no app imports it, and it imports neither `tests` nor `benchmarks`.
"""
