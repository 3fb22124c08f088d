-- Refuses to change or delete the record of who shredded an incident's data, once it is done.
CREATE FUNCTION incidents_shredding_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.done_at IS NOT NULL AND (TG_OP = 'DELETE' OR
        (NEW.incident_id, NEW.asked_by_id, NEW.asked_at, NEW.done_by_id, NEW.done_at,
            NEW.data_fingerprint, NEW.index_fingerprint)
        IS DISTINCT FROM (OLD.incident_id, OLD.asked_by_id, OLD.asked_at, OLD.done_by_id,
            OLD.done_at, OLD.data_fingerprint, OLD.index_fingerprint)) THEN
        RAISE EXCEPTION 'the shredding of incident % is on record', OLD.incident_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER shredding_stays BEFORE UPDATE OR DELETE ON incidents_shredding
    FOR EACH ROW EXECUTE FUNCTION incidents_shredding_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_shredding
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION incidents_shredding_stays() CASCADE;
