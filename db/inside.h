/* What the files of db/ share about a connection. Nothing outside db/ includes this. */
#ifndef DB_INSIDE_H
#define DB_INSIDE_H

#include "base/buf.h"
#include "db/db.h"
#include <libpq-fe.h>
#include <pthread.h>

enum {
	DB_PREPARED_MAX = 512,        /* distinct statements of one connection */
	DB_SCRATCH_KEEP = 256 * 1024, /* a larger scratch is given back after the call */
	DB_STEPS_MAX = 32,            /* commands of one round trip, */
	DB_STEPS_OF_ONE = 8,          /* the most that one statement brings */
	DB_ARG_BYTES_MAX = 256 << 20, /* all parameters of one statement */
	DB_RECONNECT_MIN_MS = 50,
	DB_RECONNECT_MAX_MS = 2000,
	DB_LOOK_AGAIN_MS = 10, /* a connection that was seen alive is relied on for so long */
};

/* What the session's planner settings are; struct stmt's by_index says what they must be. */
enum db_plan { DB_PLAN_FREE, DB_PLAN_BY_INDEX, DB_PLAN_UNKNOWN };

/* Commands that were sent and not answered yet. */
struct db_trip {
	struct db_step {
		const struct stmt *stmt;
		bool prepares;        /* it executes otherwise */
		struct db_rows **ret; /* whoever wants its rows; NULL = nobody */
	} steps[DB_STEPS_MAX];
	int n; /* 0: nothing is under way */
};

struct db {
	char *conninfo;
	char *purpose;
	pthread_t owner;
	PGconn *conn;              /* NULL: not connected */
	int64_t retry_at;          /* mono: no connect before this */
	int64_t alive_at;          /* mono: when the connection was last seen alive */
	int64_t retry_ms;          /* last reconnect pause */
	const struct stmt *listen; /* sent again after a reconnect; NULL = none */
	bool in_tx;                /* between the begin and the end of db_tx */
	bool begin_due;            /* BEGIN was not sent yet; it travels with the first statement */
	bool tx_dead;  /* the transaction was lost or failed: nothing may follow but its end */
	bool tx_again; /* its failure was a serialization failure: the body may run again */
	bool copying;
	enum db_plan plan;
	bool tx_shell;        /* what happens at this level is a part that can be undone alone */
	struct db_who tx_who; /* whose statements these are */
	bool tx_has_who;
	struct db_who set_who; /* what the transaction's settings are, */
	bool set_known;        /* once there are any */
	size_t prepared_n;
	const struct stmt *prepared[DB_PREPARED_MAX];
	struct buf scratch;
	struct db_trip trip;
};

struct db_rows {
	PGresult *res;
	int near_at; /* the column that was read last, */
	int *near;   /* to be moved by readers to whom the rows are const */
	int columns;
	const char *names[]; /* of the columns */
};

/* Connected and idle, or RC_RETRY. */
MUST_CHECK enum rc db_ready(struct db *db, struct err *err);
/* Closes the connection; the next statement opens a new one. */
void db_drop(struct db *db);
/* A failed result becomes an rc and a sentence without parameter values. res NULL: the connection died. */
enum rc db_fault(struct db *db, const PGresult *res, const char *what, struct err *err);
/* One trusted script of several statements (BEGIN, COMMIT, a migration); results are dropped. verbose: the server's own
 * message goes into err, which is right for migrations alone. */
MUST_CHECK enum rc db_script(struct db *db, const char *what, const char *sql, bool verbose,
			     struct err *err);
/* Parameters in libpq's form. */
struct db_params {
	const char *values[DB_ARGS_MAX];
	int lengths[DB_ARGS_MAX];
	int formats[DB_ARGS_MAX];
};
MUST_CHECK enum rc db_bind(struct db *db, const struct stmt *stmt, const struct arg *args,
			   struct db_params *ret, struct err *err);
/* Sends BEGIN if it is due, *who, the statement (NULL: only what precedes it). *ret is set when the trip ends well. */
MUST_CHECK enum rc db_trip_add(struct db *db, const struct db_who *who, const struct stmt *stmt,
			       const struct db_params *params, struct db_rows **ret,
			       struct err *err);
/* Ends the trip that is under way, if one is: what failed first in it is the error. */
MUST_CHECK enum rc db_trip_end(struct db *db, struct err *err);
/* Both: one round trip. */
MUST_CHECK enum rc db_trip(struct db *db, const struct db_who *who, const struct stmt *stmt,
			   const struct db_params *params, struct db_rows **ret, struct err *err);
/* The settings that must be sent before a statement of a transaction; NULL: they are so already. */
const struct db_who *db_tx_settings(struct db *db, const struct db_who *who);
struct str arg_view(const struct arg *arg); /* the text or bytes of a parameter that is not NULL */
struct db_rows *db_rows_new(PGresult *res) NEVER_NULL; /* owns res from now on */

#endif
