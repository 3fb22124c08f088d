-- The takings of codes show who got one, so they stay. A user who closes the account is removed from
-- a taking, and an account that is joined into another gives it its takings; see accounts_is_joined.
CREATE FUNCTION offers_taking_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR (NEW.id, NEW.offer_id, NEW.code_id, NEW.taken_at)
            IS DISTINCT FROM (OLD.id, OLD.offer_id, OLD.code_id, OLD.taken_at)
        OR NEW.user_id IS DISTINCT FROM OLD.user_id AND NEW.user_id IS NOT NULL
            AND accounts_is_joined(OLD.user_id, NEW.user_id) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'taking % is on record', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER taking_stays BEFORE UPDATE OR DELETE ON offers_offertaking
    FOR EACH ROW EXECUTE FUNCTION offers_taking_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON offers_offertaking
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- A taking has a code of its own offer, which is marked as taken.
CREATE FUNCTION offers_taking_fits() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM offers_poolcode
        WHERE id = NEW.code_id AND offer_id = NEW.offer_id AND taken_at = NEW.taken_at
    ) THEN
        RAISE EXCEPTION 'code % is not that of the taking', NEW.code_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER taking_fits BEFORE INSERT ON offers_offertaking
    FOR EACH ROW EXECUTE FUNCTION offers_taking_fits();

-- Of a code only the ciphertext changes, by a re-encryption, and once that it is taken.
CREATE FUNCTION offers_code_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR (NEW.id, NEW.offer_id, NEW.digest) IS DISTINCT FROM (OLD.id, OLD.offer_id, OLD.digest)
        OR OLD.taken_at IS NOT NULL AND NEW.taken_at IS DISTINCT FROM OLD.taken_at
    THEN
        RAISE EXCEPTION 'code % of an offer is on record', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER code_stays BEFORE UPDATE OR DELETE ON offers_poolcode
    FOR EACH ROW EXECUTE FUNCTION offers_code_stays();
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON offers_poolcode
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_refuse_truncate_of_proof();

-- A claim keeps a second taking away until the incident is shredded.
CREATE FUNCTION offers_claim_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR NOT EXISTS (
        SELECT FROM offers_offer
        WHERE id = OLD.offer_id AND incidents_is_shredded(incident_id)
    ) THEN
        RAISE EXCEPTION 'claim % of an offer is on record', OLD.key
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER claim_stays BEFORE UPDATE OR DELETE ON offers_takingclaim
    FOR EACH ROW EXECUTE FUNCTION offers_claim_stays();

-- What an offer's codes depend on stays as it is once it has codes.
CREATE FUNCTION offers_offer_keeps_codes() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM offers_poolcode WHERE offer_id = OLD.id) THEN
        RAISE EXCEPTION 'offer % has codes', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER offer_keeps_codes BEFORE UPDATE ON offers_offer
    FOR EACH ROW WHEN ((NEW.incident_id, NEW.has_codes) IS DISTINCT FROM (OLD.incident_id, OLD.has_codes))
    EXECUTE FUNCTION offers_offer_keeps_codes();

-- Backwards
DROP FUNCTION offers_offer_keeps_codes() CASCADE;
DROP FUNCTION offers_claim_stays() CASCADE;
DROP FUNCTION offers_code_stays() CASCADE;
DROP FUNCTION offers_taking_fits() CASCADE;
DROP FUNCTION offers_taking_stays() CASCADE;
