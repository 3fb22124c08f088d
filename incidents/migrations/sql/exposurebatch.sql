-- Refuses to close a scope version unless no file is loading, the row counts of each loaded file add
-- up, each rejected row is on record and settled or written off, each failed file is loaded later or
-- written off, and at least one file is loaded. `incidents.scope_versions.close` refuses the same
-- with a message for the operator. This trigger covers every other way to close a batch.
CREATE FUNCTION incidents_batch_closes_whole() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(name, ', ' ORDER BY id) INTO wrong FROM incidents_exposurefile f
    WHERE batch_id = NEW.id AND (
        state = 'loading' OR state = 'loaded' AND (
            rows_read <> rows_taken + rows_rejected
            OR corrects_id IS NULL AND rows_rejected <> (
                SELECT count(*) FROM incidents_rejectedrow r WHERE r.file_id = f.id
            )
        )
    );
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'batch % cannot be closed: % not loaded whole', NEW.id, wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT string_agg(name, ', ' ORDER BY file_id) INTO wrong FROM incidents_unread_files(NEW.id)
    WHERE NOT is_written_off;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'batch % cannot be closed: % neither read whole nor written off', NEW.id,
            wrong USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM incidents_exposurefile WHERE batch_id = NEW.id AND state = 'loaded'
    ) THEN
        RAISE EXCEPTION 'batch % cannot be closed: no file of it is loaded', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_closes_whole BEFORE UPDATE OF state ON incidents_exposurebatch
    FOR EACH ROW WHEN (NEW.state = 'closed' AND OLD.state <> 'closed')
    EXECUTE FUNCTION incidents_batch_closes_whole();

-- Backwards
DROP FUNCTION incidents_batch_closes_whole() CASCADE;
