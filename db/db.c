/* The connection: open, reopen, run a statement, and the one place that turns SQLSTATEs into result codes.
 * Never logs, never puts a parameter's value into a message. */
#include "base/clock.h"
#include "base/mem.h"
#include "db/inside.h"
#include <assert.h>
#include <poll.h>
#include <sodium.h>

/* Whatever the role's or the server's defaults are: no statement hangs, no forgotten transaction pins the xmin horizon, and
 * text comes in the one form that db_rows.c and clock.c read. */
static const char SESSION[] =
	"SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s';"
	"SET jit = off; SET bytea_output = hex; SET timezone = 'UTC'; SET datestyle = ISO;"
	"SET client_min_messages = error";

static const struct stmt LISTEN[] = {
	[DB_TASK] = { "db_listen_task", "LISTEN task", 0 },
	[DB_TASK_CANCEL] = { "db_listen_task_cancel", "LISTEN task_cancel", 0 },
};

static void stay_silent(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static int64_t pause_after(int64_t last_ms)
{
	int64_t span = last_ms * 3 - DB_RECONNECT_MIN_MS;
	int64_t ms = DB_RECONNECT_MIN_MS;

	if (span > 0)
		ms += (int64_t)randombytes_uniform((uint32_t)span + 1);
	return ms < DB_RECONNECT_MAX_MS ? ms : DB_RECONNECT_MAX_MS;
}

void db_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->prepared_n = 0;
	db->trip.n = 0;
	db->plan = DB_PLAN_FREE;
	db->copying = false;
	if (db->in_tx && !db->begin_due)
		db->tx_dead = true;
}

static enum rc listen_again(struct db *db, struct err *err)
{
	return db->listen ? db_script(db, "listen", db->listen->sql, false, err) : RC_OK;
}

static enum rc connect_now(struct db *db, struct err *err)
{
	/* Ours come first: what the operator's conninfo says about the same wins. */
	const char *const keys[] = { "connect_timeout",      "tcp_user_timeout",
				     "keepalives_idle",      "keepalives_interval",
				     "keepalives_count",     "client_encoding",
				     "target_session_attrs", "dbname",
				     "application_name",     NULL };
	const char *const values[] = { "5",    "15000",      "10",         "5",         "3",
				       "UTF8", "read-write", db->conninfo, db->purpose, NULL };

	if (clock_mono() < db->retry_at)
		return err_set(err, RC_RETRY, "database_pause",
			       "the database was not reachable; waiting before the next attempt");
	db->conn = PQconnectdbParams(keys, values, 1);
	if (PQstatus(db->conn) != CONNECTION_OK) {
		/* libpq names host, port and cause; it never repeats the password. */
		enum rc rc = err_set(err, RC_RETRY, "database_away", "cannot connect: %s",
				     PQerrorMessage(db->conn));

		db_drop(db);
		db->retry_ms = pause_after(db->retry_ms);
		db->retry_at = clock_mono() + db->retry_ms * CLOCK_MS;
		return rc;
	}
	PQsetNoticeProcessor(db->conn, stay_silent, NULL);
	db->retry_ms = DB_RECONNECT_MIN_MS;
	db->retry_at = 0;
	if (db_script(db, "session settings", SESSION, false, err) != RC_OK ||
	    listen_again(db, err) != RC_OK) {
		db_drop(db);
		return RC_RETRY;
	}
	return RC_OK;
}

/* A server that went away while we were idle has closed the socket: seen here, it costs a reconnect and not an unknown
 * outcome. What was alive a moment ago is not asked: each look is a system call. */
static bool went_away(struct db *db)
{
	struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };
	int64_t now = clock_mono();

	if (PQstatus(db->conn) != CONNECTION_OK)
		return true;
	if (now - db->alive_at < DB_LOOK_AGAIN_MS * CLOCK_MS)
		return false;
	db->alive_at = now;
	if (poll(&p, 1, 0) <= 0)
		return false;
	return !PQconsumeInput(db->conn) || PQstatus(db->conn) != CONNECTION_OK;
}

enum rc db_ready(struct db *db, struct err *err)
{
	assert(pthread_equal(db->owner, pthread_self()));
	assert(!db->copying);
	if (db->tx_dead)
		return err_set(err, RC_RETRY, "database_away",
			       "the transaction ended early; nothing more can run in it");
	if (db->conn && !(db->in_tx && !db->begin_due) && went_away(db))
		db_drop(db);
	return db->conn ? RC_OK : connect_now(db, err);
}

