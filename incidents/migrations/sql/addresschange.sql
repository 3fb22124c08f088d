-- A change of address is confirmed or withdrawn once, and ended once; it is never changed. A
-- re-encryption writes its ciphertext again. Only the purge of a shredded incident deletes it,
-- because it is about a person.
CREATE FUNCTION incidents_address_change_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    answer CONSTANT text[] := '{confirmed_by_id,confirmed_at,withdrawn_at,stopped_by}';
    ending CONSTANT text[] := '{ended_by_id,ended_at,ended_reason,stopped_by}';
    -- A claim follows its account, which may be joined with another or closed.
    work CONSTANT text[] := '{ciphertext,told_at,mail_tries,text_tries,mail_after,claimed_by_id}';
    is_answered CONSTANT boolean := OLD.confirmed_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL;
    before CONSTANT jsonb := to_jsonb(OLD) - work;
    after jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (
            SELECT FROM incidents_incident WHERE id = OLD.incident_id AND shredded_at IS NOT NULL
        ) THEN
            RETURN OLD;
        END IF;
    ELSE
        after := to_jsonb(NEW) - work;
        IF after = before
            OR NOT is_answered AND after - answer = before - answer
            OR is_answered AND OLD.ended_at IS NULL AND after - ending = before - ending
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'change of address % is on record', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER address_change_stays BEFORE UPDATE OR DELETE ON incidents_addresschange
    FOR EACH ROW EXECUTE FUNCTION incidents_address_change_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_addresschange
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION incidents_address_change_stays() CASCADE;
