"""What the portal's account may do in the database, and the check that it may do no more.

The owner of the tables migrates. The account of the running portal is another one: it can neither
remove the triggers that protect published texts, nor change or delete rows that prove something.
`manage.py grant_portal_role` grants its privileges.
"""

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from psycopg import sql

from breachportal import database_logs
from incidents.importing.staging_schema import STAGING_SCHEMA

logger = logging.getLogger(__name__)

# Tables of proof. The portal adds rows; it may change these columns only, and delete no row.
# Triggers protect the rows that become proof later, such as a published version or a filed report.
PROOF_TABLES: dict[str, tuple[str, ...]] = {
    "accounts_companyidentity": (
        *("removed_by_id", "removed_at", "allowed_by_id", "allowed_at"),
        *("mailed_at", "mail_tries", "mail_after"),
    ),
    "accounts_invitation": (
        *("confirmed_by_id", "confirmed_at", "token_hash", "expires_at", "sent_at"),
        *("user_id", "accepted_at", "withdrawn_at"),
    ),
    "accounts_invitation_groups": (),
    "accounts_rightsgrant": ("confirmed_by_id", "confirmed_at", "withdrawn_at"),
    "accounts_rightsgrant_groups": (),
    "incidents_batchwithdrawal": ("confirmed_by_id", "confirmed_at", "withdrawn_at"),
    "incidents_datadeletion": ("position", "people", "rows", "done_at"),
    "incidents_factchange": ("confirmed_by_id", "confirmed_at", "withdrawn_at"),
    "incidents_writeoff": ("confirmed_by_id", "confirmed_at", "withdrawn_at"),
    "incidents_retentiondecision": ("confirmed_by_id", "confirmed_at", "withdrawn_at"),
    "incidents_reveal": ("user_id",),  # becomes NULL if the user closes the account
    "notices_certificate": (),
    "notices_latereport": (),
    "notices_ledgerdigest": (),
    "notices_ledgerdigestpage": (),
    "notices_letter": ("exported_at", "posted_on", "reason", "returned_on"),
    "notices_milestone": (),
    "notices_publicfigures": (),
    "notices_resend": ("sent_at", "refused", "mail_tries", "mail_after"),
    "offers_offertaking": ("user_id",),  # becomes NULL if the user closes the account
    "offers_poolcode": ("taken_at", "ciphertext"),
    "statements_dutyconfirmation": ("withdrawn_by_id", "withdrawn_at", "withdrawn_reason"),
    "statements_withdrawnwaiver": (),
    "tickets_ticket": (
        *("state", "changed_at", "due_on", "answered_at", "extended_at", "assigned_to_id"),
        "user_id",  # becomes NULL if the user closes the account
    ),
    "tickets_ticketmessage": ("ciphertext", "mailed_at", "mail_tries", "mail_after"),
}
# The database's own functions write the audit trail; the portal reads it and calls two of them.
AUDIT_TABLE = "accounts_auditentry"
AUDIT_FUNCTIONS = (
    "accounts_audit_record(text, text, text, bigint, jsonb, text)",
    "accounts_audit_link(integer)",
)
# They delete what only belongs to a shredded incident.
PURGE_FUNCTIONS = (
    "incidents_purge_reveals(bigint, uuid[])",
    "incidents_purge_partition(bigint)",
)
READ_TABLES = ("django_migrations", AUDIT_TABLE)

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
# True if the account owns a table of proof, is a superuser, or was granted too much. With CREATE in
# the schema of the tables it could create operators that the triggers then use.
_MAY_TOO_MUCH = """
SELECT has_schema_privilege(current_schema(), 'CREATE') OR bool_or(
    has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE')
    OR has_table_privilege(c.oid, 'UPDATE') OR pg_has_role(c.relowner, 'MEMBER')
) FROM pg_class c WHERE c.oid = ANY (%s::regclass[])
"""


