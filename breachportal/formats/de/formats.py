"""German formats: full dates, and times with their zone. No-break spaces stand around "Uhr"."""

DATE_FORMAT = "j. F Y"
TIME_FORMAT = "H:i\u00a0\\U\\h\\r"
DATETIME_FORMAT = f"j. F Y, {TIME_FORMAT}\u00a0T"
