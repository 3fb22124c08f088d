-- The grants of rights are part of the proof: a request changes only by its confirmation or
-- withdrawal, and afterwards not at all.
CREATE FUNCTION accounts_rightsgrant_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.confirmed_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL OR
        (NEW.user_id, NEW.is_staff, NEW.is_superuser, NEW.asked_by_id, NEW.asked_at)
        IS DISTINCT FROM
        (OLD.user_id, OLD.is_staff, OLD.is_superuser, OLD.asked_by_id, OLD.asked_at) THEN
        RAISE EXCEPTION 'the grant % of rights is on record', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rightsgrant_stays BEFORE UPDATE OR DELETE ON accounts_rightsgrant
    FOR EACH ROW EXECUTE FUNCTION accounts_rightsgrant_stays();

-- Backwards
DROP FUNCTION accounts_rightsgrant_stays() CASCADE;
