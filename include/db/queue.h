/* The queue as a whole, over all organizations: for the operator's metrics. Only the worker's role sees it. */
#ifndef DB_QUEUE_H
#define DB_QUEUE_H

#include "db/db.h"

enum { QUEUE_COUNT_MAX = 10000 }; /* more of one kind are not counted */

struct queue_sum {
	int64_t ready, later, leased; /* each at most QUEUE_COUNT_MAX */
	int64_t oldest_ns; /* how long the oldest ready task has been due; 0 = none is ready */
	int64_t lag_ns; /* how long the sync that waits longest should have begun, until it ends */
};
MUST_CHECK enum rc queue_look(struct db *db, struct queue_sum *ret, struct err *err);

#endif
