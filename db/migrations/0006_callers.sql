-- 0006_callers: scopes of keys, rotation, service keys
SELECT schema_step('0006_callers', '0005_inventory', 'scopes of keys, rotation, service keys');

-- A key that is rotated keeps its expires_at; retires_at is written beside it, so that no statement can lengthen a key's life.
ALTER TABLE api_key
    ADD COLUMN scopes      text[] CHECK (cardinality(scopes) BETWEEN 1 AND 64),
    ADD COLUMN retires_at  timestamptz,
    ADD COLUMN replaces    uuid,
    ADD COLUMN replaced_by uuid,
    ADD FOREIGN KEY (org_id, replaces) REFERENCES api_key (org_id, key_id),
    ADD FOREIGN KEY (org_id, replaced_by) REFERENCES api_key (org_id, key_id);
COMMENT ON COLUMN api_key.scopes IS 'what it may do, a part of what its role may; NULL = all that its role may';
COMMENT ON COLUMN api_key.retires_at IS 'refused from then on, because it was rotated; NULL = it was not';
COMMENT ON COLUMN api_key.replaces IS 'the key whose successor it is';
COMMENT ON COLUMN api_key.replaced_by IS 'its newest successor';
CREATE INDEX api_key_replaces ON api_key (org_id, replaces);
CREATE INDEX api_key_replaced_by ON api_key (org_id, replaced_by);
GRANT UPDATE (retires_at, replaced_by) ON api_key TO connectord_app;

-- Service keys act for many organizations, so they belong to none: the operator makes them, and a key that is being
-- authenticated is read and stamped by its public id, as an organization's is.
CREATE TABLE service_key (
    svc_id       uuid PRIMARY KEY,
    name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    role         text NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    scopes       text[] CHECK (cardinality(scopes) BETWEEN 1 AND 64),
    secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    retires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    replaces     uuid REFERENCES service_key (svc_id),
    replaced_by  uuid REFERENCES service_key (svc_id)
);
COMMENT ON TABLE service_key IS 'keys of backends that act for any organization; holds no organization''s data';
COMMENT ON COLUMN service_key.svc_id IS 'public part of the key, safe in logs';
COMMENT ON COLUMN service_key.name IS 'what the operator calls it';
COMMENT ON COLUMN service_key.role IS 'as that of an API key, in whichever organization a request names';
COMMENT ON COLUMN service_key.scopes IS 'what it may do, a part of what its role may; NULL = all that its role may';
COMMENT ON COLUMN service_key.secret_hash IS 'SHA-256 of the 256-bit secret part';
COMMENT ON COLUMN service_key.created_at IS 'when it was made';
COMMENT ON COLUMN service_key.expires_at IS 'refused from then on; NULL = does not expire';
COMMENT ON COLUMN service_key.retires_at IS 'refused from then on, because it was rotated; NULL = it was not';
COMMENT ON COLUMN service_key.last_used_at IS 'last request, to the minute';
COMMENT ON COLUMN service_key.revoked_at IS 'refused from then on';
COMMENT ON COLUMN service_key.replaces IS 'the key whose successor it is';
COMMENT ON COLUMN service_key.replaced_by IS 'its newest successor';
CREATE INDEX service_key_replaces ON service_key (replaces);
CREATE INDEX service_key_replaced_by ON service_key (replaced_by);
ALTER TABLE service_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_key FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON service_key USING (app_operator()) WITH CHECK (app_operator());
CREATE POLICY authenticate ON service_key FOR SELECT TO connectord_app USING (svc_id = app_key());
CREATE POLICY stamp ON service_key FOR UPDATE TO connectord_app USING (svc_id = app_key()) WITH CHECK (svc_id = app_key());
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at, retires_at, replaced_by) ON service_key TO connectord_app;

-- What the operator does that is in no organization.
CREATE TABLE operator_audit (
    audit_id    uuid PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    actor       text NOT NULL,
    action      text NOT NULL,
    target_kind text NOT NULL,
    target_id   text NOT NULL,
    request_id  text NOT NULL DEFAULT '',
    detail      jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE operator_audit IS 'who changed what outside of every organization; append-only; holds no organization''s data';
COMMENT ON COLUMN operator_audit.audit_id IS 'UUIDv7, so that it sorts by time';
COMMENT ON COLUMN operator_audit.at IS 'when';
COMMENT ON COLUMN operator_audit.actor IS 'operator';
COMMENT ON COLUMN operator_audit.action IS 'service_key.created, service_key.rotated, service_key.revoked';
COMMENT ON COLUMN operator_audit.target_kind IS 'service_key';
COMMENT ON COLUMN operator_audit.target_id IS 'id of the target as the API writes it';
COMMENT ON COLUMN operator_audit.request_id IS 'the request that caused it';
COMMENT ON COLUMN operator_audit.detail IS 'what changed, never a secret';
ALTER TABLE operator_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_audit FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON operator_audit USING (app_operator()) WITH CHECK (app_operator());
GRANT SELECT, INSERT ON operator_audit TO connectord_app;
