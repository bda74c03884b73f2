/* Rows of schedules: what a person sets, and how failures in a row hold up what is scheduled. Never starts anything and
 * never touches connection.paused, which is a person's alone. */
#include "db/schedule_rows.h"
#include "db/audit.h"
#include "db/inside.h"
#include <assert.h>

struct schedule_values schedule_rows_values(const struct db_rows *rows, int row)
{
	return (struct schedule_values){
		.every_s = db_rows_i64(rows, row, "every_s"),
		.cron = db_rows_text(rows, row, "cron"),
		.time_zone = db_rows_text(rows, row, "time_zone"),
		.jitter_s = db_rows_i64(rows, row, "jitter_s"),
		.overlap = db_rows_text(rows, row, "overlap"),
		.catch_up_window_s = db_rows_i64(rows, row, "catch_up_window_s"),
		.paused = db_rows_bool(rows, row, "paused"),
	};
}

static const struct stmt NOW = { "schedule_rows_now",
				 "SELECT (extract(epoch FROM now()) * 1000000)::bigint AS us", 0 };

/* The first tick of a new or changed schedule by cron. */
static enum rc first_tick(struct db *db, const struct schedule_set *in, int64_t *ret_us,
			  struct err *err)
{
	AUTO(schedule_plan) struct schedule_plan *plan = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &NOW, NULL, &rows, err);

	if (rc == RC_OK)
		rc = schedule_plan_new(in->values, in->connection_id, &plan, err);
	if (rc == RC_OK)
		rc = schedule_plan_next(plan, db_rows_i64(rows, 0, "us"), ret_us);
	return rc;
}

/* The phase stays when the period does; a paused time is not made good, its ticks simply did not exist. */
static const struct stmt SET = {
	"schedule_rows_set",
	"INSERT INTO schedule AS s (org_id, connection_id, kind, every_s, cron, time_zone,"
	" jitter_s, overlap, catch_up_window_s, paused, next_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
	" coalesce('epoch'::timestamptz + $11::bigint * interval '1 microsecond',"
	"  now() + make_interval(secs => $12)))"
	" ON CONFLICT (org_id, connection_id, kind) DO UPDATE SET every_s = excluded.every_s,"
	" cron = excluded.cron, time_zone = excluded.time_zone, jitter_s = excluded.jitter_s,"
	" overlap = excluded.overlap, catch_up_window_s = excluded.catch_up_window_s,"
	" paused = excluded.paused, buffered_tick = CASE WHEN excluded.paused THEN NULL"
	"  ELSE s.buffered_tick END,"
	" next_at = CASE WHEN (s.every_s, s.cron, s.time_zone, s.jitter_s) IS DISTINCT FROM"
	"  (excluded.every_s, excluded.cron, excluded.time_zone, excluded.jitter_s)"
	" THEN excluded.next_at WHEN NOT s.paused OR excluded.paused OR s.next_at > now()"
	" THEN s.next_at WHEN s.every_s IS NULL THEN excluded.next_at"
	" ELSE s.next_at + make_interval(secs => s.every_s::float8 * (1 +"
	" floor(extract(epoch FROM now() - s.next_at) / s.every_s)::float8)) END",
	12, .by_index = true
};

enum rc schedule_rows_set(struct db *db, const struct schedule_set *in, struct err *err)
{
	const struct schedule_values *v = in->values;
	int64_t first_us = 0;
	enum rc rc = RC_OK;

	assert(db->in_tx);
	if (v->every_s == 0)
		rc = first_tick(db, in, &first_us, err);
	if (rc != RC_OK)
		return rc;

	const struct arg args[] = { arg_id(in->org_id),
				    arg_id(in->connection_id),
				    arg_c(in->kind),
				    v->every_s > 0 ? arg_i64(v->every_s) : arg_null(),
				    v->every_s > 0 ? arg_null() : arg_text(v->cron),
				    arg_text(v->time_zone),
				    arg_i64(v->jitter_s),
				    arg_text(v->overlap),
				    arg_i64(v->catch_up_window_s),
				    arg_bool(v->paused),
				    v->every_s > 0 ? arg_null() : arg_i64(first_us),
				    arg_i64(in->first_in_s) };

