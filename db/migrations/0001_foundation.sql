-- 0001_foundation: how migrations register themselves, the three roles, and the tenant setting.
-- Forward only; a file is never edited after it has shipped. The runner wraps each file in one transaction.

CREATE TABLE schema_migration (
    name        text PRIMARY KEY,
    requires    text REFERENCES schema_migration (name),
    description text NOT NULL,
    checksum    text NOT NULL DEFAULT '',
    applied_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE schema_migration IS 'every migration that was applied; holds no data of an organization';
COMMENT ON COLUMN schema_migration.name IS 'file name without .sql';
COMMENT ON COLUMN schema_migration.requires IS 'the migration that must be there before this one';
COMMENT ON COLUMN schema_migration.description IS 'one line: what it adds';
COMMENT ON COLUMN schema_migration.checksum IS 'SHA-256 of the file, written by the runner; a differing file is refused';
COMMENT ON COLUMN schema_migration.applied_at IS 'when it was applied';
CREATE INDEX schema_migration_requires ON schema_migration (requires);

CREATE FUNCTION schema_step(step text, requires text, description text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO schema_migration (name, requires, description) VALUES (step, requires, description)
$$;
COMMENT ON FUNCTION schema_step IS 'first statement of every migration: registers it and checks what it builds on';

SELECT schema_step('0001_foundation', NULL, 'migration registry, roles, tenant setting');

-- connectord_app: the HTTP server. connectord_worker: the workers. Neither owns anything nor bypasses row security.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['connectord_app', 'connectord_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', role_name);
        END IF;
    END LOOP;
END $$;
GRANT SELECT ON schema_migration TO connectord_app, connectord_worker;

-- After a transaction that used set_config(..., true) the setting is '' and not NULL, hence nullif.
CREATE FUNCTION app_org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.org_id', true), '')::uuid
$$;
COMMENT ON FUNCTION app_org IS 'the organization of this transaction; NULL (no row visible) when none is set';

CREATE FUNCTION app_key() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.key_id', true), '')::uuid
$$;
COMMENT ON FUNCTION app_key IS 'the API key that is being authenticated; lets exactly that row be read before its organization is known';

CREATE FUNCTION app_operator() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(current_setting('app.operator', true), '') = 'on'
$$;
COMMENT ON FUNCTION app_operator IS 'true only in statements of the operator listener, which lists and creates organizations';

-- tenant_table(t): what every table of an organization's data gets.
CREATE FUNCTION tenant_table(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant ON %s USING (org_id = app_org()) WITH CHECK (org_id = app_org())', t);
END $$;
COMMENT ON FUNCTION tenant_table IS 'forces row security on a table by its org_id';

-- worker_table(t): queue tables, which a worker claims from across organizations.
CREATE FUNCTION worker_table(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE POLICY worker ON %s TO connectord_worker USING (true) WITH CHECK (true)', t);
END $$;
COMMENT ON FUNCTION worker_table IS 'lets the worker role see a queue table of all organizations';

-- The workers know who they are; the server, which never calls AWS, reads it here.
CREATE TABLE vendor (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    account_id text NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
    learned_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vendor IS 'whom customers trust, in one row; no row = not known yet; holds no data of an organization';
COMMENT ON COLUMN vendor.one IS 'keeps it to one row';
COMMENT ON COLUMN vendor.account_id IS 'AWS account of the workers'' own identity, or the one that the operator named; roles in it are never assumed';
COMMENT ON COLUMN vendor.learned_at IS 'when a worker last found another account than before';
ALTER TABLE vendor ENABLE ROW LEVEL SECURITY;
ALTER TABLE vendor FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON vendor FOR SELECT USING (true);
SELECT worker_table('vendor');
GRANT SELECT ON vendor TO connectord_app;
GRANT SELECT, INSERT, UPDATE ON vendor TO connectord_worker;
