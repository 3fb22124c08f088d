"""Lints migrations for locks and for changes that the version before does not survive.

During an upgrade two versions run side by side, and readers read while a migration runs (see
docs/decisions/0065-upgrades.md). Squawk, a parser of PostgreSQL's SQL with rules about locks, reads
the SQL of a migration. What is not SQL, the Python functions, is examined here.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from django.db import connection
from django.db.migrations import Migration, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from harness.product import BIN
from tests.house.test_imports import APPS

SQUAWK = shutil.which("squawk", path=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")
# These rules are about style; a transaction and a lock_timeout are the business of `migrate`.
STYLE = (
    "prefer-bigint-over-int,prefer-bigint-over-smallint,prefer-identity,"
    "prefer-text-field,prefer-timestamp-tz,ban-char-field,transaction-nesting,"
    "require-lock-timeout,require-statement-timeout"
)
# Outside a transaction a migration that was broken off begins again at its first statement, so each
# statement must be one that may run twice.
ROBUST = "prefer-robust-stmts"


def released() -> list[tuple[Migration, ProjectState]]:
    """Returns each migration of the portal that must be safe, and the state before it.

    A migration that makes an app's first tables changes no table that has rows, so it is exempt.
    """
    loader = MigrationLoader(connection)
    return [
        (migration, loader.project_state((app, name), at_end=False))
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in APPS and not migration.initial
    ]


def faults(migration: Migration, before: ProjectState) -> list[str]:
    """Returns the names of the rules that `migration` breaks and does not except.

    A migration excepts a rule by its attribute `lint_exceptions`, a dictionary from the rule to the
    reason. An exception without a reason or of a rule that holds is a fault itself. `before` is the
    state of the models before it.
    """
    broken = {*_of_python(migration), *_of_sql(_sql(migration, before), migration)}
    excepted: Mapping[str, str] = getattr(migration, "lint_exceptions", {})
    unused = {f"exception without use: {rule}" for rule in excepted if rule not in broken}
    bare = {f"exception without reason: {rule}" for rule, why in excepted.items() if not why}
    return sorted((broken - set(excepted)) | unused | bare)


def _of_python(migration: Migration) -> Iterator[str]:
    for operation in _flat(migration.operations):
        if isinstance(operation, RunPython | RunSQL) and not operation.reversible:
            yield "no-way-back"
        if isinstance(operation, RunPython) and migration.atomic:
            # One transaction for all rows locks each of them until the last one is written.
            yield "python-in-one-transaction"


def _flat(operations: Sequence[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _sql(migration: Migration, before: ProjectState) -> str:
    """Returns the SQL of the migration, without executing it."""
    # A connection of its own is in no transaction, in which some operations refuse to run.
    with (
        closing(connection.copy()) as own,
        own.schema_editor(collect_sql=True, atomic=False) as editor,
    ):
        migration.apply(before.clone(), editor, collect_sql=True)
    return "\n".join(editor.collected_sql)


def _of_sql(sql: str, migration: Migration) -> Iterator[str]:
    """Yields the rules of Squawk that `sql` breaks. Raises RuntimeError if it cannot read it."""
    transaction = ["--assume-in-transaction"] if migration.atomic else []
    excluded = f"{STYLE},{ROBUST}" if migration.atomic else STYLE
    done = subprocess.run(
        [str(SQUAWK), "--reporter", "json", "--exclude", excluded, *transaction],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    try:
        found = json.loads(done.stdout or "[]")
    except ValueError as error:
        raise RuntimeError(f"Squawk: {done.stdout}{done.stderr}") from error
    for one in found:
        if one["rule_name"] == "syntax-error":
            raise RuntimeError(f"Squawk cannot read line {one['line']}: {one['message']}")
        # A check that is validated already is not scanned again.
        is_repeatable = "VALIDATE CONSTRAINT" in sql.splitlines()[one["line"]]
        if one["rule_name"] != ROBUST or not is_repeatable:
            yield one["rule_name"]
