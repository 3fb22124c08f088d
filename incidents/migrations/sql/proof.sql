-- Functions for tables that prove something, for this app and the apps that build on it: the
-- shreddings and the changes of contacts here; what was confirmed or reported (statements); the
-- ledger, its pages, seals and late reports, certificates, milestones and kept figures (notices).

-- For what was handed out or shown in public: it never changes afterwards, by whatever means.
CREATE FUNCTION incidents_proof_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % cannot be changed or deleted', TG_TABLE_NAME, OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- TRUNCATE fires no row trigger, so each table of proof has one for TRUNCATE. It refuses while the
-- table holds a row. Purging an incident deletes and clears rows; it is not affected.
CREATE FUNCTION incidents_refuse_truncate_of_proof() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- The desk's own log says who exported the ledger, so it is part of the proof.
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON django_admin_log
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION incidents_refuse_truncate_of_proof() CASCADE;
DROP FUNCTION incidents_proof_is_immutable() CASCADE;
