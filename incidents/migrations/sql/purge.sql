-- What a purge deletes and the portal's account may not: the record of reveals, and the partition of
-- a large file. Both functions refuse an incident whose data is not shredded on record.
CREATE FUNCTION incidents_is_shredded(incident bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT EXISTS (
        SELECT FROM incidents_shredding s JOIN incidents_incident i ON i.id = s.incident_id
        WHERE i.id = incident AND i.shredded_at IS NOT NULL AND s.done_at IS NOT NULL
    )
$$;

CREATE FUNCTION incidents_purge_reveals(incident bigint, people uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT incidents_is_shredded(incident) THEN
        RAISE EXCEPTION 'incident % is not shredded', incident
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM incidents_reveal r USING incidents_affectedperson p
    WHERE r.person_id = p.id AND p.id = ANY (people)
        AND p.incident_id = incidents_purge_reveals.incident;
END $$;
REVOKE ALL ON FUNCTION incidents_purge_reveals(bigint, uuid[]) FROM PUBLIC;

-- Returns the number of exposures: the portal's account has no right on a partition that was made after
-- the grants.
CREATE FUNCTION incidents_purge_partition(file bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    exposures bigint;
BEGIN
    IF NOT EXISTS (
        SELECT FROM incidents_exposurefile f JOIN incidents_exposurebatch b ON b.id = f.batch_id
        WHERE f.id = file AND incidents_is_shredded(b.incident_id)
    ) THEN
        RAISE EXCEPTION 'the incident of file % is not shredded', file
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('SELECT count(*) FROM %I', 'incidents_exposure_' || file) INTO exposures;
    EXECUTE format('DROP TABLE %I', 'incidents_exposure_' || file);
    RETURN exposures;
END $$;
REVOKE ALL ON FUNCTION incidents_purge_partition(bigint) FROM PUBLIC;

-- Backwards
DROP FUNCTION incidents_purge_partition(bigint);
DROP FUNCTION incidents_purge_reveals(bigint, uuid[]);
DROP FUNCTION incidents_is_shredded(bigint);
