/* Syncs: start with a first task, progress, cancel, close when the last task is gone, read. The state moves queued -> running
 * -> one of complete, partial, failed, canceled, and nowhere else. */
#include "db/syncs.h"
#include "db/checks.h"
#include "db/connection_status.h"
#include "db/emit.h"
#include "db/inside.h"
#include "db/schedule_rows.h"
#include "db/syncs_end.h"
#include <assert.h>

enum { SYNCS_START_TRIES = 3 };

static const struct stmt START = {
	"syncs_start",
	"WITH c AS ("
	" SELECT connection_id, coalesce(aws_account_id, '') AS account_id,"
	"  paused AND $5 = 'create' AS paused FROM connection"
	" WHERE org_id = $1 AND connection_id = $2 AND deleted_at IS NULL"
	"), s AS ("
	" INSERT INTO sync (org_id, sync_id, connection_id, cause, tick, requested_by, tasks_left)"
	" SELECT $1, $3, connection_id, $5, $6, $7, 1 FROM c WHERE NOT paused ON CONFLICT DO "
	"NOTHING"
	" RETURNING connection_id"
	"), t AS ("
	" INSERT INTO task (org_id, task_id, connection_id, sync_id, kind, account_id, payload)"
	" SELECT $1, $4, c.connection_id, $3, 'sync_account', c.account_id,"
	"  CASE WHEN $9 = '' THEN '{}' ELSE jsonb_build_object('request_id', $9::text) END FROM s"
	" JOIN c ON c.connection_id = s.connection_id RETURNING task_id, " TASKS_HINT "), a AS ("
	" INSERT INTO audit (org_id, audit_id, actor, action, target_kind, target_id, request_id)"
	" SELECT $1, $8, $7, 'sync.started', 'sync', 'sync_' || replace($3::text, '-', ''), $9"
	" FROM s WHERE $5 <> 'schedule'"
	")"
	" SELECT EXISTS (SELECT FROM c) AS found, EXISTS (SELECT FROM c WHERE paused) AS paused,"
	" EXISTS (SELECT FROM t) AS started",
	9, .by_index = true
};
static const struct stmt ACTIVE = {
	"syncs_active",
	"SELECT sync_id FROM sync WHERE org_id = $1 AND connection_id = $2"
	" AND state IN ('queued', 'running')",
	2, .by_index = true
};

struct start {
	const struct new_sync *sync;
	struct id *ret_id;
};

static enum rc active_id(struct db *db, const struct new_sync *n, struct id *ret_id,
			 bool *ret_found, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &ACTIVE,
			    (const struct arg[]){ arg_id(n->org_id), arg_id(n->connection_id) },
			    &rows, err);

	*ret_found = rc == RC_OK && db_rows_count(rows) > 0;
	if (*ret_found)
		*ret_id = db_rows_id(rows, 0, "sync_id");
	return rc;
}

static enum rc try_start(struct db *db, const struct new_sync *n, struct id sync_id, bool *ret_done,
			 struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(n->org_id),
				    arg_id(n->connection_id),
				    arg_id(sync_id),
				    arg_id(id_new()),
				    arg_c(n->cause),
				    arg_time(n->tick),
				    arg_text(str_c(n->requested_by)),
				    arg_id(id_new()),
				    arg_text(str_c(n->request_id)) };
	enum rc rc = db_run(db, NULL, &START, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (!db_rows_bool(rows, 0, "found"))
		return err_set(err, RC_NOT_FOUND, "connection_not_found",
			       "there is no such connection");
	if (db_rows_bool(rows, 0, "paused"))
		return err_set(err, RC_CONFLICT, "connection_paused",
			       "a person paused the connection, so it starts no sync by itself");
	*ret_done = db_rows_bool(rows, 0, "started");
	return RC_OK;
}

/* A person who starts a sync by hand believes that the cause of the failures is gone. */
static enum rc forgive(struct db *db, const struct new_sync *n, struct err *err)
{
	return strcmp(n->cause, "request") == 0
		       ? schedule_rows_forgive(db, n->org_id, n->connection_id, err)
		       : RC_OK;
}

static enum rc start_body(struct db *db, void *arg, struct err *err)
{
	struct start *start = arg;

