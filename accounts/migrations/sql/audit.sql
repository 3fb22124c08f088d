-- The audit trail: rows that are only added, each linked to the one before by its hash.
--
-- The functions that write it run with the rights of the owner of the tables, so that the account of
-- the portal needs none.

-- A row never changes, except that accounts_audit_link gives it its number and hash, once.
CREATE FUNCTION accounts_audit_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.number IS NULL AND NEW.number IS NOT NULL AND NEW.hash IS NOT NULL
        AND to_jsonb(NEW) - 'number' - 'hash' = to_jsonb(OLD) - 'number' - 'hash' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit trail cannot be changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_stays();
CREATE TRIGGER audit_is_not_truncated BEFORE TRUNCATE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_stays();

-- Adds a row. `actor` is "<user id>:<who>", as accounts/audit/actors.py writes it; without one the
-- actor of the transaction or of the session counts. The account of the database is always recorded.
CREATE FUNCTION accounts_audit_add(
    kind text, object_type text, object_id text, incident bigint, details jsonb, actor text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    who text := coalesce(actor, current_setting('breachportal.actor', true), '');
BEGIN
    INSERT INTO accounts_auditentry (at, actor_id, actor, account, kind, object_type, object_id,
        incident_id, details)
    VALUES (clock_timestamp(), nullif(split_part(who, ':', 1), '')::bigint,
        substr(who, strpos(who, ':') + 1), session_user, kind, object_type,
        left(coalesce(object_id, ''), 64), incident, details);
END $$;

-- Records an act of the application, such as a look-up. It cannot record a change of a row, which
-- only the triggers below do, nor choose the time, the account, the number or the hash.
CREATE FUNCTION accounts_audit_record(
    kind text, object_type text, object_id text, incident bigint, details jsonb, actor text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF kind IN ('added', 'changed', 'deleted', 'desk') THEN
        RAISE EXCEPTION 'only a trigger records "%"', kind USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM accounts_audit_add(kind, object_type, object_id, incident, details, actor);
END $$;

-- Returns the incident of a row, or null. `path` leads from the row to it: "incident_id", or
-- "<column> <table> <column> <table> incident_id": the id in each column is a key of the next table.
CREATE FUNCTION accounts_audit_incident(row_ jsonb, path text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    steps text[] := string_to_array(path, ' ');
    found text := row_ ->> steps[1];
BEGIN
    FOR i IN 1 .. (cardinality(steps) - 1) / 2 LOOP
        EXECUTE format('SELECT %I::text FROM %I WHERE id = $1', steps[2 * i + 1], steps[2 * i])
            INTO found USING found::bigint;
    END LOOP;
    RETURN found::bigint;
END $$;

-- The trigger function of the audited tables: records a row that is added, changed or deleted, with
-- {"column": [old, new]} for each column that differs. Its arguments are lists with spaces:
-- 1. columns that are left out, such as counters; a change of them alone leaves no row;
-- 2. columns whose values are left out, such as ciphertext: {"column": "changed"};
-- 3. the path to the incident (see above), or '';
-- 4. 'staff': only rows of users who are staff.
CREATE FUNCTION accounts_audit_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) ELSE '{}' END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) ELSE '{}' END;
    either jsonb := before || after;
    ignored text[] := string_to_array(TG_ARGV[0], ' ');
    secret text[] := string_to_array(TG_ARGV[1], ' ');
    difference jsonb;
BEGIN
    IF TG_ARGV[3] = 'staff' AND NOT EXISTS (
        SELECT FROM accounts_user WHERE id = (either ->> 'user_id')::bigint
            AND (is_staff OR is_superuser)
    ) THEN
        RETURN NULL;
    END IF;
    SELECT jsonb_object_agg(key, CASE WHEN key = ANY (secret) THEN '"changed"'::jsonb
        ELSE jsonb_build_array(before -> key, after -> key) END)
    INTO difference FROM jsonb_object_keys(either) key
    WHERE key <> ALL (ignored) AND coalesce(before -> key, 'null') <> coalesce(after -> key, 'null');
    IF difference IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM accounts_audit_add(
        CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
        TG_TABLE_NAME, coalesce(either ->> 'id', either ->> 'statement_id'),
        CASE WHEN TG_ARGV[2] <> '' THEN accounts_audit_incident(either, TG_ARGV[2]) END,
        difference, NULL
    );
    RETURN NULL;
END $$;

-- Records an entry of the desk's log: exports, approvals and all that the desk's pages log. The
-- text of the object is left out, because it may be a customer's address. The argument is the type
-- of the objects that are incidents.
CREATE FUNCTION accounts_audit_desk_log() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    object_type text;
BEGIN
    SELECT app_label || '_' || model INTO object_type FROM django_content_type
    WHERE id = NEW.content_type_id;
    PERFORM accounts_audit_add('desk', coalesce(object_type, ''), NEW.object_id,
        CASE WHEN object_type = TG_ARGV[0] THEN NEW.object_id::bigint END,
        jsonb_build_object('message', NEW.change_message, 'action', NEW.action_flag),
        (SELECT id || ':' || email FROM accounts_user WHERE id = NEW.user_id));
    RETURN NULL;
END $$;

-- Returns whether the trail says that an account was joined into another. Rows on record, such as
-- who looked at which values, may then name the other account.
CREATE FUNCTION accounts_is_joined(ended bigint, stays bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT EXISTS (
        SELECT FROM accounts_auditentry
        WHERE kind = 'joined' AND object_type = 'accounts_user' AND object_id = ended::text
            AND (details ->> 'into')::bigint = stays
    )
$$;

-- Returns the hash of a row: SHA-256 of the hash before and of the fields, each as
-- "<length in bytes>:<text>" or "-" for null, with commas between them. docs/audit-trail.md
CREATE FUNCTION accounts_audit_hash(previous bytea, number bigint, entry accounts_auditentry)
RETURNS bytea LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT sha256(previous || convert_to(
        string_agg(coalesce(octet_length(field) || ':' || field, '-'), ',' ORDER BY place), 'UTF8'
    ))
    FROM unnest(ARRAY[
        number::text, entry.id::text,
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.actor_id::text, entry.actor, entry.account, entry.kind, entry.object_type,
        entry.object_id, entry.incident_id::text, entry.details::text
    ]) WITH ORDINALITY AS t(field, place)
$$;

-- Links the rows that are committed and have no number yet, `most` at a time, in the order of their
-- keys. Returns their number. Only callers of this function wait for one another; the transactions
-- that add rows wait for none (docs/decisions/0045-audit-trail.md).
CREATE FUNCTION accounts_audit_link(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    entry accounts_auditentry;
    last bigint;
    previous bytea;
    linked integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7237104514045);
    SELECT e.number, e.hash INTO last, previous FROM accounts_auditentry e
    WHERE e.number IS NOT NULL ORDER BY e.number DESC LIMIT 1;
    last := coalesce(last, 0);
    previous := coalesce(previous, ''::bytea);
    FOR entry IN
        SELECT * FROM accounts_auditentry e WHERE e.number IS NULL ORDER BY e.id LIMIT most
    LOOP
        last := last + 1;
        previous := accounts_audit_hash(previous, last, entry);
        UPDATE accounts_auditentry SET number = last, hash = previous WHERE id = entry.id;
        linked := linked + 1;
    END LOOP;
    RETURN linked;
END $$;

-- Accounts of the response team are deactivated, never deleted: the trail names them by id.
CREATE FUNCTION accounts_staff_stays() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.is_staff OR OLD.is_superuser
        OR EXISTS (SELECT FROM accounts_auditentry WHERE actor_id = OLD.id)
        OR EXISTS (
            SELECT FROM accounts_auditentry
            WHERE object_type = 'accounts_user' AND object_id = OLD.id::text
                AND kind IN ('added', 'changed')
        )
    THEN
        RAISE EXCEPTION 'user % is or was on the response team and is deactivated, not deleted',
            OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER staff_stays BEFORE DELETE ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION accounts_staff_stays();

-- Customers' rows are not audited: only those of the response team, and their rights.
CREATE TRIGGER audit_added AFTER INSERT ON accounts_user
    FOR EACH ROW WHEN (NEW.is_staff OR NEW.is_superuser)
    EXECUTE FUNCTION accounts_audit_change('last_login', 'password', '', '');
CREATE TRIGGER audit_changed AFTER UPDATE ON accounts_user
    FOR EACH ROW WHEN (OLD.is_staff OR OLD.is_superuser OR NEW.is_staff OR NEW.is_superuser)
    EXECUTE FUNCTION accounts_audit_change('last_login', 'password', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_user_groups
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_user_user_permissions
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_rightsgrant
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_rightsgrant_groups
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_apitoken
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('last_used_on', 'digest', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_companyidentity
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('mailed_at mail_tries mail_after', 'subject', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_invitation
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', 'token_hash', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_invitation_groups
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON accounts_verifiedphone
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', 'staff');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON auth_group
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON auth_group_permissions
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_change('', '', '', '');

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'accounts_audit_add(text, text, text, bigint, jsonb, text)',
        'accounts_audit_record(text, text, text, bigint, jsonb, text)',
        'accounts_audit_incident(jsonb, text)', 'accounts_audit_change()',
        'accounts_audit_desk_log()', 'accounts_audit_link(integer)', 'accounts_staff_stays()'
    ] LOOP
        -- grant_portal_role grants what the portal calls; triggers need no grant
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;

-- Backwards
DROP FUNCTION accounts_staff_stays() CASCADE;
DROP FUNCTION accounts_is_joined(bigint, bigint) CASCADE;
DROP FUNCTION accounts_audit_link(integer);
DROP FUNCTION accounts_audit_hash(bytea, bigint, accounts_auditentry);
DROP FUNCTION accounts_audit_desk_log() CASCADE;
DROP FUNCTION accounts_audit_change() CASCADE;
DROP FUNCTION accounts_audit_incident(jsonb, text);
DROP FUNCTION accounts_audit_record(text, text, text, bigint, jsonb, text);
DROP FUNCTION accounts_audit_add(text, text, text, bigint, jsonb, text);
DROP FUNCTION accounts_audit_stays() CASCADE;
