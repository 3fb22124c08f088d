"""Counts the entries whose owner no contact shows.

An entry with a name only, or with a landline that gets no codes, is found by no sign-in. Its owner
may not read that they are not among the leaked data. So the entries are counted when the scope
changes, and the portal says how many there are. See docs/decisions/0081.

What an uncertain cell may mean is kept (incidents.uncertain_contacts), so that its owner is known
well enough. If nothing of it can be kept, the import adds an UnreadContact without any contact.
"""

from collections import defaultdict

from django.db import connection

from incidents.models import ExposureBatch, Incident, Unlinked

# A person is in the first closed version that holds them. One of whom only the reference stands in
# a file that leaked has no exposure. Reach: 3 unusable, 4 landline. Relation: 3 recipient, who has
# no member number. A row that is taken shows the owner if all that it adds here has an index.
_PEOPLE = """
WITH closed AS MATERIALIZED (
    SELECT f.id, b.id AS batch FROM incidents_exposurefile f
    JOIN incidents_exposurebatch b ON b.id = f.batch_id
    WHERE b.incident_id = %(incident)s AND b.state = 'closed'
), shown AS MATERIALIZED (
    SELECT u.person_key FROM incidents_unreadcontact u
    JOIN incidents_exposurefile f ON f.id = u.file_id
    WHERE f.incident_id = %(incident)s AND f.state = 'loaded' AND u.person_key IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM incidents_rejectedrow r WHERE r.file_id = u.file_id AND r.line = u.line
        )
    GROUP BY u.person_key, u.file_id, u.line
    HAVING bool_and(u.email_index IS NOT NULL OR u.phone_index IS NOT NULL)
), unlinked AS (
    SELECT p.id, p.file_id, p.relation = 3 AS is_recipient FROM incidents_affectedperson p
    WHERE p.incident_id = %(incident)s AND p.email_index IS NULL
        AND (p.phone_index IS NULL OR p.phone_reach = 4)
        AND (p.email_reach <> 3 AND p.phone_reach <> 3 OR p.id IN (
            SELECT u.person_key FROM incidents_unreadcontact u
            JOIN incidents_exposurefile f ON f.id = u.file_id
            WHERE f.incident_id = %(incident)s AND f.state = 'loaded'
                AND u.person_key IS NOT NULL AND u.email_index IS NULL AND u.phone_index IS NULL
        ))
        AND NOT EXISTS (
            SELECT FROM incidents_furthercontact c
            WHERE c.person_id = p.id AND (c.kind = 1 OR p.phone_index IS NULL)
        )
        AND NOT EXISTS (SELECT FROM shown s WHERE s.person_key = p.id)
), exposed AS MATERIALIZED (
    SELECT u.id, u.is_recipient, min(c.batch) AS batch FROM unlinked u
    JOIN incidents_exposure e ON e.person_id = u.id JOIN closed c ON c.id = e.file_id
    GROUP BY u.id, u.is_recipient
), by_file AS MATERIALIZED (
    SELECT c.id, c.batch, u.is_recipient, count(*) AS people
    FROM unlinked u JOIN closed c ON c.id = u.file_id
    WHERE u.id NOT IN (SELECT id FROM exposed) GROUP BY c.id, c.batch, u.is_recipient
)
SELECT batch, coalesce(sum(people) FILTER (WHERE NOT is_recipient), 0)::bigint,
    coalesce(sum(people) FILTER (WHERE is_recipient), 0)::bigint
FROM (
    SELECT batch, is_recipient, count(*) AS people FROM exposed GROUP BY batch, is_recipient
    UNION ALL SELECT batch, is_recipient, people FROM by_file b
    WHERE EXISTS (SELECT FROM incidents_exposure e WHERE e.file_id = b.id)
) counted GROUP BY batch
"""
# Rows that were taken for their first person; a rejected row counts as unread.
_RECIPIENTS = """
SELECT b.id, 0, count(*) FROM incidents_unreadcontact u
JOIN incidents_exposurefile f ON f.id = u.file_id AND f.state = 'loaded'
JOIN incidents_exposurebatch b ON b.id = f.batch_id AND b.state = 'closed'
WHERE b.incident_id = %(incident)s AND u.person_key IS NULL
    AND u.email_index IS NULL AND u.phone_index IS NULL
    AND NOT EXISTS (
        SELECT FROM incidents_rejectedrow r WHERE r.file_id = u.file_id AND r.line = u.line
    )
GROUP BY b.id
"""


def count_unlinked(incident: Incident) -> None:
    """Counts the entries without a contact again, and stores the counts in the scope versions.

    Runs in the transaction that closes or withdraws a scope version, or corrects rows of one.
    """
    for batch, counted in _counted(incident):
        if counted != Unlinked(batch.people_unlinked, batch.recipients_unlinked):
            ExposureBatch.objects.filter(pk=batch.pk).update(
                people_unlinked=counted.people, recipients_unlinked=counted.recipients
            )


def unlinked_differences(incident: Incident) -> list[str]:
    """Returns a line for each stored count that differs from a recount. Changes nothing."""
    return [
        f"{batch.code}: {stored.entries:,} entries without a contact kept, "
        f"{counted.entries:,} counted"
        for batch, counted in _counted(incident)
        if counted != (stored := Unlinked(batch.people_unlinked, batch.recipients_unlinked))
    ]


def _counted(incident: Incident) -> list[tuple[ExposureBatch, Unlinked]]:
    """Returns each scope version with its count; that of one that is not closed is 0."""
    people, rows = _by_batch(_PEOPLE, incident), _by_batch(_RECIPIENTS, incident)
    return [
        (batch, Unlinked(*map(sum, zip(people[batch.pk], rows[batch.pk], strict=True))))
        for batch in ExposureBatch.objects.filter(incident=incident).order_by("number")
    ]


def _by_batch(statement: str, incident: Incident) -> defaultdict[int, Unlinked]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"incident": incident.pk})
        found = {batch: Unlinked(*counts) for batch, *counts in cursor.fetchall()}
    return defaultdict(lambda: Unlinked(0, 0), found)
