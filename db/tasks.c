/* The queue. Lock order in every transaction: task, then sync, then organization's slots, so that nothing deadlocks; claims
 * and sweeps skip what is locked and never wait. Every write names the lease: a worker that slept through its lease finds no
 * row and must drop its result. */
#include "db/tasks.h"
#include "base/buf.h"
#include "base/mem.h"
#include "db/inside.h"
#include "db/syncs_end.h"
#include <assert.h>
#include <stdio.h>

enum {
	TASKS_CLAIM_TRIES = 4, /* claims that met a task which somebody else was faster to lock */
	TASKS_SWEEP_MAX = 500, /* expired leases of one pass */
	TASKS_BEATS_MAX = 256, /* leases of one process */
	TASKS_ERROR_MAX = 480,
	TASKS_BEAT_BYTES = 40 * TASKS_BEATS_MAX + 8
};

void task_free(struct task *t)
{
	if (!t)
		return;
	mem_free(t->kind);
	mem_free(t->account_id);
	json_decref(t->payload);
	mem_free(t);
}

/* The probe asks per organization whether anything is ready, by the first entry of its part of the index, so 100,000 queued
 * tasks cost what one does. It is LATERAL and not EXISTS because the planner may turn EXISTS into a join over all tasks.
 * Rows are named by scalar subqueries and not by joins for the same reason: a join planned over an empty table scans it.
 * NO KEY UPDATE: inserting tasks (key share by foreign key) does not make an organization look locked. */
static const struct stmt CLAIM = {
	"tasks_claim",
	"WITH o AS MATERIALIZED ("
	" SELECT q.org_id FROM org_queue q"
	" CROSS JOIN LATERAL (SELECT FROM task t WHERE t.org_id = q.org_id AND t.state = 'ready'"
	"  AND t.run_at <= now() ORDER BY t.run_at, t.task_id LIMIT 1) probe"
	" WHERE q.running < q.slots ORDER BY q.running::float8 / q.slots, q.claimed_at"
	" LIMIT 1 FOR NO KEY UPDATE OF q SKIP LOCKED"
	"), t AS MATERIALIZED ("
	" SELECT x.org_id, x.task_id FROM o CROSS JOIN LATERAL ("
	"  SELECT t.org_id, t.task_id FROM task t WHERE t.org_id = o.org_id AND t.state = 'ready'"
	"  AND t.run_at <= now() ORDER BY t.run_at, t.task_id LIMIT 1 FOR UPDATE SKIP LOCKED) x"
	"), u AS ("
	" UPDATE task SET state = 'leased', lease = task.lease + 1, attempts = task.attempts + 1,"
	" worker_id = $1, leased_until = now() + make_interval(secs => $2)"
	" WHERE task.org_id = (SELECT org_id FROM t) AND task.task_id = (SELECT task_id FROM t)"
	" RETURNING task.org_id, task.task_id, task.connection_id, task.sync_id, task.lease,"
	" task.attempts, task.kind, task.account_id, task.payload, task.cancel"
	"), q AS ("
	" UPDATE org_queue SET running = running + 1, claimed_at = now()"
	" WHERE org_queue.org_id = (SELECT org_id FROM u)"
	"), f AS MATERIALIZED ("
	" SELECT s.org_id, s.sync_id FROM sync s WHERE s.org_id = (SELECT org_id FROM u)"
	" AND s.sync_id = (SELECT sync_id FROM u) AND s.state = 'queued'"
	" FOR NO KEY UPDATE SKIP LOCKED"
	"), r AS ("
	" UPDATE sync SET state = 'running', started_at = now()"
	" WHERE sync.org_id = (SELECT org_id FROM f) AND sync.sync_id = (SELECT sync_id FROM f)"
	")"
	" SELECT o.org_id, u.task_id, u.connection_id, u.sync_id, u.lease, u.attempts, u.kind,"
	" u.account_id, u.payload, u.cancel OR coalesce((SELECT s.cancel FROM sync s"
	" WHERE s.org_id = u.org_id AND s.sync_id = u.sync_id), false) AS cancel"
	" FROM o LEFT JOIN u ON u.org_id = o.org_id",
	2, .by_index = true
};

static struct task *task_of(const struct db_rows *rows)
{
	struct task *t = MEM_NEW(struct task);

