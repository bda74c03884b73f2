-- 0015_creation: what makes the creation of a connection cheap: its organization's number is kept, not counted.
SELECT schema_step('0015_creation', '0014_operator_audit_chain', 'connections are counted as they come and go');

-- A row of its own: the organization's is locked by every row that refers to it.
CREATE TABLE connection_count (
    org_id uuid PRIMARY KEY REFERENCES organization (org_id),
    n      integer NOT NULL
);
COMMENT ON TABLE connection_count IS 'how many connections an organization has that are not deleted; no row = it never had one';
COMMENT ON COLUMN connection_count.org_id IS 'whose';
COMMENT ON COLUMN connection_count.n IS 'how many; kept by connection_counted, with each connection in one transaction';
SELECT tenant_table('connection_count');
GRANT SELECT, INSERT, UPDATE ON connection_count TO connectord_app;

CREATE FUNCTION connection_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO connection_count AS c (org_id, n) VALUES (NEW.org_id, 1)
        ON CONFLICT (org_id) DO UPDATE SET n = c.n + TG_ARGV[0]::integer;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION connection_counted IS 'keeps connection_count';
CREATE TRIGGER connection_comes AFTER INSERT ON connection FOR EACH ROW WHEN (NEW.deleted_at IS NULL)
    EXECUTE FUNCTION connection_counted('1');
-- None is deleted that was not marked before.
CREATE TRIGGER connection_goes AFTER UPDATE OF deleted_at ON connection FOR EACH ROW
    WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION connection_counted('-1');

ALTER TABLE connection NO FORCE ROW LEVEL SECURITY;
ALTER TABLE connection_count NO FORCE ROW LEVEL SECURITY;
INSERT INTO connection_count SELECT org_id, count(*) FROM connection WHERE deleted_at IS NULL GROUP BY org_id;
ALTER TABLE connection_count FORCE ROW LEVEL SECURITY;
ALTER TABLE connection FORCE ROW LEVEL SECURITY;

-- As it was, but the head is made when there is none instead of looked for twice.
CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    is_operators CONSTANT boolean := TG_TABLE_NAME = 'operator_audit';
    head record;
BEGIN
    IF is_operators THEN
        SELECT seq, hash INTO head FROM operator_audit_head FOR UPDATE;
    ELSE
        SELECT seq, hash INTO head FROM audit_head WHERE org_id = NEW.org_id FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO audit_head (org_id, seq, hash) VALUES (NEW.org_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
            SELECT seq, hash INTO head FROM audit_head WHERE org_id = NEW.org_id FOR UPDATE;
        END IF;
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
