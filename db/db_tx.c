/* Transactions: begin with the first statement, commit, and repeat the body when it lost against another transaction.
 * Never repeats a body whose COMMIT may have happened. */
#include "base/clock.h"
#include "db/inside.h"
#include <assert.h>
#include <sodium.h>

enum { TX_PAUSE_MS = 20 };

static const struct stmt COMMIT_TX = { "db_commit", "COMMIT", 0 };
static const struct stmt ROLLBACK_TX = { "db_rollback", "ROLLBACK", 0 };
static const struct db_params NO_PARAMS = { .values = { NULL } };

static enum rc commit(struct db *db, struct err *err)
{
	struct err own = { 0 };
	enum rc rc = RC_OK;

	if (db->begin_due) /* no statement ran: there is nothing to commit */
		return RC_OK;
	if (db->tx_dead)
		return err_set(err, RC_RETRY, "database_away",
			       "the transaction ended before its commit");
	rc = db_trip(db, NULL, &COMMIT_TX, &NO_PARAMS, NULL, &own);
	if (rc == RC_OK)
		return rc;
	if (!db->conn)
		return err_set(err, RC_RETRY, "commit_unknown",
			       "the connection was lost during COMMIT; it may have happened");
	return err_set(err, rc, own.code, "%s", own.text);
}

static void roll_back(struct db *db)
{
	struct err own = { 0 };

	if (!db->conn || db->begin_due)
		return;
	if (db->copying)
		db_copy_abort(db);
	if (db_trip(db, NULL, &ROLLBACK_TX, &NO_PARAMS, NULL, &own) != RC_OK)
		db_drop(db);
	else
		db->plan = DB_PLAN_UNKNOWN; /* back to what it was before the transaction */
}

static enum rc once(struct db *db, const struct db_who *who, db_tx_fn *body, void *arg,
		    struct err *err)
{
	enum rc rc = RC_OK;

	db->in_tx = true;
	db->begin_due = true;
	db->tx_dead = false;
	db->tx_again = false;
	db->tx_has_who = who != NULL;
	if (who)
		db->tx_who = *who;
	rc = body(db, arg, err);
	if (rc == RC_OK)
		rc = commit(db, err);
	if (rc != RC_OK)
		roll_back(db);
	db->in_tx = false;
	db->begin_due = false;
	db->tx_dead = false;
	return rc;
}

enum rc db_tx(struct db *db, const struct db_who *who, db_tx_fn *body, void *arg, struct err *err)
{
	struct err own = { 0 };

	if (db->in_tx)
		return body(db, arg, err);
	if (!err)
		err = &own;
	for (int tries = 1;; tries++) {
		enum rc rc = once(db, who, body, arg, err);

		if (rc != RC_RETRY || !db->tx_again || tries >= DB_TX_TRIES)
			return rc;
		err_clear(err);
		clock_sleep((int64_t)(1 + randombytes_uniform(TX_PAUSE_MS)) * tries * CLOCK_MS);
	}
}
