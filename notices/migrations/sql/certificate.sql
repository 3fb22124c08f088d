-- An issued certificate can be neither changed nor deleted.
CREATE TRIGGER certificate_is_immutable BEFORE UPDATE OR DELETE ON notices_certificate
    FOR EACH ROW EXECUTE FUNCTION incidents_proof_is_immutable();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
