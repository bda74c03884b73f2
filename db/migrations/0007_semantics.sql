-- 0007_semantics: idempotency of requests, and what imports look duplicates up by.
SELECT schema_step('0007_semantics', '0006_callers', 'idempotency of requests, duplicates of imports');

CREATE TABLE idempotency (
    org_id      uuid NOT NULL,
    key_hash    bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    status      integer NOT NULL CHECK (status BETWEEN 200 AND 299),
    body        text NOT NULL DEFAULT '',
    location    text NOT NULL DEFAULT '',
    etag        text NOT NULL DEFAULT '',
    purged      boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    PRIMARY KEY (org_id, key_hash)
);
COMMENT ON TABLE idempotency IS 'answers of changes that were sent with Idempotency-Key; written in the transaction of the change itself';
COMMENT ON COLUMN idempotency.org_id IS 'whose change; all zeros for the operator''s own, which belong to no organization';
COMMENT ON COLUMN idempotency.key_hash IS 'SHA-256 over organization, method, route and the key of the client';
COMMENT ON COLUMN idempotency.fingerprint IS 'SHA-256 over method, path, query and body: another request with this key is refused';
COMMENT ON COLUMN idempotency.status IS 'status of the answer; refusals are not kept, for they changed nothing';
COMMENT ON COLUMN idempotency.body IS 'body of the answer, without what is shown only once';
COMMENT ON COLUMN idempotency.location IS 'its Location; empty = none';
COMMENT ON COLUMN idempotency.etag IS 'its ETag; empty = none';
COMMENT ON COLUMN idempotency.purged IS 'what it told of was deleted and purged: the key stays taken, the answer is gone';
COMMENT ON COLUMN idempotency.created_at IS 'when the change was made';
COMMENT ON COLUMN idempotency.expires_at IS 'from then on the key is free again and the row may go';
CREATE INDEX idempotency_of_org ON idempotency (org_id, expires_at);
CREATE INDEX idempotency_old ON idempotency (expires_at);
SELECT tenant_table('idempotency');
SELECT worker_table('idempotency');
CREATE POLICY operator ON idempotency
    USING (app_operator() AND org_id = '00000000-0000-0000-0000-000000000000')
    WITH CHECK (app_operator() AND org_id = '00000000-0000-0000-0000-000000000000');
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO connectord_app;
GRANT SELECT, UPDATE (body, location, etag, purged), DELETE ON idempotency TO connectord_worker;

CREATE INDEX connection_by_account ON connection (org_id, aws_account_id);
