-- 0004_queue: syncs, tasks, and the slots that make claiming fair.
SELECT schema_step('0004_queue', '0003_connection', 'syncs and the task queue');

CREATE TABLE sync (
    org_id          uuid NOT NULL,
    sync_id         uuid NOT NULL,
    connection_id   uuid NOT NULL,
    cause           text NOT NULL CHECK (cause IN ('schedule', 'request', 'create')),
    tick            timestamptz,
    state           text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'complete', 'partial', 'failed', 'canceled')),
    requested_by    text NOT NULL DEFAULT '',
    cancel          boolean NOT NULL DEFAULT false,
    tasks_left      integer NOT NULL DEFAULT 0 CHECK (tasks_left >= 0),
    tasks_failed    integer NOT NULL DEFAULT 0,
    accounts_total  integer NOT NULL DEFAULT 0,
    accounts_done   integer NOT NULL DEFAULT 0,
    scopes_total    integer NOT NULL DEFAULT 0,
    scopes_done     integer NOT NULL DEFAULT 0,
    calls           bigint NOT NULL DEFAULT 0,
    throttles       bigint NOT NULL DEFAULT 0,
    objects_seen    bigint NOT NULL DEFAULT 0,
    objects_added   bigint NOT NULL DEFAULT 0,
    objects_changed bigint NOT NULL DEFAULT 0,
    objects_removed bigint NOT NULL DEFAULT 0,
    reason_code     text NOT NULL DEFAULT '',
    reason          text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    PRIMARY KEY (org_id, sync_id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connection (org_id, connection_id) ON DELETE CASCADE,
    CONSTRAINT sync_one_per_tick UNIQUE (org_id, connection_id, tick)
);
COMMENT ON TABLE sync IS 'one run over a connection';
COMMENT ON COLUMN sync.org_id IS 'whose sync';
COMMENT ON COLUMN sync.sync_id IS 'sync_ in the API';
COMMENT ON COLUMN sync.connection_id IS 'of which connection';
COMMENT ON COLUMN sync.cause IS 'schedule, request (a person or program asked), create (first sync after verification)';
COMMENT ON COLUMN sync.tick IS 'the schedule''s tick; unique, so any number of schedulers insert it once; NULL when not scheduled';
COMMENT ON COLUMN sync.state IS 'queued, running, then one of complete, partial, failed, canceled';
COMMENT ON COLUMN sync.requested_by IS 'actor that asked for it';
COMMENT ON COLUMN sync.cancel IS 'a person asked to stop it';
COMMENT ON COLUMN sync.tasks_left IS 'tasks not yet finished; the one that brings it to 0 closes the sync';
COMMENT ON COLUMN sync.tasks_failed IS 'tasks that ended for good without success; one is enough to end the sync failed';
COMMENT ON COLUMN sync.accounts_total IS 'accounts to look at';
COMMENT ON COLUMN sync.accounts_done IS 'accounts finished';
COMMENT ON COLUMN sync.scopes_total IS 'coverage parts to look at';
COMMENT ON COLUMN sync.scopes_done IS 'coverage parts finished, whatever their outcome';
COMMENT ON COLUMN sync.calls IS 'requests sent to AWS, retries included';
COMMENT ON COLUMN sync.throttles IS 'answers that said throttled';
COMMENT ON COLUMN sync.objects_seen IS 'entities listed';
COMMENT ON COLUMN sync.objects_added IS 'entities that are new or came back';
COMMENT ON COLUMN sync.objects_changed IS 'entities whose attributes changed';
COMMENT ON COLUMN sync.objects_removed IS 'entities tombstoned';
COMMENT ON COLUMN sync.reason_code IS 'why it is not complete; first cause';
COMMENT ON COLUMN sync.reason IS 'the same in a sentence';
COMMENT ON COLUMN sync.created_at IS 'when it was queued';
COMMENT ON COLUMN sync.started_at IS 'when its first task was claimed';
COMMENT ON COLUMN sync.finished_at IS 'when its last task ended';
CREATE UNIQUE INDEX sync_one_active ON sync (org_id, connection_id) WHERE state IN ('queued', 'running');
CREATE INDEX sync_by_connection ON sync (org_id, connection_id, sync_id DESC);
SELECT tenant_table('sync');
SELECT worker_table('sync');
GRANT SELECT, INSERT, UPDATE ON sync TO connectord_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sync TO connectord_worker;

