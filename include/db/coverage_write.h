/* Coverage rows, the worker's side: one a listing, written by the transaction that merges what the listing showed. */
#ifndef DB_COVERAGE_WRITE_H
#define DB_COVERAGE_WRITE_H

#include "db/db.h"

struct coverage_write {
	struct id org_id, connection_id, sync_id;
	const char *account_id, *region, *scope;
	/* Array of objects with part, state, reason_code, reason, action, deny_cause, aws_code, aws_request_id, via, items,
	 * pages, calls, throttles, held. Borrowed. */
	const json_t *rows;
};
/* Joins the caller's transaction. last_complete_at moves on state ok alone; held rows stay noted until a complete
 * listing lets them go. */
MUST_CHECK enum rc coverage_write(struct db *db, const struct coverage_write *w, struct err *err);

#endif
