-- The audited tables of this app: all of them (docs/audit-trail.md).
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_statement
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_statement_editors
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '', 'statement_id statements_statement incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_advisory
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '', 'statement_id statements_statement incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_statementversion
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '', 'statement_id statements_statement incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_statementversion_editors
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '',
        'statementversion_id statements_statementversion statement_id statements_statement incident_id',
        '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_section
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '',
        'version_id statements_statementversion statement_id statements_statement incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_dutywaiver
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '',
        'version_id statements_statementversion statement_id statements_statement incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_withdrawnwaiver
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '',
        'version_id statements_statementversion statement_id statements_statement incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_dutyconfirmation
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_regulatorreport
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON statements_timelineentry
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
