-- The changes of public facts are part of the proof: a proposal changes only by its confirmation or
-- withdrawal, and afterwards not at all.
CREATE TRIGGER factchange_stays BEFORE UPDATE OR DELETE ON incidents_factchange
    FOR EACH ROW EXECUTE FUNCTION accounts_proposal_stays('change of public facts');
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_factchange
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();
