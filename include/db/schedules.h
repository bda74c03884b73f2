/* Schedules: what is due becomes a sync or a verify task, once per tick whatever the number of schedulers. */
#ifndef DB_SCHEDULES_H
#define DB_SCHEDULES_H

#include "db/db.h"

/* One pass: for up to batch due schedules insert the run (unique per connection and tick), count what was missed, and set
 * the next tick; at most one catch-up after downtime. A connection with an active sync skips the tick (missed + 1).
 * *ret_started counts. */
MUST_CHECK enum rc schedules_pass(struct db *db, int batch, int64_t *ret_started, struct err *err);
/* Sets or replaces one; the first tick is now + first_in_s, later ones every_s apart (phase kept). In a transaction. */
MUST_CHECK enum rc schedules_set(struct db *db, struct id org_id, struct id connection_id,
				 const char *kind, int every_s, int first_in_s, bool paused,
				 struct err *err);

#endif
