"""The formats of dates and times in each language."""
