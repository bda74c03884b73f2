/* How the end of a task reaches its sync; between tasks.c and syncs.c only. */
#ifndef DB_SYNCS_END_H
#define DB_SYNCS_END_H

#include "db/db.h"

/* Inside the transaction that removed n of its tasks: counts down and closes the sync at 0. failed: why a task ended for
 * good, NULL = none did; canceled: it ended because somebody asked. */
MUST_CHECK enum rc syncs_count_down(struct db *db, struct id org_id, struct id sync_id, int64_t n,
				    const struct err *failed, bool canceled, struct err *err);

#endif
