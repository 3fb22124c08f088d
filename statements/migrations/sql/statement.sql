-- A statement cannot be changed or deleted once one of its versions is published.
CREATE FUNCTION statements_statement_is_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM statements_refuse_if_published(OLD.id);
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER statement_is_immutable BEFORE UPDATE OR DELETE ON statements_statement
    FOR EACH ROW EXECUTE FUNCTION statements_statement_is_immutable();
CREATE TRIGGER published_is_not_truncated BEFORE TRUNCATE ON statements_statement
    FOR EACH STATEMENT EXECUTE FUNCTION statements_refuse_truncate();

-- An incident with a statement that must still be shown stays public. CURRENT_DATE is in the
-- session's time zone, which Django sets to UTC. The last day of display therefore ends at 09:00 of
-- the next day in Korea.
CREATE FUNCTION statements_incident_stays_public() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.is_public AND NOT NEW.is_public AND EXISTS (
        SELECT 1 FROM statements_statementversion version
        JOIN statements_statement statement ON statement.id = version.statement_id
        WHERE statement.incident_id = OLD.id
            AND version.state = 'published' AND version.display_until >= CURRENT_DATE
    ) THEN
        RAISE EXCEPTION 'a statement of incident % must be shown for longer', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_stays_public BEFORE UPDATE OF is_public ON incidents_incident
    FOR EACH ROW EXECUTE FUNCTION statements_incident_stays_public();

-- Backwards
DROP FUNCTION statements_incident_stays_public() CASCADE;
DROP FUNCTION statements_statement_is_immutable() CASCADE;
