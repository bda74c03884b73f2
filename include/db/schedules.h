/* Schedules: what is due becomes a sync or a verify task, once per tick whatever the number of schedulers. */
#ifndef DB_SCHEDULES_H
#define DB_SCHEDULES_H

#include "db/db.h"

/* One pass: for up to batch due schedules insert the run (unique per connection and tick), count what was missed, and set
 * the next tick; at most one catch-up after downtime, and none when its tick is older than the schedule's window. A
 * connection with an active sync skips the tick (missed + 1) or keeps one for later, as its overlap says. Then up to batch
 * runs that were kept and whose connection has no active sync any more. *ret_started counts. */
MUST_CHECK enum rc schedules_pass(struct db *db, int batch, int64_t *ret_started, struct err *err);

#endif
