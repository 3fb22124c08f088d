"""Japanese formats: full dates, times with their zone, and groups of three digits."""

DATE_FORMAT = "Y年n月j日"
DATETIME_FORMAT = "Y年n月j日 H:i T"
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
