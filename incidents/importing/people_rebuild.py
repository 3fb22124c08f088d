"""Builds a new table of people beside the one in use, and replaces the old one at the end.

This is the fast way to add very many people: several processes sort them, each index is built in
one pass over finished rows, and each foreign key is checked in one pass. During this time readers
use the old table and do not wait. Only the exchange locks readers out, for some milliseconds. The
definition of the table, except its columns, is read from the catalogue and not repeated here.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

PEOPLE, _NEW = "incidents_affectedperson", "incidents_affectedperson_new"
COLUMNS = (
    "id, relation, language, email_reach, phone_reach, email_index, phone_index, contact, "
    "incident_id, file_id"
)

# Only the owner of a table may replace it. The new table would lack these: storage options,
# triggers, rules, policies, views, publications, and privileges on single columns.
_IS_POSSIBLE = """
SELECT pg_has_role(relowner, 'USAGE')
    AND reloptions IS NULL AND NOT relhasrules AND NOT relrowsecurity
    AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL)
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
    AND NOT EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = c.oid)
    AND NOT EXISTS (
        SELECT FROM pg_depend WHERE refobjid = c.oid AND classid = 'pg_rewrite'::regclass
    )
FROM pg_class c WHERE c.oid = %s::regclass
"""
_OWNER = "SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = %s::regclass"
_PRIVILEGES = """
SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    privilege_type, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM pg_class, aclexplode(relacl) WHERE oid = %s::regclass AND grantee <> relowner
"""
_TRAITS = """
SELECT format('ADD CONSTRAINT %%I %%s', conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'n')
UNION ALL
SELECT format('ALTER COLUMN %%I SET NOT NULL', attname) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull AND NOT EXISTS (
    SELECT FROM pg_constraint  -- PostgreSQL 18 keeps them there
    WHERE conrelid = attrelid AND contype = 'n' AND attnum = ANY (conkey)
)
"""
_KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype IN ('p', 'u')
"""
_INDEXES = """
SELECT c.relname, substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*')
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass AND NOT i.indisunique
"""
_FOREIGN_KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'f'
"""
_REFERENCES = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE confrelid = %s::regclass AND contype = 'f' AND conparentid = 0
"""
_LEAVES = "SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf"


class RebuiltPeople:
    """The new table of people. No other process uses it before the exchange.

    The caller is in a transaction and calls `fill`, `complete` and `exchange` in this order.
    """

    table = _NEW

    @staticmethod
    def is_possible() -> bool:
        """Returns whether the table can be replaced without a loss.

        It cannot if this account does not own it, or if it has something that the new table would
        lack (see _IS_POSSIBLE).
        """
        return bool(_rows(_IS_POSSIBLE, [PEOPLE])[0][0])

    def fill(self, new_people: str) -> int:
        """Fills the new table with the people of a query and all stored people.

        `new_people` is an SQL query with the columns in COLUMNS. Returns the number of people that
        it gives. From this call to the commit, other processes may read people but not
        write them.
        """
        _run(f"LOCK TABLE {PEOPLE} IN SHARE ROW EXCLUSIVE MODE")
        _run(f"DROP TABLE IF EXISTS {_NEW}")
        added = _run(f"CREATE TABLE {_NEW} AS SELECT {COLUMNS} FROM ({new_people}) AS p")  # noqa: S608
        _run(f"INSERT INTO {_NEW} ({COLUMNS}) SELECT {COLUMNS} FROM {PEOPLE}")  # noqa: S608
        return added

    def complete(self) -> None:
        """Gives the new table the privileges, constraints and indexes of the old one."""
        self._give_rights()
        traits = ", ".join(trait for (trait,) in _rows(_TRAITS, [PEOPLE, PEOPLE]))
        _run(f"ALTER TABLE {_NEW} {traits}")
        for name, definition in _rows(_KEYS, [PEOPLE]):
            _run(f'ALTER TABLE {_NEW} ADD CONSTRAINT "{name}_new" {definition}')
        for name, definition in _rows(_INDEXES, [PEOPLE]):
            _run(f'CREATE INDEX "{name}_new" ON {_NEW}{definition}')
        _run(f"ANALYZE {_NEW}")
        for name, definition in _rows(_FOREIGN_KEYS, [PEOPLE]):
            _run(f'ALTER TABLE {_NEW} ADD CONSTRAINT "{name}" {definition}')
        for table, _, definition in _rows(_REFERENCES, [PEOPLE]):
            # Partitions may be large. The foreign key of their parent will find these and then
            # checks no rows again.
            for (leaf,) in _rows(_LEAVES, [table]):
                _run(f"ALTER TABLE {leaf} ADD {to_new(definition)}")

    def _give_rights(self) -> None:
        for role, _, _ in _rows(
            _PRIVILEGES, [_NEW]
        ):  # default privileges, which the old table may lack
            _run(f"REVOKE ALL ON {_NEW} FROM {role}")
        [[new_owner], [old_owner]] = _rows(_OWNER, [_NEW]), _rows(_OWNER, [PEOPLE])
        if new_owner != old_owner:
            _run(f"ALTER TABLE {_NEW} OWNER TO {old_owner[0]}")
        for role, privilege, grantable in _rows(_PRIVILEGES, [PEOPLE]):
            _run(f"GRANT {privilege} ON {_NEW} TO {role}{grantable}")

    def exchange(self) -> list[str]:
        """Returns the SQL statements that replace the old table with the new one."""
        names = [name for name, _ in _rows(_KEYS, [PEOPLE])]
        indexes = [name for name, _ in _rows(_INDEXES, [PEOPLE])]
        references = _rows(_REFERENCES, [PEOPLE])
        return [
            *(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name, _ in references),
            f"DROP TABLE {PEOPLE}",
            f"ALTER TABLE {_NEW} RENAME TO {PEOPLE}",
            *(f'ALTER TABLE {PEOPLE} RENAME CONSTRAINT "{n}_new" TO "{n}"' for n in names),
            *(f'ALTER INDEX "{name}_new" RENAME TO "{name}"' for name in indexes),
            *(
                f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'
                for table, name, definition in references
            ),
        ]


def to_new(definition: str) -> str:
    """Returns the definition of a foreign key to people, changed to reference the new table."""
    return definition.replace(f"REFERENCES {PEOPLE}(", f"REFERENCES {_NEW}(")


def _rows(statement: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _run(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