	t->org_id = db_rows_id(rows, 0, "org_id");
	t->task_id = db_rows_id(rows, 0, "task_id");
	t->connection_id = db_rows_id(rows, 0, "connection_id");
	t->sync_id = db_rows_id(rows, 0, "sync_id");
	t->lease = db_rows_i64(rows, 0, "lease");
	t->attempts = (int)db_rows_i64(rows, 0, "attempts");
	t->cancel = db_rows_bool(rows, 0, "cancel");
	t->kind = str_dup(db_rows_text(rows, 0, "kind"));
	t->account_id = str_dup(db_rows_text(rows, 0, "account_id"));
	t->payload = db_rows_json(rows, 0, "payload");
	return t;
}

enum rc tasks_claim(struct db *db, struct id worker_id, int lease_s, struct task **ret,
		    struct err *err)
{
	for (int i = 0; i < TASKS_CLAIM_TRIES; i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;
		enum rc rc = db_run(db, NULL, &CLAIM,
				    (const struct arg[]){ arg_id(worker_id), arg_i64(lease_s) },
				    &rows, err);

		if (rc != RC_OK)
			return rc;
		if (db_rows_count(rows) == 0)
			break;
		if (db_rows_is_null(rows, 0, "task_id"))
			continue;
		*ret = task_of(rows);
		(*ret)->lease_s = lease_s;
		return RC_OK;
	}
	return err_set(err, RC_NOT_FOUND, "queue_empty", "no task is claimable now");
}

static const struct stmt INSERT = {
	"tasks_insert",
	"WITH s AS ("
	" UPDATE sync SET tasks_left = tasks_left + 1 WHERE org_id = $1 AND sync_id = $4"
	" AND state IN ('queued', 'running') RETURNING cancel)"
	" INSERT INTO task (org_id, task_id, connection_id, sync_id, kind, account_id, payload,"
	" run_at, cancel) SELECT $1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8),"
	" coalesce((SELECT cancel FROM s), false)"
	" WHERE $4::uuid IS NULL OR EXISTS (SELECT FROM s)"
	" RETURNING task_id, " TASKS_HINT,
	8, .by_index = true
};

enum rc tasks_insert(struct db *db, const struct new_task *task, struct id *ret_id, struct err *err)
{
	struct id id = id_new();
	const struct db_who who = { .org_id = task->org_id };
	AUTO_TEXT char *payload = task->payload ? json_text(task->payload) : mem_copy("{}");
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(task->org_id),
				    arg_id(id),
				    arg_id(task->connection_id),
				    arg_id(task->sync_id),
				    arg_c(task->kind),
				    arg_text(str_c(task->account_id)),
				    arg_c(payload),
				    arg_i64(task->delay_s) };
	enum rc rc = RC_OK;

	if (ret_id)
		*ret_id = id;
	if (db->in_tx && id_eq(task->sync_id, (struct id){ { 0 } })) /* it cannot come too late */
		return db_later(db, &INSERT, args, NULL, err);
	rc = db_run(db, db->in_tx ? NULL : &who, &INSERT, args, &rows, err);
	if (rc == RC_OK && db_rows_count(rows) == 0)
		return err_set(err, RC_CONFLICT, "sync_finished",
			       "the sync of this task is finished or gone");
	return rc;
}

/* A row that somebody holds locked (its merge is running) is left out of this beat instead of waited for. */
static const struct stmt HEARTBEAT = {
	"tasks_heartbeat",
	"WITH b AS MATERIALIZED ("
	" SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::bigint[]) AS b (org_id, task_id, lease)"
	"), l AS MATERIALIZED ("
	" SELECT x.org_id, x.task_id FROM b CROSS JOIN LATERAL (SELECT t.org_id, t.task_id FROM "
	"task t"
	" WHERE t.org_id = b.org_id AND t.task_id = b.task_id AND t.lease = b.lease"
	" AND t.state = 'leased' AND t.worker_id = $1 FOR NO KEY UPDATE SKIP LOCKED) x"
	"), u AS ("
	" UPDATE task SET leased_until = now() + make_interval(secs => $2) FROM l"
	" WHERE task.org_id = l.org_id AND task.task_id = l.task_id"
	")"
	" SELECT b.task_id, b.lease, t.task_id IS NULL AS lost, coalesce(t.cancel, false) AS cancel"
	" FROM b LEFT JOIN task t ON t.org_id = b.org_id AND t.task_id = b.task_id"
	" AND t.lease = b.lease AND t.state = 'leased' AND t.worker_id = $1",
	5, .by_index = true
};