	for (int i = 0; i < SYNCS_START_TRIES; i++) {
		struct id sync_id = id_new();
		bool done = false, active = false;
		enum rc rc = try_start(db, start->sync, sync_id, &done, err);

		if (rc != RC_OK)
			return rc;
		if (done) {
			*start->ret_id = sync_id;
			rc = forgive(db, start->sync, err);
			if (rc != RC_OK)
				return rc;
			return connection_status_settle(db, start->sync->org_id,
							start->sync->connection_id, err);
		}
		rc = active_id(db, start->sync, start->ret_id, &active, err);
		if (rc != RC_OK)
			return rc;
		if (active)
			return err_set(err, RC_CONFLICT, "sync_active",
				       "a sync of this connection is queued or running");
		if (start->sync->tick != 0)
			return err_set(err, RC_CONFLICT, "tick_done",
				       "the sync of this tick exists already");
		/* It ended between our two looks: the place is free now. */
	}
	return err_set(err, RC_RETRY, "database_busy",
		       "syncs of this connection come and go; try again");
}

enum rc syncs_start(struct db *db, const struct new_sync *sync, struct id *ret_id, struct err *err)
{
	struct db_who who = { .org_id = sync->org_id };

	return db_tx(db, &who, start_body, &(struct start){ sync, ret_id }, err);
}

static const struct stmt ANNOUNCE = {
	"syncs_announce",
	"UPDATE sync SET accounts_total = $3, scopes_total = $4 WHERE org_id = $1 AND sync_id = $2"
	" AND accounts_total = 0",
	4, .by_index = true
};

enum rc syncs_announce(struct db *db, struct id org_id, struct id sync_id, int64_t accounts,
		       int64_t scopes, struct err *err)
{
	struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(sync_id), arg_i64(accounts),
				    arg_i64(scopes) };

	return db_run(db, db->in_tx ? NULL : &who, &ANNOUNCE, args, NULL, err);
}

static const struct stmt PROGRESS = {
	"syncs_progress",
	"UPDATE sync SET accounts_done = accounts_done + $3, scopes_done = scopes_done + $4,"
	" calls = calls + $5, throttles = throttles + $6, objects_seen = objects_seen + $7,"
	" objects_added = objects_added + $8, objects_changed = objects_changed + $9,"
	" objects_removed = objects_removed + $10 WHERE org_id = $1 AND sync_id = $2",
	10, .by_index = true
};

enum rc syncs_progress(struct db *db, struct id org_id, struct id sync_id,
		       const struct sync_progress *delta, struct err *err)
{
	struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id),
				    arg_id(sync_id),
				    arg_i64(delta->accounts_done),
				    arg_i64(delta->scopes_done),
				    arg_i64(delta->calls),
				    arg_i64(delta->throttles),
				    arg_i64(delta->seen),
				    arg_i64(delta->added),
				    arg_i64(delta->changed),
				    arg_i64(delta->removed) };

	return db_run(db, db->in_tx ? NULL : &who, &PROGRESS, args, NULL, err);
}

static const struct stmt COUNT_DOWN = {
	"syncs_count_down",
	"UPDATE sync SET tasks_left = tasks_left - $3, cancel = cancel OR $6::boolean,"
	" tasks_failed = tasks_failed + CASE WHEN $4::text IS NULL THEN 0 ELSE 1 END,"
	" reason_code = CASE WHEN reason_code = '' THEN coalesce($4, '') ELSE reason_code END,"
	" reason = CASE WHEN reason_code = '' THEN coalesce($5, '') ELSE reason END"
	" WHERE org_id = $1 AND sync_id = $2 RETURNING tasks_left",
	6, .by_index = true
};
static const struct stmt AS_ORG = { "syncs_as_org", "SELECT set_config('app.org_id', $1, true)",
				    1 };

