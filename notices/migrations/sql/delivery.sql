-- A delivery is updated once or twice, and stays in its page as long as the page has free space.
ALTER TABLE notices_delivery SET (fillfactor = 50);

CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_delivery
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_latereport
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_resend
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_letter
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
