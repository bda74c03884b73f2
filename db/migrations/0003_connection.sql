-- 0003_connection: AWS connections and their schedules.
SELECT schema_step('0003_connection', '0002_organization', 'connections and schedules');

CREATE TABLE connection (
    org_id                   uuid NOT NULL REFERENCES organization (org_id),
    connection_id            uuid NOT NULL,
    name                     text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    authoritative_status     text NOT NULL CHECK (authoritative_status IN ('primary', 'secondary', 'none')),
    aws_account_id           text CHECK (aws_account_id ~ '^[0-9]{12}$'),
    aws_organization_id      text CHECK (aws_organization_id ~ '^o-[a-z0-9]{10,32}$'),
    region                   text NOT NULL CHECK (region ~ '^[a-z0-9-]{1,32}$'),
    auth_method              text NOT NULL CHECK (auth_method IN ('assume_role', 'access_key')),
    role_arn                 text CHECK (char_length(role_arn) <= 2048),
    access_key_id            text CHECK (access_key_id ~ '^AKIA[A-Z0-9]{12,124}$'),
    sealed_secret_access_key bytea,
    cloudtrail_bucket        text CHECK (char_length(cloudtrail_bucket) BETWEEN 3 AND 63),
    cloudtrail_days          integer NOT NULL DEFAULT 90 CHECK (cloudtrail_days BETWEEN 1 AND 3650),
    cloudtrail_digest_prefix text NOT NULL DEFAULT 'AWSLogs' CHECK (octet_length(cloudtrail_digest_prefix) <= 1024),
    paused                   boolean NOT NULL DEFAULT false,
    verify_state             text NOT NULL DEFAULT 'pending' CHECK (verify_state IN ('pending', 'verified', 'refused')),
    verify_code              text NOT NULL DEFAULT '',
    verify_text              text NOT NULL DEFAULT '',
    verify_aws               jsonb,
    verified_at              timestamptz,
    external_id_enforced     boolean,
    pinned_account_id        text,
    pinned_partition         text,
    last_sync_state          text CHECK (last_sync_state IN ('complete', 'partial', 'failed', 'canceled')),
    last_sync_at             timestamptz,
    last_complete_at         timestamptz,
    version                  bigint NOT NULL DEFAULT 1,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    deleted_at               timestamptz,
    PRIMARY KEY (org_id, connection_id),
    CONSTRAINT connection_target CHECK (num_nonnulls(aws_account_id, aws_organization_id) = 1),
    CONSTRAINT connection_auth CHECK (
        (auth_method = 'assume_role' AND role_arn IS NOT NULL AND access_key_id IS NULL AND sealed_secret_access_key IS NULL)
        OR (auth_method = 'access_key' AND role_arn IS NULL AND access_key_id IS NOT NULL
            AND (sealed_secret_access_key IS NOT NULL OR deleted_at IS NOT NULL)))
);
COMMENT ON TABLE connection IS 'one AWS account or AWS Organization that an organization connected';
COMMENT ON COLUMN connection.org_id IS 'whose connection it is';
COMMENT ON COLUMN connection.connection_id IS 'conn_ in the API';
COMMENT ON COLUMN connection.name IS 'arbitrary name given by its owner';
COMMENT ON COLUMN connection.authoritative_status IS 'whether AWS identities are the primary or secondary source of truth when identities are reconciled';
COMMENT ON COLUMN connection.aws_account_id IS 'the AWS account, when one account is connected';
COMMENT ON COLUMN connection.aws_organization_id IS 'the AWS Organization (o-...), when a whole one is connected';
COMMENT ON COLUMN connection.region IS 'the region that API calls target';
COMMENT ON COLUMN connection.auth_method IS 'assume_role, or the legacy access_key';
COMMENT ON COLUMN connection.role_arn IS 'the customer''s role, assumed with org_id as external ID';
COMMENT ON COLUMN connection.access_key_id IS 'legacy: public part of the access key';
COMMENT ON COLUMN connection.sealed_secret_access_key IS 'legacy: envelope of base/seal.h; only a worker can open it; erased on delete';
COMMENT ON COLUMN connection.cloudtrail_bucket IS 'S3 bucket with historical CloudTrail logs; NULL = none';
COMMENT ON COLUMN connection.cloudtrail_days IS 'days of history to retrieve';
COMMENT ON COLUMN connection.cloudtrail_digest_prefix IS 'prefix of the digest objects in the bucket';
COMMENT ON COLUMN connection.paused IS 'a person stopped it; nothing else ever sets or clears this';
COMMENT ON COLUMN connection.verify_state IS 'pending (not yet verified, or within the grace of a new role), verified, refused';
COMMENT ON COLUMN connection.verify_code IS 'why it is refused or still pending: external_id_not_enforced, role_not_assumable, ...';
COMMENT ON COLUMN connection.verify_text IS 'the same in a sentence with the remedy';
COMMENT ON COLUMN connection.verify_aws IS 'AWS''s own code, message, request id';
COMMENT ON COLUMN connection.verified_at IS 'last time the credentials and the external ID were checked';
COMMENT ON COLUMN connection.external_id_enforced IS 'result of the three probes; NULL for access keys or before the first probe';
COMMENT ON COLUMN connection.pinned_account_id IS 'account that GetCallerIdentity answered first; a sync against another is refused';
COMMENT ON COLUMN connection.pinned_partition IS 'partition of that answer';
COMMENT ON COLUMN connection.last_sync_state IS 'how the last sync ended';
COMMENT ON COLUMN connection.last_sync_at IS 'when the last sync ended';
COMMENT ON COLUMN connection.last_complete_at IS 'when a sync was last complete';
COMMENT ON COLUMN connection.version IS '+1 on every change by a person; the ETag';
COMMENT ON COLUMN connection.created_at IS 'when it was created';
COMMENT ON COLUMN connection.updated_at IS 'when a person last changed it';
COMMENT ON COLUMN connection.deleted_at IS 'set while it is being purged; the row goes when the purge is done';
CREATE INDEX connection_name ON connection (org_id, name);
SELECT tenant_table('connection');
GRANT SELECT, INSERT, UPDATE ON connection TO connectord_app;
GRANT SELECT, UPDATE, DELETE ON connection TO connectord_worker;

