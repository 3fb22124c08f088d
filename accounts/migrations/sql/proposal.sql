-- For tables of what one person proposes and another one confirms, in this app and the apps above it.
-- A row is confirmed or withdrawn once. Nothing else of it changes, and it is not deleted. The
-- argument of the trigger names the row in the message.
CREATE FUNCTION accounts_proposal_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    answer CONSTANT text[] := '{confirmed_by_id,confirmed_at,withdrawn_at}';
BEGIN
    IF TG_OP = 'DELETE' OR OLD.confirmed_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL
        OR to_jsonb(NEW) - answer IS DISTINCT FROM to_jsonb(OLD) - answer
    THEN
        RAISE EXCEPTION '% % is on record', TG_ARGV[0], OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rightsgrant_stays BEFORE UPDATE OR DELETE ON accounts_rightsgrant
    FOR EACH ROW EXECUTE FUNCTION accounts_proposal_stays('grant of rights');

-- Backwards
DROP FUNCTION accounts_proposal_stays() CASCADE;
