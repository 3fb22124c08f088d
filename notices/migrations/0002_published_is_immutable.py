"""What is published cannot be changed, deleted or hidden: the database refuses it, whoever asks.

Nor can whoever edited a version, or the statement it is the first of, publish it.

Row triggers do not fire on TRUNCATE. It is not caught by a trigger here, because emptying tables
is how tests start afresh; a deployment withholds the privilege (docs/running.md).

The triggers lock the version (or the statement) they ask about, as publishing does, so that a
section written while its version is being published is either part of the hash or refused.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION notices_refuse_change(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is published and cannot be changed or deleted', what
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION notices_version_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'published' THEN
        PERFORM notices_refuse_change('statement version ' || OLD.id);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION notices_version_is_published_by_no_editor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM notices_statementversion_editors
        WHERE statementversion_id = NEW.id AND user_id = NEW.approved_by_id
    ) OR EXISTS (
        SELECT 1 FROM notices_statement_editors
        WHERE statement_id = NEW.statement_id AND user_id = NEW.approved_by_id
    ) AND NOT EXISTS (
        SELECT 1 FROM notices_statementversion
        WHERE statement_id = NEW.statement_id AND state = 'published'
    ) THEN
        RAISE EXCEPTION 'statement version % was edited by the one who approves it', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- The date is the session's, which Django keeps at UTC: in Korea, it ends nine hours later.
CREATE FUNCTION notices_incident_stays_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.is_public AND NOT NEW.is_public AND EXISTS (
        SELECT 1 FROM notices_statementversion version
        JOIN notices_statement statement ON statement.id = version.statement_id
        WHERE statement.incident_id = OLD.id
            AND version.state = 'published' AND version.display_until >= CURRENT_DATE
    ) THEN
        RAISE EXCEPTION 'a statement of incident % must be shown for longer', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION notices_section_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    version record;
BEGIN
    FOR version IN
        SELECT id, state FROM notices_statementversion
        WHERE id IN (OLD.version_id, NEW.version_id) FOR SHARE
    LOOP
        IF version.state = 'published' THEN
            PERFORM notices_refuse_change('statement version ' || version.id);
        END IF;
    END LOOP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION notices_refuse_if_published(statement bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM notices_statement WHERE id = statement FOR SHARE;
    IF EXISTS (
        SELECT 1 FROM notices_statementversion
        WHERE statement_id = statement AND state = 'published'
    ) THEN
        PERFORM notices_refuse_change('statement ' || statement);
    END IF;
END $$;

CREATE FUNCTION notices_statement_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM notices_refuse_if_published(OLD.id);
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION notices_advisory_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM notices_refuse_if_published(OLD.statement_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM notices_refuse_if_published(NEW.statement_id);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER version_is_immutable BEFORE UPDATE OR DELETE ON notices_statementversion
    FOR EACH ROW EXECUTE FUNCTION notices_version_is_immutable();
CREATE TRIGGER version_is_published_by_no_editor BEFORE UPDATE ON notices_statementversion
    FOR EACH ROW WHEN (NEW.state = 'published')
    EXECUTE FUNCTION notices_version_is_published_by_no_editor();
CREATE TRIGGER incident_stays_public BEFORE UPDATE OF is_public ON incidents_incident
    FOR EACH ROW EXECUTE FUNCTION notices_incident_stays_public();
CREATE TRIGGER section_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON notices_section
    FOR EACH ROW EXECUTE FUNCTION notices_section_is_immutable();
CREATE TRIGGER statement_is_immutable BEFORE UPDATE OR DELETE ON notices_statement
    FOR EACH ROW EXECUTE FUNCTION notices_statement_is_immutable();
CREATE TRIGGER advisory_is_immutable BEFORE INSERT OR UPDATE OR DELETE ON notices_advisory
    FOR EACH ROW EXECUTE FUNCTION notices_advisory_is_immutable();
"""

DROP = """
DROP TRIGGER version_is_immutable ON notices_statementversion;
DROP TRIGGER version_is_published_by_no_editor ON notices_statementversion;
DROP TRIGGER incident_stays_public ON incidents_incident;
DROP TRIGGER section_is_immutable ON notices_section;
DROP TRIGGER statement_is_immutable ON notices_statement;
DROP TRIGGER advisory_is_immutable ON notices_advisory;
DROP FUNCTION notices_advisory_is_immutable();
DROP FUNCTION notices_statement_is_immutable();
DROP FUNCTION notices_refuse_if_published(bigint);
DROP FUNCTION notices_section_is_immutable();
DROP FUNCTION notices_incident_stays_public();
DROP FUNCTION notices_version_is_published_by_no_editor();
DROP FUNCTION notices_version_is_immutable();
DROP FUNCTION notices_refuse_change(text);
"""


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
