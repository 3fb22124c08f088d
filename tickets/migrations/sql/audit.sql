-- What staff do with tickets, never a text. Customers' own messages are not audited: they are rows
-- that stay (ticket.sql).
CREATE TRIGGER audit AFTER UPDATE OF state, assigned_to_id, user_id, extended_at ON tickets_ticket
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('changed_at', '', 'incident_id', '');
CREATE TRIGGER audit AFTER INSERT ON tickets_ticketmessage
    FOR EACH ROW WHEN (NEW.kind <> 'customer')
    EXECUTE FUNCTION accounts_audit_change(
        'mailed_at mail_tries', 'ciphertext', 'ticket_id tickets_ticket incident_id', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON tickets_answertemplate
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