def grant_import(role: str) -> None:
    """Grants to `role` what imports need besides: to create their staging tables.

    They have a schema of their own. An operator in the schema of the portal's tables would be
    executed by the triggers and by every other account.
    """
    names = {"schema": sql.Identifier(STAGING_SCHEMA), "role": sql.Identifier(role)}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}").format(**names))
        cursor.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}").format(**names))


def grant(role: str) -> None:
    """Grants the privileges of the running portal to `role`, and revokes all others it has.

    The connection must be of the owner of the tables. Running it again is safe; it is necessary
    after each migration. Raises ProgrammingError if the role does not exist or the connection is
    not the owner's.
    """
    name, schema = sql.Identifier(role), _schema()
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [table for (table,) in cursor.fetchall()]
        for text in (
            "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        ):
            cursor.execute(sql.SQL(text).format(schema=schema, role=name))
        for table in tables:
            for statement in _grants(table):
                cursor.execute(statement.format(table=sql.Identifier(table), role=name))
        for function in (*AUDIT_FUNCTIONS, *PURGE_FUNCTIONS):
            execute = sql.SQL(f"GRANT EXECUTE ON FUNCTION {{schema}}.{function} TO {{role}}")
            cursor.execute(execute.format(schema=schema, role=name))


def _schema() -> sql.Identifier:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return sql.Identifier(cursor.fetchone()[0])


def _grants(table: str) -> list[sql.SQL]:
    """Returns the GRANT statements for one table; they lack its name and the role's."""
    if table in READ_TABLES:
        return [sql.SQL("GRANT SELECT ON {table} TO {role}")]
    if table not in PROOF_TABLES:
        return [sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}")]
    statements = [sql.SQL("GRANT SELECT, INSERT ON {table} TO {role}")]
    if columns := PROOF_TABLES[table]:
        listed = ", ".join(columns)
        statements.append(sql.SQL(f"GRANT UPDATE ({listed}) ON {{table}} TO {{role}}"))
    return statements


def may_change_proof() -> bool:
    """Returns whether the connection's account may change or delete rows that prove something.

    The audit trail is included. Raises DatabaseError if the database cannot be reached or is not
    migrated.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MAY_TOO_MUCH, [[*PROOF_TABLES, AUDIT_TABLE]])
        return bool(cursor.fetchone()[0])


def refuse_without_staging() -> None:
    """Raises ImproperlyConfigured if the account cannot create the staging tables of imports.

    Logs a warning if the database cannot be asked.
    """
    may_create = "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s"
    try:
        with connection.cursor() as cursor:
            cursor.execute(may_create, [STAGING_SCHEMA])
            found = cursor.fetchone()
    except DatabaseError as error:
        _log_unchecked(error)
        return
    finally:
        connection.close()
    if not (found and found[0]):
        raise ImproperlyConfigured(
            "The account in DATABASE_URL cannot import files. Give this process the account of"
            " imports, or run `manage.py grant_portal_role ACCOUNT --import`; see docs/running.md."
        )


def _log_unchecked(error: DatabaseError) -> None:
    why = str(error).strip().partition("\n")[0]
    logger.warning("the privileges of the database account could not be checked: %s", why)


def refuse_owner() -> None:
    """Raises ImproperlyConfigured if the account may change what proves something.

    Logs a warning if the database cannot be asked, because public pages must not need it, and if
    PostgreSQL's log receives values of rows.
    """
    try:
        too_much = may_change_proof()
        if logged := database_logs.settings_with_values():
            logger.warning("PostgreSQL's log may receive personal data: %s", ", ".join(logged))
    except DatabaseError as error:
        _log_unchecked(error)
        return
    finally:
        connection.close()
    if too_much:
        raise ImproperlyConfigured(
            "The account in DATABASE_URL may change or delete rows that prove something. Run"
            " `manage.py grant_portal_role ACCOUNT` as the owner of the tables, and give ACCOUNT to"
            " the portal; see docs/running.md."
        )
