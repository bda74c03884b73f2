-- 0008_check: connection checks and their last answers, and the status of a connection as a stored fact.
SELECT schema_step('0008_check', '0007_semantics', 'connection checks and their last answers');

CREATE TABLE connection_check (
    org_id        uuid NOT NULL REFERENCES organization (org_id),
    check_id      uuid NOT NULL,
    connection_id uuid,
    state         text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    wanted        jsonb NOT NULL DEFAULT '{}',
    draft         jsonb,
    draft_sealed  bytea,
    report        jsonb,
    reason_code   text NOT NULL DEFAULT '',
    reason        text NOT NULL DEFAULT '',
    requested_by  text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    PRIMARY KEY (org_id, check_id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connection (org_id, connection_id) ON DELETE CASCADE,
    CONSTRAINT connection_check_secret CHECK (draft_sealed IS NULL OR (connection_id IS NULL AND state IN ('queued', 'running')))
);
COMMENT ON TABLE connection_check IS 'checks of connections: what works, what does not, and what would mend it; the last ones are kept';
COMMENT ON COLUMN connection_check.org_id IS 'whose check';
COMMENT ON COLUMN connection_check.check_id IS 'chk_ in the API';
COMMENT ON COLUMN connection_check.connection_id IS 'what is checked; NULL: a draft that was not saved';
COMMENT ON COLUMN connection_check.state IS 'queued, running, then done (there is a report) or failed (there is a reason)';
COMMENT ON COLUMN connection_check.wanted IS 'tiers and capabilities that were asked for';
COMMENT ON COLUMN connection_check.draft IS 'the fields of a draft without its secret; erased when the check ends';
COMMENT ON COLUMN connection_check.draft_sealed IS 'envelope of base/seal.h, bound to the check; erased when the check ends';
COMMENT ON COLUMN connection_check.report IS 'role chain, account, external ID, permissions, policy patch';
COMMENT ON COLUMN connection_check.reason_code IS 'why it failed';
COMMENT ON COLUMN connection_check.reason IS 'the same in a sentence';
COMMENT ON COLUMN connection_check.requested_by IS 'actor that asked for it';
COMMENT ON COLUMN connection_check.created_at IS 'when it was asked for';
COMMENT ON COLUMN connection_check.started_at IS 'when a worker began';
COMMENT ON COLUMN connection_check.finished_at IS 'when it ended';
CREATE UNIQUE INDEX connection_check_active ON connection_check (org_id, connection_id) WHERE state IN ('queued', 'running');
CREATE INDEX connection_check_by_connection ON connection_check (org_id, connection_id, check_id);
CREATE INDEX connection_check_drafts ON connection_check (created_at) WHERE connection_id IS NULL;
SELECT tenant_table('connection_check');
SELECT worker_table('connection_check');
GRANT SELECT, INSERT, UPDATE, DELETE ON connection_check TO connectord_app, connectord_worker;

-- However the task of a check leaves the queue, the check is over and the secret of its draft is gone.
CREATE FUNCTION connection_check_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE connection_check SET state = 'failed', draft = NULL, draft_sealed = NULL, finished_at = now(), reason_code = 'check_lost',
        reason = 'The check could not be finished; start another one.'
    WHERE org_id = OLD.org_id AND check_id = (OLD.payload->>'check_id')::uuid AND state IN ('queued', 'running');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION connection_check_ends IS 'ends the check of a task that is gone without having ended it';
CREATE TRIGGER connection_check_ends AFTER DELETE ON task FOR EACH ROW WHEN (OLD.kind = 'check')
    EXECUTE FUNCTION connection_check_ends();

CREATE TABLE connection_permission (
    org_id         uuid NOT NULL,
    connection_id  uuid NOT NULL,
    account_id     text NOT NULL,
    capability     text NOT NULL,
    action         text NOT NULL,
    tier           integer NOT NULL CHECK (tier BETWEEN 1 AND 4),
    state          text NOT NULL CHECK (state IN ('granted', 'denied', 'not_applicable', 'unknown')),
    cause          text NOT NULL DEFAULT '',
    known_by       text NOT NULL CHECK (known_by IN ('live_call', 'simulation', 'error_text', 'none')),
    required       boolean NOT NULL,
    text           text NOT NULL,
    aws_request_id text NOT NULL DEFAULT '',
    check_id       uuid NOT NULL,
    checked_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, connection_id, account_id, capability, action),
    FOREIGN KEY (org_id, connection_id) REFERENCES connection (org_id, connection_id) ON DELETE CASCADE
);
COMMENT ON TABLE connection_permission IS 'the last answer about each action of the permission catalogue, per account of a connection';
COMMENT ON COLUMN connection_permission.org_id IS 'whose';
COMMENT ON COLUMN connection_permission.connection_id IS 'of which connection';
COMMENT ON COLUMN connection_permission.account_id IS 'AWS account that was asked';
COMMENT ON COLUMN connection_permission.capability IS 'capability of the permission catalogue';
COMMENT ON COLUMN connection_permission.action IS 'IAM action';
COMMENT ON COLUMN connection_permission.tier IS 'tier of the capability';
COMMENT ON COLUMN connection_permission.state IS 'granted, denied, not_applicable (this connection has no use for it) or unknown';
COMMENT ON COLUMN connection_permission.cause IS 'what denies it: implicit, explicit, scp, boundary, session, ...; empty = AWS does not say';
COMMENT ON COLUMN connection_permission.known_by IS 'live_call, simulation, error_text (a live call whose refusal named the policy) or none';
COMMENT ON COLUMN connection_permission.required IS 'the connection cannot do its work without it';
COMMENT ON COLUMN connection_permission.text IS 'the answer in a sentence';
COMMENT ON COLUMN connection_permission.aws_request_id IS 'request that showed it';
COMMENT ON COLUMN connection_permission.check_id IS 'check that wrote this row last';
COMMENT ON COLUMN connection_permission.checked_at IS 'when';
SELECT tenant_table('connection_permission');
GRANT SELECT, DELETE ON connection_permission TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON connection_permission TO connectord_worker;