enum rc db_open(const char *conninfo, const char *purpose, struct db **ret, struct err *err)
{
	struct db *db = MEM_NEW(struct db);

	db->conninfo = mem_copy(conninfo);
	db->purpose = mem_copy(purpose);
	db->owner = pthread_self();
	db->retry_ms = DB_RECONNECT_MIN_MS;
	db->scratch.max = DB_ARG_BYTES_MAX;
	*ret = db;
	return db_ready(db, err);
}

void db_adopt(struct db *db)
{
	assert(!db->in_tx && !db->copying);
	db->owner = pthread_self();
}

void db_free(struct db *db)
{
	if (!db)
		return;
	PQfinish(db->conn);
	buf_done(&db->scratch);
	mem_free(db->conninfo);
	mem_free(db->purpose);
	mem_free(db);
}

static bool state_is(const char *state, const char *prefix)
{
	return strncmp(state, prefix, strlen(prefix)) == 0;
}

static enum rc fault_away(struct db *db, const char *what, struct err *err)
{
	db_drop(db);
	return err_set(err, RC_RETRY, "database_away", "%s: the database connection was lost",
		       what);
}

static const char *diag(const PGresult *res, int field)
{
	const char *c = PQresultErrorField(res, field);

	return c ? c : "";
}

enum rc db_fault(struct db *db, const PGresult *res, const char *what, struct err *err)
{
	const char *state = diag(res, PG_DIAG_SQLSTATE);
	const char *constraint = diag(res, PG_DIAG_CONSTRAINT_NAME);
	const char *column = diag(res, PG_DIAG_COLUMN_NAME);

	if (!db->conn || PQstatus(db->conn) != CONNECTION_OK || !*state)
		return fault_away(db, what, err);
	if (state_is(state, "57P") || state_is(state, "08") || state_is(state, "25006"))
		return fault_away(db, what, err);
	/* A plan or a prepared statement that the server no longer has: a fresh connection has neither. */
	if (state_is(state, "0A000") || state_is(state, "26000"))
		return fault_away(db, what, err);
	if (state_is(state, "40001") || state_is(state, "40P01") || state_is(state, "55P03")) {
		db->tx_again = true;
		return err_set(err, RC_RETRY, "database_busy",
			       "%s: lost against a concurrent change (%s)", what, state);
	}
	if (state_is(state, "57014"))
		return err_set(err, RC_RETRY, "database_timeout", "%s: ran out of time", what);
	if (state_is(state, "53"))
		return err_set(err, RC_RETRY, "database_full",
			       "%s: the database is out of a resource (%s): %s", what, state,
			       diag(res, PG_DIAG_MESSAGE_PRIMARY));
	if (state_is(state, "23505") || state_is(state, "23P01"))
		return err_set(err, RC_CONFLICT, *constraint ? constraint : "conflict",
			       "%s: such a row exists (%s)", what, constraint);
	if (state_is(state, "23") || state_is(state, "22"))
		return err_set(err, RC_INVALID, *constraint ? constraint : "invalid_value",
			       "%s: the database refuses a value (%s%s%s)", what, state,
			       *constraint || *column ? ": " : "",
			       *constraint ? constraint : column);
	/* 42xxx and the like name tables and columns, which are ours to see; values never appear in them. */
	return err_set(err, RC_BROKEN, "database_error", "%s: %s (SQLSTATE %s)", what,
		       state_is(state, "42") ? diag(res, PG_DIAG_MESSAGE_PRIMARY) : "refused",
		       state);
}

/* Text parameters must end in NUL for libpq: views are copied into the scratch one behind the other. */
enum rc db_bind(struct db *db, const struct stmt *stmt, const struct arg *args,
		struct db_params *ret, struct err *err)
{
	size_t offsets[DB_ARGS_MAX];

