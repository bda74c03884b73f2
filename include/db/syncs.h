/* Syncs: start, progress, cancel, read, close. */
#ifndef DB_SYNCS_H
#define DB_SYNCS_H

#include "db/db.h"

/* Starts a sync of a connection: one row and its first task ("sync_account") in one transaction.
 * RC_CONFLICT sync_active: one is queued or running (its id is in *ret_id). RC_NOT_FOUND: no such connection.
 * RC_CONFLICT connection_paused: only of cause "create"; a person may sync a paused connection by hand. */
struct new_sync {
	struct id org_id, connection_id;
	const char *cause;        /* "request", "create", "schedule" */
	const char *requested_by; /* actor */
	const char *request_id;   /* for the audit and the task's log lines; "" = none */
	int64_t tick;             /* wall time, 0 = none */
};
MUST_CHECK enum rc syncs_start(struct db *db, const struct new_sync *sync, struct id *ret_id,
			       struct err *err);

struct sync_progress { /* deltas */
	int64_t accounts_done, scopes_done, calls, throttles, seen, added, changed, removed;
};
/* What there is to do; a sync that knows it already (its task was given back) is left alone. */
MUST_CHECK enum rc syncs_announce(struct db *db, struct id org_id, struct id sync_id,
				  int64_t accounts, int64_t scopes, struct err *err);
/* Adds to the counters; joins a transaction or is its own. */
MUST_CHECK enum rc syncs_progress(struct db *db, struct id org_id, struct id sync_id,
				  const struct sync_progress *delta, struct err *err);
/* Asks for cancellation: flags the sync and its tasks; ready tasks end at once, leased ones at their next page.
 * RC_CONFLICT sync_finished: over already. RC_NOT_FOUND. */
MUST_CHECK enum rc syncs_cancel(struct db *db, struct id org_id, struct id sync_id,
				const char *actor, const char *request_id, struct err *err);
/* Rows with every column of the sync table, for the API. get: one row or RC_NOT_FOUND. list: newest first, of one
 * connection or (zero id) all, before the given sync id (zero = from the newest), at most limit. */
MUST_CHECK enum rc syncs_get(struct db *db, struct id org_id, struct id sync_id,
			     struct db_rows **ret, struct err *err);
MUST_CHECK enum rc syncs_list(struct db *db, struct id org_id, struct id connection_id,
			      const char *state, struct id before, int limit, struct db_rows **ret,
			      struct err *err);

#endif