	return db_later(db, &SET, args, NULL, err);
}

static const struct stmt OF_CONNECTION = {
	"schedule_rows_of_connection",
	"SELECT s.kind, s.paused," SCHEDULE_ROWS_COLUMNS
	" FROM schedule s WHERE s.org_id = $1 AND s.connection_id = $2 ORDER BY s.kind",
	2, .by_index = true
};

enum rc schedule_rows_pause(struct db *db, struct id org_id, struct id connection_id, bool paused,
			    struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id) };
	enum rc rc = RC_OK;

	assert(db->in_tx);
	rc = db_run(db, NULL, &OF_CONNECTION, args, &rows, err);
	for (int i = 0; i < db_rows_count(rows) && rc == RC_OK; i++) {
		struct schedule_values v = schedule_rows_values(rows, i);
		const bool is_sync = str_eq(db_rows_text(rows, i, "kind"), S("sync"));
		const struct schedule_set set = { .org_id = org_id,
						  .connection_id = connection_id,
						  .kind = is_sync ? "sync" : "verify",
						  .values = &v };

		v.paused = paused;
		rc = schedule_rows_set(db, &set, err);
	}
	return rc;
}

static const struct stmt FORGIVE = {
	"schedule_rows_forgive",
	"UPDATE schedule SET failures = 0, backoff_until = NULL WHERE org_id = $1"
	" AND connection_id = $2 AND (failures > 0 OR backoff_until IS NOT NULL)",
	2, .by_index = true
};

enum rc schedule_rows_forgive(struct db *db, struct id org_id, struct id connection_id,
			      struct err *err)
{
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id) };

	assert(db->in_tx);
	return db_run(db, NULL, &FORGIVE, args, NULL, err);
}

static const struct stmt OUTCOME = {
	"schedule_rows_outcome",
	"SELECT c.last_sync_state, s.paused," SCHEDULE_ROWS_COLUMNS
	", (extract(epoch FROM now()) * 1000000)::bigint AS now_us FROM connection c"
	" JOIN schedule s ON s.org_id = c.org_id AND s.connection_id = c.connection_id"
	" AND s.kind = 'sync' WHERE c.org_id = $1 AND c.connection_id = $2 FOR UPDATE OF s",
	2, .by_index = true
};
static const struct stmt BACK_OFF = {
	"schedule_rows_back_off",
	"UPDATE schedule SET failures = failures + 1, backoff_until = now()"
	" + make_interval(secs => $3) WHERE org_id = $1 AND connection_id = $2 AND kind = 'sync'",
	3, .by_index = true
};

enum rc schedule_rows_settle(struct db *db, struct id org_id, struct id connection_id,
			     struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO(schedule_plan) struct schedule_plan *plan = NULL;
	struct schedule_values v = { 0 };
	struct str state = S("");
	int64_t wait_s = SCHEDULE_PLAN_BACKOFF_MAX_S;
	enum rc rc = RC_OK;

	assert(db->in_tx);
	rc = db_run(db, NULL, &OUTCOME,
		    (const struct arg[]){ arg_id(org_id), arg_id(connection_id) }, &rows, err);
	if (rc != RC_OK || db_rows_count(rows) == 0)
		return rc;
	state = db_rows_text(rows, 0, "last_sync_state");
	if (str_eq(state, S("complete")) || str_eq(state, S("partial")))
		return schedule_rows_forgive(db, org_id, connection_id, err);
	if (!str_eq(state, S("failed")))
		return RC_OK;
	v = schedule_rows_values(rows, 0);
	/* A zone that cannot be read must not keep a sync from being closed: then the longest wait. */
	if (schedule_plan_new(&v, connection_id, &plan, NULL) == RC_OK)
		wait_s = schedule_plan_backoff_s(plan, db_rows_i64(rows, 0, "now_us"),
						 db_rows_i64(rows, 0, "failures") + 1);
	return db_run(
		db, NULL, &BACK_OFF,
		(const struct arg[]){ arg_id(org_id), arg_id(connection_id), arg_i64(wait_s) },
		NULL, err);
}

