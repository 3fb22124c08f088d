"""The access of the owner of the tables to the audit trail, for tests."""

from tests.running.test_database_role import run


def as_owner(statement: str, *values: object) -> None:
    """Executes a statement past the triggers, as only the owner of the tables can."""
    run("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
    run(statement, *values)
    run("ALTER TABLE accounts_auditentry ENABLE TRIGGER USER")
