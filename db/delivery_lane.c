/* The lane: whoever finds it held may leave, because the holder looks once more, under the lane's lock,
 * before it goes. Lock order: the task, the lane, deliveries, endpoints, the slots. Every write is
 * fenced by the holder's lease. */
#include "db/delivery_lane.h"
#include "base/mem.h"
#include "db/audit.h"
#include "db/inside.h"
#include <assert.h>

static const struct stmt MAKE = {
	"delivery_lane_make",
	"INSERT INTO delivery_lane (org_id) VALUES ($1) ON CONFLICT DO NOTHING", 1
};
static const struct stmt LOCK = {
	"delivery_lane_lock",
	"SELECT task_id, timer_id FROM delivery_lane WHERE org_id = $1 FOR UPDATE", 1
};
/* A statement of its own: it must see what was committed while the lock was waited for. */
static const struct stmt HELD = {
	"delivery_lane_held",
	"SELECT EXISTS (SELECT FROM task WHERE org_id = $1 AND task_id = $2 AND state = 'leased')"
	" AS held",
	2, .by_index = true
};
static const struct stmt HOLD = { "delivery_lane_hold",
				  "UPDATE delivery_lane SET task_id = $2, timer_id = $3"
				  " WHERE org_id = $1",
				  3 };
/* A timer that is being claimed is no timer any more and left alone. */
static const struct stmt DROP_TIMER = {
	"delivery_lane_drop_timer",
	"DELETE FROM task WHERE org_id = $1 AND task_id = (SELECT t.task_id FROM task t"
	" WHERE t.org_id = $1 AND t.task_id = $2 AND t.state = 'ready' FOR UPDATE SKIP LOCKED)",
	2, .by_index = true
};

static struct db_who who_of(const struct task *task)
{
	return (struct db_who){ .org_id = task->org_id };
}

/* The lane's row, locked until the transaction ends. */
static enum rc lock(struct db *db, const struct task *task, struct id *ret_holder,
		    struct id *ret_timer, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg org[] = { arg_id(task->org_id) };
	enum rc rc = db_run(db, NULL, &MAKE, org, NULL, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &LOCK, org, &rows, err);
	if (rc != RC_OK)
		return rc;
	assert(db_rows_count(rows) == 1);
	*ret_holder = db_rows_id(rows, 0, "task_id");
	*ret_timer = db_rows_id(rows, 0, "timer_id");
	return RC_OK;
}

/* Writes the holder and replaces the timer; delay_s < 0: none is needed. */
static enum rc hold(struct db *db, const struct task *task, struct id holder, struct id timer,
		    int64_t delay_s, struct err *err)
{
	const struct new_task next = { .org_id = task->org_id,
				       .kind = "deliver",
				       .delay_s = (int)delay_s };
	const struct arg old[] = { arg_id(task->org_id), arg_id(timer) };
	struct id fresh = { { 0 } };
	enum rc rc = db_run(db, NULL, &DROP_TIMER, old, NULL, err);

	if (rc == RC_OK && delay_s >= 0)
		rc = tasks_insert(db, &next, &fresh, err);
	if (rc != RC_OK)
		return rc;
	return db_run(db, NULL, &HOLD,
		      (const struct arg[]){ arg_id(task->org_id), arg_id(holder), arg_id(fresh) },
		      NULL, err);
}

struct taking {
	const struct task *task;
	bool ours;
};

static enum rc take_body(struct db *db, void *arg, struct err *err)
{
	struct taking *t = arg;
	const struct task *task = t->task;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id holder = { { 0 } }, timer = { { 0 } };
	enum rc rc = tasks_fence(db, task, err);

	if (rc == RC_OK)
		rc = lock(db, task, &holder, &timer, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &HELD,
			    (const struct arg[]){ arg_id(task->org_id), arg_id(holder) }, &rows,
			    err);
	if (rc != RC_OK)
		return rc;
	t->ours = id_eq(holder, task->task_id) || !db_rows_bool(rows, 0, "held");
	if (!t->ours)
		return tasks_finish(db, task, err);
	rc = hold(db, task, task->task_id, timer, DELIVERY_LANE_WATCH_S, err);
	return rc == RC_OK ? tasks_extend(db, task, err) : rc;
}

enum rc delivery_lane_take(struct db *db, const struct task *task, bool *ret_ours, struct err *err)
{
	struct taking t = { .task = task };
	const struct db_who who = who_of(task);
	enum rc rc = db_tx(db, &who, take_body, &t, err);

	*ret_ours = t.ours;
	return rc;
}

static const struct stmt DUE = {
	"delivery_lane_due",
	"SELECT d.delivery_id, d.webhook_id, d.event_id, d.attempts, w.url, e.type,"
	" to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at, e.data,"
	" w.sealed_secret, CASE WHEN w.previous_until > now() THEN w.sealed_previous END"
	"  AS sealed_previous"
	" FROM webhook w CROSS JOIN LATERAL (SELECT x.delivery_id, x.webhook_id, x.event_id,"
	"  x.attempts FROM delivery x WHERE x.org_id = w.org_id AND x.webhook_id = w.webhook_id"
	"  AND x.state = 'pending' AND x.next_at <= now() AND x.delivery_id <> ALL ($3::uuid[])"
	"  ORDER BY x.next_at LIMIT $2::bigint) d"
	" JOIN event e ON e.org_id = w.org_id AND e.event_id = d.event_id"
	" WHERE w.org_id = $1 AND w.state = 'enabled' AND w.deleted_at IS NULL",
	3, .by_index = true
};

