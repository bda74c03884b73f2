/* The round trip: commands travel in one pipeline up to a sync, prepared on first use, and their answers are read together.
 * Never decides what follows from a failure: db.c names it, db_tx.c ends the transaction. */
#include "base/clock.h"
#include "base/mem.h"
#include "db/inside.h"
#include <assert.h>

static const struct stmt BEGIN_TX = { "db_begin", "BEGIN", 0 };
static const struct stmt SET_WHO = {
	"db_set_who",
	"SELECT set_config('app.org_id', $1, true), set_config('app.key_id', $2, true),"
	" set_config('app.operator', $3, true)",
	3
};
/* The most frequent case: an organization's statement on its own, before which nothing is set. */
static const struct stmt SET_ORG = { "db_set_org", "SELECT set_config('app.org_id', $1, true)", 1 };
static const struct stmt SET_PLAN = {
	"db_set_plan",
	"SELECT set_config('enable_seqscan', $1, false), set_config('plan_cache_mode', $2, false)",
	2
};
static const struct db_params NOTHING = { .values = { NULL } };

static bool is_prepared(const struct db *db, const struct stmt *stmt)
{
	for (size_t i = 0; i < db->prepared_n; i++) {
		if (db->prepared[i] == stmt)
			return true;
	}
	for (int i = 0; i < db->trip.n; i++) {
		if (db->trip.steps[i].prepares && db->trip.steps[i].stmt == stmt)
			return true;
	}
	return false;
}

static void note_step(struct db *db, const struct db_step *step)
{
	assert(db->trip.n < DB_STEPS_MAX);
	db->trip.steps[db->trip.n++] = *step;
}

static bool send_step(struct db *db, const struct stmt *stmt, const struct db_params *params,
		      struct db_rows **ret)
{
	if (!is_prepared(db, stmt)) {
		if (!PQsendPrepare(db->conn, stmt->name, stmt->sql, 0, NULL))
			return false;
		note_step(db, &(struct db_step){ .stmt = stmt, .prepares = true });
	}
	if (!PQsendQueryPrepared(db->conn, stmt->name, stmt->n, params->values, params->lengths,
				 params->formats, 0))
		return false;
	note_step(db, &(struct db_step){ .stmt = stmt, .ret = ret });
	return true;
}

/* The session's planner settings, sent only when they change: queue statements come in rows of their own kind. by_index also
 * means one plan for all parameters, for planning the claim costs more than running it. */
static bool send_plan(struct db *db, const struct stmt *stmt)
{
	const struct db_params params = { .values = { stmt->by_index ? "off" : "on",
						      stmt->by_index ? "force_generic_plan"
								     : "auto" } };
	enum db_plan want = stmt->by_index ? DB_PLAN_BY_INDEX : DB_PLAN_FREE;

	if (stmt->unplanned || db->plan == want)
		return true;
	db->plan = want;
	return send_step(db, &SET_PLAN, &params, NULL);
}

static bool send_who(struct db *db, const struct db_who *who)
{
	static const struct id none = { { 0 } };
	char org[ID_UUID_TEXT], key[ID_UUID_TEXT];
	struct db_params params = { .values = { "", "", who->operator_role ? "on" : "" } };

	if (!id_eq(who->org_id, none)) {
		id_uuid(who->org_id, org);
		params.values[0] = org;
	}
	if (!id_eq(who->key_id, none)) {
		id_uuid(who->key_id, key);
		params.values[1] = key;
	}
	if (!db->in_tx && !*params.values[1] && !*params.values[2])
		return send_step(db, &SET_ORG, &params, NULL);
	return send_step(db, &SET_WHO, &params, NULL);
}

static bool send_all(struct db *db, const struct db_who *who, const struct stmt *stmt,
		     const struct db_params *params, struct db_rows **ret)
{
	if (db->trip.n == 0 && !PQenterPipelineMode(db->conn))
		return false;
	if (db->in_tx && db->begin_due && !send_step(db, &BEGIN_TX, &NOTHING, NULL))
		return false;
	if (who && !send_who(db, who))
		return false;
	return !stmt || (send_plan(db, stmt) && send_step(db, stmt, params, ret));
}

