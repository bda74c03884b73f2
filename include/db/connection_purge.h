/* What is left of a deleted connection, removed in bounded steps; repeating a step does no harm. */
#ifndef DB_CONNECTION_PURGE_H
#define DB_CONNECTION_PURGE_H

#include "db/tasks.h"

/* One step, one transaction, fenced by the task; *ret_left says whether to call again. The last step removes the connection
 * row, and with it (cascade) this very task. RC_RETRY connection_busy: another task of it still runs. RC_CONFLICT
 * connection_alive: it was not deleted. RC_OK and nothing left when the row is gone already. */
MUST_CHECK enum rc connection_purge_step(struct db *db, const struct task *task, int batch,
					 bool *ret_left, struct err *err);

#endif
