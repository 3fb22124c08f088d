-- The page digests and the digest of a closed ledger.
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_ledgerdigestpage
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_ledgerdigest
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