-- db/connection_status.c computes these, in the transactions that change what they are made of.
ALTER TABLE connection
    ADD COLUMN status_state  text NOT NULL DEFAULT 'pending'
        CHECK (status_state IN ('paused', 'running', 'action_required', 'degraded', 'pending', 'synced')),
    ADD COLUMN status_code   text NOT NULL DEFAULT 'not_verified',
    ADD COLUMN status_text   text NOT NULL DEFAULT 'The credentials have not been verified yet.',
    ADD COLUMN status_remedy text NOT NULL DEFAULT '',
    ADD COLUMN status_since  timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN connection.status_state IS 'the first that holds of paused, running, action_required, degraded, pending, synced';
COMMENT ON COLUMN connection.status_code IS 'stable name of the reason';
COMMENT ON COLUMN connection.status_text IS 'the reason in a sentence';
COMMENT ON COLUMN connection.status_remedy IS 'what to do about it; empty = nothing';
COMMENT ON COLUMN connection.status_since IS 'when state or code last changed';

-- What is there already is told in rough; the next check or sync of each connection says it in full.
ALTER TABLE connection NO FORCE ROW LEVEL SECURITY;
UPDATE connection SET (status_state, status_code, status_text) = (SELECT v.state, v.code, v.text FROM (VALUES
    (1, paused, 'paused', 'paused', 'Paused by a person; nothing is scheduled.'),
    (2, verify_state = 'refused', 'action_required', verify_code, verify_text),
    (3, last_sync_state <> 'complete', 'degraded', 'sync_incomplete', 'The last sync did not see everything.'),
    (4, verify_state = 'pending', 'pending', 'not_verified', 'The credentials have not been verified yet.'),
    (5, last_complete_at IS NULL, 'pending', 'never_synced', 'No sync has finished yet.'),
    (6, true, 'synced', 'synced', 'The last sync was complete.')) AS v (rank, holds, state, code, text)
    WHERE v.holds ORDER BY v.rank LIMIT 1);
ALTER TABLE connection FORCE ROW LEVEL SECURITY;
