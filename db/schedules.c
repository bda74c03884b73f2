/* Schedules: any number of schedulers, no leader. The database's clock decides what is due, a row lock and the unique tick of
 * a sync make it happen once, and a long absence is made good by one run, never by a storm. */
#include "db/schedules.h"
#include "base/clock.h"
#include "db/inside.h"
#include "db/schedule_rows.h"
#include "db/syncs.h"
#include "db/tasks.h"

/* A schedule that cannot be read (its time zone is gone) is looked at again after this. */
enum { SCHEDULES_RETRY_S = 3600 };

static const struct stmt DUE = {
	"schedules_due",
	"SELECT org_id, connection_id, kind FROM schedule WHERE NOT paused AND due_at <= now()"
	" ORDER BY due_at LIMIT $1",
	1, .by_index = true
};
static const struct stmt TAKE_DUE = {
	"schedules_take_due",
	"SELECT s.paused," SCHEDULE_ROWS_COLUMNS
	", (extract(epoch FROM s.next_at) * 1000000)::bigint AS tick_us,"
	" (extract(epoch FROM now()) * 1000000)::bigint AS now_us FROM schedule s"
	" WHERE org_id = $1 AND connection_id = $2 AND kind = $3 AND NOT paused"
	" AND due_at <= now() FOR UPDATE SKIP LOCKED",
	3, .by_index = true
};
static const struct stmt ADVANCE = {
	"schedules_advance",
	"UPDATE schedule SET missed = missed + $4,"
	" next_at = 'epoch'::timestamptz + $5::bigint * interval '1 microsecond'"
	" WHERE org_id = $1 AND connection_id = $2 AND kind = $3",
	5, .by_index = true
};
/* A tick met an active sync: it is missed, unless this schedule keeps one and keeps none yet. */
static const struct stmt OVERLAP = {
	"schedules_overlap",
	"UPDATE schedule SET missed = missed + CASE WHEN overlap = 'buffer_one'"
	"  AND buffered_tick IS NULL THEN 0 ELSE 1 END, buffered_tick = CASE"
	"  WHEN overlap = 'buffer_one' THEN coalesce(buffered_tick, 'epoch'::timestamptz"
	"  + $4::bigint * interval '1 microsecond') END"
	" WHERE org_id = $1 AND connection_id = $2 AND kind = $3",
	4, .by_index = true
};
/* The way past a schedule that cannot run: the others must not starve behind it. */
static const struct stmt SKIP = {
	"schedules_skip",
	"UPDATE schedule SET missed = missed + 1, buffered_tick = NULL, next_at = CASE"
	" WHEN due_at <= now() THEN greatest(next_at, now())"
	"  + make_interval(secs => coalesce(every_s, $4::int)) ELSE next_at END"
	" WHERE org_id = $1 AND connection_id = $2 AND kind = $3"
	" AND (due_at <= now() OR buffered_tick IS NOT NULL)",
	4, .by_index = true
};
static const struct stmt BUFFERED = {
	"schedules_buffered",
	"SELECT s.org_id, s.connection_id, s.kind FROM schedule s WHERE s.buffered_tick IS NOT NULL"
	" AND NOT s.paused AND (s.backoff_until IS NULL OR s.backoff_until <= now())"
	" AND NOT EXISTS (SELECT FROM sync y WHERE y.org_id = s.org_id"
	"  AND y.connection_id = s.connection_id AND y.state IN ('queued', 'running')) LIMIT $1",
	1, .by_index = true
};
static const struct stmt TAKE_BUFFERED = {
	"schedules_take_buffered",
	"WITH b AS MATERIALIZED (SELECT org_id, connection_id, kind, buffered_tick FROM schedule"
	" WHERE org_id = $1 AND connection_id = $2 AND kind = $3 AND buffered_tick IS NOT NULL"
	" AND NOT paused FOR UPDATE SKIP LOCKED)"
	" UPDATE schedule s SET buffered_tick = NULL FROM b WHERE s.org_id = b.org_id"
	" AND s.connection_id = b.connection_id AND s.kind = b.kind"
	" RETURNING (extract(epoch FROM b.buffered_tick) * 1000000)::bigint AS tick_us",
	3, .by_index = true
};
static const struct stmt VERIFY_QUEUED = {
	"schedules_verify_queued",
	"SELECT task_id FROM task WHERE org_id = $1 AND connection_id = $2 AND kind = 'verify'"
	" LIMIT 1",
	2, .by_index = true
};

struct due {
	struct id org_id, connection_id;
	char kind[16];
	bool buffered; /* the tick that waited for a sync to end */
	bool started;
};

static enum rc run_on(struct db *db, const struct stmt *stmt, const struct due *d,
		      struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(d->org_id), arg_id(d->connection_id), arg_c(d->kind) };

	return db_run(db, NULL, stmt, args, ret, err);
}

static enum rc start_sync(struct db *db, struct due *d, int64_t tick_us, struct err *err)
{
	struct err own = { 0 };
	struct id id = { { 0 } };
	const struct new_sync sync = { .org_id = d->org_id,
				       .connection_id = d->connection_id,
				       .cause = "schedule",
				       .requested_by = "schedule",
				       .tick = tick_us * 1000 };
	enum rc rc = syncs_start(db, &sync, &id, &own);

