-- The exposures are partitioned by file, so that a large file can be loaded into a table of its own,
-- which is attached at the end (docs/decisions/0012). Small files share the default partition.
CREATE TABLE incidents_exposure (
    person_id uuid NOT NULL,
    file_id integer NOT NULL,
    line integer NOT NULL CONSTRAINT incidents_exposure_line_check CHECK (line >= 0),
    data_classes smallint[] NOT NULL,
    ciphertext bytea,
    CONSTRAINT incidents_exposure_pkey PRIMARY KEY (person_id, file_id, line),
    CONSTRAINT incidents_exposure_person_fk FOREIGN KEY (person_id)
        REFERENCES incidents_affectedperson (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT incidents_exposure_file_fk FOREIGN KEY (file_id)
        REFERENCES incidents_exposurefile (id) DEFERRABLE INITIALLY DEFERRED
) PARTITION BY LIST (file_id);
CREATE TABLE incidents_exposure_small PARTITION OF incidents_exposure DEFAULT;

-- Backwards
DROP TABLE incidents_exposure;
