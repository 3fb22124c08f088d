"""The SQL of the staging tables of one import; `incidents.importing.staging` runs it.

A name in braces is that of a table or of a part of the text, and is filled in before the text runs.
"""

from incidents.importing.person_rows import FIRST

# No incident has the id 0.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%s, 0)"
# `changes` and `contacts` hold what replaces exposures and contacts after the comparison of rows;
# `given` holds the contacts that this file gives of stored people; `again` holds the people who
# occur a second time, in this file or in the store. The tables are unlogged and not temporary,
# because PostgreSQL's parallel workers cannot read temporary tables.
TABLES = """
SET LOCAL work_mem = '64MB';
SET LOCAL maintenance_work_mem = '256MB';
SET LOCAL client_min_messages = warning;
SET LOCAL default_statistics_target = 20;
SET LOCAL client_connection_check_interval = '1s';
DROP TABLE IF EXISTS {people}, {exposures}, {second}, {mentions}, {further}, {rejects},
    {unread}, {changes}, {contacts}, {given}, {again};
CREATE UNLOGGED TABLE {people} (
    line int NOT NULL, slot smallint NOT NULL, digest bigint NOT NULL, person uuid NOT NULL,
    relation smallint NOT NULL, language varchar(12) NOT NULL, email_reach smallint NOT NULL,
    phone_reach smallint NOT NULL, email_index uuid, phone_index uuid, contact bytea NOT NULL
);
CREATE TABLE {exposures} (LIKE incidents_exposure INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
CREATE UNLOGGED TABLE {second} (LIKE incidents_exposure);
CREATE UNLOGGED TABLE {mentions} (line int NOT NULL, person uuid NOT NULL);
CREATE UNLOGGED TABLE {further} (
    line int NOT NULL, person uuid NOT NULL, kind smallint NOT NULL, contact_index uuid NOT NULL
);
CREATE UNLOGGED TABLE {rejects} (line int NOT NULL, reason text NOT NULL);
CREATE UNLOGGED TABLE {unread} (
    line int NOT NULL, person uuid, email_index uuid, phone_index uuid, name_index uuid
);
CREATE UNLOGGED TABLE {changes} (
    line int NOT NULL, person uuid NOT NULL, data_classes smallint[] NOT NULL, ciphertext bytea
);
CREATE UNLOGGED TABLE {contacts} (
    person uuid NOT NULL, contact bytea NOT NULL, email_reach smallint NOT NULL,
    phone_reach smallint NOT NULL, email_index uuid, phone_index uuid
);
CREATE UNLOGGED TABLE {given} (LIKE {contacts});
ALTER TABLE {given} ALTER contact DROP NOT NULL;
CREATE UNLOGGED TABLE {again} (person uuid NOT NULL, is_same boolean NOT NULL);
"""
DROP = """
DROP TABLE IF EXISTS {people}, {exposures}, {second}, {mentions}, {further}, {rejects},
    {unread}, {changes}, {contacts}, {given}, {again}
"""
RECORD_REJECTS = """
INSERT INTO incidents_rejectedrow (file_id, line, reason)
SELECT %s, line, reason FROM {rejects} ORDER BY line
"""
# Rows that other rows reject are staged, so their contacts are taken from there. A reference in
# conflict, or a placeholder, names no person; a recipient is known by the number itself.
DROP_REJECTED_PEOPLE = """
WITH dropped AS (
    DELETE FROM {people} t USING {rejects} r WHERE t.line = r.line
    RETURNING t.line, t.person, t.relation, t.email_index, t.phone_index
)
INSERT INTO {unread}
SELECT line, CASE WHEN {is_known} OR relation = 3 THEN person END, email_index, phone_index, NULL
FROM dropped WHERE email_index IS NOT NULL OR phone_index IS NOT NULL
"""
DROP_REJECTED_FURTHER = """
WITH dropped AS (
    DELETE FROM {further} t USING {rejects} r WHERE t.line = r.line
    RETURNING t.line, t.kind, t.contact_index
)
INSERT INTO {unread}
SELECT line, NULL, CASE kind WHEN 1 THEN contact_index END,
    CASE kind WHEN 2 THEN contact_index END, NULL
FROM dropped
"""
RECORD_UNREAD = """
INSERT INTO incidents_unreadcontact (
    file_id, line, person_key, email_index, phone_index, name_index
)
SELECT DISTINCT %s, line, person, email_index, phone_index, name_index FROM {unread}
"""
RECORD_UNCERTAIN = RECORD_UNREAD + "WHERE line NOT IN (SELECT line FROM {rejects})"  # noqa: S608
REJECT_UNKNOWN = """
INSERT INTO {rejects} SELECT line, %s FROM ({rows}) s
WHERE NOT EXISTS (
    SELECT FROM incidents_affectedperson WHERE id = s.person AND contact <> ''
)
"""
# A reference 0 may be the first of a series. If its rows differ, it stands for "no reference".
REJECT_ZEROS = f"""
WITH zero AS MATERIALIZED (
    SELECT line, person, digest FROM {{people}} WHERE slot = {FIRST} AND person = ANY(%s)
), shared AS (
    SELECT person FROM zero GROUP BY person HAVING min(digest) <> max(digest)
    UNION SELECT id FROM incidents_affectedperson WHERE id = ANY(%s) AND contact <> ''
)
INSERT INTO {{rejects}} SELECT line, %s FROM zero JOIN shared USING (person)
"""  # noqa: S608
# The people of the rows in a file without contacts.
ROWS_WITHOUT_CONTACT = """
SELECT line, person_id AS person FROM {exposures} UNION ALL SELECT line, person FROM {mentions}
"""
ROWS_WITH_CONTACT = f"SELECT line, person FROM {{people}} WHERE slot = {FIRST}"  # noqa: S608
# Those of whom the file gives values and no contact, and those whose contact a withdrawal emptied,
# but of whom another file holds data.
COUNT_JOINED = """
SELECT count(*) FROM (
    SELECT person_id AS person FROM {exposures} s
    WHERE NOT EXISTS (SELECT FROM {people} p WHERE p.person = s.person_id)
    UNION
    SELECT s.person FROM {people} s
    JOIN incidents_affectedperson p ON p.id = s.person AND p.contact = ''
    WHERE EXISTS (
        SELECT FROM incidents_exposure e
        JOIN incidents_exposurefile f ON f.id = e.file_id AND f.state <> 'withdrawn'
        WHERE e.person_id = s.person
    )
) joined
"""
# People who occur a second time, in this file or in the store. Rows of one person with the same
# digest have the same contact and need not be decrypted (`is_same`).
REPEATED_IN_FILE = """
INSERT INTO {again} SELECT person, min(digest) = max(digest) FROM {people}
WHERE slot = %s GROUP BY person HAVING count(*) > 1
"""
ALREADY_STORED = """
INSERT INTO {again} SELECT DISTINCT person, false FROM {people}
WHERE slot = %s AND EXISTS (SELECT FROM incidents_affectedperson WHERE id = person)
"""
# Rows of people who are in the store must be decrypted, so their `is_same` entries are removed.
DROP_SAME_OF_STORED = """
DELETE FROM {again} a USING {again} b WHERE a.person = b.person AND a.is_same AND NOT b.is_same
"""
DROP_REPEATS = """
DELETE FROM {exposures} e USING (
    SELECT f.ctid AS place, row_number() OVER (
        PARTITION BY f.person_id, f.data_classes ORDER BY f.line
    ) AS nth
    FROM {exposures} f JOIN {again} a ON a.person = f.person_id
    WHERE a.is_same AND f.ciphertext IS NULL
) repeated
WHERE repeated.nth > 1 AND e.ctid = repeated.place
"""
TO_DECRYPT = """
WITH differing AS (SELECT DISTINCT person FROM {again} WHERE NOT is_same)
SELECT s.line, s.person, s.contact, coalesce(e.data_classes, '{{}}'), e.ciphertext,
    s.email_reach, s.phone_reach, s.email_index, s.phone_index,
    p.contact, p.email_reach, p.phone_reach, p.email_index, p.phone_index
FROM differing a
JOIN {people} s ON s.person = a.person AND s.slot = %s
LEFT JOIN {exposures} e ON e.person_id = s.person AND e.line = s.line
LEFT JOIN incidents_affectedperson p ON p.id = s.person
ORDER BY s.person, s.line
"""
CHANGE_EXPOSURES = """
UPDATE {exposures} e SET data_classes = c.data_classes, ciphertext = c.ciphertext
FROM {changes} c WHERE e.person_id = c.person AND e.line = c.line AND c.data_classes <> '{{}}'
"""
DROP_EXPOSURES = """
DELETE FROM {exposures} e USING {changes} c
WHERE e.person_id = c.person AND e.line = c.line AND c.data_classes = '{{}}'
"""
PEOPLE = """
SELECT DISTINCT ON (person) person AS id, relation, language, email_reach, phone_reach,
    email_index, phone_index, contact, {incident}::int AS incident_id, {file}::int AS file_id
FROM {people}{not_stored} ORDER BY person, line
"""
NOT_STORED = " s WHERE NOT EXISTS (SELECT FROM incidents_affectedperson WHERE id = s.person)"
COMPLETE_CONTACTS = """
UPDATE {store} p SET contact = c.contact, email_reach = c.email_reach,
    phone_reach = c.phone_reach, email_index = c.email_index, phone_index = c.phone_index
FROM {contacts} c WHERE p.id = c.person
"""
ADD_FURTHER = """
INSERT INTO incidents_furthercontact (person_id, kind, contact_index)
SELECT DISTINCT f.person, f.kind, f.contact_index FROM {further} f
JOIN {store} p ON p.id = f.person
WHERE f.contact_index IS DISTINCT FROM p.email_index
    AND f.contact_index IS DISTINCT FROM p.phone_index
ORDER BY f.contact_index ON CONFLICT DO NOTHING
"""
# How many of the unknown people are in the store under another spelling of their reference.
SPELLED_OTHERWISE = """
SELECT count(DISTINCT person) FILTER (WHERE found) * 2 > count(DISTINCT person) FROM (
    SELECT person, EXISTS (
        SELECT FROM incidents_affectedperson WHERE id = other AND contact <> ''
    ) AS found
    FROM unnest(%s::uuid[], %s::uuid[]) AS spelling (person, other)
    WHERE NOT EXISTS (
        SELECT FROM incidents_affectedperson WHERE id = person AND contact <> ''
    )
) compared
"""
# A person of whom every earlier file is withdrawn is as good as new: the contact is empty.
RESTORE_PEOPLE = """
UPDATE {store} p SET relation = s.relation, language = s.language, contact = s.contact,
    email_reach = s.email_reach, phone_reach = s.phone_reach,
    email_index = s.email_index, phone_index = s.phone_index, file_id = {file}
FROM (SELECT DISTINCT ON (person) * FROM {people} ORDER BY person, line) s
WHERE p.id = s.person AND p.contact = ''
"""
# What each file says is kept where a person is in several files, see FileContact. If this file
# completes a contact, the earlier files get rows with the contact as it was.
KEEP_FIRST_CONTACTS = """
INSERT INTO incidents_filecontact AS f (
    person_id, file_id, contact, email_reach, phone_reach, email_index, phone_index
)
SELECT p.id, p.file_id, p.contact, p.email_reach, p.phone_reach, p.email_index, p.phone_index
FROM {given} g JOIN {contacts} c ON c.person = g.person JOIN {store} p ON p.id = g.person
WHERE p.file_id IS NOT NULL
ON CONFLICT (person_id, file_id) DO UPDATE SET contact = excluded.contact WHERE f.contact IS NULL
"""
KEEP_EARLIER_CONTACTS = """
UPDATE incidents_filecontact f SET contact = p.contact, email_reach = p.email_reach,
    phone_reach = p.phone_reach, email_index = p.email_index, phone_index = p.phone_index
FROM {given} g JOIN {contacts} c ON c.person = g.person JOIN {store} p ON p.id = g.person
WHERE f.person_id = g.person AND f.contact IS NULL
"""
KEEP_GIVEN_CONTACTS = """
INSERT INTO incidents_filecontact (
    person_id, file_id, contact, email_reach, phone_reach, email_index, phone_index
)
SELECT person, {file}, contact, email_reach, phone_reach, email_index, phone_index
FROM {given} ORDER BY person
"""
NEW_PEOPLE = """
SELECT count(DISTINCT person) FROM {people} WHERE NOT EXISTS (
    SELECT FROM incidents_affectedperson WHERE id = person AND contact <> ''
)
"""
