-- What staff decide about a report. Visitors add reports, and a task deletes old ones: those are not
-- audited (docs/audit-trail.md).
CREATE TRIGGER audit AFTER UPDATE OF state, warning_id ON scams_scamreport
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', 'ciphertext same', 'incident_id', '');
