-- The audited tables of this app, and those of Django and allauth that refer to users. Rows of people,
-- exposures, rejected rows, reveals and counts are not audited one by one (docs/audit-trail.md).
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_incident
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', 'data_keyset index_keyset', 'id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_incidentdataclass
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_incidentjurisdiction
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_dataclass
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_exposurebatch
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('counted_at', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_exposurefile
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_refusedfile
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_batchchange
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '', 'batch_id incidents_exposurebatch incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_batchwithdrawal
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '', 'batch_id incidents_exposurebatch incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_factchange
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_writeoff
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', '', 'file_id incidents_exposurefile incident_id', '');
-- The reasons of marks are about people and are deleted with them, so the trail does not hold them.
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_personmark
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', 'reason note lifted_reason', 'incident_id', '');
-- So are the reasons of changes of address. The mail's own columns change without a person.
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE OF confirmed_at, withdrawn_at, told_at, ended_at
    ON incidents_addresschange
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'mail_tries text_tries mail_after', 'reason ended_reason ciphertext contact_index', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_upload
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'changed_at', 'first_rejects findings', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_savedmapping
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('changed_at', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_shredding
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'position contact_position people exposures', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_retentiondecision
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_datadeletion
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'position people rows', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON incidents_reencryption
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('position rows', '', 'incident_id', '');

CREATE TRIGGER audit AFTER INSERT ON django_admin_log
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_desk_log('incidents_incident');
CREATE TRIGGER audit AFTER INSERT OR DELETE ON mfa_authenticator
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('last_used_at', 'data', '', 'staff');
-- Each use of a passkey raises its counter, which is no change of the passkey.
CREATE TRIGGER audit_changed AFTER UPDATE ON mfa_authenticator
    FOR EACH ROW WHEN (
        to_jsonb(OLD) #- '{data,credential,counter}'
        IS DISTINCT FROM to_jsonb(NEW) #- '{data,credential,counter}'
    ) EXECUTE FUNCTION accounts_audit_change('last_used_at', 'data', '', 'staff');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON account_emailaddress
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', 'staff');
