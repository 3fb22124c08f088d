"""Fills the tables of which the desk has lists, with as many rows as a nation's incident has.

The rows come from INSERT … SELECT generate_series, not from an import: a list decrypts no value of
them, so that ciphertexts are empty and blind indexes are random. No trigger fires and no foreign
key is checked meanwhile, and of a large filling the indexes are built after the rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from notices.models import Notice


@dataclass(frozen=True, kw_only=True)
class TableSizes:
    """How many rows each table gets."""

    people: int  # and as many deliveries
    suppressed: int  # and as many letters
    users: int  # customers who signed in, each with a verified phone and a second factor
    others: int  # late reports, shared contacts and scam reports

    @classmethod
    def of(cls, people: int) -> "TableSizes":
        """Returns the sizes that go with so many people: a twentieth of the addresses is bad."""
        return cls(people=people, suppressed=people // 20, users=people // 10, others=people // 100)


def fill(notice: Notice, sizes: TableSizes) -> None:
    """Fills the tables with rows of the notice and its incident, then runs ANALYZE.

    The database's account has to be a superuser. After an error the database is as before.
    """
    values = {"incident": notice.incident_id, "notice": notice.pk, **vars(sizes)}
    with transaction.atomic(), connection.cursor() as cursor, _bulk_settings(cursor):
        if sizes.people < _LARGE:
            _insert(cursor, values)
        else:
            with _without_indexes(cursor):
                _insert(cursor, values)
        cursor.execute("ANALYZE")


_LARGE = 100_000  # people


def _insert(cursor: CursorWrapper, values: dict[str, int]) -> None:
    for statement in _STATEMENTS:
        cursor.execute(statement, values)


@contextmanager
def _bulk_settings(cursor: CursorWrapper) -> Iterator[None]:
    """Context manager: no trigger fires inside. After an error the rollback ends the settings."""
    names = ("session_replication_role", "synchronous_commit", "maintenance_work_mem")
    for name, value in zip(names, ("replica", "off", "512MB"), strict=True):
        cursor.execute(f"SET {name} = {value!r}")
    yield
    for name in names:
        cursor.execute(f"RESET {name}")


@contextmanager
def _without_indexes(cursor: CursorWrapper) -> Iterator[None]:
    """Context manager: the tables have no index inside but those of their constraints.

    After an error the rollback brings the indexes back.
    """
    cursor.execute(_INDEXES, [list(_TABLES)])
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        cursor.execute(definition)


_TABLES = (
    *("accounts_user", "accounts_verifiedphone", "mfa_authenticator"),
    *("incidents_sharedcontact", "incidents_affectedperson", "scams_scamreport"),
    *("notices_delivery", "notices_latereport", "notices_letter", "notices_suppression"),
)
_INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisprimary
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""
_STATEMENTS = (
    """INSERT INTO accounts_user (password, is_superuser, email, name, language, is_staff,
            is_active, created_at)
        SELECT '', false, 'm' || n || '@people.example', '', 'ko', false, true, now()
        FROM generate_series(1, %(users)s) n""",
    """INSERT INTO accounts_verifiedphone (user_id, number, verified_at)
        SELECT id, '+8210' || (10000000 + id), now() FROM accounts_user WHERE NOT is_staff
        ON CONFLICT DO NOTHING""",
    """INSERT INTO mfa_authenticator (user_id, type, data, created_at)
        SELECT id, 'totp', '{}', now() FROM accounts_user WHERE NOT is_staff
        ON CONFLICT DO NOTHING""",
    """INSERT INTO incidents_sharedcontact (incident_id, kind, contact_index, people)
        SELECT %(incident)s, 'email', gen_random_uuid(), 10 + n %% 1000
        FROM generate_series(1, %(others)s) n""",
    """INSERT INTO incidents_affectedperson (id, incident_id, relation, language, email_reach,
            phone_reach, email_index, phone_index, contact)
        SELECT lpad(to_hex(n), 32, '0')::uuid, %(incident)s, 1, 'ko', 1, 1, gen_random_uuid(),
            gen_random_uuid(), ''
        FROM generate_series(1, %(people)s) n""",
    """INSERT INTO notices_delivery (notice_id, recipient, person_id, state, language, attempts,
            is_possible_duplicate, reply, doubt_cause, data_classes)
        SELECT %(notice)s, id, id, 'accepted', 'ko', 1, false, '', '', '{1}'
        FROM incidents_affectedperson
        ON CONFLICT DO NOTHING""",
    """INSERT INTO notices_latereport (delivery_id, notice_id, kind, server_reply, at)
        SELECT id, notice_id, 'bounce', '550 no such user', now()
        FROM notices_delivery LIMIT %(others)s""",
    """INSERT INTO notices_letter (delivery_id, notice_id, exported_at, reason)
        SELECT id, notice_id, now(), '' FROM notices_delivery LIMIT %(suppressed)s""",
    """INSERT INTO notices_suppression (incident_id, channel, index, source, reason, added_at,
            lifted_reason)
        SELECT %(incident)s, 'email', gen_random_uuid(), 'bounce', '550 no such user', now(), ''
        FROM generate_series(1, %(suppressed)s)""",
    """INSERT INTO scams_scamreport (id, incident_id, reported_at, channel, state, ciphertext, same)
        SELECT gen_random_uuid(), %(incident)s, now() - n * interval '1 minute', 'sms', 'new', '',
            gen_random_uuid()
        FROM generate_series(1, %(others)s) n""",
)
