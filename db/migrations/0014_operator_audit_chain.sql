-- 0014_operator_audit_chain: the operator's audit trail is a chain as an organization's is, and holds all that he does.
SELECT schema_step('0014_operator_audit_chain', '0012_audit_chain', 'hash chain of the operator''s audit');

ALTER TABLE operator_audit ADD COLUMN seq bigint, ADD COLUMN prev bytea, ADD COLUMN hash bytea;
COMMENT ON TABLE operator_audit IS 'what the operator changed, outside of every organization and in them; append-only';
COMMENT ON COLUMN operator_audit.action IS 'service_key.created, organization.created, key.revoked, ...';
COMMENT ON COLUMN operator_audit.target_kind IS 'service_key, organization, key, sealed_column';
COMMENT ON COLUMN operator_audit.detail IS 'what changed, never a secret; org_id: in whose organization, whose own trail has the same entry';
COMMENT ON COLUMN operator_audit.seq IS 'place in the operator''s chain, from 1, without gaps';
COMMENT ON COLUMN operator_audit.prev IS 'hash of the entry before; zeros for the first';
COMMENT ON COLUMN operator_audit.hash IS 'SHA-256 of audit_line() of this row';

CREATE TABLE operator_audit_head (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq  bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(hash) = 32),
    at   timestamptz
);
COMMENT ON TABLE operator_audit_head IS 'end of the operator''s chain, in one row, as audit_head is of each organization''s; holds no organization''s data';
COMMENT ON COLUMN operator_audit_head.one IS 'keeps it to one row';
COMMENT ON COLUMN operator_audit_head.seq IS 'place of the last entry; 0 = none yet';
COMMENT ON COLUMN operator_audit_head.hash IS 'hash of the last entry';
COMMENT ON COLUMN operator_audit_head.at IS 'when it was written; NULL = none yet';
INSERT INTO operator_audit_head DEFAULT VALUES;
ALTER TABLE operator_audit_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY operator ON operator_audit_head USING (app_operator()) WITH CHECK (app_operator());
GRANT SELECT ON operator_audit_head TO connectord_app;

CREATE FUNCTION audit_line(a operator_audit) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT audit_line(jsonb_populate_record(NULL::audit, to_jsonb(a) || '{"org_id": "00000000-0000-0000-0000-000000000000"}'))
$$;
COMMENT ON FUNCTION audit_line(operator_audit) IS 'an entry as it is hashed: that of an organization whose id nobody has';

CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    is_operators CONSTANT boolean := TG_TABLE_NAME = 'operator_audit';
    head record;
BEGIN
    IF is_operators THEN
        SELECT seq, hash INTO head FROM operator_audit_head FOR UPDATE;
    ELSE
        INSERT INTO audit_head (org_id, seq, hash) VALUES (NEW.org_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT seq, hash INTO head FROM audit_head WHERE org_id = NEW.org_id FOR UPDATE;
    END IF;
    NEW.seq := head.seq + 1;
    NEW.prev := head.hash;
    NEW.hash := sha256(convert_to(audit_line(NEW), 'UTF8'));
    IF is_operators THEN
        UPDATE operator_audit_head SET seq = NEW.seq, hash = NEW.hash, at = NEW.at;
    ELSE
        UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash, at = NEW.at WHERE org_id = NEW.org_id;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION audit_chain IS 'puts a new entry at the end of its organization''s chain, or of the operator''s';
CREATE TRIGGER audit_chain BEFORE INSERT ON operator_audit FOR EACH ROW EXECUTE FUNCTION audit_chain();

-- What there is already, and what the operator did in organizations, in order of id, which is the order of time.
ALTER TABLE operator_audit NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit NO FORCE ROW LEVEL SECURITY;
WITH old AS (DELETE FROM operator_audit RETURNING audit_id, at, actor, action, target_kind, target_id, request_id, detail)
INSERT INTO operator_audit (audit_id, at, actor, action, target_kind, target_id, request_id, detail)
    SELECT * FROM old
    UNION ALL
    SELECT audit_id, at, actor, action, target_kind, target_id, request_id, detail || jsonb_build_object('org_id', org_id)
    FROM audit WHERE actor = 'operator'
    ORDER BY audit_id;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
ALTER TABLE operator_audit FORCE ROW LEVEL SECURITY;
ALTER TABLE operator_audit_head FORCE ROW LEVEL SECURITY;

ALTER TABLE operator_audit ALTER COLUMN seq SET NOT NULL, ALTER COLUMN prev SET NOT NULL, ALTER COLUMN hash SET NOT NULL,
    ADD CONSTRAINT operator_audit_seq UNIQUE (seq), ADD CONSTRAINT operator_audit_prev CHECK (octet_length(prev) = 32),
    ADD CONSTRAINT operator_audit_hash CHECK (octet_length(hash) = 32);

-- In the same transaction, whoever forgets it. The operator's rights are lent for this one row: a worker that re-seals
-- secrets at his command has none, nor has a request about an organization's keys.
CREATE FUNCTION audit_copy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    was CONSTANT text := coalesce(current_setting('app.operator', true), '');
BEGIN
    PERFORM set_config('app.operator', 'on', true);
    INSERT INTO operator_audit (audit_id, at, actor, action, target_kind, target_id, request_id, detail)
    VALUES (NEW.audit_id, NEW.at, NEW.actor, NEW.action, NEW.target_kind, NEW.target_id, NEW.request_id,
        NEW.detail || jsonb_build_object('org_id', NEW.org_id));
    PERFORM set_config('app.operator', was, true);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION audit_copy IS 'what the operator did in an organization, for his own trail';
CREATE TRIGGER audit_copy AFTER INSERT ON audit FOR EACH ROW WHEN (NEW.actor = 'operator') EXECUTE FUNCTION audit_copy();
