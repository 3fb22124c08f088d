-- Functions that several tables of published texts use. They refuse every change and deletion of
-- published rows, also by TRUNCATE.
CREATE FUNCTION statements_refuse_change(what text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION '% is published and cannot be changed or deleted', what
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- The functions below lock the statement or the version before they read its state. Publishing
-- locks both as well. A section that is written while its version is being published is therefore
-- either covered by the version's hash or refused.
CREATE FUNCTION statements_refuse_if_published(statement bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM 1 FROM statements_statement WHERE id = statement FOR SHARE;
    IF EXISTS (
        SELECT 1 FROM statements_statementversion
        WHERE statement_id = statement AND state = 'published'
    ) THEN
        PERFORM statements_refuse_change('statement ' || statement);
    END IF;
END $$;

-- The trigger function of the rows that belong to one version: sections and waivers.
CREATE FUNCTION statements_section_is_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    version record;
BEGIN
    FOR version IN
        SELECT id, state FROM statements_statementversion
        WHERE id IN (OLD.version_id, NEW.version_id) FOR SHARE
    LOOP
        IF version.state = 'published' THEN
            PERFORM statements_refuse_change('statement version ' || version.id);
        END IF;
    END LOOP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- TRUNCATE fires no row trigger, so each table of published texts also has a trigger for TRUNCATE.
-- It refuses only while a version is published. An account that may TRUNCATE but does not own the
-- tables cannot avoid it. The owner can drop the trigger, so the portal's account should not own
-- the tables (docs/running.md).
CREATE FUNCTION statements_refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM statements_statementversion WHERE state = 'published') THEN
        PERFORM statements_refuse_change('part of ' || TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;

-- Backwards
DROP FUNCTION statements_refuse_truncate() CASCADE;
DROP FUNCTION statements_section_is_immutable() CASCADE;
DROP FUNCTION statements_refuse_if_published(bigint);
DROP FUNCTION statements_refuse_change(text);
