-- The changes of contacts are part of the proof.
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_contactchange
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