/* Complete means that everything this sync looked at was seen to its end or is not there to be seen. */
static const struct stmt CLOSE = {
	"syncs_close",
	"WITH v AS MATERIALIZED ("
	" SELECT v.state, v.reason_code, v.reason, v.attempted_at, v.account_id, v.region, v.scope,"
	" v.part, v.state NOT IN ('ok', 'region_disabled', 'unsupported', 'not_enabled',"
	" 'skipped_by_config') AS bad FROM sync s JOIN coverage v ON v.org_id = s.org_id"
	" AND v.connection_id = s.connection_id AND v.sync_id = s.sync_id"
	" WHERE s.org_id = $1 AND s.sync_id = $2"
	"), b AS ("
	" SELECT CASE WHEN reason_code = '' THEN state ELSE reason_code END AS reason_code,"
	" CASE WHEN reason = '' THEN scope || '/' || part || ' of ' || account_id || ' in ' || "
	"region"
	" || ' ended ' || state ELSE reason END AS reason FROM v WHERE bad"
	" ORDER BY attempted_at, account_id, region, scope, part LIMIT 1"
	"), o AS ("
	" SELECT coalesce((SELECT reason_code FROM b), CASE WHEN EXISTS (SELECT FROM v) THEN ''"
	" ELSE 'nothing_covered' END) AS code, coalesce((SELECT reason FROM b), CASE WHEN EXISTS"
	" (SELECT FROM v) THEN '' ELSE 'no part of the account was looked at' END) AS text"
	"), s AS ("
	" UPDATE sync SET finished_at = now(), started_at = coalesce(started_at, now()),"
	" state = CASE WHEN cancel THEN 'canceled' WHEN tasks_failed > 0 THEN 'failed'"
	" WHEN o.code <> '' THEN 'partial' ELSE 'complete' END,"
	" reason_code = CASE WHEN cancel THEN 'canceled' WHEN tasks_failed > 0 THEN reason_code"
	" ELSE o.code END, reason = CASE WHEN cancel THEN 'a person or program asked for it'"
	" WHEN tasks_failed > 0 THEN reason ELSE o.text END"
	" FROM o WHERE org_id = $1 AND sync_id = $2 AND state IN ('queued', 'running')"
	" RETURNING connection_id, state"
	")"
	" UPDATE connection c SET last_sync_state = s.state, last_sync_at = now(),"
	" last_complete_at = CASE WHEN s.state = 'complete' THEN now() ELSE last_complete_at END"
	" FROM s WHERE c.org_id = $1 AND c.connection_id = s.connection_id"
	" RETURNING c.connection_id, c.deleted_at IS NULL AND EXISTS (SELECT FROM"
	"  connection_permission p WHERE p.org_id = $1 AND p.connection_id = s.connection_id"
	"  AND p.state = 'denied' AND p.required) AS doubtful",
	2, .by_index = true
};

/* What a check found missing may have been granted since, and the sync has not said so: it may not need what is missing. */
static enum rc after(struct db *db, struct id org_id, const struct db_rows *rows, struct err *err)
{
	struct id connection_id = db_rows_id(rows, 0, "connection_id");
	enum rc rc = connection_status_settle(db, org_id, connection_id, err);

	if (rc == RC_OK)
		rc = schedule_rows_settle(db, org_id, connection_id, err);
	return rc == RC_OK && db_rows_bool(rows, 0, "doubtful")
		       ? checks_again(db, org_id, connection_id, err)
		       : rc;
}

static enum rc close_sync(struct db *db, struct id org_id, struct id sync_id, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	/* coverage and connection are the organization's alone, also for workers. */
	enum rc rc = db_run(db, NULL, &AS_ORG, (const struct arg[]){ arg_id(org_id) }, NULL, err);

	if (rc != RC_OK)
		return rc;
	rc = db_run(db, NULL, &CLOSE, (const struct arg[]){ arg_id(org_id), arg_id(sync_id) },
		    &rows, err);
	if (rc != RC_OK || db_rows_count(rows) == 0)
		return rc;
	rc = after(db, org_id, rows, err);
	return rc == RC_OK ? emit_sync_finished(db, org_id, sync_id, err) : rc;
}

enum rc syncs_count_down(struct db *db, struct id org_id, struct id sync_id, int64_t n,
			 const struct err *failed, bool canceled, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(org_id),
				    arg_id(sync_id),
				    arg_i64(n),
				    arg_c(failed ? failed->code : NULL),
				    arg_c(failed ? failed->text : NULL),
				    arg_bool(canceled) };
	enum rc rc = RC_OK;

	assert(db->in_tx);
	rc = db_run(db, NULL, &COUNT_DOWN, args, &rows, err);
	if (rc != RC_OK || db_rows_count(rows) == 0 || db_rows_i64(rows, 0, "tasks_left") > 0)
		return rc;
	return close_sync(db, org_id, sync_id, err);
}

