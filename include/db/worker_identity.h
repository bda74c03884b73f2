/* What each worker process says of its own AWS identity, and what that comes to for all of them. */
#ifndef DB_WORKER_IDENTITY_H
#define DB_WORKER_IDENTITY_H

#include "db/db.h"

enum { WORKER_IDENTITY_STATE_MAX = 16 };

struct worker_identity {
	struct id worker_id;
	const char *state; /* "found", "missing", "broken", "refused" */
	const char *code;  /* "" when found */
	const char *account_id, *source;
};
/* For workers: says it (again), and forgets processes that have not done so for an hour. */
MUST_CHECK enum rc worker_identity_store(struct db *db, const struct worker_identity *w,
					 struct err *err);
/* For a worker that ends. */
MUST_CHECK enum rc worker_identity_remove(struct db *db, struct id worker_id, struct err *err);

struct worker_identity_sum {
	char state[WORKER_IDENTITY_STATE_MAX]; /* the worst of them; "unknown": no worker runs */
	int64_t workers, without;              /* without: of them, not found */
};
MUST_CHECK enum rc worker_identity_load(struct db *db, struct worker_identity_sum *ret,
					struct err *err);

#endif
