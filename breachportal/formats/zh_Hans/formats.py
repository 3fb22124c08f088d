"""Formats of simplified Chinese: full dates, times with their zone, and digits in groups of three."""

DATE_FORMAT = "Y年n月j日"
DATETIME_FORMAT = "Y年n月j日 H:i T"
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