/* A row with NULLs says that there is the connection but not (or no longer) a schedule. */
static const struct stmt LIST = {
	"schedule_rows_list",
	"SELECT s.kind, c.version, c.paused," SCHEDULE_ROWS_COLUMNS
	", (extract(epoch FROM s.next_at) * 1000000)::bigint AS tick_us,"
	" (extract(epoch FROM s.due_at) * 1000000)::bigint AS due_us FROM connection c"
	" LEFT JOIN schedule s ON s.org_id = c.org_id AND s.connection_id = c.connection_id"
	" WHERE c.org_id = $1 AND c.connection_id = $2 AND c.deleted_at IS NULL"
	" AND ($3::text IS NULL OR s.kind = $3) ORDER BY s.kind",
	3
};

static enum rc read_rows(struct db *db, const struct db_who *who, struct id org_id,
			 struct id connection_id, const char *kind, struct db_rows **ret,
			 struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id), arg_c(kind) };
	enum rc rc = db_run(db, who, &LIST, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such schedule");
	*ret = TAKE(rows);
	return RC_OK;
}

enum rc schedule_rows_list(struct db *db, const struct db_who *who, struct id connection_id,
			   const char *kind, struct db_rows **ret, struct err *err)
{
	return read_rows(db, who, who->org_id, connection_id, kind, ret, err);
}

static const struct stmt BUMP = {
	"schedule_rows_bump",
	"UPDATE connection SET version = version + 1, updated_at = now()"
	" WHERE org_id = $1 AND connection_id = $2 AND deleted_at IS NULL AND version = $3",
	3
};

struct changing {
	const struct schedule_change *in;
	struct db_rows *rows;
};

static enum rc bump(struct db *db, const struct schedule_change *in, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->set.org_id), arg_id(in->set.connection_id),
				    arg_i64(in->version) };
	enum rc rc = db_run(db, NULL, &BUMP, args, &rows, err);

	if (rc == RC_OK && db_rows_affected(rows) == 0)
		return err_set(err, RC_CONFLICT, "version_changed",
			       "The connection was changed by somebody else; read it again.");
	return rc;
}

static enum rc change_body(struct db *db, void *arg, struct err *err)
{
	struct changing *c = arg;
	const struct schedule_set *set = &c->in->set;
	char text[ID_TEXT_MAX];
	const struct audit_entry entry = { .org_id = set->org_id,
					   .actor = c->in->actor,
					   .action = "schedule.changed",
					   .target_kind = "connection",
					   .target_id = text,
					   .request_id = c->in->request_id,
					   .detail = c->in->detail };
	enum rc rc = bump(db, c->in, err);

	id_text(set->connection_id, "conn_", text);
	db_rows_free(c->rows);
	c->rows = NULL;
	if (rc == RC_OK)
		rc = schedule_rows_set(db, set, err);
	if (rc == RC_OK && strcmp(set->kind, "sync") == 0)
		rc = schedule_rows_forgive(db, set->org_id, set->connection_id, err);
	if (rc == RC_OK)
		rc = audit_insert(db, NULL, &entry, err);
	return rc == RC_OK ? read_rows(db, NULL, set->org_id, set->connection_id, set->kind,
				       &c->rows, err)
			   : rc;
}

enum rc schedule_rows_change(struct db *db, const struct schedule_change *in, struct db_rows **ret,
			     struct err *err)
{
	struct changing c = { .in = in };
	const struct db_who who = { .org_id = in->set.org_id };
	enum rc rc = db_tx(db, &who, change_body, &c, err);

	if (rc == RC_OK)
		*ret = TAKE(c.rows);
	db_rows_free(c.rows);
	return rc;
}