/* After a lost answer a read can simply be repeated; of a write nobody knows whether it happened. */
static enum rc lost(struct db *db, const struct stmt *stmt, struct err *err)
{
	bool in_tx = db->in_tx;

	db_drop(db);
	if (in_tx || str_starts(str_c(stmt->sql), S("SELECT")))
		return err_set(err, RC_RETRY, "database_away",
			       "%s: the database connection was lost", stmt->name);
	return err_set(err, RC_RETRY, "commit_unknown",
		       "%s: the connection was lost before the answer; it may have happened",
		       stmt->name);
}

enum rc db_trip_add(struct db *db, const struct db_who *who, const struct stmt *stmt,
		    const struct db_params *params, struct db_rows **ret, struct err *err)
{
	bool sent = false;

	if (db->trip.n + DB_STEPS_OF_ONE > DB_STEPS_MAX) {
		enum rc rc = db_trip_end(db, err);

		if (rc != RC_OK)
			return rc;
	}
	sent = send_all(db, who, stmt, params, ret);
	db->begin_due = false;
	return sent ? RC_OK : lost(db, stmt ? stmt : &BEGIN_TX, err);
}

/* What was read, by step; bad: the first failure, -1 if there was none. */
struct answers {
	PGresult *results[DB_STEPS_MAX];
	int bad;
};

static void take_result(struct db *db, struct answers *a, int i, PGresult *res)
{
	const struct db_step *step = &db->trip.steps[i];
	ExecStatusType status = PQresultStatus(res);
	bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	if (good && step->prepares) {
		assert(db->prepared_n < DB_PREPARED_MAX);
		db->prepared[db->prepared_n++] = step->stmt;
	}
	if (!good && a->bad < 0 && status != PGRES_PIPELINE_ABORTED)
		a->bad = i;
	if ((a->bad == i || (good && step->ret)) && !a->results[i])
		a->results[i] = TAKE(res);
	PQclear(res);
}

/* Reads up to the sync. False: the connection is dead. */
static bool read_all(struct db *db, struct answers *a)
{
	for (int i = 0; PQstatus(db->conn) == CONNECTION_OK;) {
		PGresult *res = PQgetResult(db->conn);

		if (!res) {
			i++;
		} else if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
			PQclear(res);
			return PQexitPipelineMode(db->conn) != 0;
		} else if (i < db->trip.n) {
			take_result(db, a, i, res);
		} else {
			PQclear(res);
		}
	}
	return false;
}

enum rc db_trip_end(struct db *db, struct err *err)
{
	const struct db_trip trip = db->trip;
	struct answers a = { .bad = -1 };
	bool alive = trip.n > 0 && PQpipelineSync(db->conn) && read_all(db, &a);
	enum rc rc = RC_OK;

	if (trip.n == 0)
		return RC_OK;
	db->trip.n = 0;
	db->alive_at = clock_mono();
	if (!alive)
		rc = lost(db, trip.steps[trip.n - 1].stmt, err);
	else if (a.bad >= 0)
		rc = db_fault(db, a.results[a.bad], trip.steps[a.bad].stmt->name, err);
	if (rc != RC_OK && db->in_tx)
		db->tx_dead = true;
	if (rc != RC_OK) /* a setting made in a transaction that failed is undone with it */
		db->plan = DB_PLAN_UNKNOWN;
	for (int i = 0; i < trip.n; i++) {
		if (rc == RC_OK && trip.steps[i].ret)
			*trip.steps[i].ret = db_rows_new(TAKE(a.results[i]));
		PQclear(a.results[i]);
	}
	return rc;
}

enum rc db_trip(struct db *db, const struct db_who *who, const struct stmt *stmt,
		const struct db_params *params, struct db_rows **ret, struct err *err)
{
	enum rc rc = db_trip_add(db, who, stmt, params, ret, err);

	return rc == RC_OK ? db_trip_end(db, err) : rc;
}
