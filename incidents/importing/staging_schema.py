"""The schema in which imports create their staging tables."""

from django.db import connection

# For accounts that do not own the portal's tables. They may create nothing in the schema of those
# tables: an operator there would be executed by the triggers and by every other account.
STAGING_SCHEMA = "breachportal_staging"
_NAME = """
SELECT CASE WHEN has_schema_privilege(current_schema(), 'CREATE')
    THEN quote_ident(current_schema()) ELSE %s END
"""


def name() -> str:
    """Returns the quoted name of the schema for the staging tables of this database account.

    The owner's staging tables are in the schema of the portal's tables, because an exposures table
    may become a partition there.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NAME, [STAGING_SCHEMA])
        return str(cursor.fetchone()[0])