	assert(stmt->n >= 0 && stmt->n <= DB_ARGS_MAX);
	if (db->scratch.cap > DB_SCRATCH_KEEP)
		buf_done(&db->scratch);
	buf_cut(&db->scratch, 0);
	for (int i = 0; i < stmt->n; i++) {
		struct str s = arg_view(&args[i]);

		offsets[i] = db->scratch.n;
		if (args[i].is_null)
			continue;
		if (s.n > INT32_MAX || buf_put(&db->scratch, s) != RC_OK ||
		    buf_putc(&db->scratch, '\0') != RC_OK)
			return err_set(err, RC_LIMIT, "value_too_large",
				       "%s: parameters are larger than %d bytes", stmt->name,
				       DB_ARG_BYTES_MAX);
		if (!args[i].binary && memchr(s.p, 0, s.n))
			return err_set(err, RC_INVALID, "invalid_text",
				       "%s: a text parameter holds a NUL byte", stmt->name);
	}
	for (int i = 0; i < stmt->n; i++) {
		ret->values[i] = args[i].is_null ? NULL : db->scratch.p + offsets[i];
		ret->lengths[i] = (int)arg_view(&args[i]).n;
		ret->formats[i] = args[i].binary;
	}
	return RC_OK;
}

enum rc db_run(struct db *db, const struct db_who *who, const struct stmt *stmt,
	       const struct arg *args, struct db_rows **ret, struct err *err)
{
	struct db_params params = { .values = { NULL } };
	enum rc rc = db_ready(db, err);

	if (rc == RC_OK)
		rc = db_bind(db, stmt, args, &params, err);
	if (rc != RC_OK)
		return rc;
	if (db->in_tx)
		who = db_tx_settings(db, who);
	return db_trip(db, who, stmt, &params, ret, err);
}

enum rc db_later(struct db *db, const struct stmt *stmt, const struct arg *args,
		 struct db_rows **ret, struct err *err)
{
	struct db_params params = { .values = { NULL } };
	enum rc rc = RC_OK;

	assert(db->in_tx);
	rc = db_ready(db, err);
	if (rc == RC_OK)
		rc = db_bind(db, stmt, args, &params, err);
	if (rc != RC_OK)
		return rc;
	return db_trip_add(db, db_tx_settings(db, NULL), stmt, &params, ret, err);
}

enum rc db_script(struct db *db, const char *what, const char *sql, bool verbose, struct err *err)
{
	enum rc rc = RC_OK;

	assert(db->trip.n == 0);
	if (!PQsendQuery(db->conn, sql))
		return fault_away(db, what, err);
	for (PGresult *res; db->conn && (res = PQgetResult(db->conn)) != NULL;) {
		ExecStatusType status = PQresultStatus(res);
		bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

		if (!good && rc == RC_OK && verbose &&
		    !state_is(diag(res, PG_DIAG_SQLSTATE), "55P03") &&
		    PQstatus(db->conn) == CONNECTION_OK)
			rc = err_set(err, RC_BROKEN, "database_error",
				     "%s: %s (SQLSTATE %s, character %s)", what,
				     diag(res, PG_DIAG_MESSAGE_PRIMARY),
				     diag(res, PG_DIAG_SQLSTATE),
				     diag(res, PG_DIAG_STATEMENT_POSITION));
		else if (!good && rc == RC_OK)
			rc = db_fault(db, res, what, err);
		PQclear(res);
	}
	return rc;
}

enum rc db_listen(struct db *db, enum db_channel channel, struct err *err)
{
	db->listen = &LISTEN[channel];
	db_drop(db); /* the new connection listens before anything else */
	return db_ready(db, err);
}

static bool take_notifies(struct db *db)
{
	bool any = false;

	for (PGnotify *n; (n = PQnotifies(db->conn)) != NULL; any = true)
		PQfreemem(n);
	return any;
}

enum rc db_wait(struct db *db, int timeout_ms, bool *ret_woken, struct err *err)
{
	int64_t deadline = clock_mono() + timeout_ms * CLOCK_MS;
	enum rc rc = db_ready(db, err);

	*ret_woken = false;
	while (rc == RC_OK) {
		int64_t left = (deadline - clock_mono() + CLOCK_MS - 1) / CLOCK_MS;
		struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };

		*ret_woken = take_notifies(db);
		if (*ret_woken || left <= 0)
			break;
		if (poll(&p, 1, (int)left) > 0 &&
		    (!PQconsumeInput(db->conn) || PQstatus(db->conn) != CONNECTION_OK))
			rc = fault_away(db, "listen", err);
	}
	return rc;
}
