-- 0005_inventory: what was found, how it hangs together, what was looked at, and what changed.
SELECT schema_step('0005_inventory', '0004_queue', 'entities, edges, documents, coverage, changes');

CREATE TABLE entity (
    org_id        uuid NOT NULL REFERENCES organization (org_id),
    entity_id     uuid NOT NULL,
    connection_id uuid NOT NULL,
    account_id    text NOT NULL DEFAULT '',
    region        text NOT NULL DEFAULT 'global',
    scope         text NOT NULL,
    part          text NOT NULL,
    kind          text NOT NULL,
    key           text NOT NULL,
    name          text NOT NULL DEFAULT '',
    attrs         jsonb NOT NULL DEFAULT '{}',
    attrs_hash    bytea NOT NULL,
    incarnation   text NOT NULL DEFAULT '',
    stub          boolean NOT NULL DEFAULT false,
    first_seen    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz,
    PRIMARY KEY (org_id, entity_id)
);
COMMENT ON TABLE entity IS 'what was found; unchanged entities are not written, "seen" is the coverage row''s time';
COMMENT ON COLUMN entity.org_id IS 'whose inventory';
COMMENT ON COLUMN entity.entity_id IS '128-bit hash of (org, kind, key): the same thing always has the same id';
COMMENT ON COLUMN entity.connection_id IS 'connection that holds it: the first finder, or the one it was handed to when that was deleted';
COMMENT ON COLUMN entity.account_id IS 'AWS account that holds it';
COMMENT ON COLUMN entity.region IS 'region, or global';
COMMENT ON COLUMN entity.scope IS 'capability of the permission catalogue: iam, ...';
COMMENT ON COLUMN entity.part IS 'listing that decides whether it exists: users, roles, ...; empty for stubs';
COMMENT ON COLUMN entity.kind IS 'aws.iam_user, ...';
COMMENT ON COLUMN entity.key IS 'canonical id: the ARN when AWS defines one, else a pseudo id with partition and account';
COMMENT ON COLUMN entity.name IS 'what people call it';
COMMENT ON COLUMN entity.attrs IS 'attributes, canonical JSON';
COMMENT ON COLUMN entity.attrs_hash IS 'SHA-256 over name and attrs: equal means nothing to write';
COMMENT ON COLUMN entity.incarnation IS 'AWS''s unique id, which changes when the thing is deleted and made again';
COMMENT ON COLUMN entity.stub IS 'only known as the end of an edge; filled in when a listing finds it';
COMMENT ON COLUMN entity.first_seen IS 'when this incarnation was first seen';
COMMENT ON COLUMN entity.changed_at IS 'when the row last changed';
COMMENT ON COLUMN entity.deleted_at IS 'tombstone: a complete listing did not hold it any more';
CREATE INDEX entity_by_part ON entity (org_id, account_id, region, scope, part) WHERE deleted_at IS NULL;
CREATE INDEX entity_by_kind ON entity (org_id, kind, entity_id);
CREATE INDEX entity_by_name ON entity (org_id, name text_pattern_ops);
CREATE INDEX entity_by_connection ON entity (org_id, connection_id);
CREATE INDEX entity_gone ON entity (org_id, entity_id) WHERE deleted_at IS NOT NULL;
SELECT tenant_table('entity');
GRANT SELECT ON entity TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON entity TO connectord_worker;

