-- The audited tables of this app: what people decide about notices. Deliveries, chunks, receipts,
-- letters, counters and automatic entries of the suppression list are not audited row by row: the
-- ledger digest proves them (docs/audit-trail.md). A trigger on the counters would also fire each time
-- a worker releases a chunk.
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE OF incident_id, version_id, kind, topic, channel,
    audience, batch_id, follows_id, weekly_on, state, approved_by_id, approved_at, deadline_at, closed_at, begins_at,
    confirmed_people, ramp, ramp_step, paused_for, pause_bounce_percent, pause_refusal_percent, pause_complaint_percent, problem
    ON notices_notice
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'ramp_to ramp_at refusals watched_accepted watched_bounced watched_refusals dry_run dry_run_at '
        'dry_run_asked_at replanned_at planned_at planned_to planned accepted bounced suppressed '
        'unreachable in_doubt cancelled weekly_mail_id',
        '', 'incident_id', '');
CREATE TRIGGER audit AFTER UPDATE OF stopped_at ON notices_destination
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'accepted bounced refused complaints watched_accepted watched_bounced watched_refused '
        'watched_complaints reply',
        '', 'notice_id notices_notice incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE OF sent_at, refused ON notices_resend
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        'mail_tries mail_after', '', 'delivery_id notices_delivery notice_id notices_notice incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON notices_testaddress
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change(
        '', 'contact', 'notice_id notices_notice incident_id', '');
CREATE TRIGGER audit_added AFTER INSERT ON notices_suppression
    FOR EACH ROW WHEN (NEW.added_by_id IS NOT NULL)
    EXECUTE FUNCTION accounts_audit_change('', 'index', 'incident_id', '');
CREATE TRIGGER audit_lifted AFTER UPDATE ON notices_suppression
    FOR EACH ROW WHEN (OLD.added_by_id IS NOT NULL OR NEW.lifted_by_id IS NOT NULL)
    EXECUTE FUNCTION accounts_audit_change('', 'index', 'incident_id', '');
CREATE TRIGGER audit_deleted AFTER DELETE ON notices_suppression
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', 'index', 'incident_id', '');
