"""The check that PostgreSQL's own log does not receive personal data.

PostgreSQL logs a failed statement with its values, and the row that broke a constraint. The portal
avoids errors that visitors can cause, but a lock that is not obtained in time is enough. Only a
superuser of the database can switch this off; deploy/postgresql/breachportal.conf does.
"""

from django.db import connection

# The values of PostgreSQL's settings with which no value of a row is logged.
WITHOUT_VALUES = {
    "log_error_verbosity": ("terse",),
    "log_min_error_statement": ("fatal", "panic"),
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_transaction_sample_rate": ("0",),
    "log_parameter_max_length_on_error": ("0",),
}


def settings_with_values() -> dict[str, str]:
    """Returns the settings of the server that log values of rows, and their values.

    Raises DatabaseError if the database cannot be reached.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [list(WITHOUT_VALUES)]
        )
        return {name: value for name, value in cursor if value not in WITHOUT_VALUES[name]}
