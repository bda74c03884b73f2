-- 0011_webhooks: webhook endpoints, events and deliveries
SELECT schema_step('0011_webhooks', '0010_identity', 'webhook endpoints, events and deliveries');

CREATE TABLE webhook (
    org_id          uuid NOT NULL REFERENCES organization (org_id) ON DELETE CASCADE,
    webhook_id      uuid NOT NULL,
    url             text NOT NULL CHECK (octet_length(url) BETWEEN 1 AND 2048),
    description     text NOT NULL DEFAULT '' CHECK (char_length(description) <= 200),
    events          text[] NOT NULL DEFAULT '{}' CHECK (cardinality(events) <= 16),
    state           text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled', 'disabled_gone', 'disabled_failing')),
    state_reason    text NOT NULL DEFAULT '',
    state_at        timestamptz NOT NULL DEFAULT now(),
    exhausted       integer NOT NULL DEFAULT 0,
    sealed_secret   bytea,
    sealed_previous bytea,
    previous_until  timestamptz,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    PRIMARY KEY (org_id, webhook_id),
    CONSTRAINT webhook_secret CHECK ((sealed_secret IS NULL) = (deleted_at IS NOT NULL)
        AND (sealed_previous IS NULL OR deleted_at IS NULL))
);
COMMENT ON TABLE webhook IS 'where an organization wants its events sent';
COMMENT ON COLUMN webhook.org_id IS 'whose endpoint';
COMMENT ON COLUMN webhook.webhook_id IS 'whk_ in the API';
COMMENT ON COLUMN webhook.url IS 'the receiver; its address is judged at every connect, not here';
COMMENT ON COLUMN webhook.description IS 'what its owner says about it';
COMMENT ON COLUMN webhook.events IS 'types that it wants; empty = all';
COMMENT ON COLUMN webhook.state IS 'enabled; disabled by a person; disabled_gone: it answered 410; disabled_failing: deliveries ran out of attempts again and again';
COMMENT ON COLUMN webhook.state_reason IS 'why it is disabled, in a sentence';
COMMENT ON COLUMN webhook.state_at IS 'since when';
COMMENT ON COLUMN webhook.exhausted IS 'deliveries in a row that ran out of attempts';
COMMENT ON COLUMN webhook.sealed_secret IS 'signing secret, envelope of base/seal.h; only a worker can open it; erased on delete';
COMMENT ON COLUMN webhook.sealed_previous IS 'the secret before the last rotation, which signs along until previous_until';
COMMENT ON COLUMN webhook.previous_until IS 'end of that';
COMMENT ON COLUMN webhook.version IS '+1 on every change by a person; the ETag';
COMMENT ON COLUMN webhook.created_at IS 'when it was created';
COMMENT ON COLUMN webhook.updated_at IS 'when a person last changed it';
COMMENT ON COLUMN webhook.deleted_at IS 'set while its deliveries are being removed; the row goes with the last of them';
SELECT tenant_table('webhook');
GRANT SELECT, INSERT, UPDATE ON webhook TO connectord_app;
GRANT SELECT, UPDATE, DELETE ON webhook TO connectord_worker;

