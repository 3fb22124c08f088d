-- Returns the files of a scope version that are not read whole, each with the number of rows that
-- were not loaded. The number is null for a failed file, whose rows are unknown. A rejected row is
-- settled while a reject file that holds it, corrected, is loaded. A failed file counts unless it
-- was loaded later, by its name or content (of several sheets, the same one), or each row that it
-- rejected is settled. The name of one of several sheets is shown after that of the file.
CREATE FUNCTION incidents_unread_files(batch bigint)
RETURNS TABLE (file_id integer, name varchar, unread bigint, is_written_off boolean)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT f.id, CASE WHEN f.has_other_sheets THEN f.name || ' (' || f.sheet || ')' ELSE f.name END,
        CASE WHEN r.rejected > 0 THEN r.unread END, EXISTS (
        SELECT FROM incidents_writeoff w WHERE w.file_id = f.id AND w.confirmed_at IS NOT NULL
    )
    FROM incidents_exposurefile f CROSS JOIN LATERAL (
        SELECT count(*) AS rejected, count(*) FILTER (WHERE s.id IS NULL) AS unread
        FROM incidents_rejectedrow r
        LEFT JOIN incidents_exposurefile s ON s.id = r.settled_by_id AND s.state = 'loaded'
        WHERE r.file_id = f.id
    ) r
    WHERE f.batch_id = batch AND f.corrects_id IS NULL AND (
        f.state = 'loaded' AND r.unread > 0
        OR f.state = 'failed' AND (r.rejected = 0 OR r.unread > 0) AND NOT EXISTS (
            SELECT FROM incidents_exposurefile later
            WHERE later.batch_id = f.batch_id AND later.state = 'loaded' AND later.id > f.id
                AND (NOT f.has_other_sheets OR f.sheet = later.sheet)
                AND (later.name = f.name OR later.sha256 = f.sha256
                    OR later.content_sha256 = f.content_sha256 AND f.content_sha256 <> '')
        )
    )
    ORDER BY f.id
$$;

-- A write-off is the decision of two people that the portal then reports publicly. It may be
-- confirmed or withdrawn once; it cannot be changed or deleted.
CREATE TRIGGER write_off_stays BEFORE UPDATE OR DELETE ON incidents_writeoff
    FOR EACH ROW EXECUTE FUNCTION accounts_proposal_stays('write-off');
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON incidents_writeoff
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- Backwards
DROP FUNCTION incidents_unread_files(bigint) CASCADE;
