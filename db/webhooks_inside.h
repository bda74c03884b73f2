/* What the files about webhooks share: the audit row and the task that delivers. */
#ifndef DB_WEBHOOKS_INSIDE_H
#define DB_WEBHOOKS_INSIDE_H

#include "db/webhooks.h"

/* In the caller's transaction. */
MUST_CHECK enum rc webhook_audit(struct db *db, const struct webhook_write *in, const char *action,
				 struct err *err);
MUST_CHECK enum rc webhook_wake(struct db *db, struct id org_id, struct err *err);

#endif
