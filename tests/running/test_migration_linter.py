"""No migration stops readers, or breaks the version that runs beside it during an upgrade."""

import uuid
from pathlib import Path

import pytest
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.migrations.state import ProjectState

from foundations.migration_sql import run_sql
from tests.running import migration_linter

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not migration_linter.SQUAWK,
        reason="squawk is not installed; `make lint-deploy` installs it",
    ),
]
POSITIVE = models.CheckConstraint(condition=models.Q(size__gt=0), name="size_is_positive")


def migration(*operations, atomic=True, **attributes) -> migrations.Migration:
    attributes |= {"operations": list(operations), "atomic": atomic}
    return type("Migration", (migrations.Migration,), attributes)("0002_change", "incidents")


def tables() -> ProjectState:
    """Returns the state with two tables that earlier migrations made."""
    state = ProjectState()
    for name, fields in (("owner", []), ("parcel", [("size", models.IntegerField(null=True))])):
        key = ("id", models.BigAutoField(primary_key=True))
        options = {"indexes": [models.Index(fields=["size"], name="of_size")]} if fields else {}
        migrations.CreateModel(name, [key, *fields], options).state_forwards("incidents", state)
    return state


def add(**field) -> migrations.AddField:
    [(name, value)] = field.items()
    return migrations.AddField("parcel", name, value)


def nothing(apps, schema_editor) -> None:
    """Does nothing."""


def test_every_migration_of_the_portal_is_safe():
    found = {
        f"{one.app_label}.{one.name}": migration_linter.faults(one, before)
        for one, before in migration_linter.released()
    }
    assert {name: rules for name, rules in found.items() if rules} == {}


BAD = {
    "a default that PostgreSQL computes for each row": (
        add(token=models.UUIDField(db_default=RandomUUID())),
        "adding-field-with-default",
    ),
    "a default that only the new version knows": (
        add(token=models.UUIDField(default=uuid.uuid4)),
        "ban-drop-default",
    ),
    "another type": (
        migrations.AlterField("parcel", "size", models.TextField(null=True)),
        "changing-column-type",
    ),
    "an index that stops writers": (
        migrations.AddIndex("parcel", models.Index(fields=["size"], name="by_size")),
        "require-concurrent-index-creation",
    ),
    "the end of an index": (
        migrations.RemoveIndex("parcel", "of_size"),
        "require-concurrent-index-deletion",
    ),
    "NOT NULL after a scan": (
        migrations.AlterField("parcel", "size", models.IntegerField(db_default=1)),
        "adding-not-nullable-field",
    ),
    "a check after a scan": (
        migrations.AddConstraint("parcel", POSITIVE),
        "constraint-missing-not-valid",
    ),
    "a unique column": (
        add(code=models.CharField(max_length=9, null=True, unique=True)),
        "disallowed-unique-constraint",
    ),
    "another name of a column": (
        migrations.RenameField("parcel", "size", "weight"),
        "renaming-column",
    ),
    "another name of a table": (migrations.RenameModel("parcel", "packet"), "renaming-table"),
    "the end of a column": (migrations.RemoveField("parcel", "size"), "ban-drop-column"),
    "the end of a table": (migrations.DeleteModel("parcel"), "ban-drop-table"),
    "SQL that locks": (
        migrations.RunSQL("ALTER TABLE incidents_parcel ALTER COLUMN size TYPE bigint;", ""),
        "changing-column-type",
    ),
    "SQL without a way back": (migrations.RunSQL("SELECT 1;"), "no-way-back"),
    "Python without a way back": (migrations.RunPython(nothing), "no-way-back"),
    "Python in one transaction": (
        migrations.RunPython(nothing, nothing),
        "python-in-one-transaction",
    ),
}


@pytest.mark.parametrize(("operation", "rule"), BAD.values(), ids=BAD)
def test_each_kind_of_unsafe_migration_is_refused(operation, rule):
    assert rule in migration_linter.faults(migration(operation), tables())
    hidden = migrations.SeparateDatabaseAndState(database_operations=[operation])
    assert rule in migration_linter.faults(migration(hidden), tables())


GOOD = {
    "a column that may be empty": [add(note=models.TextField(null=True))],
    "a column with a default that stays": [add(note=models.TextField(db_default=""))],
    "a table with an index and a check": [
        migrations.CreateModel(
            "box",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("size", models.IntegerField(db_index=True)),
            ],
            {"constraints": [POSITIVE]},
        )
    ],
    "a check of new rows": [AddConstraintNotValid("parcel", POSITIVE)],
}


@pytest.mark.parametrize("operations", GOOD.values(), ids=GOOD)
def test_a_safe_migration_passes(operations):
    assert migration_linter.faults(migration(*operations), tables()) == []


def test_what_scans_in_steps_passes():
    state = tables()
    AddConstraintNotValid("parcel", POSITIVE).state_forwards("incidents", state)
    operations = [
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS by_size ON incidents_parcel (size);",
            "DROP INDEX CONCURRENTLY IF EXISTS by_size;",
            state_operations=[
                migrations.AddIndex("parcel", models.Index(fields=["size"], name="by_size"))
            ],
        ),
        ValidateConstraint("parcel", POSITIVE.name),
        RemoveIndexConcurrently("parcel", "of_size"),
        migrations.RunPython(nothing, nothing),
    ]
    assert migration_linter.faults(migration(*operations, atomic=False), state) == []


def test_what_cannot_run_twice_is_refused_outside_a_transaction():
    """A run that was broken off begins again at the first statement."""
    index = AddIndexConcurrently("parcel", models.Index(fields=["size"], name="by_size"))
    column = add(note=models.TextField(null=True))
    for operation in (index, column):
        rules = migration_linter.faults(migration(operation, atomic=False), tables())
        assert rules == [migration_linter.ROBUST]
    assert migration_linter.faults(migration(column), tables()) == []


def test_an_exception_has_a_reason_and_a_use():
    drop = migrations.RemoveField("parcel", "size")

    def rules(**exceptions) -> list[str]:
        named = {rule.replace("_", "-"): why for rule, why in exceptions.items()}
        return migration_linter.faults(migration(drop, lint_exceptions=named), tables())

    assert rules(ban_drop_column="no version since 0.3 reads it") == []
    assert rules(ban_drop_column="") == ["exception without reason: ban-drop-column"]
    assert rules(ban_drop_column="so", renaming_column="so") == [
        "exception without use: renaming-column"
    ]


def test_sql_that_cannot_be_read_is_an_error():
    broken = migrations.RunSQL("ALTR TABLE incidents_parcel;", "")
    with pytest.raises(RuntimeError, match="Squawk cannot read line"):
        migration_linter.faults(migration(broken), tables())


def test_the_sql_files_of_the_portal_can_be_read():
    """A later migration replaces triggers and functions by such files."""
    for path in sorted(Path(__file__).parents[2].glob("*/migrations/sql/*.sql")):
        assert migration_linter.faults(migration(run_sql(path)), tables()) in ([], ["no-way-back"])
