-- 0012_audit_chain: every entry of an organization's audit trail holds the hash of the one before.
SELECT schema_step('0012_audit_chain', '0011_webhooks', 'hash chain of the audit');

ALTER TABLE audit ADD COLUMN seq bigint, ADD COLUMN prev bytea, ADD COLUMN hash bytea;
COMMENT ON COLUMN audit.seq IS 'place in the organization''s chain, from 1, without gaps';
COMMENT ON COLUMN audit.prev IS 'hash of the entry before; zeros for the first';
COMMENT ON COLUMN audit.hash IS 'SHA-256 of audit_line() of this row';

CREATE TABLE audit_head (
    org_id uuid PRIMARY KEY REFERENCES organization (org_id),
    seq    bigint NOT NULL CHECK (seq >= 0),
    hash   bytea NOT NULL CHECK (octet_length(hash) = 32),
    at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE audit_head IS 'end of each organization''s chain; its row lock puts writers in order. Kept elsewhere, it shows a tail that was cut off';
COMMENT ON COLUMN audit_head.org_id IS 'whose chain';
COMMENT ON COLUMN audit_head.seq IS 'place of the last entry; 0 = none yet';
COMMENT ON COLUMN audit_head.hash IS 'hash of the last entry';
COMMENT ON COLUMN audit_head.at IS 'when it was written';
SELECT tenant_table('audit_head');
GRANT SELECT ON audit_head TO connectord_app, connectord_worker;

-- One line of JSON with a fixed order of members: what is hashed, and what the export shows.
CREATE FUNCTION audit_line(a audit) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '{"seq":' || a.seq::text || ',"org_id":"' || a.org_id::text || '","id":"' || a.audit_id::text || '","at":"'
        || to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","actor":' || to_json(a.actor)::text
        || ',"action":' || to_json(a.action)::text || ',"target_kind":' || to_json(a.target_kind)::text || ',"target_id":'
        || to_json(a.target_id)::text || ',"request_id":' || to_json(a.request_id)::text || ',"detail":' || a.detail::text
        || ',"prev":"' || encode(a.prev, 'hex') || '"}'
$$;
COMMENT ON FUNCTION audit_line IS 'an entry as it is hashed: everything but its hash';

-- Neither role may write audit_head: only this trigger does, as its owner. The head's lock is held to the end of the
-- transaction, so that two entries never follow the same one.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO head FROM audit_head WHERE org_id = NEW.org_id FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_head (org_id, seq, hash) VALUES (NEW.org_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_head WHERE org_id = NEW.org_id FOR UPDATE;
    END IF;
    NEW.seq := head.seq + 1;
    NEW.prev := head.hash;
    NEW.hash := sha256(convert_to(audit_line(NEW), 'UTF8'));
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash, at = NEW.at WHERE org_id = NEW.org_id;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION audit_chain IS 'puts a new entry at the end of its organization''s chain';

-- Entries from before the chain: in order of their id, which is the order of time.
ALTER TABLE audit NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_head NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
    old audit;
    head audit_head;
BEGIN
    FOR old IN SELECT * FROM audit ORDER BY org_id, audit_id LOOP
        IF head.org_id IS DISTINCT FROM old.org_id THEN
            head := ROW(old.org_id, 0, decode(repeat('00', 32), 'hex'), old.at);
        END IF;
        old.seq := head.seq + 1;
        old.prev := head.hash;
        old.hash := sha256(convert_to(audit_line(old), 'UTF8'));
        UPDATE audit SET seq = old.seq, prev = old.prev, hash = old.hash WHERE org_id = old.org_id AND audit_id = old.audit_id;
        head.seq := old.seq;
        head.hash := old.hash;
        INSERT INTO audit_head (org_id, seq, hash, at) VALUES (old.org_id, old.seq, old.hash, old.at)
            ON CONFLICT (org_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at = excluded.at;
    END LOOP;
END $$;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_head FORCE ROW LEVEL SECURITY;

ALTER TABLE audit ALTER COLUMN seq SET NOT NULL, ALTER COLUMN prev SET NOT NULL, ALTER COLUMN hash SET NOT NULL,
    ADD CONSTRAINT audit_seq UNIQUE (org_id, seq), ADD CONSTRAINT audit_prev CHECK (octet_length(prev) = 32),
    ADD CONSTRAINT audit_hash CHECK (octet_length(hash) = 32);
CREATE TRIGGER audit_chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_chain();
