-- Functions for the tables that are proof, in this app and the apps above it: shreddings and changes
-- of public facts here; confirmations and reports (statements); the ledger, its pages, its digests and
-- late reports, certificates, milestones and public figures (notices).

-- For rows that were handed out or shown in public. They can never be changed or deleted.
CREATE FUNCTION incidents_proof_is_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION '% % cannot be changed or deleted', TG_TABLE_NAME, OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- TRUNCATE fires no row trigger, so each table of proof has a trigger for TRUNCATE, which refuses it
-- while the table has a row. A purge deletes and updates rows and is not affected.
CREATE FUNCTION incidents_refuse_truncate_of_proof() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    has_rows boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO has_rows;
    IF has_rows THEN
        RAISE EXCEPTION '% holds proof and cannot be emptied', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

-- The log of the desk shows who exported the ledger, so it is part of the proof.
CREATE TRIGGER proof_is_immutable BEFORE UPDATE OR DELETE ON django_admin_log
    FOR EACH ROW EXECUTE FUNCTION incidents_proof_is_immutable();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON django_admin_log
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION incidents_refuse_truncate_of_proof() CASCADE;
DROP FUNCTION incidents_proof_is_immutable() CASCADE;
