-- A published version cannot be changed or deleted.
CREATE FUNCTION statements_version_is_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.state = 'published' THEN
        PERFORM statements_refuse_change('statement version ' || OLD.id);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER version_is_immutable BEFORE UPDATE OR DELETE ON statements_statementversion
    FOR EACH ROW EXECUTE FUNCTION statements_version_is_immutable();
CREATE TRIGGER published_is_not_truncated BEFORE TRUNCATE ON statements_statementversion
    FOR EACH STATEMENT EXECUTE FUNCTION statements_refuse_truncate();

-- A person who edited a version cannot publish it. A person who edited the statement cannot publish
-- its first version, which makes the statement's address, kind and advisory public.
CREATE FUNCTION statements_version_is_published_by_no_editor() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM statements_statementversion_editors
        WHERE statementversion_id = NEW.id AND user_id = NEW.approved_by_id
    ) OR EXISTS (
        SELECT 1 FROM statements_statement_editors
        WHERE statement_id = NEW.statement_id AND user_id = NEW.approved_by_id
    ) AND NOT EXISTS (
        SELECT 1 FROM statements_statementversion
        WHERE statement_id = NEW.statement_id AND state = 'published'
    ) THEN
        RAISE EXCEPTION 'statement version % was edited by the one who approves it', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER version_is_published_by_no_editor BEFORE UPDATE ON statements_statementversion
    FOR EACH ROW WHEN (NEW.state = 'published')
    EXECUTE FUNCTION statements_version_is_published_by_no_editor();

-- Backwards
DROP FUNCTION statements_version_is_published_by_no_editor() CASCADE;
DROP FUNCTION statements_version_is_immutable() CASCADE;