static void mark_beats(const struct db_rows *rows, struct task_beat *beats, size_t n)
{
	for (int r = 0; r < db_rows_count(rows); r++) {
		struct id id = db_rows_id(rows, r, "task_id");
		int64_t lease = db_rows_i64(rows, r, "lease");

		for (size_t i = 0; i < n; i++) {
			if (beats[i].lease != lease || !id_eq(beats[i].task_id, id))
				continue;
			beats[i].lost = db_rows_bool(rows, r, "lost");
			beats[i].cancel = db_rows_bool(rows, r, "cancel");
		}
	}
}

enum rc tasks_heartbeat(struct db *db, struct id worker_id, int lease_s, struct task_beat *beats,
			size_t n, struct err *err)
{
	AUTO(buf) struct buf orgs = BUF_INIT(TASKS_BEAT_BYTES);
	AUTO(buf) struct buf tasks = BUF_INIT(TASKS_BEAT_BYTES);
	AUTO(buf) struct buf leases = BUF_INIT(TASKS_BEAT_BYTES);
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = RC_OK;

	assert(n <= TASKS_BEATS_MAX);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		const char *sep = i > 0 ? "," : "{";
		char org[ID_UUID_TEXT], task[ID_UUID_TEXT];

		id_uuid(beats[i].org_id, org);
		id_uuid(beats[i].task_id, task);
		rc = buf_printf(&orgs, "%s%s", sep, org);
		if (rc == RC_OK)
			rc = buf_printf(&tasks, "%s%s", sep, task);
		if (rc == RC_OK)
			rc = buf_printf(&leases, "%s%lld", sep, (long long)beats[i].lease);
	}
	if (n == 0 || rc != RC_OK)
		return rc;
	if (buf_putc(&orgs, '}') != RC_OK || buf_putc(&tasks, '}') != RC_OK ||
	    buf_putc(&leases, '}') != RC_OK)
		return err_set(err, RC_LIMIT, "too_many_leases", "more leases than one beat holds");
	rc = db_run(db, NULL, &HEARTBEAT,
		    (const struct arg[]){ arg_id(worker_id), arg_i64(lease_s),
					  arg_text(buf_str(&orgs)), arg_text(buf_str(&tasks)),
					  arg_text(buf_str(&leases)) },
		    &rows, err);
	if (rc == RC_OK)
		mark_beats(rows, beats, n);
	return rc;
}

static enum rc lease_lost(const struct task *task, struct err *err)
{
	return err_set(err, RC_CONFLICT, "lease_lost",
		       "the lease %lld of this %s task was lost; its result is dropped",
		       (long long)task->lease, task->kind);
}

/* Runs a statement that names org, task and lease and returns a row if the lease was ours. */
static enum rc fenced(struct db *db, const struct stmt *stmt, const struct task *task,
		      struct arg a4, struct arg a5, struct arg a6, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = {
		arg_id(task->org_id), arg_id(task->task_id), arg_i64(task->lease), a4, a5, a6
	};
	enum rc rc = db_run(db, NULL, stmt, args, &rows, err);

	if (rc == RC_OK && db_rows_count(rows) == 0)
		return lease_lost(task, err);
	return rc;
}

static const struct stmt FENCE = {
	"tasks_fence",
	"SELECT task_id FROM task WHERE org_id = $1 AND task_id = $2 AND lease = $3"
	" AND state = 'leased' FOR UPDATE",
	3, .by_index = true
};

enum rc tasks_fence(struct db *db, const struct task *task, struct err *err)
{
	assert(db->in_tx);
	return fenced(db, &FENCE, task, arg_null(), arg_null(), arg_null(), err);
}

static const struct stmt EXTEND = {
	"tasks_extend",
	"UPDATE task SET leased_until = clock_timestamp() + make_interval(secs => $4)"
	" WHERE org_id = $1 AND task_id = $2 AND lease = $3 RETURNING task_id",
	4, .by_index = true
};

enum rc tasks_extend(struct db *db, const struct task *task, struct err *err)
{
	assert(db->in_tx);
	return fenced(db, &EXTEND, task, arg_i64(task->lease_s), arg_null(), arg_null(), err);
}

static const struct stmt REMOVE = {
	"tasks_remove",
	"DELETE FROM task WHERE org_id = $1 AND task_id = $2 AND lease = $3 AND state = 'leased'"
	" RETURNING task_id",
	3, .by_index = true
};
static const struct stmt FREE_SLOT = {
	"tasks_free_slot",
	"UPDATE org_queue SET running = greatest(running - 1, 0) WHERE org_id = $1", 1,
	.by_index = true
};

