/* Organizations: made, read and changed by the operator only. */
#ifndef DB_ORGANIZATIONS_H
#define DB_ORGANIZATIONS_H

#include "db/db.h"

struct new_organization {
	struct id org_id; /* made by the server, or imported; never used before */
	struct str name;
	int worker_slots;
	const char *actor, *request_id;
};
/* With its queue slots and audit row, in one transaction; *ret is its row, as organizations_get() has
 * it. RC_CONFLICT org_id_used: the ID exists or existed. */
MUST_CHECK enum rc organizations_insert(struct db *db, const struct new_organization *in,
					struct db_rows **ret, struct err *err);

/* Columns: org_id, name, state, worker_slots, created_at, updated_at (RFC 3339 text). */
MUST_CHECK enum rc organizations_get(struct db *db, struct id org_id, struct db_rows **ret,
				     struct err *err);
/* Whether it exists and is not being deleted. */
MUST_CHECK enum rc organizations_active(struct db *db, struct id org_id, bool *ret,
					struct err *err);
/* In order of org_id, after the given one (zero = from the start). */
MUST_CHECK enum rc organizations_list(struct db *db, struct id after, int limit,
				      struct db_rows **ret, struct err *err);

struct organization_change {
	struct id org_id;
	struct str name;  /* "" = keep */
	int worker_slots; /* 0 = keep */
	const char *actor, *request_id;
};
/* *ret: the row as it is then. RC_NOT_FOUND. */
MUST_CHECK enum rc organizations_update(struct db *db, const struct organization_change *change,
					struct db_rows **ret, struct err *err);

#endif
