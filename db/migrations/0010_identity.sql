-- 0010_identity: what the workers know of their own identity.
SELECT schema_step('0010_identity', '0009_schedules', 'what the workers know of their own identity and keys');

-- One row a running worker process: some of them may have an identity while others lack it.
CREATE TABLE worker_identity (
    worker_id  uuid PRIMARY KEY,
    state      text NOT NULL CHECK (state IN ('found', 'missing', 'broken', 'refused')),
    code       text NOT NULL DEFAULT '',
    account_id text NOT NULL DEFAULT '' CHECK (account_id ~ '^([0-9]{12})?$'),
    source     text NOT NULL DEFAULT '',
    seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE worker_identity IS 'whether each worker process has an AWS identity of its own; holds no secret and no data of an organization';
COMMENT ON COLUMN worker_identity.worker_id IS 'the process, by a number of its own';
COMMENT ON COLUMN worker_identity.state IS 'found; missing (no source has one); broken (a source is there and fails); refused (AWS refuses it)';
COMMENT ON COLUMN worker_identity.code IS 'why it is not found; the sentence is in that worker''s log';
COMMENT ON COLUMN worker_identity.account_id IS 'AWS account of the identity, once AWS has said so or the operator named it';
COMMENT ON COLUMN worker_identity.source IS 'where it was found: environment, profile, container, ...';
COMMENT ON COLUMN worker_identity.seen_at IS 'when the process last said so; a row older than three minutes is of a process that is gone';
ALTER TABLE worker_identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE worker_identity FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON worker_identity FOR SELECT USING (true);
SELECT worker_table('worker_identity');
GRANT SELECT ON worker_identity TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON worker_identity TO connectord_worker;
