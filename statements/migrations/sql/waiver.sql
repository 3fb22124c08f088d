-- A waiver is published with its version, so it is immutable like a section. A withdrawn waiver
-- cannot be changed at all.
CREATE TRIGGER waiver_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON statements_dutywaiver
    FOR EACH ROW EXECUTE FUNCTION statements_section_is_immutable();
CREATE TRIGGER published_is_not_truncated BEFORE TRUNCATE ON statements_dutywaiver
    FOR EACH STATEMENT EXECUTE FUNCTION statements_refuse_truncate();

CREATE TRIGGER withdrawn_waiver_is_immutable BEFORE UPDATE ON statements_withdrawnwaiver
    FOR EACH ROW EXECUTE FUNCTION incidents_proof_is_immutable();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON statements_withdrawnwaiver
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
