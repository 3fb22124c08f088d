"""The table of people made anew beside the one in use, and put into its place at the end.

Very many people are added that way: they are sorted by several processes at once, each index is
made in one pass over finished rows, and each foreign key is checked in one. Whoever reads people
meanwhile reads the old table and waits for nobody; only the exchange shuts readers out, for some
milliseconds. What the table is (columns aside) is read from the catalogue, not repeated here.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

PEOPLE, _NEW = "incidents_affectedperson", "incidents_affectedperson_new"
COLUMNS = (
    "id, relation, language, email_reach, phone_reach, email_index, phone_index, contact, "
    "incident_id"
)

# Who does not own the table may not replace it. What would be lost with it: options, triggers,
# rules, policies, views, publications, and privileges of single columns.
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
    """People, old and new, in a table that nobody knows before it is put into place.

    To be used inside a transaction, its methods in their order.
    """

    table = _NEW

    @staticmethod
    def is_possible() -> bool:
        """False for whoever does not own the table, or if something would be lost with it."""
        return bool(_rows(_IS_POSSIBLE, [PEOPLE])[0][0])

    def fill(self, new_people: str) -> int:
        """Takes what a query gives and everybody who is there; returns how many are new.

        From now to the commit others may read people, and not write them.
        """
        _run(f"LOCK TABLE {PEOPLE} IN SHARE ROW EXCLUSIVE MODE")
        _run(f"DROP TABLE IF EXISTS {_NEW}")
        added = _run(f"CREATE TABLE {_NEW} AS SELECT {COLUMNS} FROM ({new_people}) AS p")  # noqa: S608
        _run(f"INSERT INTO {_NEW} ({COLUMNS}) SELECT {COLUMNS} FROM {PEOPLE}")  # noqa: S608
        return added

    def complete(self) -> None:
        """Gives the new table everything that the old one has."""
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
            # Partitions may be large; their parent's own key will find these and check nothing.
            for (leaf,) in _rows(_LEAVES, [table]):
                _run(f"ALTER TABLE {leaf} ADD {to_new(definition)}")

    def _give_rights(self) -> None:
        for role, _, _ in _rows(_PRIVILEGES, [_NEW]):  # by default, and maybe not on the old one
            _run(f"REVOKE ALL ON {_NEW} FROM {role}")
        [[mine], [theirs]] = _rows(_OWNER, [_NEW]), _rows(_OWNER, [PEOPLE])
        if mine != theirs:
            _run(f"ALTER TABLE {_NEW} OWNER TO {theirs[0]}")
        for role, privilege, grantable in _rows(_PRIVILEGES, [PEOPLE]):
            _run(f"GRANT {privilege} ON {_NEW} TO {role}{grantable}")

    def exchange(self) -> list[str]:
        """The statements that put the new table into the old one's place."""
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
    """A foreign key's definition that points to the new table instead."""
    return definition.replace(f"REFERENCES {PEOPLE}(", f"REFERENCES {_NEW}(")


def _rows(statement: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _run(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
