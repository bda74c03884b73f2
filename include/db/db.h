/* Postgres behind one door: connect, prepare on first use, run, read rows by column name.
 *
 * A struct db is a thread's property and asserts that. Statements are constants prepared on first use per physical
 * connection. SQLSTATE 40001, 40P01, 55P03 (code database_busy), 57014 (database_timeout), 53xxx (database_full), 57P0x,
 * 08xxx, 25006 and a dead socket (database_away) become RC_RETRY here and nowhere else; the connection is reopened by the
 * next call, after a pause with jitter (until it is over calls fail at once with database_pause, which is no news: so a hundred
 * of them are no storm).
 * 23505 and 23P01 become RC_CONFLICT (err->code = constraint name), other 23xxx and 22xxx RC_INVALID, everything else
 * RC_BROKEN. Messages never carry parameter values.
 *
 * commit_unknown: RC_RETRY with this code means that the connection died between the sending of a write (or of COMMIT) and
 * its answer: it may or may not have happened. db_tx never repeats the body then. Callers that can be harmed by doing it
 * twice re-read their marker (idempotency key, lease) before they try again. */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/err.h"
#include "base/id.h"
#include "base/json.h"
#include "base/str.h"

struct db;
void db_free(struct db *db);
DEFINE_AUTO(db)

/* conninfo: libpq's; purpose shows as application_name ("connectord server"). Sets statement_timeout,
 * idle_in_transaction_session_timeout, tcp_user_timeout, keepalives. RC_RETRY: not reachable now; the object is made all
 * the same and the next statement tries again. */
MUST_CHECK enum rc db_open(const char *conninfo, const char *purpose, struct db **ret,
			   struct err *err);
/* Hands a db over to the calling thread (pools do this). */
void db_adopt(struct db *db);
/* Connects unless connected, and bounds every statement from now on. Costs nothing when both are so
 * already. A connection that is lost and opened again in between has db_open's bound until the next call. */
MUST_CHECK enum rc db_limit(struct db *db, int statement_ms, struct err *err);

struct stmt {
	const char *name; /* "tasks_claim": unique, names file and function */
	const char *sql;  /* $1..$n only */
	int n;            /* number of parameters, <= DB_ARGS_MAX */
	bool by_index;    /* planned without sequential scans: a plan made while a queue table was
			     empty would otherwise be kept when it holds 100,000 rows */
	bool unplanned;   /* a command that nothing is planned for: COMMIT */
};
enum { DB_ARGS_MAX = 40 };

/* A parameter: text format except arg_bytes. Views; the bytes live as long as the call. NULL via arg_null(). */
struct arg {
	struct str s;
	bool is_null;
	bool binary;
	char own[40]; /* numbers and ids are written here */
};
struct arg arg_text(struct str s);
struct arg arg_c(const char *c);  /* NULL pointer = SQL NULL */
struct arg arg_opt(struct str s); /* empty = SQL NULL */
struct arg arg_i64(int64_t v);
struct arg arg_bool(bool v);
struct arg arg_id(struct id id);
struct arg arg_bytes(struct str s); /* bytea */
struct arg arg_null(void);
struct arg arg_time(int64_t wall); /* timestamptz; 0 = SQL NULL */

struct db_rows;
void db_rows_free(struct db_rows *r);
DEFINE_AUTO(db_rows)
int db_rows_count(const struct db_rows *r);
/* By column name; asserts that the column exists. NULL reads as "", 0, false. Views into the rows. */
bool db_rows_is_null(const struct db_rows *r, int row, const char *column);
/* Both at once: the text, and false for NULL. */
bool db_rows_cell(const struct db_rows *r, int row, const char *column, struct str *ret);
struct str db_rows_text(const struct db_rows *r, int row, const char *column);
int64_t db_rows_i64(const struct db_rows *r, int row, const char *column);
bool db_rows_bool(const struct db_rows *r, int row, const char *column);
struct id db_rows_id(const struct db_rows *r, int row, const char *column); /* zero id for NULL */
/* bytea into a new buffer (mem_free), *ret_n bytes. */
char *db_rows_bytes(const struct db_rows *r, int row, const char *column, size_t *ret_n);
/* A json/jsonb column parsed; new reference, NULL for SQL NULL. */
json_t *db_rows_json(const struct db_rows *r, int row, const char *column);
int64_t db_rows_affected(const struct db_rows *r); /* INSERT/UPDATE/DELETE count */

/* Who is asking; becomes app.* settings of the transaction, so that row-level security agrees with the statement. */
struct db_who {
	struct id org_id; /* zero = none */
	struct id key_id; /* zero = none */
	bool operator_role;
};

/* One statement on its own, in its own transaction, with *who set in the same pipelined round trip (set_config(...,
 * true) and the statement before one Sync: an implicit transaction). who NULL: no settings (queue statements of the
 * worker role). Inside db_tx it joins the transaction; *who then holds for this statement alone, NULL means the
 * transaction's. ret may be NULL. */
MUST_CHECK enum rc db_run(struct db *db, const struct db_who *who, const struct stmt *stmt,
			  const struct arg *args, struct db_rows **ret, struct err *err);

/* Inside db_tx: the statement travels with the next db_run, or with COMMIT, which saves a round trip. Whichever that is tells what
 * failed here; until then nothing is known. *ret (may be NULL) is set then, unless the trip failed, and at the latest when this db_tx
 * ends well, which it must outlive. */
MUST_CHECK enum rc db_later(struct db *db, const struct stmt *stmt, const struct arg *args,
			    struct db_rows **ret, struct err *err);

/* A transaction; never open across a network call. BEGIN and *who travel with the first statement. Inside another db_tx the
 * body joins it, and *who holds until it ends. Bounded retry is the caller's: body runs again on RC_RETRY caused by
 * serialization, up to DB_TX_TRIES times; other codes roll back and are returned. */
enum { DB_TX_TRIES = 4 };
typedef enum rc db_tx_fn(struct db *db, void *arg, struct err *err);
MUST_CHECK enum rc db_tx(struct db *db, const struct db_who *who, db_tx_fn *body, void *arg,
			 struct err *err);

/* A transaction around code that has transactions of its own: each of those becomes a part that is undone alone when its body
 * fails, so that what it refused can be answered and the rest be committed. */
MUST_CHECK enum rc db_tx_shell(struct db *db, const struct db_who *who, db_tx_fn *body, void *arg,
			       struct err *err);
/* Inside a transaction: whether it can still be committed. */
bool db_tx_alive(const struct db *db);

/* COPY ... FROM STDIN outside or inside a transaction: text-format rows. */
MUST_CHECK enum rc db_copy_begin(struct db *db, const struct stmt *copy, struct err *err);
MUST_CHECK enum rc db_copy_row(struct db *db, const struct arg *columns, int n, struct err *err);
MUST_CHECK enum rc db_copy_end(struct db *db, struct err *err);
void db_copy_abort(struct db *db);

/* LISTEN and a bounded wait for a notification or until timeout_ms; *ret_woken says which. NOTIFY is a hint only. */
enum db_channel { DB_TASK, DB_TASK_CANCEL };
MUST_CHECK enum rc db_listen(struct db *db, enum db_channel channel, struct err *err);
MUST_CHECK enum rc db_wait(struct db *db, int timeout_ms, bool *ret_woken, struct err *err);

#endif
