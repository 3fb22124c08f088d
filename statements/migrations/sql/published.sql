-- Functions that several tables of published words use. Nobody can change, delete or empty what is
-- published, by whatever means.
CREATE FUNCTION statements_refuse_change(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is published and cannot be changed or deleted', what
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- The functions below lock the statement (or the version) that they ask about, as publishing does.
-- A section that is written while its version is being published is therefore either part of the
-- version's hash or refused.
CREATE FUNCTION statements_refuse_if_published(statement bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM statements_statement WHERE id = statement FOR SHARE;
    IF EXISTS (
        SELECT 1 FROM statements_statementversion
        WHERE statement_id = statement AND state = 'published'
    ) THEN
        PERFORM statements_refuse_change('statement ' || statement);
    END IF;
END $$;

-- For the rows that belong to one version: sections and waivers.
CREATE FUNCTION statements_section_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- TRUNCATE fires no row trigger, so each table of published words has one for TRUNCATE besides. It
-- refuses only while something is published. An account that may TRUNCATE but does not own the
-- tables cannot avoid it; the owner can drop it, so the portal's account should not be the owner
-- (docs/running.md).
CREATE FUNCTION statements_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
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