static enum rc free_slot(struct db *db, struct id org_id, struct err *err)
{
	return db_run(db, NULL, &FREE_SLOT, (const struct arg[]){ arg_id(org_id) }, NULL, err);
}

static enum rc end(struct db *db, const struct task *task, const struct err *failed, bool canceled,
		   struct err *err)
{
	static const struct id none = { { 0 } };
	enum rc rc = fenced(db, &REMOVE, task, arg_null(), arg_null(), arg_null(), err);

	if (rc == RC_OK && !id_eq(task->sync_id, none))
		rc = syncs_count_down(db, task->org_id, task->sync_id, 1, failed, canceled, err);
	return rc == RC_OK ? free_slot(db, task->org_id, err) : rc;
}

enum rc tasks_finish(struct db *db, const struct task *task, struct err *err)
{
	assert(db->in_tx);
	return end(db, task, NULL, false, err);
}

static enum rc finish_body(struct db *db, void *arg, struct err *err)
{
	const struct task *task = arg;

	return tasks_finish(db, task, err);
}

/* Without a sync to count down one statement is enough. It must read d before it finds
 * the slots: the lock order holds. */
static const struct stmt DONE = {
	"tasks_done",
	"WITH d AS (DELETE FROM task WHERE org_id = $1 AND task_id = $2 AND lease = $3"
	" AND state = 'leased' RETURNING org_id)"
	" UPDATE org_queue SET running = greatest(running - 1, 0)"
	" WHERE org_id = (SELECT org_id FROM d) RETURNING org_id",
	3, .by_index = true
};

enum rc tasks_done(struct db *db, const struct task *task, struct err *err)
{
	static const struct id none = { { 0 } };
	struct db_who who = { .org_id = task->org_id };
	struct task own = *task;

	assert(!db->in_tx);
	if (id_eq(task->sync_id, none))
		return fenced(db, &DONE, task, arg_null(), arg_null(), arg_null(), err);
	return db_tx(db, &who, finish_body, &own, err);
}

static const struct stmt GIVE_BACK = {
	"tasks_give_back",
	"UPDATE task SET state = 'ready', run_at = now() + make_interval(secs => $4),"
	" worker_id = NULL, leased_until = NULL, attempts = attempts - CASE WHEN $5::text IS NULL "
	"THEN 1 ELSE 0 END,"
	" last_error = coalesce($5, last_error), lost = CASE WHEN $6 THEN lost + 1"
	" WHEN $5::text IS NULL THEN lost ELSE 0 END"
	" WHERE org_id = $1 AND task_id = $2 AND lease = $3 AND state = 'leased' RETURNING task_id",
	6, .by_index = true
};

/* One of the four ways a task leaves its worker without success. */
struct leave {
	const struct task *task;
	const struct err *why; /* NULL: released, the attempt is not counted */
	int delay_s;
	bool ends, canceled;
	bool lost; /* its lease ran out */
};

static enum rc leave_body(struct db *db, void *arg, struct err *err)
{
	const struct leave *l = arg;
	char text[TASKS_ERROR_MAX];
	enum rc rc = RC_OK;

	if (l->ends)
		return end(db, l->task, l->why, l->canceled, err);
	if (l->why)
		snprintf(text, sizeof(text), "%s: %s", l->why->code, l->why->text);
	rc = fenced(db, &GIVE_BACK, l->task, arg_i64(l->delay_s), arg_c(l->why ? text : NULL),
		    arg_bool(l->lost), err);
	return rc == RC_OK ? free_slot(db, l->task->org_id, err) : rc;
}

static enum rc leave(struct db *db, struct leave l, struct err *err)
{
	struct db_who who = { .org_id = l.task->org_id };

	return db_tx(db, &who, leave_body, &l, err);
}

enum rc tasks_retry(struct db *db, const struct task *task, int delay_s, const struct err *why,
		    struct err *err)
{
	return leave(db, (struct leave){ .task = task, .why = why, .delay_s = delay_s }, err);
}

enum rc tasks_release(struct db *db, const struct task *task, struct err *err)
{
	return leave(db, (struct leave){ .task = task }, err);
}

enum rc tasks_fail(struct db *db, const struct task *task, const struct err *why, struct err *err)
{
	return leave(db, (struct leave){ .task = task, .why = why, .ends = true }, err);
}

