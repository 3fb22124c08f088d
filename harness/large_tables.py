"""Fills the tables of which the desk has lists, with as many rows as a nation's incident has.

The rows come from INSERT … SELECT generate_series, not from an import: a list decrypts no value of
them, so that ciphertexts are empty and blind indexes are random.
"""

from dataclasses import dataclass

from django.db import connection

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
    """Fills the tables with rows of the notice and its incident, then runs ANALYZE."""
    values = {"incident": notice.incident_id, "notice": notice.pk, **vars(sizes)}
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
        cursor.execute("ANALYZE")


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
        SELECT gen_random_uuid(), %(incident)s, 1, 'ko', 1, 1, gen_random_uuid(),
            gen_random_uuid(), ''
        FROM generate_series(1, %(people)s)""",
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
