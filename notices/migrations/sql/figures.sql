-- Milestones of notices, and the figures that the transparency page showed at a time.
CREATE TRIGGER milestone_is_immutable BEFORE UPDATE OR DELETE ON notices_milestone
    FOR EACH ROW EXECUTE FUNCTION incidents_proof_is_immutable();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_milestone
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

CREATE TRIGGER figures_are_immutable BEFORE UPDATE OR DELETE ON notices_publicfigures
    FOR EACH ROW EXECUTE FUNCTION incidents_proof_is_immutable();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON notices_publicfigures
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