CREATE TABLE org_queue (
    org_id     uuid PRIMARY KEY REFERENCES organization (org_id),
    slots      integer NOT NULL CHECK (slots BETWEEN 1 AND 64),
    running    integer NOT NULL DEFAULT 0 CHECK (running >= 0),
    claimed_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);
COMMENT ON TABLE org_queue IS 'the worker pool of an organization: claims go to the lowest running/slots first';
COMMENT ON COLUMN org_queue.org_id IS 'whose pool';
COMMENT ON COLUMN org_queue.slots IS 'copy of organization.worker_slots';
COMMENT ON COLUMN org_queue.running IS 'its leased tasks; changes in the transaction that leases or ends a task';
COMMENT ON COLUMN org_queue.claimed_at IS 'last claim; ties go to whoever waited longest';
SELECT tenant_table('org_queue');
SELECT worker_table('org_queue');
CREATE POLICY operator ON org_queue USING (app_operator()) WITH CHECK (app_operator());
GRANT SELECT, INSERT, UPDATE ON org_queue TO connectord_app;
GRANT SELECT, UPDATE ON org_queue TO connectord_worker;

CREATE TABLE task (
    org_id        uuid NOT NULL,
    task_id       uuid NOT NULL,
    connection_id uuid,
    sync_id       uuid,
    kind          text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    account_id    text NOT NULL DEFAULT '',
    payload       jsonb NOT NULL DEFAULT '{}',
    state         text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'leased')),
    run_at        timestamptz NOT NULL DEFAULT now(),
    attempts      integer NOT NULL DEFAULT 0,
    lost          integer NOT NULL DEFAULT 0,
    lease         bigint NOT NULL DEFAULT 0,
    leased_until  timestamptz,
    worker_id     uuid,
    cancel        boolean NOT NULL DEFAULT false,
    last_error    text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, task_id),
    FOREIGN KEY (org_id) REFERENCES org_queue (org_id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connection (org_id, connection_id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, sync_id) REFERENCES sync (org_id, sync_id) ON DELETE CASCADE
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE task IS 'leased units of work; finished rows leave at once';
COMMENT ON COLUMN task.org_id IS 'whose work';
COMMENT ON COLUMN task.task_id IS 'UUIDv7: claims go in its order';
COMMENT ON COLUMN task.connection_id IS 'of which connection; NULL for work without one';
COMMENT ON COLUMN task.sync_id IS 'of which sync; NULL outside a sync';
COMMENT ON COLUMN task.kind IS 'row of the table of task kinds in workers/kinds.c';
COMMENT ON COLUMN task.account_id IS 'AWS account that it works on; empty = none yet';
COMMENT ON COLUMN task.payload IS 'arguments and checkpoint';
COMMENT ON COLUMN task.state IS 'ready or leased';
COMMENT ON COLUMN task.run_at IS 'not before';
COMMENT ON COLUMN task.attempts IS 'attempts begun; a drained or cancelled one is not counted';
COMMENT ON COLUMN task.lost IS 'leases in a row that ran out: its workers died; what kills them again and again is given up';
COMMENT ON COLUMN task.lease IS 'fencing token: +1 on every claim; every later write names it';
COMMENT ON COLUMN task.leased_until IS 'after this any worker may take it over';
COMMENT ON COLUMN task.worker_id IS 'process that holds the lease';
COMMENT ON COLUMN task.cancel IS 'its worker should stop at the next page';
COMMENT ON COLUMN task.last_error IS 'what the last attempt said';
COMMENT ON COLUMN task.created_at IS 'when it was queued';
CREATE INDEX task_ready ON task (org_id, run_at, task_id) WHERE state = 'ready';
CREATE INDEX task_leased ON task (leased_until) WHERE state = 'leased';
CREATE INDEX task_by_sync ON task (org_id, sync_id);
CREATE INDEX task_by_connection ON task (org_id, connection_id);
SELECT tenant_table('task');
SELECT worker_table('task');
GRANT SELECT, INSERT, UPDATE, DELETE ON task TO connectord_app, connectord_worker;
