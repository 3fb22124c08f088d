"""The shared parts of tests, drills and benchmarks: synthetic people, sign-in, real processes.

This package may import any app. No app imports it, and it imports neither `tests` nor `benchmarks`.
"""
