/* Schedules: any number of schedulers, no leader. The database's clock decides what is due, a row lock and the unique tick of
 * a sync make it happen once, and a long absence is made good by one run, never by a storm. */
#include "db/schedules.h"
#include "base/clock.h"
#include "db/inside.h"
#include "db/syncs.h"
#include "db/tasks.h"

static const struct stmt DUE = {
	"schedules_due",
	"SELECT org_id, connection_id, kind FROM schedule WHERE NOT paused AND next_at <= now()"
	" ORDER BY next_at LIMIT $1",
	1, .by_index = true
};
/* behind: whole periods between the tick that was due and now, which nothing ran in time. */
static const struct stmt TAKE_DUE = {
	"schedules_take_due",
	"WITH d AS MATERIALIZED ("
	" SELECT org_id, connection_id, kind, next_at, every_s,"
	" floor(extract(epoch FROM now() - next_at) / every_s)::bigint AS behind FROM schedule"
	" WHERE org_id = $1 AND connection_id = $2 AND kind = $3 AND NOT paused"
	" AND next_at <= now() FOR UPDATE SKIP LOCKED"
	")"
	" UPDATE schedule s SET missed = s.missed + d.behind,"
	" next_at = d.next_at + make_interval(secs => d.every_s::float8 * (d.behind + 1)) FROM d"
	" WHERE s.org_id = d.org_id AND s.connection_id = d.connection_id AND s.kind = d.kind"
	" RETURNING (extract(epoch FROM d.next_at + make_interval(secs =>"
	" d.every_s::float8 * d.behind)) * 1000000)::bigint AS tick_us",
	3, .by_index = true
};
static const struct stmt MISSED = {
	"schedules_missed",
	"UPDATE schedule SET missed = missed + 1 WHERE org_id = $1 AND connection_id = $2"
	" AND kind = $3",
	3, .by_index = true
};
/* The way past a schedule that cannot run: the others must not starve behind it. */
static const struct stmt SKIP = {
	"schedules_skip",
	"UPDATE schedule SET missed = missed + 1, next_at = greatest(next_at, now())"
	" + make_interval(secs => every_s) WHERE org_id = $1 AND connection_id = $2 AND kind = $3"
	" AND next_at <= now()",
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
	bool started;
};

static enum rc run_on(struct db *db, const struct stmt *stmt, const struct due *d,
		      struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(d->org_id), arg_id(d->connection_id), arg_c(d->kind) };

	return db_run(db, NULL, stmt, args, ret, err);
}

static enum rc start_sync(struct db *db, struct due *d, int64_t tick, struct err *err)
{
	struct err own = { 0 };
	struct id id = { { 0 } };
	const struct new_sync sync = { .org_id = d->org_id,
				       .connection_id = d->connection_id,
				       .cause = "schedule",
				       .requested_by = "schedule",
				       .tick = tick };
	enum rc rc = syncs_start(db, &sync, &id, &own);

	d->started = rc == RC_OK;
	if (rc == RC_CONFLICT)
		return run_on(db, &MISSED, d, NULL, err);
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

static enum rc due_body(struct db *db, void *arg, struct err *err)
{
	struct due *d = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = run_on(db, &TAKE_DUE, d, &rows, err);

	d->started = false;
	if (rc != RC_OK || db_rows_count(rows) == 0) /* another scheduler has it */
		return rc;
	if (strcmp(d->kind, "verify") == 0)
		return start_verify(db, d, err);
	return start_sync(db, d, db_rows_i64(rows, 0, "tick_us") * 1000, err);
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
						  arg_c(d->kind) },
			    NULL, err);
	return rc == RC_OK ? rc : err_set(err, rc, own.code, "%s", own.text);
}

enum rc schedules_pass(struct db *db, int batch, int64_t *ret_started, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &DUE, (const struct arg[]){ arg_i64(batch) }, &rows, err);

	*ret_started = 0;
	for (int i = 0; i < db_rows_count(rows) && rc == RC_OK; i++) {
		struct due d = { .org_id = db_rows_id(rows, i, "org_id"),
				 .connection_id = db_rows_id(rows, i, "connection_id") };
		struct str kind = db_rows_text(rows, i, "kind");

		memcpy(d.kind, kind.p, kind.n < sizeof(d.kind) ? kind.n : sizeof(d.kind) - 1);
		rc = run_due(db, &d, err);
		*ret_started += d.started;
	}
	return rc;
}

/* The phase stays when the period does; a paused time is not made good, its ticks simply did not exist. */
static const struct stmt SET = {
	"schedules_set",
	"INSERT INTO schedule AS s (org_id, connection_id, kind, every_s, next_at, paused)"
	" VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), $6)"
	" ON CONFLICT (org_id, connection_id, kind) DO UPDATE SET every_s = excluded.every_s,"
	" paused = excluded.paused, next_at = CASE WHEN s.every_s <> excluded.every_s"
	" THEN excluded.next_at WHEN s.paused AND NOT excluded.paused AND s.next_at <= now()"
	" THEN s.next_at + make_interval(secs => s.every_s::float8 * (1 +"
	" floor(extract(epoch FROM now() - s.next_at) / s.every_s)::float8)) ELSE s.next_at END",
	6, .by_index = true
};

enum rc schedules_set(struct db *db, struct id org_id, struct id connection_id, const char *kind,
		      int every_s, int first_in_s, bool paused, struct err *err)
{
	struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id),   arg_id(connection_id), arg_c(kind),
				    arg_i64(every_s), arg_i64(first_in_s),   arg_bool(paused) };

	return db_run(db, db->in_tx ? NULL : &who, &SET, args, NULL, err);
}
