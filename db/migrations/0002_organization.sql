-- 0002_organization: tenants, their API keys, their audit trail.
SELECT schema_step('0002_organization', '0001_foundation', 'organizations, API keys, audit');

CREATE TABLE organization (
    org_id       uuid PRIMARY KEY,
    name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    state        text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleting')),
    worker_slots integer NOT NULL DEFAULT 4 CHECK (worker_slots BETWEEN 1 AND 64),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE organization IS 'our tenant; its org_id is the external ID of every role that its connections assume';
COMMENT ON COLUMN organization.org_id IS 'made by the server or imported once by the operator; immutable, never reused';
COMMENT ON COLUMN organization.name IS 'what people call it';
COMMENT ON COLUMN organization.state IS 'active, or deleting while its data is purged';
COMMENT ON COLUMN organization.worker_slots IS 'size of its worker pool: tasks that may run at once over all worker processes';
COMMENT ON COLUMN organization.created_at IS 'when it was created';
COMMENT ON COLUMN organization.updated_at IS 'when it last changed';
SELECT tenant_table('organization');
CREATE POLICY operator ON organization USING (app_operator()) WITH CHECK (app_operator());
SELECT worker_table('organization');
GRANT SELECT, INSERT, UPDATE ON organization TO connectord_app;
GRANT SELECT ON organization TO connectord_worker;

-- An org_id is never handed out twice, also not after its organization is gone: it is an external ID at customers.
CREATE TABLE organization_id_used (
    org_id  uuid PRIMARY KEY,
    used_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE organization_id_used IS 'every org_id that ever existed';
COMMENT ON COLUMN organization_id_used.org_id IS 'the ID';
COMMENT ON COLUMN organization_id_used.used_at IS 'when it was first used';
ALTER TABLE organization_id_used ENABLE ROW LEVEL SECURITY;
ALTER TABLE organization_id_used FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON organization_id_used USING (app_operator()) WITH CHECK (app_operator());
GRANT SELECT, INSERT ON organization_id_used TO connectord_app;

CREATE TABLE api_key (
    org_id       uuid NOT NULL REFERENCES organization (org_id),
    key_id       uuid NOT NULL,
    name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    role         text NOT NULL DEFAULT 'owner' CHECK (role IN ('owner', 'editor', 'viewer')),
    secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (org_id, key_id)
);
COMMENT ON TABLE api_key IS 'API keys of an organization; the secret itself is shown once and never stored';
COMMENT ON COLUMN api_key.org_id IS 'whose key it is';
COMMENT ON COLUMN api_key.key_id IS 'public part of the key, safe in logs';
COMMENT ON COLUMN api_key.name IS 'what its owner calls it';
COMMENT ON COLUMN api_key.role IS 'owner: all; editor: connections and syncs; viewer: read only';
COMMENT ON COLUMN api_key.secret_hash IS 'SHA-256 of the 256-bit secret part';
COMMENT ON COLUMN api_key.created_at IS 'when it was made';
COMMENT ON COLUMN api_key.expires_at IS 'refused from then on; NULL = does not expire';
COMMENT ON COLUMN api_key.last_used_at IS 'last request, to the minute';
COMMENT ON COLUMN api_key.revoked_at IS 'refused from then on';
CREATE INDEX api_key_id ON api_key (key_id);
SELECT tenant_table('api_key');
-- A key that is being authenticated is read and stamped before its organization is known, and the organization's state with
-- it. Nothing but those two stamps of a key ever changes.
CREATE POLICY authenticate ON api_key FOR SELECT TO connectord_app USING (key_id = app_key());
CREATE POLICY stamp ON api_key FOR UPDATE TO connectord_app USING (key_id = app_key()) WITH CHECK (key_id = app_key());
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON api_key TO connectord_app;
CREATE POLICY whose_key ON organization FOR SELECT TO connectord_app
    USING (EXISTS (SELECT FROM api_key k WHERE k.org_id = organization.org_id AND k.key_id = app_key()));

CREATE TABLE audit (
    org_id      uuid NOT NULL REFERENCES organization (org_id),
    audit_id    uuid NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    actor       text NOT NULL,
    action      text NOT NULL,
    target_kind text NOT NULL,
    target_id   text NOT NULL,
    request_id  text NOT NULL DEFAULT '',
    detail      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (org_id, audit_id)
);
COMMENT ON TABLE audit IS 'who changed what; append-only for both roles';
COMMENT ON COLUMN audit.org_id IS 'in whose organization it happened';
COMMENT ON COLUMN audit.audit_id IS 'UUIDv7, so that it sorts by time';
COMMENT ON COLUMN audit.at IS 'when';
COMMENT ON COLUMN audit.actor IS 'key:<key_id>, operator, or worker';
COMMENT ON COLUMN audit.action IS 'connection.created, key.revoked, ...';
COMMENT ON COLUMN audit.target_kind IS 'organization, key, connection, sync';
COMMENT ON COLUMN audit.target_id IS 'id of the target as the API writes it';
COMMENT ON COLUMN audit.request_id IS 'the request that caused it';
COMMENT ON COLUMN audit.detail IS 'what changed, never a secret';
SELECT tenant_table('audit');
GRANT SELECT, INSERT ON audit TO connectord_app, connectord_worker;
