-- Refuses to close a scope version unless no file is loading, the row counts of each loaded file add
-- up, and at least one file is loaded. `incidents.scope_versions.close` refuses the same with a
-- message for the operator. This trigger covers every other way to close a batch.
CREATE FUNCTION incidents_batch_closes_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(name, ', ' ORDER BY id) INTO wrong FROM incidents_exposurefile
    WHERE batch_id = NEW.id AND (
        state = 'loading' OR state = 'loaded' AND rows_read <> rows_taken + rows_rejected
    );
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'batch % cannot be closed: % not loaded whole', NEW.id, wrong
            USING ERRCODE = 'integrity_constraint_violation';
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
