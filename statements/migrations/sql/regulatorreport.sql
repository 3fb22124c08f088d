-- A filed regulator report cannot be changed or deleted.
CREATE FUNCTION statements_filed_report_is_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION 'report % is filed and cannot be changed', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER filed_report_is_immutable BEFORE UPDATE OR DELETE ON statements_regulatorreport
    FOR EACH ROW WHEN (OLD.state = 'filed') EXECUTE FUNCTION statements_filed_report_is_immutable();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON statements_regulatorreport
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION statements_filed_report_is_immutable() CASCADE;
