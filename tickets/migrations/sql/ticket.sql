-- Tickets and their messages show when a person asked and when the company answered, so they stay.
-- Of a ticket only its state, its dates, and the person in charge change; the customer is removed
-- from it when the account is closed, and changes when accounts are joined. Of a message only the ciphertext changes, by a re-encryption,
-- and whether its mail is sent.
CREATE FUNCTION tickets_ticket_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' OR
        (NEW.id, NEW.number, NEW.kind, NEW.incident_id, NEW.language, NEW.created_at)
        IS DISTINCT FROM
        (OLD.id, OLD.number, OLD.kind, OLD.incident_id, OLD.language, OLD.created_at)
        OR NEW.user_id IS DISTINCT FROM OLD.user_id AND NEW.user_id IS NOT NULL
            AND NOT accounts_is_joined(OLD.user_id, NEW.user_id)
        OR OLD.answered_at IS NOT NULL AND NEW.answered_at IS DISTINCT FROM OLD.answered_at
    THEN
        RAISE EXCEPTION 'ticket % is on record', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ticket_stays BEFORE UPDATE OR DELETE ON tickets_ticket
    FOR EACH ROW EXECUTE FUNCTION tickets_ticket_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON tickets_ticket
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

CREATE FUNCTION tickets_message_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.ticket_id, NEW.kind, NEW.written_by_id, NEW.sent_at)
        IS DISTINCT FROM (OLD.id, OLD.ticket_id, OLD.kind, OLD.written_by_id, OLD.sent_at)
    THEN
        RAISE EXCEPTION 'message % of a ticket is on record', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER message_stays BEFORE UPDATE OR DELETE ON tickets_ticketmessage
    FOR EACH ROW EXECUTE FUNCTION tickets_message_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON tickets_ticketmessage
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION tickets_message_stays() CASCADE;
DROP FUNCTION tickets_ticket_stays() CASCADE;