enum rc delivery_lane_due(struct db *db, const struct task *task, int each, struct str flying,
			  struct db_rows **ret, struct err *err)
{
	const struct db_who who = who_of(task);
	const struct arg args[] = { arg_id(task->org_id), arg_i64(each), arg_text(flying) };

	return db_run(db, &who, &DUE, args, ret, err);
}

/* $4: seconds until the next attempt; NULL ends it as $3. */
static const struct stmt SETTLE = {
	"delivery_lane_settle",
	"UPDATE delivery SET state = $3, attempts = attempts + 1, last_at = now(), last_status = "
	"$5,"
	" last_error = $6, next_at = now() + make_interval(secs => $4::float8 / 1000),"
	" ended_at = CASE WHEN $4 IS NULL THEN now() END"
	" WHERE org_id = $1 AND delivery_id = $2 AND state = 'pending' RETURNING delivery_id",
	6
};
static const struct stmt FORGIVE = { "delivery_lane_forgive",
				     "UPDATE webhook SET exhausted = 0 WHERE org_id = $1"
				     " AND webhook_id = $2 AND exhausted > 0",
				     2 };
/* $3 true: the endpoint said itself that it is gone. */
static const struct stmt BLAME = {
	"delivery_lane_blame",
	"UPDATE webhook SET exhausted = exhausted + CASE WHEN $3 THEN 0 ELSE 1 END,"
	" state = CASE WHEN $3 THEN 'disabled_gone' WHEN exhausted + 1 >= $4::bigint"
	"  THEN 'disabled_failing' ELSE state END,"
	" state_at = CASE WHEN $3 OR exhausted + 1 >= $4 THEN now() ELSE state_at END,"
	" state_reason = CASE WHEN $3 THEN $5 WHEN exhausted + 1 >= $4 THEN $6"
	"  ELSE state_reason END"
	" WHERE org_id = $1 AND webhook_id = $2 AND state = 'enabled' AND deleted_at IS NULL"
	" RETURNING state, state_reason",
	6
};

static enum rc tell_audit(struct db *db, const struct task *task, struct id webhook_id,
			  const struct db_rows *rows, struct err *err)
{
	AUTO_JSON json_t *detail = json_object();
	char id[ID_TEXT_MAX];
	const struct audit_entry entry = { .org_id = task->org_id,
					   .actor = "worker",
					   .action = "webhook.disabled",
					   .target_kind = "webhook",
					   .target_id = id,
					   .request_id = "",
					   .detail = detail };

	id_text(webhook_id, "whk_", id);
	json_set_text(detail, "state", db_rows_text(rows, 0, "state"));
	json_set_text(detail, "reason", db_rows_text(rows, 0, "state_reason"));
	return audit_insert(db, NULL, &entry, err);
}

static enum rc blame(struct db *db, const struct task *task, const struct delivery_result *r,
		     struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = {
		arg_id(task->org_id),
		arg_id(r->webhook_id),
		arg_bool(r->end == DELIVERY_GONE),
		arg_i64(DELIVERY_LANE_GIVE_UP),
		arg_c("The receiver answered 410 Gone, which asks for nothing more to be sent."),
		arg_c("Several deliveries in a row were tried to the end without success."),
	};
	enum rc rc = db_run(db, NULL, &BLAME, args, &rows, err);

	if (rc != RC_OK || db_rows_count(rows) == 0 ||
	    str_eq(db_rows_text(rows, 0, "state"), S("enabled")))
		return rc;
	return tell_audit(db, task, r->webhook_id, rows, err);
}

struct settling {
	const struct task *task;
	const struct delivery_result *result;
};

static enum rc settle_body(struct db *db, void *arg, struct err *err)
{
	static const char *const STATES[] = {
		[DELIVERY_DONE] = "delivered",
		[DELIVERY_AGAIN] = "pending",
		[DELIVERY_EXHAUSTED] = "failed",
		[DELIVERY_GONE] = "failed",
	};
	const struct settling *s = arg;
	const struct delivery_result *r = s->result;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg org[] = { arg_id(s->task->org_id), arg_id(r->webhook_id) };
	const struct arg args[] = { arg_id(s->task->org_id),
				    arg_id(r->delivery_id),
				    arg_c(STATES[r->end]),
				    r->end == DELIVERY_AGAIN ? arg_i64(r->delay_ms) : arg_null(),
				    r->status > 0 ? arg_i64(r->status) : arg_null(),
				    arg_c(r->error) };
	enum rc rc = tasks_fence(db, s->task, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &SETTLE, args, &rows, err);
	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 1 && r->end == DELIVERY_DONE)
		rc = db_run(db, NULL, &FORGIVE, org, NULL, err);
	else if (db_rows_count(rows) == 1 && r->end != DELIVERY_AGAIN)
		rc = blame(db, s->task, r, err);
	return rc == RC_OK ? tasks_extend(db, s->task, err) : rc;
}

