"""Counts the contacts that an incident records for more people than its bound allows.

A page decides about a contact by the rows themselves (incidents.own_rows). The send and the desk
need all shared contacts of an incident, so that they are counted when the scope changes.
"""

from django.db import connection

from incidents.models import Incident, SharedContact

# The contacts of too many people are few. So only these are compared with the exposures, to leave
# out people of withdrawn scope versions.
_COUNT = """
WITH contacts AS (
    SELECT 'email' AS kind, email_index AS contact_index, id AS person_id
    FROM incidents_affectedperson WHERE incident_id = %(incident)s AND email_index IS NOT NULL
    UNION ALL
    SELECT 'phone', phone_index, id
    FROM incidents_affectedperson WHERE incident_id = %(incident)s AND phone_index IS NOT NULL
    UNION ALL
    SELECT CASE f.kind WHEN 1 THEN 'email' ELSE 'phone' END, f.contact_index, f.person_id
    FROM incidents_furthercontact f JOIN incidents_affectedperson p ON p.id = f.person_id
    WHERE p.incident_id = %(incident)s
), many AS MATERIALIZED (
    SELECT kind, contact_index FROM contacts
    GROUP BY kind, contact_index HAVING count(*) > %(bound)s
)
INSERT INTO incidents_sharedcontact (incident_id, kind, contact_index, people)
SELECT %(incident)s, kind, contact_index, count(DISTINCT person_id)
FROM contacts JOIN many USING (kind, contact_index)
WHERE EXISTS (
    SELECT FROM incidents_exposure e
    JOIN incidents_exposurefile f ON f.id = e.file_id
    JOIN incidents_exposurebatch b ON b.id = f.batch_id
    WHERE e.person_id = contacts.person_id AND b.state <> 'withdrawn'
)
GROUP BY kind, contact_index HAVING count(DISTINCT person_id) > %(bound)s
"""


def count_shared_contacts(incident: Incident) -> None:
    """Counts the shared contacts of the incident again, and stores them.

    Runs in the transaction that closes or withdraws a scope version.
    """
    SharedContact.objects.filter(incident=incident).delete()
    bound = Incident.objects.values_list("shared_contact_bound", flat=True).get(pk=incident.pk)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"incident": incident.pk, "bound": bound})
