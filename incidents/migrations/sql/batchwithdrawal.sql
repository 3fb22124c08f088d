-- A withdrawal of a scope version is the decision of two people. It may be confirmed or taken back
-- once; it cannot be changed or deleted.
CREATE TRIGGER batch_withdrawal_stays BEFORE UPDATE OR DELETE ON incidents_batchwithdrawal
    FOR EACH ROW EXECUTE FUNCTION accounts_proposal_stays('withdrawal of a scope version');
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_batchwithdrawal
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- `incidents.scope_versions.withdraw` refuses the same with a message for the operator. This trigger
-- covers every other way to withdraw a scope version.
CREATE FUNCTION incidents_batch_withdrawal_takes_two() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM incidents_batchwithdrawal WHERE batch_id = NEW.id AND confirmed_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'batch % cannot be withdrawn: two people did not decide it', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_withdrawal_takes_two BEFORE UPDATE OF state ON incidents_exposurebatch
    FOR EACH ROW WHEN (NEW.state = 'withdrawn' AND OLD.state <> 'withdrawn')
    EXECUTE FUNCTION incidents_batch_withdrawal_takes_two();

-- Backwards
DROP FUNCTION incidents_batch_withdrawal_takes_two() CASCADE;
