"""Vietnamese formats: full dates, times with their zone, and groups of digits."""

DATE_FORMAT = r"\n\g\à\y j \t\h\á\n\g n \n\ă\m Y"
DATETIME_FORMAT = r"H:i T, \n\g\à\y j \t\h\á\n\g n \n\ă\m Y"
# Django's format of Vietnamese has a separator but no groups.
NUMBER_GROUPING = 3
