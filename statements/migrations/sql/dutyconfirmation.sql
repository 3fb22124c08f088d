-- The only change that a duty confirmation allows is its withdrawal, once.
CREATE FUNCTION statements_confirmation_is_only_withdrawn() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
        OR (OLD.id, OLD.incident_id, OLD.duty, OLD.verdict, OLD.met_at, OLD.evidence,
            OLD.confirmed_by_id, OLD.confirmed_at)
            IS DISTINCT FROM
            (NEW.id, NEW.incident_id, NEW.duty, NEW.verdict, NEW.met_at, NEW.evidence,
            NEW.confirmed_by_id, NEW.confirmed_at)
    THEN
        RAISE EXCEPTION 'confirmation % can only be withdrawn, once', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER confirmation_is_only_withdrawn BEFORE UPDATE OR DELETE ON statements_dutyconfirmation
    FOR EACH ROW EXECUTE FUNCTION statements_confirmation_is_only_withdrawn();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON statements_dutyconfirmation
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION statements_confirmation_is_only_withdrawn() CASCADE;
