"""Makes the exposures a table of partitions, one for each large file; small files share one.

The table as it was becomes that shared partition, rows and all.
"""

from django.db import migrations

FORWARDS = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE incidents_exposure RENAME TO incidents_exposure_small;
DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'incidents_exposure_small'::regclass AND contype = 'p'
    LOOP
        EXECUTE format('ALTER TABLE incidents_exposure_small RENAME CONSTRAINT %I TO %I',
            found.conname, 'incidents_exposure_small_pkey');
    END LOOP;
END $$;
CREATE TABLE incidents_exposure (
    person_id uuid NOT NULL, file_id integer NOT NULL,
    line integer NOT NULL CONSTRAINT incidents_exposure_line_check CHECK (line >= 0),
    data_classes smallint[] NOT NULL, sealed bytea
) PARTITION BY LIST (file_id);
ALTER TABLE incidents_exposure
    ADD CONSTRAINT incidents_exposure_pkey PRIMARY KEY (person_id, file_id, line),
    ADD CONSTRAINT incidents_exposure_person_fk FOREIGN KEY (person_id)
        REFERENCES incidents_affectedperson (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT incidents_exposure_file_fk FOREIGN KEY (file_id)
        REFERENCES incidents_exposurefile (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE incidents_exposure ATTACH PARTITION incidents_exposure_small DEFAULT;
"""
BACKWARDS = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE incidents_exposure DETACH PARTITION incidents_exposure_small;
INSERT INTO incidents_exposure_small (person_id, file_id, line, data_classes, sealed)
    SELECT person_id, file_id, line, data_classes, sealed FROM incidents_exposure;
DROP TABLE incidents_exposure;
ALTER TABLE incidents_exposure_small RENAME TO incidents_exposure;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0004_scope_counts'),
    ]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
