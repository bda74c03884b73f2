/* The change feed of an organization: what was created, changed or deleted, in the order in which
 * readers may have it. */
#ifndef DB_CHANGES_H
#define DB_CHANGES_H

#include "db/db.h"

/* Where a reader is. Everything up to it was given, everything behind it will be: also what commits
 * later than its number says. */
struct change_place {
	int64_t xid, change_id; /* zeros: before everything */
};

struct change_filter {
	struct id connection_id;  /* zero = any */
	struct str kind, subject; /* "" = any */
	int limit;
};

enum { CHANGES_LOOK = 5000 }; /* rows that one call looks at when a filter drops most of them */

/* Up to limit changes behind *place, which moves to where the next call goes on: always forward, also when
 * nothing was found. *ret_more: there was more to look at than this call did. */
MUST_CHECK enum rc changes_after(struct db *db, const struct db_who *who,
				 const struct change_filter *filter, struct change_place *place,
				 struct db_rows **ret, int *ret_n, bool *ret_more, struct err *err);
/* The place of a reader who wants only what is committed from now on. */
MUST_CHECK enum rc changes_now(struct db *db, const struct db_who *who, struct change_place *ret,
			       struct err *err);

#endif
