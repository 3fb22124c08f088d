-- A mark is lifted once, and never changed or deleted. Only the purge of a shredded incident deletes
-- the marks, because their reasons are about people.
CREATE FUNCTION incidents_mark_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (
            SELECT FROM incidents_incident WHERE id = OLD.incident_id AND shredded_at IS NOT NULL
        ) THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.lifted_at IS NULL AND (NEW.id, NEW.incident_id, NEW.person_id, NEW.kind, NEW.reason,
            NEW.note, NEW.marked_by_id, NEW.marked_at)
        IS NOT DISTINCT FROM (OLD.id, OLD.incident_id, OLD.person_id, OLD.kind, OLD.reason,
            OLD.note, OLD.marked_by_id, OLD.marked_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'mark % is on record', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER mark_stays BEFORE UPDATE OR DELETE ON incidents_personmark
    FOR EACH ROW EXECUTE FUNCTION incidents_mark_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_personmark
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION incidents_mark_stays() CASCADE;
