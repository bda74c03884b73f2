/* The status of a connection: what a person should know first, as columns of its row, so that lists stay cheap. */
#ifndef DB_CONNECTION_STATUS_H
#define DB_CONNECTION_STATUS_H

#include "db/db.h"

/* Last in the caller's transaction, which changed what the status is made of (a person's fields, the verdict, a sync, a check):
 * works it out and stores it. A connection that is gone is no error. */
MUST_CHECK enum rc connection_status_settle(struct db *db, struct id org_id,
					    struct id connection_id, struct err *err);

#endif
