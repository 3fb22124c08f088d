"""French formats: full dates, and times with their zone. No-break spaces stand around the "h"."""

DATE_FORMAT = "j F Y"
TIME_FORMAT = "G\u00a0\\h\u00a0i"
DATETIME_FORMAT = f"j F Y \\à {TIME_FORMAT} T"
