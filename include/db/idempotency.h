/* Idempotency keys: who holds one now, and the answer that one got. All but the pruning happen in the
 * transaction of the change, so that the change and its answer are committed together or not at all. */
#ifndef DB_IDEMPOTENCY_H
#define DB_IDEMPOTENCY_H

#include "base/text.h"
#include "db/db.h"

struct idempotency_key {
	struct id org_id; /* zero: the operator's own */
	unsigned char hash[TEXT_SHA256], fingerprint[TEXT_SHA256];
};

struct idempotency_answer {
	int status;
	struct str body, location, etag; /* "" = none */
};

enum idempotency_state {
	IDEMPOTENCY_FREE,   /* the caller holds it until its transaction ends */
	IDEMPOTENCY_BUSY,   /* another transaction holds it */
	IDEMPOTENCY_STORED, /* *ret_rows has the answer */
	IDEMPOTENCY_PURGED, /* it happened, and what it made was purged since */
	IDEMPOTENCY_OTHER   /* it was used for another request */
};

/* Never waits. The key is held by a lock that ends with the transaction, whatever becomes of it. */
MUST_CHECK enum rc idempotency_claim(struct db *db, const struct idempotency_key *key,
				     enum idempotency_state *ret, struct db_rows **ret_rows,
				     struct err *err);
/* The answer in what idempotency_claim() found; views into rows. */
struct idempotency_answer idempotency_read(const struct db_rows *rows);
MUST_CHECK enum rc idempotency_store(struct db *db, const struct idempotency_key *key,
				     const struct idempotency_answer *answer, struct err *err);

/* For the worker: deletes at most limit expired rows of all organizations. */
MUST_CHECK enum rc idempotency_prune(struct db *db, int limit, int64_t *ret_n, struct err *err);

#endif