CREATE TABLE edge (
    org_id        uuid NOT NULL REFERENCES organization (org_id),
    edge_id       uuid NOT NULL,
    connection_id uuid NOT NULL,
    account_id    text NOT NULL DEFAULT '',
    region        text NOT NULL DEFAULT 'global',
    scope         text NOT NULL,
    part          text NOT NULL,
    kind          text NOT NULL,
    src_id        uuid NOT NULL,
    dst_id        uuid NOT NULL,
    qualifier     text NOT NULL DEFAULT '',
    attrs         jsonb NOT NULL DEFAULT '{}',
    attrs_hash    bytea NOT NULL,
    first_seen    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz,
    PRIMARY KEY (org_id, edge_id)
);
COMMENT ON TABLE edge IS 'how entities hang together; both ends exist as entities, as stubs if need be';
COMMENT ON COLUMN edge.org_id IS 'whose inventory';
COMMENT ON COLUMN edge.edge_id IS '128-bit hash of (org, kind, src, dst, qualifier)';
COMMENT ON COLUMN edge.connection_id IS 'connection that holds it, as for entities';
COMMENT ON COLUMN edge.account_id IS 'account whose listing showed it';
COMMENT ON COLUMN edge.region IS 'region, or global';
COMMENT ON COLUMN edge.scope IS 'capability of the permission catalogue';
COMMENT ON COLUMN edge.part IS 'listing that decides whether it exists';
COMMENT ON COLUMN edge.kind IS 'member_of, has_policy, trusts, ...';
COMMENT ON COLUMN edge.src_id IS 'entity it leaves from';
COMMENT ON COLUMN edge.dst_id IS 'entity it points to';
COMMENT ON COLUMN edge.qualifier IS 'tells edges of one kind between the same two ends apart';
COMMENT ON COLUMN edge.attrs IS 'conditions, effect, source document and statement';
COMMENT ON COLUMN edge.attrs_hash IS 'SHA-256 of attrs';
COMMENT ON COLUMN edge.first_seen IS 'when it was first seen';
COMMENT ON COLUMN edge.changed_at IS 'when the row last changed';
COMMENT ON COLUMN edge.deleted_at IS 'tombstone';
CREATE INDEX edge_by_part ON edge (org_id, account_id, region, scope, part) WHERE deleted_at IS NULL;
CREATE INDEX edge_by_src ON edge (org_id, src_id, kind);
CREATE INDEX edge_by_dst ON edge (org_id, dst_id, kind);
CREATE INDEX edge_by_connection ON edge (org_id, connection_id);
SELECT tenant_table('edge');
GRANT SELECT ON edge TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON edge TO connectord_worker;

CREATE TABLE document (
    org_id     uuid NOT NULL REFERENCES organization (org_id),
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    body       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('ok', 'malformed')),
    first_seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, sha256)
);
COMMENT ON TABLE document IS 'policy documents by content, as AWS gave them';
COMMENT ON COLUMN document.org_id IS 'whose document';
COMMENT ON COLUMN document.sha256 IS 'SHA-256 of the body';
COMMENT ON COLUMN document.body IS 'decoded text, invalid bytes replaced';
COMMENT ON COLUMN document.state IS 'ok, or malformed: kept, but no edges are derived';
COMMENT ON COLUMN document.first_seen IS 'when it was first seen';
SELECT tenant_table('document');
GRANT SELECT ON document TO connectord_app;
GRANT SELECT, INSERT, DELETE ON document TO connectord_worker;

CREATE TABLE coverage (
    org_id           uuid NOT NULL,
    connection_id    uuid NOT NULL,
    account_id       text NOT NULL,
    region           text NOT NULL,
    scope            text NOT NULL,
    part             text NOT NULL,
    state            text NOT NULL CHECK (state IN ('ok', 'partial', 'denied', 'region_disabled', 'scp_denied', 'unsupported',
        'not_enabled', 'throttled', 'error', 'skipped_by_config', 'not_attempted')),
    reason_code      text NOT NULL DEFAULT '',
    reason           text NOT NULL DEFAULT '',
    action           text NOT NULL DEFAULT '',
    deny_cause       text NOT NULL DEFAULT '',
    aws_code         text NOT NULL DEFAULT '',
    aws_request_id   text NOT NULL DEFAULT '',
    via              text NOT NULL DEFAULT '',
    sync_id          uuid NOT NULL,
    attempted_at     timestamptz NOT NULL DEFAULT now(),
    last_complete_at timestamptz,
    items            bigint NOT NULL DEFAULT 0,
    pages            bigint NOT NULL DEFAULT 0,
    calls            bigint NOT NULL DEFAULT 0,
    throttles        bigint NOT NULL DEFAULT 0,
    held             bigint NOT NULL DEFAULT 0,
    held_sync_id     uuid,
    PRIMARY KEY (org_id, connection_id, account_id, region, scope, part),
    FOREIGN KEY (org_id, connection_id) REFERENCES connection (org_id, connection_id) ON DELETE CASCADE
);
COMMENT ON TABLE coverage IS 'what was looked at, when, and what was not; only state ok lets anything be tombstoned';
COMMENT ON COLUMN coverage.org_id IS 'whose';
COMMENT ON COLUMN coverage.connection_id IS 'of which connection';
COMMENT ON COLUMN coverage.account_id IS 'AWS account';
COMMENT ON COLUMN coverage.region IS 'region, or global';
COMMENT ON COLUMN coverage.scope IS 'capability of the permission catalogue';
COMMENT ON COLUMN coverage.part IS 'sub-resource: users, credential_report, ...';
COMMENT ON COLUMN coverage.state IS 'ok: listed to the end; everything else keeps the old rows';
COMMENT ON COLUMN coverage.reason_code IS 'stable name of the cause';
COMMENT ON COLUMN coverage.reason IS 'what happened and what is therefore unknown, in a sentence';
COMMENT ON COLUMN coverage.action IS 'IAM action that is missing, when state is denied';
COMMENT ON COLUMN coverage.deny_cause IS 'implicit, explicit, scp, rcp, boundary, session, ...';
COMMENT ON COLUMN coverage.aws_code IS 'AWS''s error code';
COMMENT ON COLUMN coverage.aws_request_id IS 'request that showed it';
COMMENT ON COLUMN coverage.via IS 'how it was read when not the usual way: fallback';
COMMENT ON COLUMN coverage.sync_id IS 'sync that wrote this row last';
COMMENT ON COLUMN coverage.attempted_at IS 'when it was last tried';
COMMENT ON COLUMN coverage.last_complete_at IS 'when it last ended ok: the age of what we hold';
COMMENT ON COLUMN coverage.items IS 'items listed';
COMMENT ON COLUMN coverage.pages IS 'pages read';
COMMENT ON COLUMN coverage.calls IS 'requests sent';
COMMENT ON COLUMN coverage.throttles IS 'throttled answers';
COMMENT ON COLUMN coverage.held IS 'vanished items held back by the mass-deletion guard';
COMMENT ON COLUMN coverage.held_sync_id IS 'sync that held them; a second complete one lets them go';
SELECT tenant_table('coverage');
GRANT SELECT ON coverage TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON coverage TO connectord_worker;