CREATE TABLE event (
    org_id        uuid NOT NULL REFERENCES organization (org_id) ON DELETE CASCADE,
    event_id      uuid NOT NULL,
    type          text NOT NULL CHECK (type ~ '^[a-z]+\.[a-z_]+$' AND octet_length(type) <= 64),
    connection_id uuid,
    at            timestamptz NOT NULL DEFAULT now(),
    data          jsonb NOT NULL CHECK (octet_length(data::text) <= 24576),
    PRIMARY KEY (org_id, event_id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connection (org_id, connection_id) ON DELETE CASCADE
);
COMMENT ON TABLE event IS 'what endpoints are told; written only when one of them wants it; kept 30 days';
COMMENT ON COLUMN event.org_id IS 'whose event';
COMMENT ON COLUMN event.event_id IS 'evt_ in the API and the webhook-id of every attempt; UUIDv7, so that it sorts by time';
COMMENT ON COLUMN event.type IS 'connection.status_changed, sync.finished, coverage.lost, entity.changed, webhook.test';
COMMENT ON COLUMN event.connection_id IS 'about which connection; NULL = about none';
COMMENT ON COLUMN event.at IS 'when it happened';
COMMENT ON COLUMN event.data IS 'thin: what happened and the link to read more';
CREATE INDEX event_by_connection ON event (org_id, connection_id);
CREATE INDEX event_by_age ON event (org_id, at);
SELECT tenant_table('event');
GRANT SELECT, INSERT ON event TO connectord_app;
GRANT SELECT, INSERT, DELETE ON event TO connectord_worker;

CREATE TABLE delivery (
    org_id      uuid NOT NULL,
    delivery_id uuid NOT NULL,
    webhook_id  uuid NOT NULL,
    event_id    uuid NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts    integer NOT NULL DEFAULT 0,
    next_at     timestamptz DEFAULT now(),
    last_at     timestamptz,
    last_status integer,
    last_error  text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (org_id, delivery_id),
    FOREIGN KEY (org_id, webhook_id) REFERENCES webhook (org_id, webhook_id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, event_id) REFERENCES event (org_id, event_id) ON DELETE CASCADE,
    CONSTRAINT delivery_due CHECK ((state = 'pending') = (next_at IS NOT NULL))
) WITH (fillfactor = 80);
COMMENT ON TABLE delivery IS 'one event on its way to one endpoint';
COMMENT ON COLUMN delivery.org_id IS 'whose';
COMMENT ON COLUMN delivery.delivery_id IS 'dlv_ in the API';
COMMENT ON COLUMN delivery.webhook_id IS 'to which endpoint';
COMMENT ON COLUMN delivery.event_id IS 'which event';
COMMENT ON COLUMN delivery.state IS 'pending, delivered (answered 2xx), failed (attempts ran out, or the endpoint is gone)';
COMMENT ON COLUMN delivery.attempts IS 'attempts whose end is known, since it was made or replayed';
COMMENT ON COLUMN delivery.next_at IS 'not before; NULL when it is over';
COMMENT ON COLUMN delivery.last_at IS 'end of the last attempt';
COMMENT ON COLUMN delivery.last_status IS 'HTTP status of the last attempt; NULL = no answer';
COMMENT ON COLUMN delivery.last_error IS 'stable name of what went wrong in the last attempt; empty = nothing';
COMMENT ON COLUMN delivery.created_at IS 'when it was made';
COMMENT ON COLUMN delivery.ended_at IS 'when it was delivered or failed';
CREATE INDEX delivery_ready ON delivery (org_id, webhook_id, next_at) WHERE state = 'pending';
CREATE INDEX delivery_by_webhook ON delivery (org_id, webhook_id, delivery_id DESC);
CREATE INDEX delivery_by_event ON delivery (org_id, event_id);
SELECT tenant_table('delivery');
GRANT SELECT, INSERT, UPDATE ON delivery TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery TO connectord_worker;

CREATE TABLE delivery_lane (
    org_id   uuid PRIMARY KEY REFERENCES organization (org_id) ON DELETE CASCADE,
    task_id  uuid,
    timer_id uuid
);
COMMENT ON TABLE delivery_lane IS 'the one task that delivers for an organization: however many endpoints hang, they hold one worker slot';
COMMENT ON COLUMN delivery_lane.org_id IS 'whose lane';
COMMENT ON COLUMN delivery_lane.task_id IS 'task that delivers now; holds nothing unless it is leased';
COMMENT ON COLUMN delivery_lane.timer_id IS 'task that waits for the next retry';
SELECT tenant_table('delivery_lane');
GRANT SELECT ON delivery_lane TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_lane TO connectord_worker;