	d->started = rc == RC_OK;
	if (rc == RC_CONFLICT && str_eq(str_c(own.code), S("tick_done")))
		return RC_OK;
	if (rc == RC_CONFLICT)
		return db_run(db, NULL, &OVERLAP,
			      (const struct arg[]){ arg_id(d->org_id), arg_id(d->connection_id),
						    arg_c(d->kind), arg_i64(tick_us) },
			      NULL, err);
	return rc == RC_OK ? rc : err_set(err, rc, own.code, "%s", own.text);
}

static enum rc start_verify(struct db *db, struct due *d, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct new_task task = { .org_id = d->org_id,
				       .connection_id = d->connection_id,
				       .kind = "verify" };
	enum rc rc = run_on(db, &VERIFY_QUEUED, d, &rows, err);

	if (rc != RC_OK || db_rows_count(rows) > 0)
		return rc;
	rc = tasks_insert(db, &task, NULL, err);
	d->started = rc == RC_OK;
	return rc;
}

/* Sets the tick to come. *ret_run: the last one that is past is still worth a run. */
static enum rc advance(struct db *db, const struct due *d, const struct db_rows *rows,
		       struct schedule_due *ret, bool *ret_run, struct err *err)
{
	AUTO(schedule_plan) struct schedule_plan *plan = NULL;
	const struct schedule_values v = schedule_rows_values(rows, 0);
	int64_t now_us = db_rows_i64(rows, 0, "now_us");
	enum rc rc = schedule_plan_new(&v, d->connection_id, &plan, err);

	if (rc == RC_OK)
		rc = schedule_plan_due(plan, db_rows_i64(rows, 0, "tick_us"), now_us, ret);
	if (rc == RC_NOT_FOUND)
		return err_set(err, RC_BROKEN, "schedule_never", "the schedule has no next tick");
	if (rc != RC_OK)
		return rc;
	*ret_run = now_us - ret->tick_us <= v.catch_up_window_s * SCHEDULE_PLAN_S;

	const struct arg args[] = { arg_id(d->org_id), arg_id(d->connection_id), arg_c(d->kind),
				    arg_i64(ret->behind + !*ret_run), arg_i64(ret->next_us) };

	return db_run(db, NULL, &ADVANCE, args, NULL, err);
}

static enum rc due_body(struct db *db, void *arg, struct err *err)
{
	struct due *d = arg;
	struct schedule_due due = { 0 };
	bool run = false;
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = run_on(db, d->buffered ? &TAKE_BUFFERED : &TAKE_DUE, d, &rows, err);

	d->started = false;
	if (rc != RC_OK || db_rows_count(rows) == 0) /* another scheduler has it */
		return rc;
	if (d->buffered)
		return start_sync(db, d, db_rows_i64(rows, 0, "tick_us"), err);
	rc = advance(db, d, rows, &due, &run, err);
	if (rc != RC_OK || !run)
		return rc;
	if (strcmp(d->kind, "verify") == 0)
		return start_verify(db, d, err);
	return start_sync(db, d, due.tick_us, err);
}

/* One schedule; its own failure is passed over, only a database that is away ends the pass. */
static enum rc run_due(struct db *db, struct due *d, struct err *err)
{
	struct db_who who = { .org_id = d->org_id };
	struct err own = { 0 };
	enum rc rc = db_tx(db, &who, due_body, d, &own);

	if (rc == RC_OK)
		return rc;
	d->started = false;
	if (rc != RC_RETRY)
		rc = db_run(db, &who, &SKIP,
			    (const struct arg[]){ arg_id(d->org_id), arg_id(d->connection_id),
						  arg_c(d->kind), arg_i64(SCHEDULES_RETRY_S) },
			    NULL, err);
	return rc == RC_OK ? rc : err_set(err, rc, own.code, "%s", own.text);
}

static enum rc run_all(struct db *db, const struct stmt *stmt, int batch, int64_t *started,
		       struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, stmt, (const struct arg[]){ arg_i64(batch) }, &rows, err);

	for (int i = 0; i < db_rows_count(rows) && rc == RC_OK; i++) {
		struct due d = { .org_id = db_rows_id(rows, i, "org_id"),
				 .connection_id = db_rows_id(rows, i, "connection_id"),
				 .buffered = stmt == &BUFFERED };
		struct str kind = db_rows_text(rows, i, "kind");

		memcpy(d.kind, kind.p, kind.n < sizeof(d.kind) ? kind.n : sizeof(d.kind) - 1);
		rc = run_due(db, &d, err);
		*started += d.started;
	}
	return rc;
}

enum rc schedules_pass(struct db *db, int batch, int64_t *ret_started, struct err *err)
{
	int64_t started = 0, kept = 0;
	enum rc rc = run_all(db, &DUE, batch, &started, err);

	if (rc == RC_OK)
		rc = run_all(db, &BUFFERED, batch, &kept, err);
	*ret_started = started + kept;
	return rc;
}
