/* The task that checks a connection's credentials. */
#ifndef DB_VERIFY_TASK_H
#define DB_VERIFY_TASK_H

#include "db/db.h"

/* Makes sure that one is ready to run now: brings a waiting one forward, else queues one. A check
 * that runs already is about the credentials before, and does not count. Joins the caller's
 * transaction, which changed the connection first. */
MUST_CHECK enum rc verify_task_queue(struct db *db, struct id org_id, struct id connection_id,
				     struct err *err);

/* The same for a connection that the transaction has just made, which has none yet. */
MUST_CHECK enum rc verify_task_first(struct db *db, struct id org_id, struct id connection_id,
				     struct err *err);

#endif