static const struct stmt CANCEL_TASKS = {
	"syncs_cancel_tasks",
	"WITH d AS (DELETE FROM task WHERE org_id = $1 AND sync_id = $2 AND state = 'ready'"
	" RETURNING task_id), u AS (UPDATE task SET cancel = true WHERE org_id = $1 AND sync_id = "
	"$2"
	" AND state = 'leased' RETURNING task_id)"
	" SELECT (SELECT count(*) FROM d) AS ended, (SELECT count(*) FROM u) AS flagged,"
	" pg_notify('task_cancel', '')",
	2, .by_index = true
};
static const struct stmt CANCEL_SYNC = {
	"syncs_cancel",
	"WITH s AS (UPDATE sync SET cancel = true WHERE org_id = $1 AND sync_id = $2"
	" AND state IN ('queued', 'running') RETURNING sync_id), a AS ("
	" INSERT INTO audit (org_id, audit_id, actor, action, target_kind, target_id, request_id)"
	" SELECT $1, $3, $4, 'sync.canceled', 'sync', 'sync_' || replace($2::text, '-', ''), $5"
	" FROM s)"
	" SELECT EXISTS (SELECT FROM s) AS flagged, EXISTS (SELECT FROM sync WHERE org_id = $1"
	" AND sync_id = $2) AS found",
	5, .by_index = true
};

struct cancel {
	struct id org_id, sync_id;
	const char *actor, *request_id;
};

/* Tasks first, then the sync: the lock order of tasks.c. A task that a running one inserts meanwhile sees the flag of the
 * sync when it is inserted or claimed. */
static enum rc cancel_body(struct db *db, void *arg, struct err *err)
{
	const struct cancel *c = arg;
	AUTO(db_rows) struct db_rows *tasks = NULL, *sync = NULL;
	enum rc rc =
		db_run(db, NULL, &CANCEL_TASKS,
		       (const struct arg[]){ arg_id(c->org_id), arg_id(c->sync_id) }, &tasks, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &CANCEL_SYNC,
			    (const struct arg[]){ arg_id(c->org_id), arg_id(c->sync_id),
						  arg_id(id_new()), arg_text(str_c(c->actor)),
						  arg_text(str_c(c->request_id)) },
			    &sync, err);
	if (rc != RC_OK)
		return rc;
	if (!db_rows_bool(sync, 0, "found"))
		return err_set(err, RC_NOT_FOUND, "sync_not_found", "there is no such sync");
	if (!db_rows_bool(sync, 0, "flagged"))
		return err_set(err, RC_CONFLICT, "sync_finished", "the sync is over already");
	return syncs_count_down(db, c->org_id, c->sync_id, db_rows_i64(tasks, 0, "ended"), NULL,
				true, err);
}

enum rc syncs_cancel(struct db *db, struct id org_id, struct id sync_id, const char *actor,
		     const char *request_id, struct err *err)
{
	struct db_who who = { .org_id = org_id };
	struct cancel c = { org_id, sync_id, actor, request_id };

	return db_tx(db, &who, cancel_body, &c, err);
}

#define SYNCS_COLUMNS                                                                              \
	"SELECT sync_id, connection_id, cause, tick, state, requested_by, cancel, tasks_left,"     \
	" tasks_failed, accounts_total, accounts_done, scopes_total, scopes_done, calls, "         \
	"throttles,"                                                                               \
	" objects_seen, objects_added, objects_changed, objects_removed, reason_code, reason,"     \
	" created_at, started_at, finished_at FROM sync WHERE org_id = $1"

static const struct stmt GET = { "syncs_get", SYNCS_COLUMNS " AND sync_id = $2", 2 };

enum rc syncs_get(struct db *db, struct id org_id, struct id sync_id, struct db_rows **ret,
		  struct err *err)
{
	struct db_who who = { .org_id = org_id };
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, db->in_tx ? NULL : &who, &GET,
			    (const struct arg[]){ arg_id(org_id), arg_id(sync_id) }, &rows, err);

	if (rc == RC_OK && db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "sync_not_found", "there is no such sync");
	if (rc == RC_OK)
		*ret = TAKE(rows);
	return rc;
}

static const struct stmt LIST = { "syncs_list",
				  SYNCS_COLUMNS " AND ($2::uuid IS NULL OR connection_id = $2)"
						" AND ($3::text IS NULL OR state = $3)"
						" AND ($4::uuid IS NULL OR sync_id < $4)"
						" ORDER BY sync_id DESC LIMIT $5",
				  5 };

enum rc syncs_list(struct db *db, struct id org_id, struct id connection_id, const char *state,
		   struct id before, int limit, struct db_rows **ret, struct err *err)
{
	struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id), arg_opt(str_c(state)),
				    arg_id(before), arg_i64(limit) };

	return db_run(db, db->in_tx ? NULL : &who, &LIST, args, ret, err);
}
