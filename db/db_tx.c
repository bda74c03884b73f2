/* Transactions: begin with the first statement, commit, and repeat the body when it lost against another transaction.
 * Never repeats a body whose COMMIT may have happened. */
#include "base/clock.h"
#include "db/inside.h"
#include <assert.h>
#include <sodium.h>

enum { TX_PAUSE_MS = 20 };

static const struct stmt COMMIT_TX = { "db_commit", "COMMIT", 0, .unplanned = true };
static const struct stmt ROLLBACK_TX = { "db_rollback", "ROLLBACK", 0, .unplanned = true };
static const struct stmt MARK_PART = { "db_mark_part", "SAVEPOINT part", 0, .unplanned = true };
static const struct stmt UNDO_PART = { "db_undo_part", "ROLLBACK TO SAVEPOINT part", 0,
				       .unplanned = true };
static const struct db_params NO_PARAMS = { .values = { NULL } };

static bool same(const struct db_who *a, const struct db_who *b)
{
	return id_eq(a->org_id, b->org_id) && id_eq(a->key_id, b->key_id) &&
	       a->operator_role == b->operator_role;
}

const struct db_who *db_tx_settings(struct db *db, const struct db_who *who)
{
	const struct db_who nobody = { .operator_role = false };

	if (!who)
		who = db->tx_has_who ? &db->tx_who : db->set_known ? &nobody : NULL;
	if (!who || (db->set_known && same(who, &db->set_who)))
		return NULL;
	db->set_who = *who;
	db->set_known = true;
	return &db->set_who;
}

static enum rc commit(struct db *db, struct err *err)
{
	struct err own = { 0 };
	enum rc rc = RC_OK;

	if (db->begin_due) /* no statement ran: there is nothing to commit */
		return RC_OK;
	if (db->tx_dead)
		return err_set(err, RC_RETRY, "database_away",
			       "the transaction ended before its commit");
	/* A part may have lost and been undone: that says nothing of COMMIT. */
	db->tx_again = false;
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
	/* What failed in a trip takes the rest of it along, a ROLLBACK too. */
	if (db_trip_end(db, &own) != RC_OK && !db->conn)
		return;
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
	db->set_known = false;
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

/* After an error PostgreSQL takes nothing but this; settings and plans are what they were at the mark. */
static void undo_part(struct db *db)
{
	struct err own = { 0 };

	if (!db->conn || db->begin_due)
		return;
	if (db_trip_end(db, &own) != RC_OK && !db->conn)
		return;
	db->set_known = false;
	db->tx_dead = db_trip(db, NULL, &UNDO_PART, &NO_PARAMS, NULL, &own) != RC_OK;
	db->plan = DB_PLAN_UNKNOWN;
}

static enum rc part(struct db *db, db_tx_fn *body, void *arg, struct err *err)
{
	enum rc rc = db_run(db, NULL, &MARK_PART, NULL, NULL, err);

	if (rc != RC_OK)
		return rc;
	db->tx_shell = false;
	rc = body(db, arg, err);
	if (rc == RC_OK)
		rc = db_trip_end(db, err);
	if (rc != RC_OK)
		undo_part(db);
	db->tx_shell = true;
	return rc;
}

static enum rc inner(struct db *db, const struct db_who *who, db_tx_fn *body, void *arg,
		     struct err *err)
{
	const struct db_who outer = db->tx_who;
	bool had_who = db->tx_has_who;
	enum rc rc = RC_OK;

	if (who) {
		db->tx_who = *who;
		db->tx_has_who = true;
	}
	rc = db->tx_shell ? part(db, body, arg, err) : body(db, arg, err);
	if (rc == RC_OK) /* what was asked for later is there, and its place may go */
		rc = db_trip_end(db, err);
	db->tx_who = outer;
	db->tx_has_who = had_who;
	return rc;
}

enum rc db_tx(struct db *db, const struct db_who *who, db_tx_fn *body, void *arg, struct err *err)
{
	struct err own = { 0 };

	if (db->in_tx)
		return inner(db, who, body, arg, err);
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

enum rc db_tx_shell(struct db *db, const struct db_who *who, db_tx_fn *body, void *arg,
		    struct err *err)
{
	enum rc rc = RC_OK;

	assert(!db->in_tx);
	db->tx_shell = true;
	rc = db_tx(db, who, body, arg, err);
	db->tx_shell = false;
	return rc;
}

bool db_tx_alive(const struct db *db)
{
	return !db->tx_dead;
}
