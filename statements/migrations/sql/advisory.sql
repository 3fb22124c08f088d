-- The advisory of a statement cannot be added, changed or deleted once a version is published.
CREATE FUNCTION statements_advisory_is_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM statements_refuse_if_published(OLD.statement_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM statements_refuse_if_published(NEW.statement_id);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER advisory_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON statements_advisory
    FOR EACH ROW EXECUTE FUNCTION statements_advisory_is_immutable();
CREATE TRIGGER published_is_not_truncated BEFORE TRUNCATE ON statements_advisory
    FOR EACH STATEMENT EXECUTE FUNCTION statements_refuse_truncate();

-- Backwards
DROP FUNCTION statements_advisory_is_immutable() CASCADE;
