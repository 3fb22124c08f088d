-- A retention plan and a legal hold are decisions of two people. They may be confirmed or taken back
-- once; they cannot be changed or deleted.
CREATE TRIGGER retention_decision_stays BEFORE UPDATE OR DELETE ON incidents_retentiondecision
    FOR EACH ROW EXECUTE FUNCTION accounts_proposal_stays('retention decision');
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_retentiondecision
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- The record of a deletion stays once it is done, and what began it stays from the beginning.
CREATE FUNCTION incidents_data_deletion_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.done_at IS NOT NULL OR
        (NEW.incident_id, NEW.step, NEW.plan_id, NEW.started_by_id, NEW.started_at,
            NEW.key_digest, NEW.key_ids)
        IS DISTINCT FROM (OLD.incident_id, OLD.step, OLD.plan_id, OLD.started_by_id,
            OLD.started_at, OLD.key_digest, OLD.key_ids)
    THEN
        RAISE EXCEPTION 'the deletion % of data is on record', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER data_deletion_stays BEFORE UPDATE OR DELETE ON incidents_datadeletion
    FOR EACH ROW EXECUTE FUNCTION incidents_data_deletion_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_datadeletion
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- A deletion follows a plan that two people confirmed for the same incident, on its day or later.
CREATE FUNCTION incidents_data_deletion_follows_a_plan() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM incidents_retentiondecision d JOIN incidents_incident i ON i.id = d.incident_id
        WHERE d.id = NEW.plan_id AND i.id = NEW.incident_id AND d.kind = 'plan'
            AND d.confirmed_at IS NOT NULL
            AND CASE NEW.step WHEN 'values' THEN d.values_on ELSE d.contacts_on END
                <= (clock_timestamp() AT TIME ZONE i.time_zone)::date
    ) THEN
        RAISE EXCEPTION 'no confirmed plan says that this data is deleted by now'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER data_deletion_follows_a_plan BEFORE INSERT ON incidents_datadeletion
    FOR EACH ROW EXECUTE FUNCTION incidents_data_deletion_follows_a_plan();

-- Under a legal hold, no way leads to a shredding: neither the plan nor two superusers.
CREATE FUNCTION incidents_hold_stops_shredding() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (
        SELECT kind FROM incidents_retentiondecision
        WHERE incident_id = NEW.id AND kind <> 'plan' AND confirmed_at IS NOT NULL
        ORDER BY confirmed_at DESC, id DESC LIMIT 1
    ) = 'hold' THEN
        RAISE EXCEPTION 'the data of incident % is under a legal hold', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hold_stops_shredding BEFORE UPDATE ON incidents_incident
    FOR EACH ROW WHEN (OLD.shredded_at IS NULL AND NEW.shredded_at IS NOT NULL
        OR OLD.values_deleted_at IS NULL AND NEW.values_deleted_at IS NOT NULL)
    EXECUTE FUNCTION incidents_hold_stops_shredding();

-- Backwards
DROP FUNCTION incidents_hold_stops_shredding() CASCADE;
DROP FUNCTION incidents_data_deletion_follows_a_plan() CASCADE;
DROP FUNCTION incidents_data_deletion_stays() CASCADE;