CREATE TABLE schedule (
    org_id        uuid NOT NULL,
    connection_id uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('sync', 'verify')),
    every_s       integer NOT NULL CHECK (every_s BETWEEN 60 AND 31536000),
    next_at       timestamptz NOT NULL,
    paused        boolean NOT NULL DEFAULT false,
    missed        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, connection_id, kind),
    FOREIGN KEY (org_id, connection_id) REFERENCES connection (org_id, connection_id) ON DELETE CASCADE
);
COMMENT ON TABLE schedule IS 'when a connection is due; read by the schedulers across organizations';
COMMENT ON COLUMN schedule.org_id IS 'whose schedule';
COMMENT ON COLUMN schedule.connection_id IS 'of which connection';
COMMENT ON COLUMN schedule.kind IS 'sync, or verify (credentials and external ID)';
COMMENT ON COLUMN schedule.every_s IS 'interval';
COMMENT ON COLUMN schedule.next_at IS 'the next tick, jittered once by a hash of the connection';
COMMENT ON COLUMN schedule.paused IS 'copy of connection.paused';
COMMENT ON COLUMN schedule.missed IS 'ticks that were skipped because nothing ran them in time';
CREATE INDEX schedule_due ON schedule (next_at) WHERE NOT paused;
SELECT tenant_table('schedule');
SELECT worker_table('schedule');
GRANT SELECT, INSERT, UPDATE, DELETE ON schedule TO connectord_app, connectord_worker;
