-- A section cannot be added, changed or deleted once its version is published.
CREATE TRIGGER section_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON statements_section
    FOR EACH ROW EXECUTE FUNCTION statements_section_is_immutable();
CREATE TRIGGER published_is_not_truncated BEFORE TRUNCATE ON statements_section
    FOR EACH STATEMENT EXECUTE FUNCTION statements_refuse_truncate();
