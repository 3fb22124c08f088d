-- The changes of public facts are part of the proof: a proposal changes only by its confirmation or
-- withdrawal, and afterwards not at all.
CREATE FUNCTION incidents_factchange_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.confirmed_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL OR
        (NEW.model, NEW.object_id, NEW.title, NEW.changes, NEW.reason, NEW.proposed_by_id,
            NEW.proposed_at)
        IS DISTINCT FROM (OLD.model, OLD.object_id, OLD.title, OLD.changes, OLD.reason,
            OLD.proposed_by_id, OLD.proposed_at) THEN
        RAISE EXCEPTION 'the change % of public facts is on record', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER factchange_stays BEFORE UPDATE ON incidents_factchange
    FOR EACH ROW EXECUTE FUNCTION incidents_factchange_stays();
CREATE TRIGGER factchange_is_not_deleted BEFORE DELETE ON incidents_factchange
    FOR EACH ROW EXECUTE FUNCTION incidents_proof_is_immutable();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_factchange
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION incidents_factchange_stays() CASCADE;
