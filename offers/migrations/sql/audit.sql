-- Each hand-out is recorded without the code and without its person. The desk's log has the imports
-- of codes, so the codes of a pool are not audited one by one.
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON offers_offer
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON offers_offerclass
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'offer_id offers_offer incident_id', '');
CREATE TRIGGER audit AFTER INSERT ON offers_offertaking
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'user_id code_id', '', 'offer_id offers_offer incident_id', '');