enum rc delivery_lane_settle(struct db *db, const struct task *task,
			     const struct delivery_result *result, struct err *err)
{
	struct settling s = { .task = task, .result = result };
	const struct db_who who = who_of(task);

	return db_tx(db, &who, settle_body, &s, err);
}

static const struct stmt OLD = { "delivery_lane_old",
				 "DELETE FROM event WHERE org_id = $1 AND event_id = ANY "
				 "(ARRAY(SELECT x.event_id FROM event x"
				 " WHERE x.org_id = $1 AND x.at < now() - make_interval(secs => $3)"
				 " ORDER BY x.at LIMIT $2::bigint))",
				 3 };
static const struct stmt ORPHANS = {
	"delivery_lane_orphans",
	"DELETE FROM delivery WHERE org_id = $1 AND delivery_id = ANY (ARRAY("
	" SELECT d.delivery_id FROM webhook w JOIN delivery d ON d.org_id = w.org_id"
	" AND d.webhook_id = w.webhook_id WHERE w.org_id = $1 AND w.deleted_at IS NOT NULL"
	" LIMIT $2::bigint))",
	2
};
static const struct stmt DELETED = {
	"delivery_lane_deleted",
	"DELETE FROM webhook w WHERE w.org_id = $1 AND w.deleted_at IS NOT NULL AND NOT EXISTS"
	" (SELECT FROM delivery d WHERE d.org_id = $1 AND d.webhook_id = w.webhook_id)",
	1
};

static const struct stmt EXPIRED = {
	"delivery_lane_expired",
	"UPDATE webhook SET sealed_previous = NULL, previous_until = NULL"
	" WHERE org_id = $1 AND previous_until <= now()",
	1
};

struct cleaning {
	const struct task *task;
	bool left;
};

static enum rc clean_body(struct db *db, void *arg, struct err *err)
{
	struct cleaning *c = arg;
	AUTO(db_rows) struct db_rows *old = NULL;
	AUTO(db_rows) struct db_rows *orphans = NULL;
	const struct arg args[] = { arg_id(c->task->org_id), arg_i64(DELIVERY_LANE_BATCH),
				    arg_i64(DELIVERY_LANE_KEEP_S) };
	enum rc rc = tasks_fence(db, c->task, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &OLD, args, &old, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &ORPHANS, args, &orphans, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &DELETED, args, NULL, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &EXPIRED, args, NULL, err);
	if (rc != RC_OK)
		return rc;
	c->left = db_rows_affected(old) == DELIVERY_LANE_BATCH ||
		  db_rows_affected(orphans) == DELIVERY_LANE_BATCH;
	return tasks_extend(db, c->task, err);
}

enum rc delivery_lane_clean(struct db *db, const struct task *task, bool *ret_left, struct err *err)
{
	struct cleaning c = { .task = task };
	const struct db_who who = who_of(task);
	enum rc rc = db_tx(db, &who, clean_body, &c, err);

	*ret_left = rc == RC_OK && c.left;
	return rc;
}

/* Seconds until something has to be done: the next attempt, an event or an old secret that expires. */
static const struct stmt NEXT = {
	"delivery_lane_next",
	"SELECT ceil(extract(epoch FROM least("
	" (SELECT min(d.next_at) FROM webhook w JOIN delivery d ON d.org_id = w.org_id"
	"  AND d.webhook_id = w.webhook_id AND d.state = 'pending' WHERE w.org_id = $1"
	"  AND w.state = 'enabled' AND w.deleted_at IS NULL),"
	" (SELECT min(coalesce(w.deleted_at, w.previous_until)) FROM webhook w WHERE w.org_id = "
	"$1),"
	" (SELECT min(e.at) + make_interval(secs => $2) FROM event e WHERE e.org_id = $1))"
	" - now()))::bigint AS in_s",
	2
};

static enum rc leave_body(struct db *db, void *arg, struct err *err)
{
	const struct task *task = *(const struct task *const *)arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id holder = { { 0 } }, timer = { { 0 } }, nobody = { { 0 } };
	int64_t in_s = -1;
	enum rc rc = tasks_fence(db, task, err);

	if (rc == RC_OK)
		rc = lock(db, task, &holder, &timer, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &NEXT,
			    (const struct arg[]){ arg_id(task->org_id),
						  arg_i64(DELIVERY_LANE_KEEP_S + 1) },
			    &rows, err);
	if (rc != RC_OK)
		return rc;
	if (!db_rows_is_null(rows, 0, "in_s"))
		in_s = db_rows_i64(rows, 0, "in_s") > 0 ? db_rows_i64(rows, 0, "in_s") : 0;
	rc = hold(db, task, nobody, timer, in_s, err);
	return rc == RC_OK ? tasks_finish(db, task, err) : rc;
}

enum rc delivery_lane_leave(struct db *db, const struct task *task, struct err *err)
{
	const struct db_who who = who_of(task);

	return db_tx(db, &who, leave_body, (void *)&task, err);
}