CREATE TABLE change (
    org_id        uuid NOT NULL REFERENCES organization (org_id),
    at            timestamptz NOT NULL DEFAULT now(),
    change_id     bigint GENERATED ALWAYS AS IDENTITY,
    xid           xid8 NOT NULL DEFAULT pg_current_xact_id(),
    connection_id uuid NOT NULL,
    sync_id       uuid NOT NULL,
    subject       text NOT NULL CHECK (subject IN ('entity', 'edge')),
    subject_id    uuid NOT NULL,
    kind          text NOT NULL,
    op            text NOT NULL CHECK (op IN ('created', 'changed', 'deleted', 'restored', 'recreated')),
    before        jsonb,
    after         jsonb,
    PRIMARY KEY (org_id, at, change_id)
) PARTITION BY RANGE (at);
COMMENT ON TABLE change IS 'the feed: what was created, changed or deleted, by month';
COMMENT ON COLUMN change.org_id IS 'whose';
COMMENT ON COLUMN change.at IS 'when it was written';
COMMENT ON COLUMN change.change_id IS 'order within the database';
COMMENT ON COLUMN change.xid IS 'writing transaction: readers stop below the oldest one still running';
COMMENT ON COLUMN change.connection_id IS 'connection that showed it';
COMMENT ON COLUMN change.sync_id IS 'sync that showed it';
COMMENT ON COLUMN change.subject IS 'entity or edge';
COMMENT ON COLUMN change.subject_id IS 'its id';
COMMENT ON COLUMN change.kind IS 'its kind';
COMMENT ON COLUMN change.op IS 'created, changed, deleted, restored (came back), recreated (same key, new incarnation)';
COMMENT ON COLUMN change.before IS 'name and attributes before; NULL when there was none';
COMMENT ON COLUMN change.after IS 'name and attributes after; NULL when it is gone';
CREATE INDEX change_by_subject ON change (org_id, subject_id, at);
CREATE INDEX change_by_xid ON change (org_id, xid, change_id);
SELECT tenant_table('change');
GRANT SELECT ON change TO connectord_app;
GRANT SELECT, INSERT, DELETE ON change TO connectord_worker;

-- A month without its own partition falls into change_rest, so an insert never fails.
CREATE TABLE change_rest PARTITION OF change DEFAULT;
ALTER TABLE change_rest ENABLE ROW LEVEL SECURITY;
ALTER TABLE change_rest FORCE ROW LEVEL SECURITY;

CREATE FUNCTION change_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    child text := 'change_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass(child) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF change FOR VALUES FROM (%L) TO (%L)',
                       child, first, (first + interval '1 month')::date);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', child);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', child);
    END IF;
END $$;
COMMENT ON FUNCTION change_partition IS 'makes the partition of a month; migrate calls it for this month and the next twelve';
SELECT change_partition((date_trunc('month', now()) + make_interval(months => n))::date) FROM generate_series(0, 12) AS n;
