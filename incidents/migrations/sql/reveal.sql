-- The record of who saw unmasked values stays as it is. A user who closes the account is removed from
-- it, and an account that is joined into another gives it its rows; see accounts_is_joined. A purge
-- deletes them with the people, as the owner of the tables.
CREATE TRIGGER reveal_is_immutable BEFORE UPDATE ON incidents_reveal
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND accounts_is_joined(OLD.user_id, NEW.user_id) IS NOT TRUE
        OR (NEW.id, NEW.person_id, NEW.at) IS DISTINCT FROM (OLD.id, OLD.person_id, OLD.at))
    EXECUTE FUNCTION incidents_proof_is_immutable();
