/* Every column that holds a sealed secret, for those who count and rewrap them. A new such column is a new row in sealed.c. */
#ifndef DB_SEALED_H
#define DB_SEALED_H

#include "db/db.h"

struct sealed_column {
	const char *name;   /* "connection.sealed_secret_access_key" */
	const char *field;  /* of struct seal_place */
	const char *prefix; /* of the row's id in the API: "conn_" */
	struct stmt list, swap;
};
const struct sealed_column *sealed_column_at(size_t i); /* NULL past the end */

/* For the worker role, which sees all of them: the organizations after `after`, by id. Column: org_id. */
MUST_CHECK enum rc sealed_organizations(struct db *db, struct id after, int limit,
					struct db_rows **ret, struct err *err);
/* One organization's values after row `after`, by id; but_key: 8 bytes, those under that key left out ("" = none). Columns:
 * id, sealed. */
MUST_CHECK enum rc sealed_list(struct db *db, const struct sealed_column *c, struct id org_id,
			       struct id after, struct str but_key, int limit, struct db_rows **ret,
			       struct err *err);

struct sealed_swap {
	struct id id;
	struct str from, to; /* views */
};
/* Replaces values that are still `from`, all in one transaction, with a line in the organization's audit trail; whoever has
 * changed one meanwhile wins. Versions and times of the rows stay: nothing that a person set changes. */
MUST_CHECK enum rc sealed_replace(struct db *db, const struct sealed_column *c, struct id org_id,
				  const struct sealed_swap *swaps, size_t n, int64_t *ret_replaced,
				  struct err *err);

/* Inside the transaction that has just stored the envelope: RC_RETRY sealing_key_withdrawn when its key is no longer accepted, and
 * nothing of it may be committed. Whoever is let through by this is seen by sealed_is_over(). */
MUST_CHECK enum rc sealed_accept(struct db *db, struct str envelope, struct err *err);
/* From its commit on sealed_accept() refuses the key. For the worker role; again is no error. */
MUST_CHECK enum rc sealed_withdraw(struct db *db, struct str key_id, struct err *err);

/* *ret: a mark that sealed_is_over() tells of when every transaction that was writing at this moment has ended, so that what it
 * stored can be seen. */
MUST_CHECK enum rc sealed_mark(struct db *db, int64_t *ret, struct err *err);
MUST_CHECK enum rc sealed_is_over(struct db *db, int64_t mark, bool *ret, struct err *err);

#endif
