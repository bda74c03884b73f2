/* What was sent to a webhook endpoint, is on its way, or is asked for again. */
#ifndef DB_DELIVERIES_H
#define DB_DELIVERIES_H

#include "db/webhooks.h"

enum { DELIVERIES_TESTS_MAX = 10 }; /* test events of one endpoint that wait */

/* All rows: delivery_id, webhook_id, event_id, type, connection_id, state, attempts, next_at (NULL
 * also while the endpoint is disabled), last_at, last_status, last_error, created_at, ended_at. */
/* A webhook.test event for the endpoint that in names, and for it alone. RC_NOT_FOUND, RC_CONFLICT
 * webhook_disabled, too_many_tests. */
MUST_CHECK enum rc deliveries_test(struct db *db, const struct webhook_write *in,
				   struct db_rows **ret, struct err *err);
/* Newest first. state "" = any. */
MUST_CHECK enum rc deliveries_list(struct db *db, struct id org_id, struct id webhook_id,
				   const char *state, struct id before, int limit,
				   struct db_rows **ret, struct err *err);
/* Due now: what is over starts again with all its attempts, what waits keeps those it had.
 * RC_NOT_FOUND, RC_CONFLICT webhook_disabled. */
MUST_CHECK enum rc deliveries_replay(struct db *db, const struct webhook_write *in,
				     struct id delivery_id, struct db_rows **ret, struct err *err);

#endif
