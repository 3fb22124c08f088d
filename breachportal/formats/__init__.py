"""Dates in full and times with their zone, in each language."""