enum rc tasks_cancel(struct db *db, const struct task *task, struct err *err)
{
	return leave(db, (struct leave){ .task = task, .ends = true, .canceled = true }, err);
}

static const struct stmt EXPIRED = {
	"tasks_expired",
	"SELECT org_id, task_id FROM task WHERE state = 'leased' AND leased_until < now()"
	" ORDER BY leased_until LIMIT $1",
	1, .by_index = true
};
static const struct stmt TAKE_EXPIRED = {
	"tasks_take_expired",
	"SELECT org_id, task_id, connection_id, sync_id, lease, attempts, kind, account_id,"
	" payload, cancel, lost FROM task WHERE org_id = $1 AND task_id = $2 AND state = 'leased'"
	" AND leased_until < now() FOR UPDATE SKIP LOCKED",
	2, .by_index = true
};

struct expired {
	struct id org_id, task_id;
	int lost_max;
	bool taken;
};

/* Its process died, was cut off or hangs. What it may still write carries the old lease and is refused. */
static enum rc expired_body(struct db *db, void *arg, struct err *err)
{
	struct expired *x = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO(task) struct task *task = NULL;
	struct err why = { 0 };
	struct leave l = { .why = &why, .lost = true };
	enum rc rc =
		db_run(db, NULL, &TAKE_EXPIRED,
		       (const struct arg[]){ arg_id(x->org_id), arg_id(x->task_id) }, &rows, err);

	x->taken = rc == RC_OK && db_rows_count(rows) == 1;
	if (!x->taken)
		return rc;
	task = task_of(rows);
	l.task = task;
	l.canceled = task->cancel;
	l.ends = task->cancel || db_rows_i64(rows, 0, "lost") + 1 >= x->lost_max;
	err_set(&why, RC_RETRY, "worker_lost",
		"attempt %d of this %s task ended without a word: its worker died or was cut off",
		task->attempts, task->kind);
	if (l.canceled)
		l.why = NULL;
	return leave_body(db, &l, err);
}

static const struct stmt MISCOUNTED = {
	"tasks_miscounted",
	"SELECT q.org_id FROM org_queue q LEFT JOIN (SELECT org_id, count(*) AS n FROM task"
	" WHERE state = 'leased' GROUP BY org_id) c ON c.org_id = q.org_id"
	" WHERE q.running <> coalesce(c.n, 0)",
	0, .by_index = true
};
static const struct stmt LOCK_QUEUE = {
	"tasks_lock_queue", "SELECT running FROM org_queue WHERE org_id = $1 FOR NO KEY UPDATE", 1,
	.by_index = true
};
static const struct stmt RECOUNT = {
	"tasks_recount",
	"UPDATE org_queue SET running = (SELECT count(*) FROM task t WHERE t.org_id = $1"
	" AND t.state = 'leased') WHERE org_id = $1",
	1, .by_index = true
};

/* Two statements, because the count must see what was committed while we waited for the lock. */
static enum rc recount_body(struct db *db, void *arg, struct err *err)
{
	const struct arg args[] = { arg_id(*(const struct id *)arg) };
	enum rc rc = db_run(db, NULL, &LOCK_QUEUE, args, NULL, err);

	return rc == RC_OK ? db_run(db, NULL, &RECOUNT, args, NULL, err) : rc;
}

static enum rc recount(struct db *db, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &MISCOUNTED, NULL, &rows, err);

	for (int i = 0; i < db_rows_count(rows) && rc == RC_OK; i++) {
		struct id org_id = db_rows_id(rows, i, "org_id");

		rc = db_tx(db, NULL, recount_body, &org_id, err);
	}
	return rc;
}

enum rc tasks_sweep(struct db *db, int lost_max, int64_t *ret_n, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &EXPIRED, (const struct arg[]){ arg_i64(TASKS_SWEEP_MAX) },
			    &rows, err);

	*ret_n = 0;
	for (int i = 0; i < db_rows_count(rows) && rc == RC_OK; i++) {
		struct expired x = { .org_id = db_rows_id(rows, i, "org_id"),
				     .task_id = db_rows_id(rows, i, "task_id"),
				     .lost_max = lost_max };
		struct db_who who = { .org_id = x.org_id };

		rc = db_tx(db, &who, expired_body, &x, err);
		*ret_n += x.taken;
	}
	return rc == RC_OK ? recount(db, err) : rc;
}
